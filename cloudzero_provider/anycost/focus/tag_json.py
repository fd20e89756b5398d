"""Read tags from JSON text: an object, or a list of pairs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.anycost.focus.tag_pairs import TagPairs, numbers_of_sets, pair_fields, pairs_frame
from cloudzero_provider.sources.json_files import refuse_constant
from cloudzero_provider.values.distinct_values import looked_up
from cloudzero_provider.values.found_problems import shown_value

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLOCK = 20_000
_NOT_AN_OBJECT = 'not a JSON object, like {"team": "web"}'
_NOT_A_LIST = 'not a list of tags, like [{"key": "team", "value": "web"}]'
# Objects become tuples of pairs, so that duplicate keys can be detected; numbers stay text.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=str, parse_float=str, parse_constant=refuse_constant)


def pairs_of_json(strings: pl.Series) -> TagPairs:
    """
    Read tags from JSON text. Equal values are read only once.

    :param strings: one per row.
    """
    distinct = strings.drop_nulls().unique(maintain_order=True)
    bad: dict[int, str] = {}
    starts = range(0, len(distinct), _BLOCK)
    blocks = [_read_block(distinct.slice(start, _BLOCK), start, bad) for start in starts]
    sets = looked_up(strings, distinct, numbers_of_sets(len(distinct)), pl.UInt32)
    return TagPairs(pl.concat([pairs_frame({}), *blocks]), sets, len(distinct), bad)


def _read_block(strings: pl.Series, start: int, bad: dict[int, str]) -> pl.DataFrame:
    sets: list[int] = []
    keys: list[str] = []
    values: list[str] = []
    inherited_places: list[int] = []
    for number, text in enumerate(strings.to_list(), start):
        try:
            tags, inherited = tags_of_json(text)
        except ValueError as error:
            bad[number] = str(error)
            continue
        inherited_places.extend(len(keys) + place for place in inherited)
        sets.extend([number] * len(tags))
        keys.extend(key for key, _ in tags)
        values.extend(value for _, value in tags)
    is_inherited = [False] * len(keys)
    for place in inherited_places:
        is_inherited[place] = True
    return pairs_frame({"set": sets, "key": keys, "value": values, "inherited": is_inherited})


def tags_of_json(text: str) -> tuple[Sequence[tuple[str, str]], list[int]]:
    """
    Read the tags of one resource.

    :param text: a JSON object, ``null``, or a list of pairs, which some exports write for a map. ``true``, ``false``
        and numbers are kept as written, and a key with ``null`` is left out.
    :return: keys and values, and the positions of the inherited ones.
    :raises ValueError: with the rule that is broken.
    """
    try:
        found: Any = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise ValueError(_NOT_AN_OBJECT) from None
    inherited: list[int] = []
    if isinstance(found, list):
        pairs = [pair for pair in map(_read_pair, found) if pair[1] is not None]
        inherited = [place for place, pair in enumerate(pairs) if pair[2]]
        found = [pair[:2] for pair in pairs]
    elif found is None:
        found = ()
    elif not isinstance(found, tuple):
        raise ValueError(_NOT_AN_OBJECT)
    tags: Sequence[tuple[str, str]] = found
    if any(type(value) is not str for _, value in found):
        tags = [(key, _tag_value(key, value)) for key, value in found if value is not None]
    if "\\u" in text:
        _check_unicode(tags)
    return tags, inherited


def _read_pair(item: Any) -> tuple[str, Any, bool]:
    """Read one item of a list: ``["team", "web"]``, or an object with fields for key and value."""
    inherited = False
    if isinstance(item, tuple):
        fields = pair_fields(tuple(name for name, _ in item))
        if fields is None:
            raise ValueError(_NOT_A_LIST)
        by_name = dict(item)
        inherited = by_name.get(fields.inherited) in (True, "true", "True", "TRUE")
        item = [by_name[fields.key], by_name[fields.value]]
    if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str):
        raise ValueError(_NOT_A_LIST)
    return item[0], item[1], inherited


def _tag_value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        rule = f"the value of the tag {shown_value(key)} is nested: expected text, a number, true, false or null"
        raise ValueError(rule)
    return value


def _check_unicode(tags: Sequence[tuple[str, str]]) -> None:
    """Refuse lone surrogates, which JSON can write but which are not valid text."""
    try:
        "".join(key + value for key, value in tags).encode()
    except UnicodeEncodeError:
        raise ValueError("not valid Unicode text") from None
