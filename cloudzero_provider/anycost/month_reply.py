"""
Parse the reply that holds a month, row by row.

It has no pages and may hold a million rows, so it is parsed as a stream. A reply of another shape is an error, never
"no rows".
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

import ijson

from cloudzero_provider.exceptions import UnexpectedReplyError

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST = 8
# No value in a row is this long. The parser's time grows with the square of the length of a value.
_BLOCK = 256 * 1024
_FEWEST_QUOTES = 16
# The parser's C code crashes on numbers that Python refuses to read.
_MOST_DIGITS = 4000
_ENDLESS_NUMBER = re.compile(rb"[0-9]{%d}" % _MOST_DIGITS)

Row = dict[str, str]


def rows_of(file: BinaryIO) -> Iterator[Row]:
    """
    Yield the rows of a reply.

    :param file: the reply, as CloudZero sent it.
    :raises UnexpectedReplyError: when it is not JSON, or does not hold exactly one list of rows.
    """
    _refuse_oversized_values(file)
    file.seek(0)
    try:
        yield from _Rows(ijson.basic_parse(file))
    except (ijson.JSONError, UnicodeDecodeError, ArithmeticError) as error:
        raise UnexpectedReplyError(f"The contents of the month are not valid JSON ({type(error).__name__}).") from None


def _refuse_oversized_values(file: BinaryIO) -> None:
    file.seek(0)
    tail = b""
    while block := file.read(_BLOCK):
        if _ENDLESS_NUMBER.search(tail + block):
            raise UnexpectedReplyError("The contents of the month hold a number of thousands of digits.")
        if len(block) == _BLOCK and block.count(b'"') - block.count(b'\\"') < _FEWEST_QUOTES:
            raise UnexpectedReplyError("The contents of the month hold a string without an end.")
        tail = block[-_MOST_DIGITS:]


class _Rows:
    """Finds the list of rows: under the documented key, or the only list in the reply."""

    def __init__(self, events: Iterator[tuple[str, Any]]) -> None:
        self._events = events
        self._lists = 0

    def __iter__(self) -> Iterator[Row]:
        depth = 0
        for event, _value in self._events:
            if event == "start_array":
                self._count_list()
                yield from self._list()
            else:
                depth += {"start_map": 1, "end_map": -1}.get(event, 0)
                if depth > _DEEPEST:
                    raise _unexpected_contents("something that is nested too deeply")
        if not self._lists:
            raise _unexpected_contents("no list")

    def _count_list(self) -> None:
        self._lists += 1
        if self._lists > 1:
            raise _unexpected_contents("more than one list")

    def _list(self) -> Iterator[Row]:
        for event, _ in self._events:
            if event == "end_array":
                return
            if event != "start_map":
                raise _unexpected_contents("a list of something else")
            yield self._row()

    def _row(self) -> Row:
        """Read one row; the parser fails where the reply ends early."""
        row: Row = {}
        key = ""
        while True:
            event, value = next(self._events)
            if event == "map_key":
                key = value
            elif event == "string":
                row[key] = value
            elif event == "end_map":
                if not row:
                    raise _unexpected_contents("a row without a value")
                return row
            elif event == "number":
                row[key] = _number_text(value)
            elif event != "null":
                raise _unexpected_contents(f"a value that is not text, in column {key[:80]!r}")


def _number_text(value: int | Decimal) -> str:
    """Convert a number that should have been text; one with a huge exponent would exhaust memory."""
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > _MOST_DIGITS:
            raise _unexpected_contents("a number of thousands of digits")
        return format(value, "f")
    return str(value)


def _unexpected_contents(what: str) -> UnexpectedReplyError:
    return UnexpectedReplyError(f"The contents of the month are not the documented list of rows: they hold {what}.")
