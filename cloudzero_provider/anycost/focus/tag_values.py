"""Read tags in any of their forms into one column per key."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.focus.mapping import ValueKind
from cloudzero_provider.anycost.focus.tag_json import pairs_of_json
from cloudzero_provider.anycost.focus.tag_pairs import (
    PairFields,
    TagPairs,
    numbers_of_sets,
    pair_fields,
    remove_duplicates,
)
from cloudzero_provider.exceptions import InputError
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.python_values import no_strings

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import DuplicateTags
    from cloudzero_provider.values.problems import Problems

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TagValues:
    """
    Tags by key. Many rows have the same tags, so each distinct set of tags is stored once.

    :param by_key: tag key as in the source → one value per set of tags; null where a set has no such tag.
    :param sets: number of each row's set; null for rows without tags.
    """

    by_key: dict[str, pl.Series]
    sets: pl.Series


def read_tags(tags: pl.Series, duplicates: DuplicateTags, problems: Problems) -> TagValues:
    """
    Read tags.

    :param tags: JSON text (an object, or a list of pairs), a Struct with a field per key, or a List of Struct with
        fields for key and value, as maps are.
    :param duplicates: which of two tags of a row with the same key to use.
    :param problems: receives tags that can't be read.
    :raises InputError: when the column has another type.
    """
    if isinstance(tags.dtype, pl.Struct):
        by_key = {field.name: _as_text(tags.struct.field(field.name), tags.name) for field in tags.dtype.fields}
        return TagValues(by_key, numbers_of_sets(len(tags)))
    unique = remove_duplicates(_pairs(tags), duplicates)
    pairs = unique.pairs
    if unique.left_out:
        rows = pairs.rows_of(unique.left_out).sum()
        log.info(
            "%s with duplicate tag keys in %s: %s is sent",
            counted(int(rows), "row"),
            tags.name,
            _SENT_TAG[duplicates.value],
        )
    wrong = pairs.sets.to_frame().with_row_index().filter(pairs.rows_of(pairs.bad))
    rules = {row: pairs.bad[number] for row, number in wrong.iter_rows()}
    problems.add_each(rules, tags.name, tags)
    return TagValues(_by_key(pairs.frame, pairs.count), pairs.sets)


_SENT_TAG = {
    "own": "the one that is not inherited",
    "first": "the first that is not inherited, or the first of all",
    "last": "the last that is not inherited, or the last of all",
}


def _pairs(tags: pl.Series) -> TagPairs:
    if tags.dtype == pl.String:
        return pairs_of_json(tags)
    if isinstance(tags.dtype, pl.Array):
        tags = tags.cast(pl.List(tags.dtype.inner))
    if tags.dtype in (pl.List(pl.Null), pl.Null):
        # Only empty lists: no row has a tag.
        return pairs_of_json(no_strings(len(tags)).alias(tags.name))
    fields = None
    if isinstance(tags.dtype, pl.List) and isinstance(tags.dtype.inner, pl.Struct):
        fields = pair_fields(tuple(field.name for field in tags.dtype.inner.fields))
    if fields is None:
        raise InputError(f"Column {tags.name!r} has the type {tags.dtype}: expected {ValueKind.TAGS.value}.")
    return _pairs_of_lists(tags, fields)


def _pairs_of_lists(tags: pl.Series, fields: PairFields) -> TagPairs:
    entries = _one_entry_per_row(tags)
    frame = entries.select(
        pl.col("row").alias("set"),
        _as_text(entries[fields.key].alias("key"), tags.name),
        _as_text(entries[fields.value].alias("value"), tags.name),
        _as_bool(entries[fields.inherited]).alias("inherited")
        if fields.inherited
        else pl.lit(value=False).alias("inherited"),
    )
    bad = dict.fromkeys(frame.filter(pl.col("key").is_null())["set"], "a tag needs a key")
    return TagPairs(frame.drop_nulls(), numbers_of_sets(len(tags)), len(tags), bad)


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


def _as_bool(values: pl.Series) -> pl.Series:
    """Whether a tag is inherited. Values other than true and false count as false."""
    if values.dtype == pl.Boolean:
        return values.fill_null(value=False)
    if values.dtype == pl.String:
        return (values.str.to_lowercase() == "true").fill_null(value=False)
    return pl.Series([False]).new_from_index(0, len(values))


def _by_key(pairs: pl.DataFrame, count: int) -> dict[str, pl.Series]:
    nothing = no_strings(count)
    return {
        str(key): nothing.clone().scatter(of_key["set"], of_key["value"])
        for (key,), of_key in pairs.partition_by("key", as_dict=True, maintain_order=True).items()
    }


_CASTABLE_TO_TEXT = (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Date, pl.Datetime, pl.Null)


def _as_text(values: pl.Series, column: str) -> pl.Series:
    dtype = values.dtype
    if not (dtype.is_numeric() or dtype in _CASTABLE_TO_TEXT):
        raise InputError(
            f"Column {column!r} has the type {dtype} for {values.name!r}: expected text, numbers or booleans."
        )
    # pandas represents a missing value as NaN.
    return (values.fill_nan(None) if dtype.is_float() else values).cast(pl.String)
