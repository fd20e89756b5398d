"""
Transforms to build on, for the ``transform`` of an operator: functions from a data frame to a data frame.

Each is strict: it converts every value of a column exactly, or names those that it can't read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.values.did_you_mean import spelling_differences

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from cloudzero_provider.values.problems import Problems

    Transform = Callable[[pl.DataFrame], pl.DataFrame]


def decimals(*columns: str) -> Transform:
    """
    Return a transform that converts columns of text or numbers to exact decimals, for calculations.

    Text can't be summed (``"1" + "2"`` is ``"12"``), and polars' own ``cast`` to a Decimal rounds without an error.

    :param columns: names of columns. Missing values stay missing.
    :return: a function from a frame to a frame. It raises an
        :class:`~cloudzero_provider.exceptions.InvalidRowsError` that names row and column of each invalid number.
    :raises ConfigurationError: when a name is not a string.
    """
    _check_names("decimals", columns)

    def as_decimals(frame: pl.DataFrame) -> pl.DataFrame:
        return _with_decimals("decimals", frame, {name: _column("decimals", frame, name) for name in columns})

    return as_decimals


def money(*columns: str, decimal_point: str = ".", thousands: str = ",") -> Transform:
    """
    Return a transform that converts amounts as vendors write them to exact decimals: ``$1,234.56``, ``(12.50)``.

    An amount may have one sign (or parentheses, which make it negative) and one currency, such as ``$``, ``US$`` or
    ``EUR``, before the number or after it; all amounts of a column must be in one currency. The separators are never
    guessed: ``1.234,56 €`` needs ``decimal_point=","`` and ``thousands="."``.

    :param columns: names of columns. Missing values stay missing, and numbers stay as they are.
    :param decimal_point: the character before the fraction.
    :param thousands: the character between groups of three digits, or an empty string if there is none.
    :return: a function from a frame to a frame. It raises an
        :class:`~cloudzero_provider.exceptions.InvalidRowsError` that names row and column of each value that is not
        such an amount.
    :raises ConfigurationError: when a name is not a string, or a separator is not a single character of its own.
    """
    _check_names("money", columns)
    _check_separators(decimal_point, thousands)

    def as_amounts(frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        from cloudzero_provider.values.money import read_money

        problems, amounts = _problems_of(frame), {}
        for name in columns:
            values = _column("money", frame, name)
            if values.dtype == pl.String:
                column = read_money(values.set(values == "", None), decimal_point=decimal_point, thousands=thousands)
                problems.add_each(column.bad, name, values)
                values = column.decimals
            amounts[name] = values
        problems.raise_if_any()
        return _with_decimals("money", frame, amounts)

    return as_amounts


def dates(column: str, date_format: str) -> Transform:
    """
    Return a transform that converts text to dates or times, by a format that you declare.

    :param column: the name of a column. Missing values stay missing, and dates and times stay as they are.
    :param date_format: as of Python's ``strptime``, like ``%m/%d/%Y`` or ``%d.%m.%Y %H:%M``. A time without a zone
        (``%z``) is in UTC.
    :return: a function from a frame to a frame. It raises an
        :class:`~cloudzero_provider.exceptions.InvalidRowsError` that names row and column of each text that doesn't
        have the format.
    :raises ConfigurationError: when an argument is not a string.
    """
    _check_names("dates", (column, date_format))

    def as_times(frame: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        from cloudzero_provider.values.declared_times import read_times

        values = _column("dates", frame, column)
        if values.dtype.is_temporal():
            return frame
        if values.dtype != pl.String:
            raise InputError(f"dates: {column!r} has the type {values.dtype}: expected text.")
        problems = _problems_of(frame)
        times, bad = read_times(values, date_format)
        problems.add_each(bad, column, values)
        problems.raise_if_any()
        return frame.with_columns(times.alias(column))

    return as_times


def _check_names(function: str, names: tuple[Any, ...]) -> None:
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise ConfigurationError(
            f"{function}: expected each column as its own argument, like {function}('cost', 'discount'), not {wrong}."
        )


def _check_separators(decimal_point: Any, thousands: Any) -> None:
    for name, value, lengths in (("decimal_point", decimal_point, {1}), ("thousands", thousands, {0, 1})):
        if not isinstance(value, str) or len(value) not in lengths or value.isalnum() or value in tuple("+-()"):
            raise ConfigurationError(f"money: {name} is {value!r}: expected a single character, like '.' or ','.")
    if decimal_point == thousands:
        raise ConfigurationError(f"money: decimal_point and thousands are both {thousands!r}: they must differ.")


def _problems_of(frame: pl.DataFrame) -> Problems:
    from cloudzero_provider.sources import Rows
    from cloudzero_provider.values.problems import Problems
    from cloudzero_provider.values.row_places import where_in

    return Problems(Rows({}, frame.height, where_in(frame)))


def _column(function: str, frame: pl.DataFrame, name: str) -> pl.Series:
    from cloudzero_provider.sources import plain_type

    if name not in frame.columns:
        hint = spelling_differences([name], frame.columns)
        hint = f"; names are matched exactly: {hint} (in SQL, quote the name)" if hint else ""
        raise InputError(f"{function}: {name!r} is not a column; the columns are {', '.join(frame.columns)}{hint}.")
    return plain_type(frame[name])


def _with_decimals(function: str, frame: pl.DataFrame, columns: dict[str, pl.Series]) -> pl.DataFrame:
    from cloudzero_provider.sources.typed_frame import DECIMAL_DIGITS, decimal_series

    problems, series = _problems_of(frame), {}
    for name, values in columns.items():
        series[name], bad = decimal_series(values)
        problems.add_each(bad, name, values)
    problems.raise_if_any()
    for name, found in series.items():
        if found is None:
            raise InputError(f"{function}: {name!r} contains numbers that need more than {DECIMAL_DIGITS} digits.")
    return frame.with_columns(**{name: found for name, found in series.items() if found is not None})
