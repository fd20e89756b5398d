"""Tags as pairs of key and value: which fields of an object make them, and which of two with the same key is taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.focus.options import DuplicateTags
from cloudzero_provider.values.problems import shown_value

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Names of the two fields, in small letters and without ``_``; the first two that are there are taken.
_NAMES = (("key", "value"), ("tagkey", "tagvalue"), ("name", "value"))
#: Names of a field that says whether a tag is the resource's own, like ``x_inherited``.
_INHERITED = frozenset({"inherited", "isinherited", "xinherited", "xisinherited"})
_SCHEMA = {"set": pl.UInt32, "key": pl.String, "value": pl.String, "inherited": pl.Boolean}
_SAME = ("set", "key")


@dataclass(frozen=True)
class PairFields:
    """
    The fields of an object that make a tag.

    :param inherited: says whether the tag comes from what the resource belongs to, like a project.
    """

    key: str
    value: str
    inherited: str | None


@lru_cache(maxsize=1_000)
def pair_fields(names: tuple[str, ...]) -> PairFields | None:
    """
    Find the fields that make a tag among any others, in capital or small letters.

    :param names: of all fields.
    :return: ``None`` when they are not there, or two of them look the same.
    """
    spelt: dict[str, list[str]] = {}
    for name in names:
        spelt.setdefault(name.replace("_", "").lower(), []).append(name)
    for key, value in _NAMES:
        if key in spelt and value in spelt:
            if len(spelt[key]) > 1 or len(spelt[value]) > 1:
                return None
            marks = [name for bare in _INHERITED & spelt.keys() for name in spelt[bare]]
            return PairFields(spelt[key][0], spelt[value][0], marks[0] if len(marks) == 1 else None)
    return None


@dataclass(frozen=True)
class TagPairs:
    """
    Tags of all rows, one pair per line. Rows with the same tags share a set.

    :param frame: set, key, value and whether it is inherited, in the order of the source.
    :param sets: which set a row has; null for none.
    :param count: how many sets there are.
    :param bad: sets that can't be read, with the rule that they break.
    :param may_repeat: whether a key may be in a set twice.
    """

    frame: pl.DataFrame
    sets: pl.Series
    count: int
    bad: dict[int, str] = field(default_factory=dict)
    may_repeat: bool = True

    def rows_of(self, sets: pl.Series) -> pl.Series:
        """Say which rows have one of these sets."""
        return self.sets.is_in(sets.unique().to_list()).fill_null(value=False)


def pairs_frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """Hold pairs in the columns that :class:`TagPairs` has."""
    return pl.DataFrame(columns, schema=_SCHEMA)


@dataclass(frozen=True)
class Settled:
    """
    Tags of which no set has two of one key.

    :param pairs: without those that were left out, and with the sets that break a rule.
    :param left_out: sets of which a tag was left out, for another one of the same key.
    """

    pairs: TagPairs
    left_out: pl.Series


def settle_duplicates(pairs: TagPairs, choice: DuplicateTags) -> Settled:
    """
    Decide between tags of one set with the same key.

    A tag that is the resource's own wins over inherited ones. Where that does not decide, the user's choice does.

    :param pairs: of all rows.
    :param choice: what the user said; ``own`` makes an error of what is left.
    """
    nothing = pl.Series(dtype=pl.UInt32)
    if not pairs.may_repeat:
        return Settled(pairs, nothing)
    numbered = pairs.frame.with_row_index("place")
    repeated = pl.struct(_SAME).is_duplicated()
    twins = numbered.filter(repeated)
    if twins.is_empty():
        return Settled(pairs, nothing)
    own = (~pl.col("inherited")).sum().over(_SAME)
    wins = twins.filter(~pl.col("inherited") | (own == 0))
    bad = dict(pairs.bad)
    if choice is DuplicateTags.OWN:
        bad |= {row: _twice(key) for row, key in wins.filter(repeated).select(_SAME).iter_rows()}
    wins = wins.unique(_SAME, keep="last" if choice is DuplicateTags.LAST else "first", maintain_order=True)
    settled = twins.filter(~pl.col("set").is_in(list(bad)))["set"]
    frame = pl.concat([numbered.filter(~repeated), wins]).sort("place").drop("place")
    return Settled(replace(pairs, frame=frame, bad=bad), settled)


def _twice(key: str) -> str:
    return (
        f"the tag {shown_value(key)} is there twice, and the list does not say that one of the two is inherited "
        "(duplicate_tags='first' or 'last' takes one of them)"
    )
