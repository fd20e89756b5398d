"""Columns of text as JSON strings."""

from __future__ import annotations

import json

import polars as pl

#: Characters that JSON escapes.
_ESCAPED = r'["\\\x00-\x1f]'
_SAMPLE = 1_000
#: ``json.dumps`` would make an encoder for each text.
_encode = json.JSONEncoder(ensure_ascii=False).encode


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
    candidates = texts.unique() if _repeats(texts) else texts
    found = candidates.filter(candidates.str.contains(_ESCAPED))
    if found.is_empty():
        return texts
    given = found.unique()
    encoded = [_encode(text)[1:-1] for text in given.to_list()]
    return texts.replace(given, pl.Series(values=encoded, dtype=pl.String))


def _repeats(texts: pl.Series) -> bool:
    """Guess whether many rows have few texts: those are found faster than a pattern is looked for in every row."""
    return len(texts) > _SAMPLE and 2 * texts.head(_SAMPLE).n_unique() < _SAMPLE
