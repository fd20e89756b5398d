"""Read the columns of a FOCUS frame that CBF has a place for, with null as the only missing value."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.mapping import FOCUS_COLUMNS, OLDER_NAMES, REQUIRED, ValueKind
from cloudzero_provider.anycost.focus.options import FROM_TAG
from cloudzero_provider.anycost.focus.versions import NEWEST, describe_versions, unknown_columns
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.sources import plain_type
from cloudzero_provider.values.did_you_mean import spelling_differences
from cloudzero_provider.values.python_values import no_strings

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import FocusOptions

log = logging.getLogger(__name__)


def focus_columns(frame: pl.DataFrame, options: FocusOptions) -> dict[str, pl.Series]:
    """
    Return the columns that the mapping uses.

    Text is ``String``; numbers, times and tags keep their types. An empty string and the word ``NULL`` become null. A
    missing column is null in all rows.

    :param frame: FOCUS columns, and any others.
    :param options: may name more columns.
    :raises InputError: when a required column is missing, or a column has a type that can't be used.
    :raises ConfigurationError: when an option names a column that does not exist.
    """
    _check_names(frame, options)
    used = {name: column.kind for name, column in FOCUS_COLUMNS.items()}
    used |= {name: ValueKind.TEXT for name in options.chosen_columns if name not in used}
    log.info("The columns are those of FOCUS %s", describe_versions(frame.columns))
    read = {*used, *OLDER_NAMES.values()}
    _log_left_out([name for name in frame.columns if name not in read])
    columns = {name: _current_or_older(frame, name, kind) for name, kind in used.items()}
    return columns | _unit_of_quantity(frame)


def coalesce(columns: list[pl.Series]) -> pl.Series:
    """Take the first column that has a value, row by row."""
    first, *others = columns
    for other in others:
        if first.has_nulls():
            if first.dtype != other.dtype:
                # The common type of two number types may be a float.
                first, other = first.cast(pl.String), other.cast(pl.String)
            first = first.zip_with(first.is_not_null(), other)
    return first


def _current_or_older(frame: pl.DataFrame, name: str, kind: ValueKind) -> pl.Series:
    """Read a column and its older name. The series has the name of the column that exists."""
    found = [each for each in (name, OLDER_NAMES.get(name)) if each in frame.columns]
    return (
        coalesce([_checked_column(frame[each], kind) for each in found]) if found else _empty_column(name, frame.height)
    )


def _unit_of_quantity(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Take the unit of the version whose quantity is used; the other version's only if that one has no quantity."""
    if OLDER_NAMES["ConsumedQuantity"] not in frame.columns:
        # Nothing to choose between: the unit is read like any other column.
        return {}

    def both(name: str, kind: ValueKind) -> list[pl.Series]:
        names = (name, OLDER_NAMES[name])
        return [
            _checked_column(frame[each], kind) if each in frame.columns else _empty_column(each, frame.height)
            for each in names
        ]

    quantity, older_quantity = both("ConsumedQuantity", ValueKind.NUMBER)
    unit, older_unit = both("ConsumedUnit", ValueKind.TEXT)
    is_older = quantity.is_null() & older_quantity.is_not_null()
    own, other = older_unit.zip_with(is_older, unit), unit.zip_with(is_older, older_unit)
    return {"ConsumedUnit": own.zip_with(own.is_not_null() | (older_quantity.is_not_null() & ~is_older), other)}


def _empty_column(name: str, count: int) -> pl.Series:
    return no_strings(count).alias(name)


def _checked_column(values: pl.Series, kind: ValueKind) -> pl.Series:
    values = plain_type(values)
    dtype = values.dtype
    if dtype == pl.String:
        missing = (values == "") | (values == "NULL")
        return values.set(missing, None) if missing.any() else values
    keeps_type = {
        ValueKind.TAGS: True,
        ValueKind.NUMBER: dtype.is_numeric(),
        ValueKind.TIME: dtype in (pl.Date, pl.Datetime),
    }
    if keeps_type.get(kind):
        return values
    if kind is ValueKind.TEXT and (dtype.is_integer() or dtype.is_decimal() or dtype in (pl.Boolean, pl.Date)):
        return values.cast(pl.String)
    hint = " (a float loses digits: read it as text)" if dtype.is_float() else ""
    raise InputError(f"Column {values.name!r} has the type {dtype}: expected {kind.value}{hint}.")


def _check_names(frame: pl.DataFrame, options: FocusOptions) -> None:
    existing = ", ".join(frame.columns) or "none"
    required = [*REQUIRED, *options.required_columns]
    missing = [name for name in required if {name, OLDER_NAMES.get(name)}.isdisjoint(frame.columns)]
    if missing:
        what = "These are not FOCUS rows: they have" if len(missing) == len(required) else "The rows have"
        similar = spelling_differences(missing, frame.columns)
        hint = f" Names are matched exactly: {similar} (in SQL, quote the name)." if similar else ""
        raise InputError(f"{what} no column {' and no '.join(missing)}.{hint} The columns are: {existing}.")
    for name, option in options.chosen_columns.items():
        if name not in frame.columns:
            hint = f" For the tag with that key, write {FROM_TAG + name!r}." if option == "resource_from" else ""
            raise ConfigurationError(
                f"{option} names {name!r}, which is not a column.{hint} The columns are: {existing}."
            )
        if name in FOCUS_COLUMNS and FOCUS_COLUMNS[name].kind is not ValueKind.TEXT:
            kind = FOCUS_COLUMNS[name].kind.value
            raise ConfigurationError(f"{option} names {name!r}, which contains {kind}: expected a column of text.")


def _log_left_out(names: list[str]) -> None:
    similar = spelling_differences([*FOCUS_COLUMNS, *OLDER_NAMES.values()], names)
    if similar:
        log.warning("Names of FOCUS columns are matched exactly, so these columns are not used: %s", similar)
    unknown = unknown_columns(names)
    if unknown:
        log.warning(
            "Left out columns that may be from a newer version of FOCUS than %s, the newest supported one: %s",
            NEWEST,
            ", ".join(unknown),
        )
    rest = [name for name in names if name not in unknown]
    if rest:
        log.info("Left out columns that CBF has no place for: %s", ", ".join(rest))
