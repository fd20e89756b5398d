"""All settings. Each covers something that CloudZero has not published, and can be set to every plausible behavior."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, get_type_hints

from cloudzero_provider.sandbox.settings.access import AccessSettings
from cloudzero_provider.sandbox.settings.anycost import AnyCostSettings
from cloudzero_provider.sandbox.settings.parsing import ParsingSettings
from cloudzero_provider.sandbox.settings.records import RecordSettings
from cloudzero_provider.sandbox.settings.replies import ReplySettings
from cloudzero_provider.sandbox.settings.telemetry import TelemetrySettings

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Settings(ParsingSettings, RecordSettings, TelemetrySettings, AccessSettings, ReplySettings, AnyCostSettings):
    """All settings of the sandbox."""

    def as_json(self) -> dict[str, str | int | float]:
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return {name: value.value if isinstance(value, Enum) else value for name, value in values}


class InvalidSettingError(ValueError):
    """An unknown setting or an invalid value; the message lists the valid ones."""


_TYPES: Mapping[str, type] = get_type_hints(Settings)


def possible_values() -> dict[str, list[str | int] | str]:
    """Return every setting with its possible values, or a description of them for numbers and strings."""
    return {item.name: _possible(item.name, item.metadata) for item in fields(Settings)}


def _possible(name: str, metadata: Mapping[str, Any]) -> list[str | int] | str:
    kind = _TYPES[name]
    if issubclass(kind, Enum):
        return [choice.value for choice in kind]
    if "choices" in metadata:
        return list(metadata["choices"])
    if kind is str:
        return "a string"
    number = "a whole number" if kind is int else "a number"
    return f"{number} of at least {metadata['minimum']}"


def changed(settings: Settings, values: Mapping[str, object]) -> Settings:
    """Return the settings with these values; raise ``InvalidSettingError`` if one of them is invalid."""
    known = {item.name: item.metadata for item in fields(Settings)}
    parsed: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise InvalidSettingError(f"{name!r} is not a setting. Settings: {', '.join(known)}.")
        parsed[name] = _parsed(name, value, known[name])
    return replace(settings, **parsed)


def _parsed(name: str, value: object, metadata: Mapping[str, Any]) -> object:
    kind = _TYPES[name]
    if kind is str and not isinstance(value, str):
        raise _invalid_value(name, metadata)
    text = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else ""
    try:
        number_or_choice = kind(text)
    except ValueError:
        raise _invalid_value(name, metadata) from None
    choices = metadata.get("choices")
    if choices is not None and number_or_choice not in choices:
        raise _invalid_value(name, metadata)
    if "minimum" in metadata and not metadata["minimum"] <= number_or_choice < math.inf:
        raise _invalid_value(name, metadata)
    return number_or_choice


def _invalid_value(name: str, metadata: Mapping[str, Any]) -> InvalidSettingError:
    possible = _possible(name, metadata)
    listed = possible if isinstance(possible, str) else ", ".join(map(str, possible))
    return InvalidSettingError(f"The setting {name!r} does not accept this value. Possible: {listed}.")
