"""Build the tag columns of resources, with names that CloudZero accepts and without collisions."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import TAG_PREFIX
from cloudzero_provider.anycost.focus.tag_names import PUNYCODE, tag_column
from cloudzero_provider.anycost.focus.tag_pairs import numbers_of_sets
from cloudzero_provider.anycost.focus.tag_values import read_tags
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from cloudzero_provider.anycost.focus.options import FocusOptions
    from cloudzero_provider.values.problems import Problems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tag:
    """
    A tag of the source.

    :param key: tag key as in the source.
    :param origin: description of its source, for errors and logs.
    :param column: its column.
    :param values: one value per set of tags; null where a set has no such tag.
    :param sets: number of each row's set; null for rows without tags.
    """

    key: str
    origin: str
    column: str
    values: pl.Series
    sets: pl.Series

    def rows_where(self, mask: pl.Series) -> pl.Series:
        """Convert a mask of sets to a mask of rows."""
        return mask.gather(self.sets).fill_null(value=False)

    def by_row(self) -> pl.Series:
        """Value of each row."""
        return self.values.gather(self.sets)


def tags_of_rows(columns: dict[str, pl.Series], options: FocusOptions, problems: Problems) -> list[Tag]:
    """
    Read all tags.

    :param columns: FOCUS columns.
    :param options: may name columns to send as tags.
    :param problems: receives tags that can't be read.
    :return: tags with a value in at least one row.
    """
    own = _tags_of(columns["Tags"], options, problems)
    tags = [*_merge_allocated(own, _allocated_tags(columns, options, problems)), *_tags_of_columns(columns, options)]
    return [tag for tag in tags if tag.values.null_count() < len(tag.values)]


def tag_columns(
    tags: list[Tag], names: Mapping[str, str], has_resource: pl.Series, problems: Problems
) -> dict[str, pl.Series]:
    """
    Build the CBF columns of tags.

    :param tags: tags of all rows.
    :param names: tag key → name chosen by the user.
    :param has_resource: mask of rows with a ``resource/id``, without which CloudZero accepts no tags.
    :param problems: receives tags that would become one.
    :return: CBF column → values.
    """
    column_of = {tag.key: tag_column(tag.key, names) for tag in tags}
    _check_names(tags, column_of, problems)
    _log_renamed(column_of, names)
    _warn_of_tags_without_resource(tags, has_resource)
    return {column_of[tag.key]: tag.values.gather(tag.sets.set(~has_resource, None)) for tag in tags}


def _tags_of(values: pl.Series, options: FocusOptions, problems: Problems) -> list[Tag]:
    found = read_tags(values, options.duplicate_tags, problems)
    name = values.name
    tags = (Tag(key, f"the key {key!r} of {name}", name, by_set, found.sets) for key, by_set in found.by_key.items())
    return [_without_empty(tag) for tag in tags]


def _tags_of_columns(columns: dict[str, pl.Series], options: FocusOptions) -> list[Tag]:
    rows = numbers_of_sets(len(columns["Tags"]))
    return [Tag(name, f"the column {name!r}", name, columns[name], rows) for name in options.tag_columns]


def _allocated_tags(columns: dict[str, pl.Series], options: FocusOptions, problems: Problems) -> list[Tag]:
    """Read the tags of allocated workloads. They do not apply to the part of a charge that is not allocated."""
    is_allocated = columns["AllocatedResourceId"].is_not_null()
    tags = _tags_of(columns["AllocatedTags"], options, problems)
    without_resource = int((_rows_with_tags(tags, is_allocated) & ~is_allocated).sum())
    if without_resource:
        log.warning(
            "%s with AllocatedTags but no AllocatedResourceId: the AllocatedTags are left out",
            counted(without_resource, "row"),
        )
    return [replace(tag, sets=tag.sets.set(~is_allocated, None)) for tag in tags]


def _merge_allocated(own: list[Tag], allocated: list[Tag]) -> list[Tag]:
    """Merge the tags of a workload with those of its host. The workload's tags take precedence."""
    allocated_by_key = {tag.key: tag for tag in allocated}
    own_keys = {tag.key for tag in own}
    merged = [_override(allocated_by_key[tag.key], tag) if tag.key in allocated_by_key else tag for tag in own]
    return [*merged, *(tag for tag in allocated if tag.key not in own_keys)]


def _override(allocated: Tag, own: Tag) -> Tag:
    first, second = allocated.by_row(), own.by_row()
    hidden = int((first != second).fill_null(value=False).sum())
    if hidden:
        log.info(
            "%s with the tag %r in Tags and AllocatedTags, with different values: the one of AllocatedTags is sent",
            counted(hidden, "row"),
            own.key,
        )
    values = first.zip_with(first.is_not_null(), second)
    origin = f"the key {own.key!r} of Tags and AllocatedTags"
    return Tag(own.key, origin, own.column, values, numbers_of_sets(len(values)))


def _without_empty(tag: Tag) -> Tag:
    empty = tag.values == ""
    if not empty.any():
        return tag
    count = int(tag.rows_where(empty).sum())
    log.info(
        "%s with an empty value for %s, which is left out: CloudZero accepts no empty tags",
        counted(count, "row"),
        tag.origin,
    )
    return replace(tag, values=tag.values.set(empty, None))


def _check_names(tags: list[Tag], column_of: dict[str, str], problems: Problems) -> None:
    taken: dict[str, Tag] = {}
    for tag in tags:
        column = column_of[tag.key]
        if column == TAG_PREFIX:
            problems.add(_first_row(tag), tag.column, "a tag needs a key")
        other = taken.setdefault(column, tag)
        if other is not tag:
            fix = f"with tag_names={{{tag.key!r}: ...}}" if tag.key != other.key else "in a transform before to_cbf"
            rule = (
                f"{tag.origin} would become {column}, as does {other.origin}: two tags would be one in CloudZero "
                f"(rename one of them {fix})"
            )
            problems.add(_first_row(tag), tag.column, rule)


def _first_row(tag: Tag) -> int:
    return int(tag.rows_where(tag.values.is_not_null()).arg_max() or 0)


def _log_renamed(column_of: dict[str, str], names: Mapping[str, str]) -> None:
    renamed = [
        f"{key!r} to {column}" for key, column in column_of.items() if key not in names and column != TAG_PREFIX + key
    ]
    if renamed:
        log.info("Renamed tag keys with characters that CloudZero does not accept: %s", ", ".join(renamed))
    if any(column.startswith(TAG_PREFIX + PUNYCODE) for column in column_of.values()):
        log.info("Tag keys in other scripts are sent as Punycode (%s…); set tag_names to choose names", PUNYCODE)
    unused = [repr(key) for key in names if key not in column_of]
    if unused:
        log.info("tag_names contains keys that no row has: %s", ", ".join(unused))


def _warn_of_tags_without_resource(tags: list[Tag], has_resource: pl.Series) -> None:
    without_resource = int((_rows_with_tags(tags, has_resource) & ~has_resource).sum())
    if without_resource:
        log.warning(
            "%s with tags but no ResourceId: the tags are left out, which CloudZero accepts only with a resource "
            "(resource_from builds one from columns or tags)",
            counted(without_resource, "row"),
        )


def _rows_with_tags(tags: list[Tag], rows: pl.Series) -> pl.Series:
    """
    Mask of the rows that have a tag.

    :param rows: any mask of the same length.
    """
    tagged = rows & ~rows
    for tag in tags:
        tagged |= tag.rows_where(tag.values.is_not_null())
    return tagged
