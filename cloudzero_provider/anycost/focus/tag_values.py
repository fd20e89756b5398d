"""Reading the Tags of FOCUS, in each of the shapes they come in, into one column per key."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.focus.table import Holds
from cloudzero_provider.exceptions import InputError
from cloudzero_provider.problems import shown_value
from cloudzero_provider.sources.json_files import no_constant

if TYPE_CHECKING:
    from cloudzero_provider.problems import Problems

_BLOCK = 20_000
_NOT_AN_OBJECT = 'not a JSON object, like {"team": "web"}'
_TWICE = "the tag {} is there twice"
_TEXT = {str}


@dataclass(frozen=True)
class TagValues:
    """
    Tags, by key. Many rows have the same ones, so that each set of tags is held once.

    :param by_key: key, as it is written → one text per set of tags; null where a set has no such tag.
    :param sets: which set a row has; null for none.
    """

    by_key: dict[str, pl.Series]
    sets: pl.Series


def read_tags(tags: pl.Series, problems: Problems) -> TagValues:
    """
    Read tags.

    :param tags: JSON objects as text, a Struct with a field per key, or a List of Struct with ``key`` and ``value``.
    :param problems: what can't be read is noted there.
    :raises InputError: when the column holds anything else.
    """
    if tags.dtype == pl.String:
        return _of_json(tags, problems)
    if isinstance(tags.dtype, pl.Struct):
        by_key = {field.name: _as_text(tags.struct.field(field.name)) for field in tags.dtype.fields}
    elif isinstance(tags.dtype, pl.List) and isinstance(tags.dtype.inner, pl.Struct):
        by_key = _of_pairs(tags, tags.dtype.inner, problems)
    else:
        raise _unusable(tags.dtype)
    return TagValues(by_key, one_set_per_row(len(tags)))


def one_set_per_row(count: int) -> pl.Series:
    """Say that each row has a set of its own."""
    return pl.int_range(count, dtype=pl.UInt32, eager=True)


def _of_json(texts: pl.Series, problems: Problems) -> TagValues:
    distinct = texts.drop_nulls().unique(maintain_order=True)
    bad: dict[str, str] = {}
    starts = range(0, len(distinct), _BLOCK)
    pairs = pl.concat(
        [_pairs([], [], []), *(_read_block(distinct.slice(start, _BLOCK), start, bad) for start in starts)]
    )
    wrong = texts.is_in(list(bad)).fill_null(value=False).arg_true().to_list()
    problems.add_each({row: bad[texts[row]] for row in wrong}, "Tags", texts)
    sets = texts.replace_strict(distinct, one_set_per_row(len(distinct)), default=None, return_dtype=pl.UInt32)
    return TagValues(_by_key(pairs, len(distinct)), sets)


def _read_block(texts: pl.Series, start: int, bad: dict[str, str]) -> pl.DataFrame:
    rows: list[int] = []
    keys: list[str] = []
    values: list[str] = []
    for row, text in enumerate(texts.to_list(), start):
        try:
            tags = tags_of_json(text)
        except ValueError as error:
            bad[text] = str(error)
            continue
        rows.extend([row] * len(tags))
        keys.extend(tags)
        values.extend(tags.values())
    return _pairs(rows, keys, values)


def _pairs(rows: list[int], keys: list[str], values: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"row": rows, "key": keys, "value": values}, schema={"row": pl.UInt32, "key": pl.String, "value": pl.String}
    )


# Objects become tuples of pairs, to see a key that is there twice; numbers stay the text they are written as.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=no_constant)


def tags_of_json(text: str) -> dict[str, str]:
    """
    Read the tags of one resource.

    :param text: a JSON object, or ``null``, or a list of pairs, as maps are written by what knows none. ``true``,
        ``false`` and numbers are taken as they are written, and a key with ``null`` is no tag.
    :raises ValueError: with the rule it breaks.
    """
    try:
        found: Any = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise ValueError(_NOT_AN_OBJECT) from None
    if found is None:
        return {}
    if isinstance(found, list):
        found = tuple(map(_pair, found))
    if not isinstance(found, tuple):
        raise ValueError(_NOT_AN_OBJECT)
    tags: dict[str, Any] = dict(found)
    if len(tags) < len(found):
        keys = [key for key, _ in found]
        raise ValueError(_TWICE.format(shown_value(next(key for key in keys if keys.count(key) > 1))))
    if set(map(type, tags.values())) != _TEXT:
        tags = {key: _tag_value(key, value) for key, value in tags.items() if value is not None}
    if "\\u" in text:
        _check_unicode(tags)
    return tags


def _pair(item: Any) -> tuple[str, Any]:
    """Take a pair out of a list: ``["team", "web"]``, or an object with ``key`` and ``value``."""
    if isinstance(item, tuple) and sorted(name for name, _ in item) == ["key", "value"]:
        item = [dict(item)["key"], dict(item)["value"]]
    if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
        raise ValueError(_NOT_AN_OBJECT)
    return item[0], item[1]


def _tag_value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        rule = f"the value of the tag {shown_value(key)} is nested: expected text, a number, true, false or null"
        raise ValueError(rule)
    return value


def _check_unicode(tags: dict[str, str]) -> None:
    """JSON can spell halves of characters, which are no text."""
    try:
        "".join((*tags, *tags.values())).encode()
    except UnicodeEncodeError:
        raise ValueError("not valid Unicode text") from None


def _of_pairs(tags: pl.Series, inner: pl.Struct, problems: Problems) -> dict[str, pl.Series]:
    if {field.name for field in inner.fields} != {"key", "value"}:
        raise _unusable(tags.dtype)
    pairs = _one_pair_per_row(tags)
    pairs = pairs.select("row", _as_text(pairs["key"]), _as_text(pairs["value"]))
    twice = pairs.filter(pl.struct("row", "key").is_duplicated())
    bad = {row: _TWICE.format(shown_value(key)) for row, key in twice.select("row", "key").iter_rows()}
    bad |= dict.fromkeys(pairs.filter(pl.col("key").is_null())["row"], "a tag needs a key")
    for row, rule in sorted(bad.items()):
        problems.add(row, "Tags", rule)
    return _by_key(pairs.drop_nulls("key"), len(tags))


def _one_pair_per_row(tags: pl.Series) -> pl.DataFrame:
    most = tags.to_frame("tags").select(pl.col("tags").list.len().max()).item() or 1
    numbered = (
        tags.list.get(number, null_on_oob=True).to_frame("pair").with_row_index("row").drop_nulls("pair").unnest("pair")
        for number in range(most)
    )
    return pl.concat(numbered).sort("row", maintain_order=True)


def _by_key(pairs: pl.DataFrame, count: int) -> dict[str, pl.Series]:
    nothing = pl.repeat(None, count, dtype=pl.String, eager=True)
    return {
        str(key): nothing.clone().scatter(of_key["row"], of_key["value"])
        for (key,), of_key in pairs.partition_by("key", as_dict=True, maintain_order=True).items()
    }


def _as_text(values: pl.Series) -> pl.Series:
    if values.dtype.is_nested() or values.dtype == pl.Binary:
        raise InputError(
            f"Column 'Tags' holds {values.dtype} for {values.name!r}: expected text, numbers, or true and false."
        )
    return values.cast(pl.String)


def _unusable(dtype: pl.DataType) -> InputError:
    return InputError(f"Column 'Tags' holds {dtype}: expected {Holds.TAGS.value}.")
