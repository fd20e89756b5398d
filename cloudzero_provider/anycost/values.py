"""Values as CloudZero takes them: exact decimal text, timestamps in UTC, plain text. One converter per kind."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.columns import LINEITEM_TYPES, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.sources import Values

#: What may go over the wire: no sign but minus, no exponent. The bounds keep every total exact.
WIRE_DECIMAL = r"^-?[0-9]{1,18}(\.[0-9]{1,30})?$"
_ANY_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?)?"
    r"(Z|z|[+-][0-9]{2}:?[0-9]{2})?"
)

NOT_DECIMAL = "not a decimal number"
TOO_LONG = "more than 18 digits before the point or 30 behind it"
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


def convert(kind: Kind, values: Values) -> Converted:
    """
    Turn the values of a column into text.

    :param kind: what the column holds.
    :param values: Python objects, or text.
    """
    converted = _to_text(kind, values)
    converted.texts = converted.texts.set(converted.texts == "", None)
    if kind is Kind.DECIMAL:
        return _plain_decimals(converted)
    if kind in (Kind.HOUR, Kind.TIMESTAMP):
        return _utc_timestamps(converted, to_hour=kind is Kind.HOUR)
    if kind is Kind.LINEITEM_TYPE:
        return _checked(converted, lambda text: text in LINEITEM_TYPES, f"not one of {', '.join(LINEITEM_TYPES)}")
    if kind is Kind.JSON_OBJECT:
        return _checked(converted, _is_json_object, "not a JSON object as text (json.dumps makes one)")
    return converted


def _to_text(kind: Kind, values: Values) -> Converted:
    if isinstance(values, pl.Series):
        return Converted(values)
    if set(map(type, values)) <= {str, type(None)}:
        try:
            return Converted(pl.Series(values=values, dtype=pl.String))
        except UnicodeEncodeError:
            pass
    to_text = _FROM_OBJECT[kind]
    texts: list[str | None] = []
    bad: dict[int, str] = {}
    for index, value in enumerate(values):
        try:
            texts.append(None if value is None else to_text(value))
        except ValueError as error:
            texts.append(None)
            bad[index] = str(error)
    return Converted(pl.Series(values=texts, dtype=pl.String), bad)


def _text(value: object) -> str:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("not valid Unicode text") from None
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError(f"expected text, not {type(value).__name__}")


def _decimal_text(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError(f"{NOT_DECIMAL}: expected int, float, Decimal or text, not {type(value).__name__}")
    if isinstance(value, int):
        return int.__repr__(value) if value.bit_length() < 64 else _long_int(value)
    if not (value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)):
        raise ValueError(f"{NOT_DECIMAL}: there is no text for NaN and infinity")
    return str(value) if isinstance(value, Decimal) else float.__repr__(value)


def _long_int(value: int) -> str:
    if abs(value) >= 10**18:
        raise ValueError(TOO_LONG)
    return int.__repr__(value)


def _moment_text(value: object) -> str:
    if isinstance(value, str):
        return _text(value)
    try:
        if isinstance(value, datetime):
            return value.isoformat()
    except (ValueError, OverflowError):
        raise ValueError(NOT_TIMESTAMP) from None
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError(f"{NOT_TIMESTAMP}, nor a date or datetime, but {type(value).__name__}")


_FROM_OBJECT: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.DECIMAL: _decimal_text,
    Kind.HOUR: _moment_text,
    Kind.TIMESTAMP: _moment_text,
    Kind.LINEITEM_TYPE: _text,
    Kind.JSON_OBJECT: _text,
}


def _plain_decimals(column: Converted) -> Converted:
    """Write out exponents and bare points; what is plain already, nearly always all of it, stays as it came."""
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


def _plain_decimal(text: str) -> str:
    if not _ANY_DECIMAL.fullmatch(text):
        raise ValueError(NOT_DECIMAL)
    plain = format(Decimal(text), "f")
    whole, _, fraction = plain.lstrip("-").partition(".")
    if len(whole) > 18 or len(fraction) > 30:
        raise ValueError(TOO_LONG)
    return plain


def _utc_timestamps(column: Converted, *, to_hour: bool) -> Converted:
    found = column.texts.drop_nulls().unique().to_list()
    written: dict[str, str | None] = {}
    cut = set()
    for text in found:
        moment = _parse_moment(text)
        if moment is None:
            written[text] = None
            continue
        kept = moment.replace(microsecond=0) if not to_hour else moment.replace(minute=0, second=0, microsecond=0)
        written[text] = f"{kept:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0")
        if kept != moment:
            cut.add(text)
    texts = column.texts
    column.texts = texts.replace_strict(list(written), list(written.values()), default=None, return_dtype=pl.String)
    column.cut = int(texts.is_in(list(cut)).sum()) if cut else 0
    for index in (column.texts.is_null() & texts.is_not_null()).arg_true().to_list():
        column.bad[index] = NOT_TIMESTAMP
    return column


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


def _checked(column: Converted, is_good: Callable[[str], bool], rule: str) -> Converted:
    wrong = [text for text in column.texts.drop_nulls().unique().to_list() if not is_good(text)]
    if wrong:
        for index in column.texts.is_in(wrong).fill_null(False).arg_true().to_list():
            column.bad[index] = rule
    return column


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
