"""Settings for how strictly requests are read, which CloudZero has not published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import Permission


class DuplicateKeys(Enum):
    """What happens to a key that appears twice in one JSON object."""

    LAST = "last"
    REFUSE = "refuse"


class UnknownMembers(Enum):
    """What happens to members of a drop or a connection that are not in the schema."""

    IGNORE = "ignore"
    REFUSE = "refuse"


class CbfTimes(Enum):
    """The formats of a time in a row."""

    SCHEMA = "schema"
    ISO_8601 = "iso_8601"


class TelemetryTimes(Enum):
    """The formats of a record's time; ``extended`` is the one in CloudZero's examples."""

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
    Settings for how strictly requests are read.

    ``duplicate_json_keys``: the JSON standard only advises against them, most parsers use the last one, and
    "Invalid JSON" is the only documented rule.
    ``unknown_members``: in the bodies of drops and connections, whose schemas do not forbid any.
    ``cbf_times``: the API's schema has one pattern (``T``, seconds, ``+01:00`` or ``Z``); the guide says "ISO 8601",
    which also includes a date alone, ``T13:00Z``, ``+0100`` and ``20260916T130000Z``.
    ``month_dates``: whether ``month`` may be a date. The guide's ``2024-08`` does not match the schema's pattern
    either, and a program that sends dates is in use.
    ``telemetry_times``: "ISO 8601 format"; the examples use its extended form with minutes and seconds.
    ``labels``: the guide requires a string of JSON, the schema any string; a column without a value may be blank.
    ``empty_filter_values``: ``"filter": {"key": []}``; the schema has no minimum number of values.
    ``blank_element_names``: the schema has no minimum length, but the field is required.
    """

    duplicate_json_keys: DuplicateKeys = DuplicateKeys.LAST
    unknown_members: UnknownMembers = UnknownMembers.IGNORE
    cbf_times: CbfTimes = CbfTimes.SCHEMA
    month_dates: Permission = Permission.ACCEPT
    telemetry_times: TelemetryTimes = TelemetryTimes.ISO_8601
    labels: Labels = Labels.JSON_OR_BLANK
    empty_filter_values: Permission = Permission.ACCEPT
    blank_element_names: Permission = Permission.REFUSE
