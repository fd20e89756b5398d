"""Tags of resources: keys that CloudZero takes, and no two of them in one column."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import TAG_PREFIX
from cloudzero_provider.anycost.focus.tag_values import one_set_per_row, read_tags

if TYPE_CHECKING:
    import polars as pl

    from cloudzero_provider.problems import Problems

log = logging.getLogger(__name__)

#: CloudZero takes "letters" and does not say which: those of ASCII are letters everywhere.
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.:/=+\-@]")


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

    @property
    def cbf_column(self) -> str:
        """The column it goes out in: what CloudZero does not take in a key becomes ``_``."""
        return TAG_PREFIX + _NOT_IN_A_KEY.sub("_", self.key)

    def rows_where(self, mask: pl.Series) -> pl.Series:
        """Say which rows have a set that a mask of sets has."""
        return mask.gather(self.sets).fill_null(value=False)


def resource_tags(
    columns: dict[str, pl.Series], tag_columns: tuple[str, ...], has_resource: pl.Series, problems: Problems
) -> dict[str, pl.Series]:
    """
    Make the tag columns.

    :param columns: of FOCUS.
    :param tag_columns: those that are sent as tags beside ``Tags``.
    :param has_resource: which rows have a ``resource/id``, without which CloudZero takes no tags.
    :param problems: what can't be read, and two tags that would become one, is noted there.
    :return: CBF column → values.
    """
    tags = [_without_empty(tag) for tag in _all_tags(columns, tag_columns, problems)]
    tags = [tag for tag in tags if tag.values.null_count() < len(tag.values)]
    _check_keys(tags, problems)
    _log_renamed(tags)
    _log_lonely(tags, has_resource)
    return {tag.cbf_column: tag.values.gather(tag.sets.set(~has_resource, None)) for tag in tags}


def _all_tags(columns: dict[str, pl.Series], tag_columns: tuple[str, ...], problems: Problems) -> list[Tag]:
    tags = read_tags(columns["Tags"], problems)
    rows = one_set_per_row(len(columns["Tags"]))
    return [
        *(Tag(key, f"the key {key!r} of Tags", "Tags", values, tags.sets) for key, values in tags.by_key.items()),
        *(Tag(name, f"the column {name!r}", name, columns[name], rows) for name in tag_columns),
    ]


def _without_empty(tag: Tag) -> Tag:
    empty = tag.values == ""
    if not empty.any():
        return tag
    count = int(tag.rows_where(empty).sum())
    log.info("%s rows have nothing as the value of %s: CloudZero takes no empty tags", f"{count:,}", tag.origin)
    return replace(tag, values=tag.values.set(empty, None))


def _check_keys(tags: list[Tag], problems: Problems) -> None:
    taken: dict[str, Tag] = {}
    for tag in tags:
        if tag.cbf_column == TAG_PREFIX:
            problems.add(_first_row(tag), tag.column, "a tag needs a key")
        other = taken.setdefault(tag.cbf_column, tag)
        if other is not tag:
            rule = (
                f"{tag.origin} would become {tag.cbf_column}, as does {other.origin}: two tags would be one in "
                "CloudZero (give one of them another name before)"
            )
            problems.add(_first_row(tag), tag.column, rule)


def _first_row(tag: Tag) -> int:
    return int(tag.rows_where(tag.values.is_not_null()).arg_max() or 0)


def _log_renamed(tags: list[Tag]) -> None:
    renamed = [f"{tag.key!r} to {tag.cbf_column}" for tag in tags if tag.cbf_column != TAG_PREFIX + tag.key]
    if renamed:
        log.info("Keys with characters that CloudZero does not take: %s", ", ".join(renamed))


def _log_lonely(tags: list[Tag], has_resource: pl.Series) -> None:
    tagged = ~has_resource & False
    for tag in tags:
        tagged |= tag.rows_where(tag.values.is_not_null())
    lonely = int((tagged & ~has_resource).sum())
    if lonely:
        log.warning(
            "%s rows have tags and no ResourceId: their tags are left out, since CloudZero takes tags of resources",
            f"{lonely:,}",
        )
