from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.values.json_strings import as_json_strings, json_escaped


@given(
    st.lists(st.none() | st.text(st.characters(codec="utf-8")) | st.sampled_from(['"', "\\", "\n", "\x00", "a", "é"]))
)
def test_text_becomes_what_python_s_own_encoder_writes(texts):
    encoded = as_json_strings(pl.Series("name", texts, dtype=pl.String))
    assert encoded.name == "name"
    assert encoded.to_list() == [None if text is None else json.dumps(text, ensure_ascii=False) for text in texts]


@pytest.mark.parametrize("texts", [["a", "b", None], ["a", 'b"', None], [str(number) for number in range(999)]])
@pytest.mark.parametrize("last", ["c", "\\", "\n"])
def test_many_rows_of_few_texts_are_escaped_as_others_are(texts, last):
    """Whether the first rows repeat, and whether a row after them is the first one to escape."""
    rows = [*texts * 2_000, last][-10_000:]
    given = pl.Series(rows, dtype=pl.String)
    expected = [None if text is None else json.dumps(text, ensure_ascii=False)[1:-1] for text in rows]
    assert json_escaped(given).to_list() == expected
    assert given.to_list() == rows


def test_nothing_is_copied_where_nothing_is_escaped():
    for texts in (pl.Series(["a", None]), pl.Series(["a", None] * 1_000)):
        assert json_escaped(texts) is texts
