"""The contents of a month in one form, whether given or read back, and their hash."""

from __future__ import annotations

import hashlib
import json

import polars as pl

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import USAGE_START, Kind, in_cbf_order, kind_of
from cloudzero_provider.anycost.comparison.encoding import SEPARATOR, encoded_rows, parts_of_hours
from cloudzero_provider.values.parallel import for_columns, in_parallel
from cloudzero_provider.values.python_values import without_empty

#: An hour as the checks write it, like ``2026-03-16T13:00:00Z``.
CANONICAL_HOUR = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):00:00Z$"
#: Of the hash of an hour: enough to notice a change that nobody makes on purpose.
_HOUR_DIGITS = 16
_CANONICAL_TIMES = {
    Kind.HOUR: CANONICAL_HOUR,
    Kind.TIMESTAMP: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
}


def canonical(frame: pl.DataFrame) -> pl.DataFrame:
    """
    Bring rows to one form, so that equal contents are equal frames but for the order of their rows.

    Decimals and timestamps become those that would be sent; a value that can't be converted stays as it is. Empty
    strings become null. Columns are in the order of the CBF documentation, without those that have no value.

    :param frame: columns of text, checked or read back.
    """
    names = in_cbf_order(frame.columns)
    columns = for_columns(lambda name: _converted(frame[name], kind_of(name)), names, frame.height)
    return pl.DataFrame([column for column in columns if column.null_count() < len(column)])


def contents_sha256(frame: pl.DataFrame) -> str:
    """
    Hash rows, in whatever order they are. Equal rows count as often as they occur.

    :param frame: a canonical frame, or some of its rows.
    """
    with_values = [column.name for column in frame if column.null_count() < len(column)]
    # The hour comes first, so that sorting part by part sorts all.
    names = sorted(with_values, key=lambda name: name != USAGE_START)
    digest = hashlib.sha256(f"{json.dumps(names)}{SEPARATOR}".encode())
    for rows in in_parallel(lambda part: _sorted_rows(part[0], names), parts_of_hours(frame)):
        digest.update(rows)
        digest.update(SEPARATOR.encode())
    return digest.hexdigest()


def sha256_by_hour(frame: pl.DataFrame) -> dict[str, str]:
    """
    Hash the rows of each hour, in whatever order they are.

    :param frame: a canonical frame.
    :return: hour, like ``2026-03-16T13:00:00Z`` → the first digits of a hash. Rows without an hour are left out.
    """
    hours = frame.filter(pl.col(USAGE_START).is_not_null()) if USAGE_START in frame.columns else frame.clear()
    if hours.is_empty():
        return {}
    parts = hours.partition_by(USAGE_START)
    return {part[USAGE_START][0]: contents_sha256(canonical(part))[:_HOUR_DIGITS] for part in parts}


def _sorted_rows(frame: pl.DataFrame, names: list[str]) -> bytes:
    rows = encoded_rows(frame, names).sort().to_frame("row")
    joined: bytes = rows.select(pl.col("row").str.join(SEPARATOR).cast(pl.Binary)).item()
    return joined


def _converted(values: pl.Series, kind: Kind) -> pl.Series:
    pattern = _CANONICAL_TIMES.get(kind)
    if pattern is None and kind is not Kind.DECIMAL:
        return without_empty(values).alias(values.name)
    if pattern is not None and values.str.contains(pattern).all():
        return values
    converted = convert(kind, values)
    strings = converted.strings.alias(values.name)
    if not converted.bad:
        return strings
    return pl.select(pl.coalesce(strings, without_empty(values))).to_series().alias(values.name)
