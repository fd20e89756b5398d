"""Values and timestamps of telemetry records."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.iso_times import parse_iso_8601
from cloudzero_provider.sandbox.common.months import hour_of, month_of, parse_timestamp
from cloudzero_provider.sandbox.settings.parsing import TelemetryTimes
from cloudzero_provider.sandbox.settings.records import NaiveTimestamps, ZeroValues
from cloudzero_provider.sandbox.settings.telemetry import ValueForm
from cloudzero_provider.sandbox.telemetry.model import Granularity

if TYPE_CHECKING:
    from datetime import datetime

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OFFSET = re.compile(r"(Z|[+-][0-9]{2}:[0-9]{2})$")
# The time zone of an organization in New York, for example.
_ORGANIZATION_OFFSET = timedelta(hours=5)
# "15 significant digits, the rest is rounded"; how a half is rounded is not published.
_KEPT_DIGITS = Context(prec=15, rounding=ROUND_HALF_UP)
# The range of a double, as which many parsers read JSON numbers.
_MAX_EXPONENT = 308
_RULES = {
    ValueForm.BOTH: "must be a number or a numeric string",
    ValueForm.NUMBER: "must be a number",
    ValueForm.STRING: "must be a numeric string",
}


def parse_value(value: object, form: ValueForm, zeros: ZeroValues) -> Decimal:
    """Parse and round a ``value``; ``ValueError`` says what is wrong with it."""
    number = _number(value, form)
    if number < 0 or (number == 0 and zeros is ZeroValues.REFUSE):
        raise ValueError("must be greater than 0")
    if abs(number.adjusted()) > _MAX_EXPONENT:
        raise ValueError("is out of range")
    return _KEPT_DIGITS.plus(number)


def _number(value: object, form: ValueForm) -> Decimal:
    if isinstance(value, Decimal) and form is not ValueForm.STRING:
        return value
    if isinstance(value, str) and form is not ValueForm.NUMBER and _NUMBER.fullmatch(value):
        try:
            return Decimal(value)
        except InvalidOperation:
            raise ValueError("is out of range") from None
    raise ValueError(_RULES[form])


@lru_cache(maxsize=4096)
def parse_time(text: str, naive: NaiveTimestamps, times: TelemetryTimes) -> datetime:
    """Parse a date, or a datetime with ``T`` or a space and an optional offset or ``Z``, and convert it to UTC."""
    moment, has_offset = _extended(text) if times is TelemetryTimes.EXTENDED else parse_iso_8601(text)
    if has_offset:
        return moment
    if naive is NaiveTimestamps.REFUSE:
        raise ValueError("must have an offset or Z")
    return moment + _ORGANIZATION_OFFSET if naive is NaiveTimestamps.ORGANIZATION else moment


def _extended(text: str) -> tuple[datetime, bool]:
    if _DATE.fullmatch(text):
        text = f"{text}T00:00:00"
    text = f"{text[:10]}T{text[11:]}" if text[10:11] == " " else text
    return parse_timestamp(text), bool(_OFFSET.search(text))


def truncated(moment: datetime, granularity: Granularity) -> str:
    """Return the start of a time's period as ``2024-09-01T00:00:00Z``."""
    if granularity is Granularity.MONTHLY:
        return month_of(moment).start
    hour = hour_of(moment)
    return hour if granularity is Granularity.HOURLY else f"{hour[:10]}T00:00:00Z"
