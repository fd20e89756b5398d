"""Guards against a month that becomes much smaller, or much larger, by accident."""

from __future__ import annotations

from cloudzero_provider.parameters import read_number


def read_min_rows_ratio(value: object, *, templated: bool = False) -> float:
    """
    Read the parameter ``min_rows_ratio``.

    :param value: what was given.
    :param templated: whether a template may have rendered it.
    :raises ConfigurationError: when it is not a number from 0 to 1.
    """
    return read_number("min_rows_ratio", value, least=0, most=1, meaning="0 (off) to 1", templated=templated)
