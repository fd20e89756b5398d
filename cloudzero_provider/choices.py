"""Parameters that take one of a few names."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from cloudzero_provider.exceptions import ConfigurationError

_C = TypeVar("_C", bound="Choice")


class Choice(str, Enum):
    """One of a few names; a subclass lists them."""

    @classmethod
    def parse(cls: type[_C], value: str, parameter: str) -> _C:
        """
        Read a choice by its name.

        :param value: the name. White space around it, as a template may render, does not count.
        :param parameter: what the user knows it as.
        :raises ConfigurationError: when it is another name.
        """
        try:
            return cls(value.strip() if isinstance(value, str) else value)
        except ValueError:
            names = ", ".join(choice.value for choice in cls)
            raise ConfigurationError(f"{parameter} is {value!r}: expected one of {names}.") from None
