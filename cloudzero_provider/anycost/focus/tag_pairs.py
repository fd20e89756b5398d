"""Tags as pairs of key and value: find the fields that hold them, and choose between tags with the same key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.focus.options import DuplicateTags
from cloudzero_provider.values.found_problems import shown_value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Names of the two fields in lower case and without ``_``. The first pair found is used.
_FIELD_NAMES = (("key", "value"), ("tagkey", "tagvalue"), ("name", "value"))
#: Names of the field that marks a tag as inherited, like ``x_inherited``, in the same form.
_INHERITED_NAMES = frozenset({"inherited", "isinherited", "xinherited", "xisinherited"})
_SCHEMA = {"set": pl.UInt32, "key": pl.String, "value": pl.String, "inherited": pl.Boolean}
_SET_AND_KEY = ("set", "key")


@dataclass(frozen=True)
class PairFields:
    """
    The fields of an object that hold a tag.

    :param inherited: field that says whether the tag is inherited, for example from a project.
    """

    key: str
    value: str
    inherited: str | None


@lru_cache(maxsize=1_000)
def pair_fields(names: tuple[str, ...]) -> PairFields | None:
    """
    Find the fields that hold a tag, ignoring case and ``_``.

    :param names: names of all fields.
    :return: ``None`` when they are missing or ambiguous.
    """
    by_plain_name: dict[str, list[str]] = {}
    for name in names:
        by_plain_name.setdefault(name.replace("_", "").lower(), []).append(name)
    for key, value in _FIELD_NAMES:
        if key in by_plain_name and value in by_plain_name:
            if len(by_plain_name[key]) > 1 or len(by_plain_name[value]) > 1:
                return None
            marks = [
                name for plain_name in _INHERITED_NAMES & by_plain_name.keys() for name in by_plain_name[plain_name]
            ]
            return PairFields(by_plain_name[key][0], by_plain_name[value][0], marks[0] if len(marks) == 1 else None)
    return None


@dataclass(frozen=True)
class TagPairs:
    """
    Tags of all rows, one pair per line. Rows with the same tags share a set.

    :param frame: set, key, value and whether the tag is inherited, in the order of the source.
    :param sets: number of each row's set; null for rows without tags.
    :param count: number of sets.
    :param bad: sets that can't be read → the rule that is broken.
    """

    frame: pl.DataFrame
    sets: pl.Series
    count: int
    bad: dict[int, str] = field(default_factory=dict)

    def rows_of(self, sets: Collection[int]) -> pl.Series:
        """Mask of the rows that have one of these sets."""
        return self.sets.is_in(list(sets)).fill_null(value=False)


def numbers_of_sets(count: int) -> pl.Series:
    """Numbers of so many sets, from 0."""
    return pl.int_range(count, dtype=pl.UInt32, eager=True)


def pairs_frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Create the frame of :class:`TagPairs`."""
    return pl.DataFrame(columns, schema=_SCHEMA)


@dataclass(frozen=True)
class UniquePairs:
    """
    Tags without duplicate keys in a set.

    :param pairs: the remaining pairs, and the sets that break a rule.
    :param left_out: sets from which a tag with a duplicate key was left out.
    """

    pairs: TagPairs
    left_out: frozenset[int]


def remove_duplicates(pairs: TagPairs, choice: DuplicateTags) -> UniquePairs:
    """
    Choose between tags of one set with the same key.

    The resource's own tag takes precedence over inherited ones. If several remain, ``choice`` decides.

    :param pairs: pairs of all rows.
    :param choice: the user's choice; with ``own``, duplicates that remain are errors.
    """
    numbered = pairs.frame.with_row_index("place")
    repeated = pl.struct(_SET_AND_KEY).is_duplicated()
    duplicates = numbered.filter(repeated)
    if duplicates.is_empty():
        return UniquePairs(pairs, frozenset())
    own = (~pl.col("inherited")).sum().over(_SET_AND_KEY)
    chosen = duplicates.filter(~pl.col("inherited") | (own == 0))
    bad = dict(pairs.bad)
    if choice is DuplicateTags.OWN:
        bad |= {row: _duplicate_rule(key) for row, key in chosen.filter(repeated).select(_SET_AND_KEY).iter_rows()}
    chosen = chosen.unique(_SET_AND_KEY, keep="last" if choice is DuplicateTags.LAST else "first", maintain_order=True)
    left_out = frozenset(duplicates["set"]) - bad.keys()
    frame = pl.concat([numbered.filter(~repeated), chosen]).sort("place").drop("place")
    return UniquePairs(replace(pairs, frame=frame, bad=bad), left_out)


def _duplicate_rule(key: str) -> str:
    return (
        f"duplicate tag {shown_value(key)}, and the list does not mark one of the two as inherited "
        "(duplicate_tags='first' or 'last' chooses one)"
    )
