"""Values as CloudZero takes them: exact decimal text, timestamps in UTC, plain text."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.sources import Values

#: What may go over the wire: no sign but minus, no exponent. The bounds keep every total exact.
WIRE_DECIMAL = r"^-?[0-9]{1,18}(\.[0-9]{1,30})?$"
# Zeros at the end of a fraction, and before a whole number, of what is plain but for them.
_IDLE_FRACTION = r"^-?[0-9]+\.[0-9]*0$"
_IDLE_WHOLE = r"^-?0+[0-9]+(\.[0-9]+)?$|^-0(\.0+)?$"
_ANY_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?)?"
    r"(Z|z|[+-][0-9]{2}:?[0-9]{2})?"
)

# The engine reads second 60 and the year 0; neither is a time that there is.
_CANONICAL = r"^([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]Z$"
_LONGEST_INTEGER_BITS = 256
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
#: The years 2 to 9998, in seconds since 1970: no zone moves them out of the calendar.
_CALENDAR = (-62_104_060_800, 253_370_764_799)

NOT_DECIMAL = "not a decimal number"
TOO_LONG = "more than 18 digits before the point or 30 behind it (round it first)"
NOT_TIMESTAMP = "not an ISO 8601 date or date and time, like 2026-03-16T13:00:00Z"


@dataclass
class Converted:
    """
    A column as text.

    :param texts: one text per row; null where there is no value, or a bad one.
    :param bad: row → the rule it breaks.
    :param cut: how many timestamps were cut to their hour or second.
    """

    texts: pl.Series
    bad: dict[int, str] = field(default_factory=dict)
    cut: int = 0


def as_text(values: Values, to_text: Callable[[Any], str]) -> Converted:
    """
    Turn the values of a column into text; ``None`` and an empty text become null.

    :param values: Python objects, or text.
    :param to_text: for a single object; raises ``ValueError`` with the rule that it breaks.
    """
    converted = _as_text(values, to_text)
    converted.texts = converted.texts.set(converted.texts == "", None)
    return converted


def _as_text(values: Values, to_text: Callable[[Any], str]) -> Converted:
    if isinstance(values, pl.Series):
        in_engine = _text_in_engine(values, to_text)
        if in_engine is not None:
            return Converted(in_engine)
        values = as_objects(values)
    if set(map(type, values)) <= {str, type(None)}:
        try:
            return Converted(pl.Series(values=values, dtype=pl.String))
        except UnicodeEncodeError:
            pass
    texts: list[str | None] = []
    bad: dict[int, str] = {}
    for index, value in enumerate(values):
        try:
            texts.append(None if value is None else to_text(value))
        except ValueError as error:
            texts.append(None)
            bad[index] = str(error)
    return Converted(pl.Series(values=texts, dtype=pl.String), bad)


def _text_in_engine(values: pl.Series, to_text: Callable[[Any], str]) -> pl.Series | None:
    """Let the engine write values, where it writes what ``to_text`` would; else ``None``."""
    dtype = values.dtype
    if dtype == pl.String:
        return values
    if dtype.is_integer() and to_text in (text_of, decimal_text):
        return values.cast(pl.String)
    if (dtype.is_decimal() or dtype.is_float()) and to_text is decimal_text:
        return values.cast(pl.String)
    if to_text is moment_text and dtype == pl.Date:
        return values.dt.strftime("%Y-%m-%d")
    if to_text is moment_text and isinstance(dtype, pl.Datetime):
        return _moments_in_engine(values, dtype)
    return None


def _moments_in_engine(values: pl.Series, dtype: pl.Datetime) -> pl.Series:
    zone = "Z" if dtype.time_zone in (None, "UTC") else "%:z"
    beyond = _beyond_calendar(values, dtype)
    written = _without(beyond, values).dt.strftime(f"%Y-%m-%dT%H:%M:%S%.f{zone}")
    return written.zip_with(~beyond, values.to_physical().cast(pl.String))


def _beyond_calendar(values: pl.Series, dtype: pl.Datetime) -> pl.Series:
    """Find times that the engine holds, but breaks on when it writes them, or makes objects of them."""
    seconds = values.to_physical() // _PER_SECOND[dtype.time_unit]
    return ~seconds.is_between(*_CALENDAR).fill_null(value=True)


def _without(beyond: pl.Series, times: pl.Series) -> pl.Series:
    # ``Series.set`` knows no times in early versions of the engine.
    return times.zip_with(~beyond, pl.repeat(None, len(times), dtype=times.dtype, eager=True))


def as_objects(values: pl.Series) -> list[Any]:
    """Take values as Python's objects; times beyond its calendar as the numbers that the engine has for them."""
    if not isinstance(values.dtype, pl.Datetime):
        return values.to_list()
    beyond = _beyond_calendar(values, values.dtype)
    objects = _without(beyond, values).to_list()
    for index in beyond.arg_true():
        objects[index] = values.to_physical()[index]
    return objects


