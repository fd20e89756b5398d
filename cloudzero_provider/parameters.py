"""Switches and numbers as parameters of operators, sensors and functions, read strictly."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from cloudzero_provider.exceptions import ConfigurationError

_TRUTHS = {"true": True, "false": False}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
_LONGEST_TEXT = 60


def read_bool(parameter: str, value: object, *, templated: bool = False) -> bool:
    """
    Read a switch.

    :param parameter: its name, for the error.
    :param value: what was given.
    :param templated: whether text is allowed, as a template renders it: ``true`` or ``false``, in any case of letters.
    :raises ConfigurationError: for anything else. Nothing is true or false by its truth value: ``"false"`` is true
        in Python.
    """
    if isinstance(value, bool):
        return value
    if templated and isinstance(value, str) and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    expected = "True or False"
    raise _refused(
        parameter, value, f"{expected}, or a template that renders to one of them" if templated else expected
    )


def read_number(
    parameter: str,
    value: object,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    meaning: str | None = None,
    templated: bool = False,
) -> float:
    """
    Read a number.

    :param parameter: its name, for the error.
    :param value: what was given: int, float or Decimal.
    :param least: the smallest that is allowed; ``most`` the largest.
    :param meaning: what the bounds are, for the error, like ``0 (off) to 1``.
    :param templated: whether text is allowed, as a template renders it: a plain decimal number.
    :raises ConfigurationError: for anything else, NaN and infinity included.
    """
    expected = f"a number, {meaning or _between(least, most)}"
    number = _number(value, templated=templated)
    if number is None or not math.isfinite(number) or not least <= number <= most:
        raise _refused(parameter, value, f"{expected}, or a template that renders to one" if templated else expected)
    return number


def read_whole_number(parameter: str, value: object, *, least: int = 1, most: int | None = None) -> int:
    """
    Read a whole number.

    :param parameter: its name, for the error.
    :param value: what was given: an int.
    :param least: the smallest that is allowed; ``most`` the largest.
    :raises ConfigurationError: for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        raise _refused(parameter, value, f"a whole number, {_between(least, most)}")
    return int(value)


def _number(value: object, *, templated: bool) -> float | None:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return None
    if templated and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return None


def _between(least: float, most: float | None) -> str:
    if most is None or most == math.inf:
        return f"at least {least:,}"
    return f"{least:,} to {most:,}"


def _refused(parameter: str, value: object, expected: str) -> ConfigurationError:
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}..."
    return ConfigurationError(f"{parameter} is {shown}: expected {expected}.")
