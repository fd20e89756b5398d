"""Parameters of operators, sensors and functions, read strictly: choices, switches and numbers."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, TypeVar

from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

_C = TypeVar("_C", bound="Choice")
_TRUTHS = {"true": True, "false": False}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
# More digits than any parameter needs, few enough for Python to parse quickly.
_DIGITS = re.compile(r"[0-9]{1,18}")
_LONGEST_TEXT = 60


class Choice(str, Enum):
    """One of a few names; a subclass lists them."""

    @classmethod
    def parse(cls: type[_C], value: str, parameter: str, *, among: Sequence[_C] = ()) -> _C:
        """
        Read a choice by its name.

        :param value: the name. White space around it, as a template may render, does not count.
        :param parameter: what the user knows it as.
        :param among: the choices that are allowed; all by default.
        :raises ConfigurationError: when it is another name.
        """
        choices = tuple(among or cls)
        found = [choice for choice in choices if isinstance(value, str) and choice.value == value.strip()]
        if not found:
            names = ", ".join(choice.value for choice in choices)
            raise ConfigurationError(f"{parameter} is {value!r}: expected one of {names}.")
        return found[0]


def read_bool(parameter: str, value: object, *, templated: bool = False, as_text: bool = False) -> bool:
    """
    Read a switch.

    :param parameter: its name, for the error.
    :param value: what was given.
    :param templated: whether text is allowed, as a template renders it: ``true`` or ``false``, in any case of letters.
    :param as_text: whether the same text is allowed, as a form writes it.
    :raises ConfigurationError: for anything else. Nothing is true or false by its truth value: ``"false"`` is true
        in Python.
    """
    if isinstance(value, bool):
        return value
    if (templated or as_text) and isinstance(value, str) and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    raise _refused(parameter, value, _or_text("True or False", "one of them", templated=templated, as_text=as_text))


def read_number(
    parameter: str,
    value: object,
    *,
    least: float = -math.inf,
    most: float = math.inf,
    meaning: str | None = None,
    templated: bool = False,
    as_text: bool = False,
) -> float:
    """
    Read a number.

    :param parameter: its name, for the error.
    :param value: what was given: int, float or Decimal.
    :param least: the smallest that is allowed; ``most`` the largest.
    :param meaning: what the bounds are, for the error, like ``0 (off) to 1``.
    :param templated: whether text is allowed, as a template renders it: a plain decimal number.
    :param as_text: whether the same text is allowed, as a form writes it.
    :raises ConfigurationError: for anything else, NaN and infinity included.
    """
    number = _number(value, in_text=templated or as_text)
    if number is None or not math.isfinite(number) or not least <= number <= most:
        expected = f"a number, {meaning or _between(least, most)}"
        raise _refused(parameter, value, _or_text(expected, "one", templated=templated, as_text=as_text))
    return number


def read_whole_number(
    parameter: str, value: object, *, least: int = 1, most: int | None = None, templated: bool = False
) -> int:
    """
    Read a whole number.

    :param parameter: its name, for the error.
    :param value: what was given: an int.
    :param least: the smallest that is allowed; ``most`` the largest.
    :param templated: whether text is allowed, as a template renders it: digits.
    :raises ConfigurationError: for anything else.
    """
    number = _whole_number(value, in_text=templated)
    if number is None or number < least or (most is not None and number > most):
        expected = f"a whole number, {_between(least, most)}"
        raise _refused(parameter, value, _or_text(expected, "one", templated=templated, as_text=False))
    return number


def _number(value: object, *, in_text: bool) -> float | None:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        try:
            return float(value)
        except (OverflowError, ValueError):  # a signaling NaN
            return None
    if in_text and isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value)
    return None


def _whole_number(value: object, *, in_text: bool) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if in_text and isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        return int(value)
    return None


def _or_text(expected: str, one: str, *, templated: bool, as_text: bool) -> str:
    """Add whether a string or a template is accepted."""
    if templated:
        return f"{expected}, or a template that renders to {one}"
    return f"{expected}, also as text" if as_text else expected


def _between(least: float, most: float | None) -> str:
    if most is None or most == math.inf:
        return f"at least {least:,}"
    return f"{least:,} to {most:,}"


def _refused(parameter: str, value: object, expected: str) -> ConfigurationError:
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}..."
    return ConfigurationError(f"{parameter} is {shown}: expected {expected}.")