def text_of(value: object) -> str:
    """Take text, and whole numbers as text."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("not valid Unicode text") from None
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _whole_number(value)
    raise ValueError(f"expected text, not {type(value).__name__}")


def decimal_text(value: object) -> str:
    """Write a number as decimal text, exactly; an exponent may be in it."""
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"{NOT_DECIMAL}: expected int, float, Decimal or text, not {type(value).__name__}")
    if isinstance(value, int):
        return _whole_number(value)
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise ValueError(f"{NOT_DECIMAL}: there is no text for NaN and infinity")
    return Decimal.__str__(value) if isinstance(value, Decimal) else float.__repr__(value)


def _whole_number(value: int) -> str:
    # Python refuses to write integers of thousands of digits.
    if value.bit_length() > _LONGEST_INTEGER_BITS:
        raise ValueError(TOO_LONG)
    return int.__repr__(value)


def moment_text(value: object) -> str:
    """Write a date or a datetime in ISO 8601."""
    if isinstance(value, str):
        return text_of(value)
    try:
        if isinstance(value, datetime):
            return value.isoformat()
    except (ValueError, OverflowError):
        raise ValueError(NOT_TIMESTAMP) from None
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(f"{NOT_TIMESTAMP}, nor a date or datetime, but {type(value).__name__}")


def plain_decimals(column: Converted) -> Converted:
    """Write numbers in one way: no exponent, no zeros that mean nothing; equal numbers become equal text."""
    column.texts = _without_idle_zeros(column.texts)
    odd = (~column.texts.str.contains(WIRE_DECIMAL)).fill_null(False).arg_true()
    if not len(odd):
        return column
    plain: list[str | None] = []
    for index, text in zip(odd.to_list(), column.texts.gather(odd).to_list(), strict=True):
        try:
            plain.append(_plain_decimal(text))
        except ValueError as error:
            plain.append(None)
            column.bad[index] = str(error)
    column.texts = column.texts.scatter(odd, pl.Series(values=plain, dtype=pl.String))
    return column


def _without_idle_zeros(texts: pl.Series) -> pl.Series:
    text = pl.col("text")
    fraction = text.str.contains(_IDLE_FRACTION)
    shorter = (
        pl.when(fraction)
        .then(text.str.strip_chars_end("0").str.strip_suffix("."))
        .otherwise(text)
        .str.replace(r"^(-?)0+([0-9])", "${1}${2}")
        .str.replace(r"^-0$", "0")
    )
    idle = fraction | text.str.contains(_IDLE_WHOLE)
    return texts.to_frame("text").select(pl.when(idle).then(shorter).otherwise(text).alias(texts.name)).to_series()


def _plain_decimal(text: str) -> str:
    if not _ANY_DECIMAL.fullmatch(text):
        raise ValueError(NOT_DECIMAL)
    plain = format(Decimal(text), "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    plain = "0" if plain == "-0" else plain
    whole, _, fraction = plain.lstrip("-").partition(".")
    if len(whole) > 18 or len(fraction) > 30:
        raise ValueError(TOO_LONG)
    return plain


def utc_timestamps(column: Converted, **cut: int) -> Converted:
    """
    Write timestamps in UTC.

    :param column: ISO 8601 texts; without an offset they are UTC.
    :param cut: what is cut off, as arguments of ``datetime.replace``, like ``minute=0, second=0, microsecond=0``.
    """
    texts = column.texts
    column.texts, column.cut = _utc_of_canonical(texts, cut)
    written: dict[str, str | None] = {}
    shortened = []
    for text in texts.filter(column.texts.is_null()).drop_nulls().unique().to_list():
        moment = _parse_moment(text)
        if moment is None:
            continue
        kept = moment.replace(**cut)  # type: ignore[arg-type]
        written[text] = f"{kept:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")
        if kept != moment:
            shortened.append(text)
    if written:
        others = texts.replace_strict(list(written), list(written.values()), default=None, return_dtype=pl.String)
        column.texts = column.texts.zip_with(column.texts.is_not_null(), others)
        column.cut += int(texts.is_in(shortened).sum())
    for index in (column.texts.is_null() & texts.is_not_null()).arg_true().to_list():
        column.bad[index] = NOT_TIMESTAMP
    return column


def _utc_of_canonical(texts: pl.Series, cut: dict[str, Any]) -> tuple[pl.Series, int]:
    """Let the engine do what is written like ``2026-03-16T13:05:00Z``, which may be a million different times."""
    text = pl.col("text")
    read = pl.when(text.str.contains(_CANONICAL)).then(text.str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False))
    moments = texts.alias("text").to_frame().select(read.alias("given"))
    moments = moments.with_columns(kept=pl.col("given").dt.replace(**cut))
    return moments["kept"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"), int((moments["kept"] != moments["given"]).sum())


def _parse_moment(text: str) -> datetime | None:
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int(f"{(fraction or '.0')[1:7]:0<6}"),
            tzinfo=timezone.utc,
        )
        if offset in (None, "Z", "z"):
            return moment
        return datetime.strptime(f"{moment:%Y-%m-%dT%H:%M:%S.%f}{offset}", "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(
            timezone.utc
        )
    except (ValueError, OverflowError):
        return None


def checked(column: Converted, is_good: Callable[[str], bool], rule: str) -> Converted:
    """Hold every distinct text against a rule."""
    wrong = [text for text in column.texts.drop_nulls().unique().to_list() if not is_good(text)]
    if wrong:
        for index in column.texts.is_in(wrong).fill_null(False).arg_true().to_list():
            column.bad[index] = rule
    return column


def is_blank(values: Values) -> pl.Series:
    """Which rows of a column came without a value."""
    if isinstance(values, pl.Series):
        return values.is_null() | (values == "") if values.dtype == pl.String else values.is_null()
    return pl.Series(values=[value is None or (isinstance(value, str) and not value) for value in values])
