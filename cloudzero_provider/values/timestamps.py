"""Columns of timestamps as CloudZero accepts them: in UTC, truncated to their period."""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from cloudzero_provider.values.conversion import Converted
from cloudzero_provider.values.distinct_values import by_distinct
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP, PLAIN_TIME_PATTERN, TIME_PATTERN

_FORMAT = "%Y-%m-%dT%H:%M:%S"


@dataclass
class Timestamps(Converted):
    """
    A column of timestamps, like ``2026-03-16T13:00:00Z``.

    :param moved: whether each is in another month in UTC than in its own zone.
    """

    moved: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.Boolean))


def utc_timestamps(column: Converted, **truncation: int) -> Timestamps:
    """
    Convert timestamps to UTC and truncate them.

    :param column: strings in any format of :mod:`cloudzero_provider.values.time_formats`; UTC if they have no zone.
    :param truncation: arguments of ``datetime.replace`` that truncate them, like ``minute=0``; fractions of seconds are
        always removed.
    """
    strings = column.strings
    found = by_distinct(strings, lambda distinct: _converted(distinct, truncation))
    bad = (found["string"].is_null() & strings.is_not_null()).arg_true()
    return Timestamps(
        strings=found["string"],
        bad=column.bad | dict.fromkeys(bad.to_list(), NOT_TIMESTAMP),
        truncated=int(found["shortened"].sum()),
        moved=found["moved"].fill_null(value=False),
    )


def _converted(strings: pl.Series, truncation: dict[str, int]) -> pl.DataFrame:
    """
    Convert timestamps.

    :return: columns ``string``, null for other formats; ``shortened``, whether truncating changed it; ``moved``,
        as in :class:`Timestamps`.
    """
    # polars 1.20 panics when it replaces parts of times in several chunks.
    read = _read(strings.rechunk())
    kept = read["utc"].dt.replace(**truncation) if truncation else read["utc"]  # type: ignore[arg-type]
    return pl.DataFrame(
        {
            "string": kept.dt.strftime(f"{_FORMAT}Z"),
            "shortened": (kept != read["utc"]) | (read["fraction"] & kept.is_not_null()),
            "moved": read["utc"].dt.month() != read["local"].dt.month(),
        }
    )


def _read(strings: pl.Series) -> pl.DataFrame:
    """
    Parse timestamps.

    :return: columns ``utc``, in whole seconds, null for other formats; ``local``, the time in its own zone;
        ``fraction``, whether it has a fraction of a second.
    """
    is_plain = strings.str.contains(PLAIN_TIME_PATTERN).fill_null(value=True)
    # Parsing plain formats separately halves the time for a million distinct timestamps.
    moments = _read_plain(strings if is_plain.all() else pl.select(pl.when(is_plain).then(strings)).to_series())
    read = pl.DataFrame({"utc": moments, "local": moments}).with_columns(fraction=pl.lit(value=False))
    if is_plain.all():
        return read
    found = strings.filter(~is_plain).str.extract_groups(TIME_PATTERN).struct.unnest()
    others = found.select(*_parts()).select(*_in_utc())
    where = (~is_plain).arg_true()
    return read.with_columns(read[name].scatter(where, others[name]) for name in read.columns)


def _read_plain(strings: pl.Series) -> pl.Series:
    seconds = pl.col("text").str.slice(0, 19).str.replace(" ", "T", literal=True)
    moments = strings.alias("text").to_frame().select(seconds.str.to_datetime(_FORMAT, strict=False, time_unit="us"))
    return moments.select(_in_calendar(pl.col("text"))).to_series()


def _parts() -> list[pl.Expr]:
    digits = pl.concat_str("date", pl.coalesce("time", "minute", "hour", pl.lit(""))).str.replace_all("[^0-9]", "")
    offset = pl.coalesce("offset", "clear_offset", pl.lit("+00")).str.replace(":", "", literal=True)
    return [
        digits.str.pad_end(14, "0").str.to_datetime("%Y%m%d%H%M%S", strict=False, time_unit="us").alias("local"),
        offset.alias("offset"),
        pl.col("fraction").str.contains("[1-9]").fill_null(value=False),
    ]


def _in_utc() -> list[pl.Expr]:
    hours, minutes = (pl.col("offset").str.slice(at, 2).cast(pl.Int64, strict=False).fill_null(0) for at in (1, 3))
    minutes_east = (hours * 60 + minutes) * pl.when(pl.col("offset").str.starts_with("-")).then(-1).otherwise(1)
    local = _in_calendar(pl.col("local"))
    return [_in_calendar(local - pl.duration(minutes=minutes_east)).alias("utc"), local, pl.col("fraction")]


def _in_calendar(moment: pl.Expr) -> pl.Expr:
    return pl.when(moment.dt.year().is_between(1, 9999)).then(moment)
