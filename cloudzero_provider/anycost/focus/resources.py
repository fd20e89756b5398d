"""Resource ids that survive CloudZero's splitting, without two resources becoming one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.table import NO_RESOURCE_TYPE
from cloudzero_provider.sources import row_number

if TYPE_CHECKING:
    from cloudzero_provider.problems import Problems

log = logging.getLogger(__name__)

_TYPE, _ID = pl.col("ResourceType"), pl.col("ResourceId")


def resource_ids(columns: dict[str, pl.Series], separator: str, problems: Problems) -> pl.Series:
    """
    Write ``type/id``.

    CloudZero splits a resource id at the first ``:`` or ``/`` and drops what follows a second one, so that only one of
    them may be in it.

    :param columns: of FOCUS.
    :param separator: what stands for ``:`` and ``/`` inside the type and the id.
    :param problems: two resources that would become one are noted there.
    :return: null where a row has no ``ResourceId``.
    """
    written = pl.concat_str(
        _replaced(_TYPE.fill_null(NO_RESOURCE_TYPE), separator), _replaced(_ID, separator), separator="/"
    )
    rows = pl.DataFrame([columns["ResourceType"], columns["ResourceId"]])
    rows = rows.with_columns(written=pl.when(_ID.is_not_null()).then(written))
    _check_distinct(rows, problems)
    untyped = int((rows["ResourceType"].is_null() & rows["written"].is_not_null()).sum())
    if untyped:
        log.info("%s rows have a ResourceId and no ResourceType: sent as %s/…", f"{untyped:,}", NO_RESOURCE_TYPE)
    return rows["written"]


def _replaced(part: pl.Expr, separator: str) -> pl.Expr:
    return part.str.replace_all("[:/]", separator)


def _check_distinct(rows: pl.DataFrame, problems: Problems) -> None:
    resources = rows.with_row_index("row").filter(_ID.is_not_null())
    resources = resources.unique(["ResourceType", "ResourceId"], keep="first")
    shared = resources.filter(pl.col("written").is_duplicated()).sort("row")
    first: dict[str, tuple[int, str]] = {}
    for row, resource_type, resource_id, written in shared.select("row", _TYPE, _ID, "written").iter_rows():
        name = f"ResourceType {resource_type!r} with ResourceId {resource_id!r}"
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
