"""Tables and amounts in Markdown. Values of users go through :mod:`~cloudzero_provider.values.markdown_text` first."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from cloudzero_provider.values.decimal_strings import decimal_string

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


def table(header: Sequence[str], lines: Iterable[Sequence[str]], *, texts: int = 1) -> Iterator[str]:
    """
    Render a table, and an empty line after it.

    :param header: the names of its columns.
    :param lines: the cells of each line.
    :param texts: how many columns hold text; the others are numbers, aligned right.
    """
    yield _line(header)
    yield _line(["---"] * texts + ["---:"] * (len(header) - texts))
    yield from map(_line, lines)
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def amount(decimal: str) -> str:
    """
    Return an amount with its thousands separated, and all of its digits.

    :param decimal: a decimal string.
    """
    return f"{Decimal(decimal):,f}"


def signed(change: Decimal) -> str:
    """
    Return a difference with its sign; ``0`` for none.

    :param change: the difference.
    """
    return f"{Decimal(decimal_string(change)):+,f}" if change else "0"
