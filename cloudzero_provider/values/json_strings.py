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
    return pl.select((pl.lit('"') + json_escaped(texts) + pl.lit('"')).alias(texts.name)).to_series()


def json_escaped(texts: pl.Series) -> pl.Series:
    """
    Escape text as it is between the quotes of a JSON string.

    :param texts: a column of strings; null stays null.
    :return: the column itself if there is nothing to escape, which costs no memory.
    """
    escaped = texts.str.contains(_ESCAPED).fill_null(value=False)
    if not escaped.any():
        return texts
    given = texts.filter(escaped)
    distinct = given.unique()
    encoded = [json.dumps(text, ensure_ascii=False)[1:-1] for text in distinct.to_list()]
    found = given.replace_strict(distinct, pl.Series(values=encoded, dtype=pl.String))
    # scatter changes a Series in place.
    return texts.clone().scatter(escaped.arg_true(), found)
