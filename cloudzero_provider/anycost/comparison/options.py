"""Options of a comparison."""

from __future__ import annotations

from cloudzero_provider.anycost.columns import COLUMNS, Kind, did_you_mean, is_tag
from cloudzero_provider.exceptions import ConfigurationError

#: The column that changes are listed by, besides the day.
DEFAULT_BY = "resource/service"


def read_by(value: object, parameter: str = "by") -> str:
    """
    Read the column that changes are listed by.

    :param value: the given value.
    :param parameter: the parameter's name, for the error.
    :raises ConfigurationError: when it is not a column of the Common Bill Format, or holds amounts.
    """
    name = str(value).strip()
    if not is_tag(name) and name not in COLUMNS:
        hint = did_you_mean(name)
        raise ConfigurationError(f"{parameter} is {value!r}: expected a column of the Common Bill Format{hint}")
    if name in COLUMNS and COLUMNS[name].kind is Kind.DECIMAL:
        raise ConfigurationError(f"{parameter} is {value!r}: expected a column that does not hold amounts")
    return name
