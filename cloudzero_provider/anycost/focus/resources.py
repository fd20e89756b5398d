"""Build resource ids that CloudZero does not cut, one per resource."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.mapping import NO_RESOURCE_TYPE
from cloudzero_provider.anycost.focus.options import FROM_TAG
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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
    Build ``type/id``.

    CloudZero splits a resource id at the first ``:`` or ``/`` and drops what follows a second one, so an id may contain
    only one of them. A workload that a charge is allocated to is its own resource. Its id is unique only within its
    host, so the resource id contains both.

    :param columns: FOCUS columns.
    :param tags: tags of all rows.
    :param options: the replacement of ``:`` and ``/``, and the fallbacks for rows without a resource.
    :param problems: receives resources that would become one.
    :return: one id per row; null for rows without a resource.
    """
    # Renamed, since a column can be part of the id and also be in resource_from.
    fallbacks = {f"fallback {number}": name for number, name in enumerate(options.resource_from)}
    rows = pl.DataFrame([columns[name] for name in _PARTS]).with_columns(
        **{
            column: _values_of(name, columns, tags).set(columns["ResourceId"].is_not_null(), None)
            for column, name in fallbacks.items()
        }
    )
    rows = rows.with_columns(resource_id=_resource_id(fallbacks, options.id_separator))
    _check_distinct(rows, fallbacks, problems)
    _log_counts(rows, fallbacks)
    return rows["resource_id"]


def _values_of(name: str, columns: dict[str, pl.Series], tags: list[Tag]) -> pl.Series:
    """Return the values of a column or a tag that ``resource_from`` names."""
    if not name.startswith(FROM_TAG):
        return columns[name]
    key = name.removeprefix(FROM_TAG)
    for tag in tags:
        if tag.key == key:
            return tag.by_row()
    keys = ", ".join(tag.key for tag in tags) or "none"
    raise ConfigurationError(f"resource_from names {name!r}, a tag that no row has. The tags are: {keys}.")


def _resource_id(fallbacks: Collection[str], separator: str) -> pl.Expr:
    parts: list[pl.Expr] = [_ID, _ALLOCATED]
    if fallbacks:
        joined = pl.concat_str([pl.col(name).fill_null("") for name in fallbacks], separator=separator)
        parts = [pl.when(pl.any_horizontal(_have_values(fallbacks))).then(joined), *parts]
    identity = pl.concat_str(parts, separator=separator, ignore_nulls=True)
    resource_id = pl.concat_str(
        _without_separators(_TYPE.fill_null(NO_RESOURCE_TYPE), separator),
        _without_separators(identity, separator),
        separator="/",
    )
    return pl.when(pl.any_horizontal(_have_values([*_PARTS[1:], *fallbacks]))).then(resource_id)


def _have_values(names: Iterable[str]) -> list[pl.Expr]:
    return [pl.col(name).is_not_null() for name in names]


def _without_separators(part: pl.Expr, separator: str) -> pl.Expr:
    return part.str.replace_all("[:/]", separator)


def _check_distinct(rows: pl.DataFrame, fallbacks: dict[str, str], problems: Problems) -> None:
    names = [*_PARTS, *fallbacks]
    resources = rows.with_row_index("row").filter(pl.col("resource_id").is_not_null())
    resources = resources.unique(names, keep="first")
    shared = resources.filter(pl.col("resource_id").is_duplicated()).sort("row")
    first: dict[str, tuple[int, str]] = {}
    for resource in shared.select("row", "resource_id", *names).iter_rows(named=True):
        row, resource_id = resource.pop("row"), resource.pop("resource_id")
        name = _describe(resource, fallbacks)
        if resource_id not in first:
            first[resource_id] = row, name
            continue
        other_row, other = first[resource_id]
        place = problems.rows.where(other_row)
        problems.add(
            row,
            "ResourceId",
            f"{name} would become the resource/id {resource_id!r}, as does {other} of {place}: "
            "two resources would be one in CloudZero (use another id_separator for ':' and '/')",
        )


def _describe(values: dict[str, str | None], fallbacks: dict[str, str]) -> str:
    """Describe a resource by the columns and tags it is built from."""
    kind = values.pop("ResourceType")
    parts = (f"{fallbacks.get(name, name)} {value!r}" for name, value in values.items() if value is not None)
    return f"ResourceType {kind!r} with {' and '.join(parts)}"


def _log_counts(rows: pl.DataFrame, fallbacks: Collection[str]) -> None:
    untyped = int((rows["ResourceType"].is_null() & rows["resource_id"].is_not_null()).sum())
    if untyped:
        log.info("%s with a resource but no ResourceType: sent as %s/…", counted(untyped, "row"), NO_RESOURCE_TYPE)
    allocated = int(rows["AllocatedResourceId"].is_not_null().sum())
    if allocated:
        log.info(
            "%s of split charges (AllocatedResourceId): each workload is its own resource",
            counted(allocated, "row"),
        )
    if fallbacks:
        formed = int(rows.select(pl.any_horizontal(_have_values(fallbacks)).sum()).item())
        log.info("%s without ResourceId: the resource is built from resource_from", counted(formed, "row"))
