"""What CloudZero holds for a month, read back without holding it twice."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, BinaryIO

import ijson
import polars as pl

from cloudzero_provider.anycost.columns import COST, USAGE_START, Kind, in_cbf_order
from cloudzero_provider.anycost.exact import exact_sum
from cloudzero_provider.anycost.values import WIRE_DECIMAL, convert
from cloudzero_provider.exceptions import UnexpectedReplyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cloudzero_provider.client import Client
    from cloudzero_provider.months import Month

_BATCH = 10_000
_DOCUMENTED_KEY = "billing_drop"


def read_month(client: Client, connection_id: str, month: Month) -> pl.DataFrame:
    """
    Read what CloudZero holds for a month.

    The reply has no pages and may hold a million rows: it goes to a temporary file, and from there, batch by batch,
    into columns of text.

    :param client: CloudZero.
    :param connection_id: the AnyCost stream.
    :param month: which month.
    :return: a frame of text columns, in the order of the CBF documentation; null where a row has no value.
    :raises MonthNotFoundError: when the stream holds nothing for the month.
    :raises UnexpectedReplyError: when the reply is not what is documented.
    """
    with tempfile.TemporaryFile(prefix="cloudzero-") as file:
        client.download_month(connection_id, str(month), file)
        try:
            frames = [_frame(batch) for batch in _batches(_rows(file))]
        except (ijson.JSONError, UnicodeDecodeError) as error:
            raise UnexpectedReplyError(f"The contents of {month} are no valid JSON ({error}).") from None
    if not frames:
        return pl.DataFrame()
    frame = pl.concat(frames, how="diagonal")
    return frame.select(in_cbf_order(frame.columns))


def total_cost(frame: pl.DataFrame, column: str = COST) -> str:
    """
    Add up a cost column of a month that was read back, exactly.

    :raises UnexpectedReplyError: when a value is no decimal number.
    """
    if column not in frame.columns:
        return "0"
    costs = frame[column].drop_nulls()
    if not costs.str.contains(WIRE_DECIMAL).all():
        converted = convert(Kind.DECIMAL, costs)
        if converted.bad:
            index = next(iter(converted.bad))
            raise UnexpectedReplyError(f"CloudZero holds a {column} that is no decimal number: {costs[index]!r}.")
        costs = converted.texts
    return exact_sum(costs)


def hours_of(frame: pl.DataFrame) -> pl.Series:
    """The hour of each row, as text."""
    if USAGE_START not in frame.columns:
        return pl.Series("hour", [None] * frame.height, dtype=pl.String)
    return convert(Kind.HOUR, frame[USAGE_START]).texts


def _rows(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Find the rows in the reply: under the documented key, or else in the first list there is."""
    file.seek(0)
    prefixes = {prefix for prefix, event, _ in islice(ijson.parse(file), 1000) if event == "start_array"}
    if not prefixes:
        raise UnexpectedReplyError("The contents of the month hold no list of rows.")
    prefix = _DOCUMENTED_KEY if _DOCUMENTED_KEY in prefixes else min(prefixes, key=len)
    file.seek(0)
    return iter(ijson.items(file, f"{prefix}.item" if prefix else "item"))


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


def _frame(batch: list[dict[str, Any]]) -> pl.DataFrame:
    if not all(isinstance(row, dict) for row in batch):
        raise UnexpectedReplyError("The contents of the month hold something that is no row.")
    names = dict.fromkeys(chain.from_iterable(batch))
    return pl.DataFrame(
        {name: pl.Series(values=[_text(row.get(name)) for row in batch], dtype=pl.String) for name in names}
    )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnexpectedReplyError(f"The contents of the month hold a value that is no text: {value!r:.80}")
