"""Limits that a user may set, checked."""

from __future__ import annotations

from cloudzero_provider.exceptions import ConfigurationError

#: CloudZero takes 5 MB per request; whether that is this or 5,242,880 bytes is not published.
LARGEST_BODY = 5_000_000
#: So a request stays well below, unless the user says otherwise.
MAX_BODY_BYTES = 4_500_000


def check_limit(name: str, value: object, most: int | None = None) -> None:
    """
    Refuse a limit that makes no sense.

    :param name: of the parameter.
    :param value: whole and more than 0.
    :param most: that CloudZero takes.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ConfigurationError(f"{name} is {value!r}: expected a whole number above 0.")
    if most is not None and value > most:
        raise ConfigurationError(f"{name} is {value:,}: CloudZero takes {most:,} at the most.")
