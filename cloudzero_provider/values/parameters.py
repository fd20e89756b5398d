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
_BOOLEANS = {"true": True, "false": False}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")
# More digits than any parameter needs, few enough for Python to parse quickly.
_DIGITS = re.compile(r"[0-9]{1,18}")
_LONGEST_TEXT = 60


class Choice(str, Enum):
    """Base of parameters with a few allowed names; a subclass lists them."""

    @classmethod
    def parse(cls: type[_C], value: str, parameter: str, *, among: Sequence[_C] = ()) -> _C:
        """
        Read a choice by its name.

        :param value: the name. White space around it is ignored, since a template may render it.
        :param parameter: the parameter's name, for the error.
        :param among: the allowed choices; all by default.
        :raises ConfigurationError: for any other name.
        """
        choices = tuple(among or cls)
        found = [choice for choice in choices if isinstance(value, str) and choice.value == value.strip()]
        if not found:
            names = ", ".join(choice.value for choice in choices)
            raise ConfigurationError(f"{parameter} is {value!r}: expected one of {names}.")
        return found[0]


def read_bool(parameter: str, value: object, *, templated: bool = False, as_text: bool = False) -> bool:
    """
    Read a boolean.

    :param parameter: the parameter's name, for the error.
    :param value: the given value.
    :param templated: whether rendered templates are accepted: ``true`` or ``false``, ignoring case.
    :param as_text: whether the same text is accepted from a form or a connection's extra.
    :raises ConfigurationError: for anything else. Python's truth value is never used: that of ``"false"`` is true.
    """
    if isinstance(value, bool):
        return value
    if (templated or as_text) and isinstance(value, str) and value.strip().lower() in _BOOLEANS:
        return _BOOLEANS[value.strip().lower()]
    raise _invalid(parameter, value, _or_text("True or False", "one of them", templated=templated, as_text=as_text))


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

    :param parameter: the parameter's name, for the error.
    :param value: the given value: int, float or Decimal.
    :param least: the smallest allowed value.
    :param most: the largest allowed value.
    :param meaning: description of the range for the error, like ``0 (off) to 1``.
    :param templated: whether rendered templates are accepted: a plain decimal number.
    :param as_text: whether the same text is accepted from a form or a connection's extra.
    :raises ConfigurationError: for anything else, including NaN and infinity.
    """
    number = _number(value, in_text=templated or as_text)
    if number is None or not math.isfinite(number) or not least <= number <= most:
        expected = f"a number, {meaning or _between(least, most)}"
        raise _invalid(parameter, value, _or_text(expected, "one", templated=templated, as_text=as_text))
    return number


def read_whole_number(
    parameter: str, value: object, *, least: int = 1, most: int | None = None, templated: bool = False
) -> int:
    """
    Read a whole number.

    :param parameter: the parameter's name, for the error.
    :param value: the given value: an int.
    :param least: the smallest allowed value.
    :param most: the largest allowed value.
    :param templated: whether rendered templates are accepted: digits.
    :raises ConfigurationError: for anything else.
    """
    number = _whole_number(value, in_text=templated)
    if number is None or number < least or (most is not None and number > most):
        expected = f"a whole number, {_between(least, most)}"
        raise _invalid(parameter, value, _or_text(expected, "one", templated=templated, as_text=False))
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
    """Add to an expectation that a template or text is also accepted."""
    if templated:
        return f"{expected}, or a template that renders to {one}"
    return f"{expected}, also as text" if as_text else expected


def _between(least: float, most: float | None) -> str:
    if most is None or most == math.inf:
        return f"at least {least:,}"
    return f"{least:,} to {most:,}"


def _invalid(parameter: str, value: object, expected: str) -> ConfigurationError:
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}..."
    return ConfigurationError(f"{parameter} is {shown}: expected {expected}.")
