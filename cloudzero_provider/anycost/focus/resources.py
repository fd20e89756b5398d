"""Resource ids that survive CloudZero's splitting, without two resources becoming one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.mapping import NO_RESOURCE_TYPE
from cloudzero_provider.anycost.focus.options import FROM_TAG
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.sources import row_number

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import FocusOptions
    from cloudzero_provider.anycost.focus.tags import Tag
    from cloudzero_provider.values.problems import Problems

log = logging.getLogger(__name__)

_PARTS = ("ResourceType", "ResourceId", "AllocatedResourceId")
_TYPE, _ID, _ALLOCATED = map(pl.col, _PARTS)


def resource_ids(
    columns: dict[str, pl.Series], tags: list[Tag], options: FocusOptions, problems: Problems
) -> pl.Series:
    """
    Write ``type/id``.

    CloudZero splits a resource id at the first ``:`` or ``/`` and drops what follows a second one, so that only one of
    them may be in it. What a charge is allocated to is a resource of its own, and is unique within the one that it is a
    part of only: its id has both.

    :param columns: of FOCUS.
    :param tags: of all rows.
    :param options: what stands for ``:`` and ``/``, and what a resource is made of for rows without one.
    :param problems: two resources that would become one are noted there.
    :return: null where a row has no resource.
    """
    given = {name: _source(name, columns, tags) for name in options.resource_from}
    # A name of its own for each, since a column can be a part of the id and be in resource_from.
    made = [f"made {number}" for number in range(len(given))]
    rows = pl.DataFrame([columns[name] for name in _PARTS]).with_columns(
        **{
            name: series.set(columns["ResourceId"].is_not_null(), None)
            for name, series in zip(made, given.values(), strict=True)
        }
    )
    rows = rows.with_columns(written=_written(made, options.id_separator))
    _check_distinct(rows, dict(zip(made, given, strict=True)), problems)
    _log_counts(rows, made)
    return rows["written"]


def _source(name: str, columns: dict[str, pl.Series], tags: list[Tag]) -> pl.Series:
    """Take the values that a resource is made of: a column, or a tag."""
    if not name.startswith(FROM_TAG):
        return columns[name]
    key = name.removeprefix(FROM_TAG)
    for tag in tags:
        if tag.key == key:
            return tag.by_row()
    keys = ", ".join(tag.key for tag in tags) or "none"
    raise ConfigurationError(f"resource_from names {name!r}: no row has such a tag. The tags are: {keys}.")


def _written(made: list[str], separator: str) -> pl.Expr:
    parts = [_ID, _ALLOCATED]
    if made:
        joined = pl.concat_str([pl.col(name).fill_null("") for name in made], separator=separator)
        parts.insert(0, pl.when(pl.any_horizontal(_is_there(made))).then(joined))
    identity = pl.concat_str(parts, separator=separator, ignore_nulls=True)
    written = pl.concat_str(
        _replaced(_TYPE.fill_null(NO_RESOURCE_TYPE), separator), _replaced(identity, separator), separator="/"
    )
    return pl.when(pl.any_horizontal(_is_there([*_PARTS[1:], *made]))).then(written)


def _is_there(names: list[str]) -> list[pl.Expr]:
    return [pl.col(name).is_not_null() for name in names]


def _replaced(part: pl.Expr, separator: str) -> pl.Expr:
    return part.str.replace_all("[:/]", separator)


def _check_distinct(rows: pl.DataFrame, made: dict[str, str], problems: Problems) -> None:
    names = [*_PARTS, *made]
    resources = rows.with_row_index("row").filter(pl.col("written").is_not_null())
    resources = resources.unique(names, keep="first")
    shared = resources.filter(pl.col("written").is_duplicated()).sort("row")
    first: dict[str, tuple[int, str]] = {}
    for row, written, *values in shared.select("row", "written", *names).iter_rows():
        name = _described(dict(zip(names, values, strict=True)), made)
        if written not in first:
            first[written] = row, name
            continue
        other_row, other = first[written]
        problems.add(
            row,
            "ResourceId",
            f"{name} would become the resource/id {written!r}, as does {other} of {row_number(other_row)}: two "
            "resources would be one in CloudZero (id_separator takes another character for ':' and '/')",
        )


def _described(values: dict[str, str | None], made: dict[str, str]) -> str:
    """Say what a resource is made of, by the names that the user knows."""
    kind = values.pop("ResourceType")
    parts = (f"{made.get(name, name)} {value!r}" for name, value in values.items() if value is not None)
    return f"ResourceType {kind!r} with {' and '.join(parts)}"


def _log_counts(rows: pl.DataFrame, made: list[str]) -> None:
    untyped = int((rows["ResourceType"].is_null() & rows["written"].is_not_null()).sum())
    if untyped:
        log.info("%s rows have a resource and no ResourceType: sent as %s/…", f"{untyped:,}", NO_RESOURCE_TYPE)
    allocated = int(rows["AllocatedResourceId"].is_not_null().sum())
    if allocated:
        log.info(
            "%s rows are charges that the provider split (AllocatedResourceId): each workload is a resource of its own",
            f"{allocated:,}",
        )
    if made:
        formed = int(rows.select(pl.any_horizontal(_is_there(made)).sum()).item())
        log.info("%s rows have no ResourceId: their resource is made of what resource_from names", f"{formed:,}")
