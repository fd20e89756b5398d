"""Reading a FOCUS frame: the columns that have a place in CBF, with one way to say "missing"."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.mapping import FOCUS_COLUMNS, OLDER_NAMES, REQUIRED, Holds
from cloudzero_provider.anycost.focus.options import FROM_TAG
from cloudzero_provider.anycost.focus.versions import NEWEST, recognised, unknown_columns
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.sources import plain_type
from cloudzero_provider.values.did_you_mean import differently_written

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import FocusOptions

log = logging.getLogger(__name__)


def focus_columns(frame: pl.DataFrame, options: FocusOptions) -> dict[str, pl.Series]:
    """
    Take the columns that are used.

    Text, and what is taken as text, is ``String``; numbers, times and tags keep their types. A null, an empty text and
    the word ``NULL`` are null. A column that is not there is null in all rows.

    :param frame: FOCUS columns, and any others.
    :param options: may name further columns.
    :raises InputError: when a required column is not there, or one holds what it can't.
    :raises ConfigurationError: when an option names a column that is not there.
    """
    _check_names(frame, options)
    used = {name: column.holds for name, column in FOCUS_COLUMNS.items()}
    used |= {name: Holds.TEXT for name in options.chosen_columns if name not in used}
    log.info("The columns are those of FOCUS %s", recognised(frame.columns))
    read = {*used, *OLDER_NAMES.values()}
    _log_left_out([name for name in frame.columns if name not in read])
    columns = {name: _read(frame, name, holds) for name, holds in used.items()}
    return columns | _unit_of_quantity(frame)


def first_of(columns: list[pl.Series]) -> pl.Series:
    """Take the first that has a value in a row."""
    first, *others = columns
    for other in others:
        if first.has_nulls():
            if first.dtype != other.dtype:
                # The common type of two kinds of numbers may be a float.
                first, other = first.cast(pl.String), other.cast(pl.String)
            first = first.zip_with(first.is_not_null(), other)
    return first


def _read(frame: pl.DataFrame, name: str, holds: Holds) -> pl.Series:
    """Read a column, and the one that an older version has for it; it is named by the one that is there."""
    there = [each for each in (name, OLDER_NAMES.get(name)) if each in frame.columns]
    return first_of([_column(frame[each], holds) for each in there]) if there else _missing(name, frame.height)


def _unit_of_quantity(frame: pl.DataFrame) -> dict[str, pl.Series]:
    """Give the unit of the version whose quantity is taken; the other version's only where it has no quantity."""
    if OLDER_NAMES["ConsumedQuantity"] not in frame.columns:
        # There is nothing to choose between: the unit is read as every column is.
        return {}

    def both(name: str, holds: Holds) -> list[pl.Series]:
        names = (name, OLDER_NAMES[name])
        return [
            _column(frame[each], holds) if each in frame.columns else _missing(each, frame.height) for each in names
        ]

    quantity, older_quantity = both("ConsumedQuantity", Holds.NUMBER)
    unit, older_unit = both("ConsumedUnit", Holds.TEXT)
    is_older = quantity.is_null() & older_quantity.is_not_null()
    own, other = older_unit.zip_with(is_older, unit), unit.zip_with(is_older, older_unit)
    return {"ConsumedUnit": own.zip_with(own.is_not_null() | (older_quantity.is_not_null() & ~is_older), other)}


def _missing(name: str, count: int) -> pl.Series:
    return pl.repeat(None, count, dtype=pl.String, eager=True).alias(name)


def _column(values: pl.Series, holds: Holds) -> pl.Series:
    values = plain_type(values)
    dtype = values.dtype
    if dtype == pl.String:
        missing = (values == "") | (values == "NULL")
        return values.set(missing, None) if missing.any() else values
    stays = {Holds.TAGS: True, Holds.NUMBER: dtype.is_numeric(), Holds.TIME: dtype in (pl.Date, pl.Datetime)}
    if stays.get(holds):
        return values
    if holds is Holds.TEXT and (dtype.is_integer() or dtype.is_decimal() or dtype in (pl.Boolean, pl.Date)):
        return values.cast(pl.String)
    hint = " (a float loses digits: read it as text)" if dtype.is_float() else ""
    raise InputError(f"Column {values.name!r} holds {dtype}: expected {holds.value}{hint}.")


def _check_names(frame: pl.DataFrame, options: FocusOptions) -> None:
    there = ", ".join(frame.columns) or "none"
    required = [*REQUIRED, *options.required_columns]
    missing = [name for name in required if {name, OLDER_NAMES.get(name)}.isdisjoint(frame.columns)]
    if missing:
        what = "These are no FOCUS rows: they have" if len(missing) == len(required) else "The rows have"
        similar = differently_written(missing, frame.columns)
        hint = f" Names are matched exactly: {similar} (in SQL, quote the name)." if similar else ""
        raise InputError(f"{what} no column {' and no '.join(missing)}.{hint} The columns are: {there}.")
    for name, option in options.chosen_columns.items():
        if name not in frame.columns:
            hint = f" For the tag of that key, write {FROM_TAG + name!r}." if option == "resource_from" else ""
            raise ConfigurationError(
                f"{option} names {name!r}: there is no such column.{hint} The columns are: {there}."
            )
        if name in FOCUS_COLUMNS and FOCUS_COLUMNS[name].holds is not Holds.TEXT:
            holds = FOCUS_COLUMNS[name].holds.value
            raise ConfigurationError(f"{option} names {name!r}, which holds {holds}: expected a column of text.")


def _log_left_out(names: list[str]) -> None:
    similar = differently_written([*FOCUS_COLUMNS, *OLDER_NAMES.values()], names)
    if similar:
        log.warning("Names of FOCUS columns are matched exactly, so these are not used: %s", similar)
    unknown = unknown_columns(names)
    if unknown:
        log.warning(
            "Columns that may be of a newer version of FOCUS than %s, the newest that is known here, left out: %s",
            NEWEST,
            ", ".join(unknown),
        )
    rest = [name for name in names if name not in unknown]
    if rest:
        log.info("Columns that have no place in CBF, left out: %s", ", ".join(rest))
