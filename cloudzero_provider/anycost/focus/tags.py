"""Tags of resources: keys that CloudZero takes, and no two of them in one column."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import TAG_PREFIX
from cloudzero_provider.anycost.focus.tag_names import PUNYCODE, tag_column
from cloudzero_provider.anycost.focus.tag_values import one_set_per_row, read_tags

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from cloudzero_provider.anycost.focus.options import FocusOptions
    from cloudzero_provider.values.problems import Problems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tag:
    """
    What is to become a tag.

    :param key: as the source writes it.
    :param origin: where it is from, for people.
    :param column: where it is from.
    :param values: one per set of tags; null where a set has none.
    :param sets: which set a row has; null for none.
    """

    key: str
    origin: str
    column: str
    values: pl.Series
    sets: pl.Series

    def rows_where(self, mask: pl.Series) -> pl.Series:
        """Say which rows have a set that a mask of sets has."""
        return mask.gather(self.sets).fill_null(value=False)

    def by_row(self) -> pl.Series:
        """Take the value of each row."""
        return self.values.gather(self.sets)


def tags_of_rows(columns: dict[str, pl.Series], options: FocusOptions, problems: Problems) -> list[Tag]:
    """
    Read all tags.

    :param columns: of FOCUS.
    :param options: may name columns that are sent as tags.
    :param problems: what can't be read is noted there.
    :return: those that have a value somewhere.
    """
    own = _tags_of(columns["Tags"], options, problems)
    tags = [*_with_allocated(own, _allocated_tags(columns, options, problems)), *_tags_of_columns(columns, options)]
    return [tag for tag in tags if tag.values.null_count() < len(tag.values)]


def tag_columns(
    tags: list[Tag], names: Mapping[str, str], has_resource: pl.Series, problems: Problems
) -> dict[str, pl.Series]:
    """
    Make the columns that tags go out in.

    :param tags: of all rows.
    :param names: key → the name that the user chose.
    :param has_resource: which rows have a ``resource/id``, without which CloudZero takes no tags.
    :param problems: two tags that would become one are noted there.
    :return: CBF column → values.
    """
    written = {tag.key: tag_column(tag.key, names) for tag in tags}
    _check_names(tags, written, problems)
    _log_renamed(written, names)
    _log_lonely(tags, has_resource)
    return {written[tag.key]: tag.values.gather(tag.sets.set(~has_resource, None)) for tag in tags}


def _tags_of(values: pl.Series, options: FocusOptions, problems: Problems) -> list[Tag]:
    found = read_tags(values, options.duplicate_tags, problems)
    name = values.name
    tags = (Tag(key, f"the key {key!r} of {name}", name, texts, found.sets) for key, texts in found.by_key.items())
    return [_without_empty(tag) for tag in tags]


def _tags_of_columns(columns: dict[str, pl.Series], options: FocusOptions) -> list[Tag]:
    rows = one_set_per_row(len(columns["Tags"]))
    return [Tag(name, f"the column {name!r}", name, columns[name], rows) for name in options.tag_columns]


def _allocated_tags(columns: dict[str, pl.Series], options: FocusOptions, problems: Problems) -> list[Tag]:
    """Read the tags of what a part of a charge is allocated to; they say nothing about what the rest belongs to."""
    is_allocated = columns["AllocatedResourceId"].is_not_null()
    tags = _tags_of(columns["AllocatedTags"], options, problems)
    lonely = int((_is_tagged(tags, is_allocated) & ~is_allocated).sum())
    if lonely:
        log.warning(
            "%s rows have AllocatedTags and no AllocatedResourceId: their AllocatedTags are left out", f"{lonely:,}"
        )
    return [replace(tag, sets=tag.sets.set(~is_allocated, None)) for tag in tags]


def _with_allocated(own: list[Tag], allocated: list[Tag]) -> list[Tag]:
    """Put the tags of what a charge is allocated to over those of what it is a part of."""
    over = {tag.key: tag for tag in allocated}
    below = {tag.key: tag for tag in own}
    merged = [_over(over[tag.key], tag) if tag.key in over else tag for tag in own]
    return [*merged, *(tag for tag in allocated if tag.key not in below)]


def _over(allocated: Tag, own: Tag) -> Tag:
    first, second = allocated.by_row(), own.by_row()
    hidden = int((first != second).fill_null(value=False).sum())
    if hidden:
        log.info(
            "%s rows have the tag %r in Tags and, with another value, in AllocatedTags: sent is that of AllocatedTags",
            f"{hidden:,}",
            own.key,
        )
    values = first.zip_with(first.is_not_null(), second)
    origin = f"the key {own.key!r} of Tags and AllocatedTags"
    return Tag(own.key, origin, own.column, values, one_set_per_row(len(values)))


def _without_empty(tag: Tag) -> Tag:
    empty = tag.values == ""
    if not empty.any():
        return tag
    count = int(tag.rows_where(empty).sum())
    log.info("%s rows have nothing as the value of %s: CloudZero takes no empty tags", f"{count:,}", tag.origin)
    return replace(tag, values=tag.values.set(empty, None))


def _check_names(tags: list[Tag], written: dict[str, str], problems: Problems) -> None:
    taken: dict[str, Tag] = {}
    for tag in tags:
        column = written[tag.key]
        if column == TAG_PREFIX:
            problems.add(_first_row(tag), tag.column, "a tag needs a key")
        other = taken.setdefault(column, tag)
        if other is not tag:
            way_out = f", like tag_names={{{tag.key!r}: ...}}" if tag.key != other.key else " in a transform before"
            rule = (
                f"{tag.origin} would become {column}, as does {other.origin}: two tags would be one in CloudZero "
                f"(give one of them another name{way_out})"
            )
            problems.add(_first_row(tag), tag.column, rule)


def _first_row(tag: Tag) -> int:
    return int(tag.rows_where(tag.values.is_not_null()).arg_max() or 0)


def _log_renamed(written: dict[str, str], names: Mapping[str, str]) -> None:
    renamed = [
        f"{key!r} to {column}" for key, column in written.items() if key not in names and column != TAG_PREFIX + key
    ]
    if renamed:
        log.info("Keys with characters that CloudZero does not take: %s", ", ".join(renamed))
    if any(column.startswith(TAG_PREFIX + PUNYCODE) for column in written.values()):
        log.info(
            "Keys in other scripts are sent as Punycode (%s…); tag_names gives them names of your choice", PUNYCODE
        )
    unused = [repr(key) for key in names if key not in written]
    if unused:
        log.info("tag_names names keys that no row has: %s", ", ".join(unused))


def _log_lonely(tags: list[Tag], has_resource: pl.Series) -> None:
    lonely = int((_is_tagged(tags, has_resource) & ~has_resource).sum())
    if lonely:
        log.warning(
            "%s rows have tags and no ResourceId: their tags are left out, since CloudZero takes tags of resources "
            "(resource_from makes a resource of columns or tags)",
            f"{lonely:,}",
        )


def _is_tagged(tags: list[Tag], rows: pl.Series) -> pl.Series:
    """Say which rows have a tag, for as many rows as a mask has."""
    tagged = rows & ~rows
    for tag in tags:
        tagged |= tag.rows_where(tag.values.is_not_null())
    return tagged
