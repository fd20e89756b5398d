"""Reading tags, in whatever way they are written, into one column per key."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.mapping import Holds
from cloudzero_provider.anycost.focus.tag_json import pairs_of_json
from cloudzero_provider.anycost.focus.tag_pairs import PairFields, TagPairs, pair_fields, settle_duplicates
from cloudzero_provider.exceptions import InputError

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import DuplicateTags
    from cloudzero_provider.values.problems import Problems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TagValues:
    """
    Tags, by key. Many rows have the same ones, so that each set of tags is held once.

    :param by_key: key, as it is written → one text per set of tags; null where a set has no such tag.
    :param sets: which set a row has; null for none.
    """

    by_key: dict[str, pl.Series]
    sets: pl.Series


def read_tags(tags: pl.Series, duplicates: DuplicateTags, problems: Problems) -> TagValues:
    """
    Read tags.

    :param tags: JSON objects as text, a Struct with a field per key, or a List of Struct with fields for key and value,
        which maps are; in text, too.
    :param duplicates: which of two tags of a row with the same key is taken.
    :param problems: what can't be read is noted there.
    :raises InputError: when the column holds anything else.
    """
    if isinstance(tags.dtype, pl.Struct):
        by_key = {field.name: _as_text(tags.struct.field(field.name), tags.name) for field in tags.dtype.fields}
        return TagValues(by_key, one_set_per_row(len(tags)))
    settled = settle_duplicates(_pairs(tags), duplicates)
    pairs = settled.pairs
    if len(settled.left_out):
        rows = pairs.rows_of(settled.left_out).sum()
        log.info(
            "%s rows have tags of one key twice in %s: sent is %s", f"{rows:,}", tags.name, _SENT[duplicates.value]
        )
    wrong = pairs.rows_of(pl.Series(list(pairs.bad), dtype=pl.UInt32)).arg_true()
    rules = {row: pairs.bad[number] for row, number in zip(wrong, pairs.sets.gather(wrong), strict=True)}
    problems.add_each(rules, tags.name, tags)
    return TagValues(_by_key(pairs.frame, pairs.count), pairs.sets)


_SENT = {
    "own": "the one that is not inherited",
    "first": "the first of those that are not inherited, or of all",
    "last": "the last of those that are not inherited, or of all",
}


def one_set_per_row(count: int) -> pl.Series:
    """Say that each row has a set of its own."""
    return pl.int_range(count, dtype=pl.UInt32, eager=True)


def _pairs(tags: pl.Series) -> TagPairs:
    if tags.dtype == pl.String:
        return pairs_of_json(tags)
    if isinstance(tags.dtype, pl.Array):
        tags = tags.cast(pl.List(tags.dtype.inner))
    if tags.dtype in (pl.List(pl.Null), pl.Null):
        # Nothing but empty lists: no row has a tag.
        return pairs_of_json(pl.repeat(None, len(tags), dtype=pl.String, eager=True).alias(tags.name))
    fields = None
    if isinstance(tags.dtype, pl.List) and isinstance(tags.dtype.inner, pl.Struct):
        fields = pair_fields(tuple(field.name for field in tags.dtype.inner.fields))
    if fields is None:
        raise InputError(f"Column {tags.name!r} holds {tags.dtype}: expected {Holds.TAGS.value}.")
    return _pairs_of_lists(tags, fields)


def _pairs_of_lists(tags: pl.Series, fields: PairFields) -> TagPairs:
    entries = _one_entry_per_row(tags)
    frame = entries.select(
        pl.col("row").alias("set"),
        _as_text(entries[fields.key].alias("key"), tags.name),
        _as_text(entries[fields.value].alias("value"), tags.name),
        _truth(entries[fields.inherited]).alias("inherited")
        if fields.inherited
        else pl.lit(value=False).alias("inherited"),
    )
    bad = dict.fromkeys(frame.filter(pl.col("key").is_null())["set"], "a tag needs a key")
    return TagPairs(frame.drop_nulls(), one_set_per_row(len(tags)), len(tags), bad)


def _one_entry_per_row(tags: pl.Series) -> pl.DataFrame:
    most = tags.to_frame("tags").select(pl.col("tags").list.len().max()).item() or 1
    numbered = (
        tags.list.get(number, null_on_oob=True).alias("entry").to_frame().with_row_index("row").drop_nulls("entry")
        for number in range(most)
    )
    entries = pl.concat(numbered).sort("row", maintain_order=True)
    return entries.select("row", *(pl.col("entry").struct.field(name) for name in _field_names(entries["entry"])))


def _field_names(entries: pl.Series) -> list[str]:
    return [field.name for field in entries.dtype.fields] if isinstance(entries.dtype, pl.Struct) else []


def _truth(values: pl.Series) -> pl.Series:
    """Read whether a tag is inherited; what is neither true nor false says nothing."""
    if values.dtype == pl.Boolean:
        return values.fill_null(value=False)
    if values.dtype == pl.String:
        return (values.str.to_lowercase() == "true").fill_null(value=False)
    return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True)


def _by_key(pairs: pl.DataFrame, count: int) -> dict[str, pl.Series]:
    nothing = pl.repeat(None, count, dtype=pl.String, eager=True)
    return {
        str(key): nothing.clone().scatter(of_key["set"], of_key["value"])
        for (key,), of_key in pairs.partition_by("key", as_dict=True, maintain_order=True).items()
    }


_WRITTEN = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)


def _as_text(values: pl.Series, column: str) -> pl.Series:
    dtype = values.dtype
    if not (dtype.is_numeric() or dtype in _WRITTEN):
        raise InputError(
            f"Column {column!r} holds {dtype} for {values.name!r}: expected text, numbers, or true and false."
        )
    # NaN is how pandas has a missing value.
    return (values.fill_nan(None) if dtype.is_float() else values).cast(pl.String)
