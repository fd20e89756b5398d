"""Columns of text as JSON strings."""

from __future__ import annotations

import json

import polars as pl

#: Characters that JSON escapes.
_ESCAPED = r'["\\\x00-\x1f]'


def as_json_strings(texts: pl.Series) -> pl.Series:
    """
    Encode text as JSON strings, as ``json.dumps(text, ensure_ascii=False)`` does.

    :param texts: a column of strings; null stays null.
    """
    quoted = pl.select((pl.lit('"') + texts + pl.lit('"')).alias(texts.name)).to_series()
    escaped = texts.str.contains(_ESCAPED).fill_null(value=False)
    if not escaped.any():
        return quoted
    given = texts.filter(escaped)
    distinct = given.unique()
    encoded = pl.Series(values=[json.dumps(text, ensure_ascii=False) for text in distinct.to_list()], dtype=pl.String)
    return quoted.scatter(escaped.arg_true(), given.replace_strict(distinct, encoded))
