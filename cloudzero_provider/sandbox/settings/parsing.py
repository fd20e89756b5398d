"""What CloudZero has not published about how strictly it reads a request, as settings."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import Permission


class DuplicateKeys(Enum):
    """What a key that appears twice in one JSON object does."""

    LAST = "last"
    REFUSE = "refuse"


class UnknownMembers(Enum):
    """What happens to members of a drop or a connection that the schema does not list."""

    IGNORE = "ignore"
    REFUSE = "refuse"


class CbfTimes(Enum):
    """How a time in a row may be spelled."""

    SCHEMA = "schema"
    ISO_8601 = "iso_8601"


class TelemetryTimes(Enum):
    """How a record's time may be spelled; ``extended`` is as in CloudZero's examples."""

    ISO_8601 = "iso_8601"
    EXTENDED = "extended"


class Labels(Enum):
    """What ``k8s/labels`` may hold."""

    JSON_OR_BLANK = "json_or_blank"
    JSON = "json"
    ANY = "any"


@dataclass(frozen=True)
class ParsingSettings:
    """
    The settings of how strictly requests are read.

    ``duplicate_json_keys``: JSON only advises against them, most parsers take the last one, and "Invalid JSON" is the
    one rule that is documented.
    ``unknown_members``: of the bodies of drops and connections, whose schemas do not forbid any.
    ``cbf_times``: the API's schema has one pattern (``T``, seconds, ``+01:00`` or ``Z``); the guide says "ISO 8601",
    as which a date alone, ``T13:00Z``, ``+0100`` and ``20260916T130000Z`` pass too.
    ``month_dates``: whether ``month`` may be a date. The guide's own ``2024-08`` does not match the schema's pattern
    either, and a sender of dates is in use.
    ``telemetry_times``: "ISO 8601 format"; the examples have its extended form with minutes and seconds.
    ``labels``: the guide wants JSON in text, the schema any text; a column without a value may be blank.
    ``empty_filter_values``: ``"filter": {"key": []}``; the schema has no least number of values.
    ``blank_element_names``: the schema has no least length, yet the field is required.
    """

    duplicate_json_keys: DuplicateKeys = DuplicateKeys.LAST
    unknown_members: UnknownMembers = UnknownMembers.IGNORE
    cbf_times: CbfTimes = CbfTimes.SCHEMA
    month_dates: Permission = Permission.ACCEPT
    telemetry_times: TelemetryTimes = TelemetryTimes.ISO_8601
    labels: Labels = Labels.JSON_OR_BLANK
    empty_filter_values: Permission = Permission.ACCEPT
    blank_element_names: Permission = Permission.REFUSE
