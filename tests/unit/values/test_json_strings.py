from __future__ import annotations

import json

import polars as pl
from hypothesis import given, strategies as st

from cloudzero_provider.values.json_strings import as_json_strings


@given(
    st.lists(st.none() | st.text(st.characters(codec="utf-8")) | st.sampled_from(['"', "\\", "\n", "\x00", "a", "é"]))
)
def test_text_becomes_what_python_s_own_encoder_writes(texts):
    encoded = as_json_strings(pl.Series("name", texts, dtype=pl.String))
    assert encoded.name == "name"
    assert encoded.to_list() == [None if text is None else json.dumps(text, ensure_ascii=False) for text in texts]
