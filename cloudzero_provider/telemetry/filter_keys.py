"""
Filter keys of telemetry records, checked and encoded as JSON.

Records of the same keys are checked and encoded together, as polars columns: one column per key. Only records that
can't be held in such columns, most of which are wrong, are checked one by one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, chain
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any, TypeGuard

import polars as pl

from cloudzero_provider.sources import is_text
from cloudzero_provider.sources.rows import blocks_of, compact
from cloudzero_provider.telemetry.record_kinds import MAX_KEYS, MAX_VALUES_PER_KEY
from cloudzero_provider.values.json_objects import JsonField, JsonObjects
from cloudzero_provider.values.json_strings import as_json_strings, json_escaped
from cloudzero_provider.values.python_values import as_objects, no_strings, null_where

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.telemetry.record_kinds import RecordKind
    from cloudzero_provider.values.python_values import Values

#: With more sets of keys than this, records are checked one by one: each set costs as much as hundreds of records.
_MOST_KEY_SETS = 1_000


@dataclass
class FilterKeys:
    """
    Filter keys of records.

    :param encoded: the keys and their values as sorted JSON; null for a record without keys.
    :param key_sets: only the keys, as JSON.
    :param bad: row index → the rule it breaks.
    """

    encoded: pl.Series
    key_sets: pl.Series
    bad: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Column:
    """
    The values of a filter key.

    :param key: the filter key.
    :param values: as they are in JSON, between ``before`` and ``after``.
    """

    key: str
    values: pl.Series
    before: str
    after: str

    @classmethod
    def of_strings(cls, key: str, texts: pl.Series, kind: RecordKind) -> _Column:
        """Return a column of one string per record."""
        start, end = ("[", "]") if kind.lists_values else ("", "")
        # polars reads some names as patterns, so it never sees the user's.
        return cls(key, json_escaped(texts.alias("")), f'{_dumps(key)}: {start}"', f'"{end}')


def convert_keys(values: Values, kind: RecordKind) -> FilterKeys:
    """
    Check filter keys and convert them to canonical JSON, so that equal keys are equal strings.

    :param values: a dict per record, or ``None``; or structs of strings, a field per key, null where a record lacks it.
    :param kind: the kind of the records.
    """
    if _is_struct(values):
        return _of_columns([_Column.of_strings(column.name, column, kind) for column in values.struct.unnest()])
    parts = [_of_objects(block, kind) for block in blocks_of(as_objects(values))]
    return _joined(parts)


def _of_objects(given: list[Any], kind: RecordKind) -> FilterKeys:
    keys = _same_keys(given)
    if keys is not None:
        return _of_same_keys(keys, given, kind)
    by_keys = _rows_by_keys(given)
    if len(by_keys) > _MOST_KEY_SETS:
        return _of_each(given, kind)
    parts = [_of_same_keys(keys, [given[row] for row in rows], kind) for keys, rows in by_keys.items()]
    return _in_order(list(by_keys.values()), parts)


def as_dicts(values: Values, kind: RecordKind) -> list[Any]:
    """
    Return the filter keys of each record as a dict.

    :param values: as for :func:`convert_keys`.
    :param kind: the kind of the records.
    """
    if not _is_struct(values):
        return as_objects(values)
    return [None if row is None else _as_dict(row, kind) for row in values.to_list()]


def _as_dict(row: dict[str, str | None], kind: RecordKind) -> dict[str, Any]:
    return {key: [text] if kind.lists_values else text for key, text in row.items() if text is not None}


def _same_keys(values: Sequence[Any]) -> tuple[Any, ...] | None:
    """Return the keys of records, if all have the same; ``None`` if they do not."""
    # map() keeps the loops in C.
    kinds = set(map(type, values))
    if kinds == {type(None)}:
        return ()
    if kinds != {dict}:
        return None
    keys = set(map(tuple, values))
    return keys.pop() if len(keys) == 1 else None


def _rows_by_keys(values: Sequence[Any]) -> dict[tuple[Any, ...] | None, list[int]]:
    """Group the rows of records by their keys; the group ``None`` holds whatever is not a dict."""
    rows: dict[tuple[Any, ...] | None, list[int]] = defaultdict(list)
    for index, value in enumerate(values):
        rows[tuple(value or ()) if type(value) in (dict, type(None)) else None].append(index)
    return rows


def _is_struct(values: Values) -> TypeGuard[pl.Series]:
    return isinstance(values, pl.Series) and isinstance(values.dtype, pl.Struct)


def _of_same_keys(keys: tuple[Any, ...] | None, values: list[Any], kind: RecordKind) -> FilterKeys:
    if keys == ():
        count = len(values)
        return FilterKeys(no_strings(count), pl.repeat("[]", count, dtype=pl.String, eager=True))
    columns = None if keys is None else _columns(keys, values, kind)
    return _of_each(values, kind) if columns is None else _of_columns(columns)


def _columns(keys: tuple[Any, ...], values: list[dict[Any, Any]], kind: RecordKind) -> list[_Column] | None:
    """Return the values of each key; ``None`` if any record may be wrong."""
    if len(keys) > MAX_KEYS or not all(type(key) is str and is_text(key) for key in keys):
        return None
    read = _of_lists if kind.lists_values else _of_texts
    columns = []
    for key in keys:
        column = read(key, list(map(itemgetter(key), values)), kind)
        if column is None:
            return None
        columns.append(column)
    return columns


def _of_texts(key: str, cells: list[Any], kind: RecordKind) -> _Column | None:
    texts = _as_texts(cells)
    return None if texts is None else _Column.of_strings(key, texts, kind)


def _of_lists(key: str, cells: list[Any], kind: RecordKind) -> _Column | None:
    if not set(map(type, cells)) <= {list, tuple}:
        return None
    lengths = set(map(len, cells))
    if not lengths <= set(range(1, MAX_VALUES_PER_KEY + 1)):
        return None
    texts = list(chain.from_iterable(cells))
    if lengths == {1}:
        return _of_texts(key, texts, kind)
    return _of_sorted_lists(key, texts, [row for row, cell in enumerate(cells) for _ in cell])


def _of_sorted_lists(key: str, cells: list[Any], rows: list[int]) -> _Column | None:
    texts = _as_texts(cells)
    if texts is None:
        return None
    items = pl.DataFrame(
        {"row": pl.Series(values=rows, dtype=pl.UInt32), "text": texts, "json": as_json_strings(texts)}
    )
    if items.n_unique() < items.height:
        return None
    lists = items.sort("row", "text").group_by("row", maintain_order=True).agg(pl.col("json").str.join(", "))
    return _Column(key, lists["json"], f"{_dumps(key)}: [", "]")


def _as_texts(cells: list[Any]) -> pl.Series | None:
    texts = compact(cells)
    if not isinstance(texts, pl.Series) or texts.null_count() or (texts == "").any():
        return None
    return texts


def _of_columns(columns: list[_Column]) -> FilterKeys:
    """Combine the values of each key, null where a record lacks it."""
    columns = sorted(columns, key=attrgetter("key"))
    frame = pl.DataFrame({f"k{number}": column.values for number, column in enumerate(columns)})
    fields = [JsonField(f"k{number}", column.before, column.after) for number, column in enumerate(columns)]
    encoded = JsonObjects(frame, fields, separator=", ").encoded()
    if not frame.null_count().sum_horizontal()[0]:
        key_set = _dumps([column.key for column in columns])
        return FilterKeys(encoded, pl.repeat(key_set, frame.height, dtype=pl.String, eager=True))
    keys = [
        pl.when(pl.col(f"k{number}").is_not_null()).then(pl.lit(_dumps(column.key)))
        for number, column in enumerate(columns)
    ]
    found = frame.select(
        key_sets=pl.concat_str(pl.lit("["), pl.concat_str(keys, separator=", ", ignore_nulls=True), pl.lit("]")),
        count=pl.sum_horizontal(pl.all().is_not_null().cast(pl.UInt32)),
    )
    bad = {row: _too_many_keys(found["count"][row]) for row in (found["count"] > MAX_KEYS).arg_true().to_list()}
    return FilterKeys(null_where(encoded, found["count"] == 0), found["key_sets"], bad)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joined(parts: list[FilterKeys]) -> FilterKeys:
    """Join the filter keys of rows that follow one another."""
    starts = accumulate((len(keys.encoded) for keys in parts), initial=0)
    bad = {start + row: rule for start, keys in zip(starts, parts, strict=False) for row, rule in keys.bad.items()}
    encoded = pl.concat([keys.encoded for keys in parts])
    return FilterKeys(encoded, pl.concat([keys.key_sets for keys in parts]), bad)


def _in_order(rows: list[list[int]], parts: list[FilterKeys]) -> FilterKeys:
    """Join the filter keys of groups of rows, in the order of the rows."""
    if len(parts) == 1:
        return parts[0]
    order = pl.Series(values=list(chain.from_iterable(rows)), dtype=pl.UInt32).arg_sort()
    joined = pl.concat([keys.encoded for keys in parts]).gather(order)
    key_sets = pl.concat([keys.key_sets for keys in parts]).gather(order)
    bad = {rows[number][row]: rule for number, keys in enumerate(parts) for row, rule in keys.bad.items()}
    return FilterKeys(joined, key_sets, bad)


def _of_each(values: Sequence[Any], kind: RecordKind) -> FilterKeys:
    """Check and encode records one by one."""
    encoded: list[str | None] = []
    key_sets: list[str] = []
    bad: dict[int, str] = {}
    for index, value in enumerate(values):
        try:
            keys = _checked_keys(value, kind)
        except ValueError as error:
            bad[index] = str(error)
            keys = {}
        encoded.append(_dumps(keys) if keys else None)
        key_sets.append(_dumps(list(keys)))
    return FilterKeys(pl.Series(values=encoded, dtype=pl.String), pl.Series(values=key_sets, dtype=pl.String), bad)


def _checked_keys(value: Any, kind: RecordKind) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"expected a dict of filter keys and values, not {type(value).__name__}")
    if len(value) > MAX_KEYS:
        raise ValueError(_too_many_keys(len(value)))
    for key in value:
        if not is_text(key):
            raise ValueError(f"the filter key {key!r} is not a string, or is empty")
    check = _checked_list if kind.lists_values else _checked_string
    return {key: check(key, value[key]) for key in sorted(value)}


def _too_many_keys(count: int) -> str:
    return f"{count} filter keys: CloudZero accepts at most {MAX_KEYS}"


def _checked_string(key: str, value: Any) -> str:
    if not is_text(value):
        found = type(value).__name__
        raise ValueError(f"filter key {key!r}: expected a string, not {found} (metrics don't accept lists)")
    return str.__str__(value)


def _checked_list(key: str, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"filter key {key!r}: expected a list of strings, not {type(value).__name__}")
    if not 1 <= len(value) <= MAX_VALUES_PER_KEY:
        raise ValueError(f"filter key {key!r}: {len(value)} values; CloudZero accepts 1 to {MAX_VALUES_PER_KEY}")
    for item in value:
        if not is_text(item):
            raise ValueError(f"filter key {key!r}: the value {item!r} is not a string, or is empty")
    if len(set(value)) < len(value):
        raise ValueError(f"filter key {key!r}: a value is listed twice")
    return sorted(str.__str__(item) for item in value)
