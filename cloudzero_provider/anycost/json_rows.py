"""Rows as JSON objects."""

from __future__ import annotations

import json

import polars as pl

from cloudzero_provider.anycost.columns import Kind, kind_of
from cloudzero_provider.values.json_objects import JsonField, JsonObjects
from cloudzero_provider.values.json_strings import json_escaped
from cloudzero_provider.values.parallel import for_columns

#: Checked values of these kinds have no character that JSON escapes.
_PLAIN_KINDS = frozenset({Kind.DECIMAL, Kind.HOUR, Kind.TIMESTAMP, Kind.LINEITEM_TYPE})


def json_rows(frame: pl.DataFrame, *, is_checked: bool = False) -> JsonObjects:
    """
    Prepare rows, each of which becomes an object of strings.

    :param frame: columns of text; null where a row has no value.
    :param is_checked: whether the values have passed the checks.
    """

    def values_of(number: int) -> pl.Series:
        # polars reads some names as patterns, so it never sees the user's.
        texts = frame.to_series(number).alias(f"c{number}")
        is_plain = is_checked and kind_of(frame.columns[number]) in _PLAIN_KINDS
        return texts if is_plain else json_escaped(texts)

    fields = [
        JsonField(f"c{number}", f'{json.dumps(name, ensure_ascii=False)}:"', '"')
        for number, name in enumerate(frame.columns)
    ]
    return JsonObjects(pl.DataFrame(list(for_columns(values_of, range(frame.width), frame.height))), fields)
