"""Read back what CloudZero holds for a month, with little memory."""

from __future__ import annotations

import tempfile
from itertools import chain, islice
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import COST, USAGE_START, Kind, in_cbf_order
from cloudzero_provider.anycost.month_reply import Row, rows_of
from cloudzero_provider.anycost.plain_reply import NotPlainError, plain_rows_of
from cloudzero_provider.exceptions import UnexpectedReplyError
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.exact_sums import exact_sum
from cloudzero_provider.values.python_values import no_strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

_BATCH = 10_000
# A reply in which every row has its own columns would exhaust memory.
_MOST_COLUMNS = 5_000
_MOST_CELLS = 100_000_000


def read_month(client: Client, anycost_connection_id: str, month: Month) -> pl.DataFrame:
    """
    Read what CloudZero holds for a month.

    The reply has no pages and may hold a million rows: it goes to a temporary file, and from there, batch by batch,
    into columns of text.

    :param client: the client to read with.
    :param anycost_connection_id: the AnyCost stream.
    :param month: the month.
    :return: a frame of text columns, in the order of the CBF documentation; null where a row has no value.
    :raises MonthNotFoundError: when the stream holds nothing for the month.
    :raises UnexpectedReplyError: when the reply is not what is documented.
    """
    with tempfile.TemporaryFile() as file:
        client.download_month(anycost_connection_id, str(month), file)
        try:
            frames = list(_frames(plain_rows_of(file)))
        except NotPlainError:
            frames = list(_frames(rows_of(file)))
    if not frames:
        return pl.DataFrame()
    frame = pl.concat(frames, how="diagonal")
    return frame.select(in_cbf_order(frame.columns))


def total_cost(frame: pl.DataFrame, column: str = COST) -> str:
    """
    Return the exact sum of a cost column that was read back, as a decimal string.

    :raises UnexpectedReplyError: when a value is not a decimal number.
    """
    if column not in frame.columns:
        return "0"
    costs = convert(Kind.DECIMAL, frame[column])
    if costs.bad:
        raise UnexpectedReplyError(
            f"CloudZero holds {counted(len(costs.bad), 'value')} of {column} that can't be summed: expected decimal "
            "numbers of up to 18 digits before the point and 30 after it."
        )
    return exact_sum(costs.strings)


def hours_of(frame: pl.DataFrame) -> pl.Series:
    """The hour of each row, as text."""
    if USAGE_START not in frame.columns:
        return no_strings(frame.height)
    return convert(Kind.HOUR, frame[USAGE_START]).strings


def _frames(rows: Iterable[Row]) -> Iterator[pl.DataFrame]:
    iterator = iter(rows)
    columns: dict[str, None] = {}
    count = 0
    while batch := list(islice(iterator, _BATCH)):
        names = dict.fromkeys(chain.from_iterable(batch))
        columns |= names
        count += len(batch)
        if len(columns) > _MOST_COLUMNS or len(columns) * count > _MOST_CELLS:
            raise UnexpectedReplyError(
                f"The contents of the month have {len(columns):,} columns within {count:,} rows: more than can be read."
            )
        yield _frame(batch, names)


def _frame(batch: list[Row], names: Iterable[str]) -> pl.DataFrame:
    try:
        return pl.DataFrame(
            {name: pl.Series(values=[row.get(name) for row in batch], dtype=pl.String) for name in names}
        )
    except UnicodeEncodeError:
        raise UnexpectedReplyError("The contents of the month hold something that is not valid Unicode.") from None
