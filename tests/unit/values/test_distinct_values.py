from __future__ import annotations

import polars as pl
import pytest

from cloudzero_provider.values.distinct_values import by_distinct


@pytest.mark.parametrize(
    "convert",
    [
        lambda texts: pl.DataFrame({"found": texts}),
        lambda texts: pl.DataFrame({"found": texts.str.to_uppercase(), "same": texts, "length": texts.str.len_bytes()}),
        lambda texts: pl.DataFrame({"one": pl.Series([None] * len(texts), dtype=pl.String)}),
        lambda texts: pl.DataFrame({"is_b": texts == "b", "first": texts.str.replace("b", "a")}),
        lambda texts: pl.DataFrame({"is_text": texts.is_null() | (texts != "")}),
    ],
)
@pytest.mark.parametrize("texts", [[], ["a"], ["a", "b", None], ["b", "a", "b", "b", "a"], ["b", None, "b", None, "b"]])
def test_each_row_gets_what_its_value_becomes(convert, texts):
    values = pl.Series("given", texts, dtype=pl.String)
    found = by_distinct(values, convert)
    assert found.equals(convert(values))
    assert found.columns == convert(values).columns


def test_a_value_is_converted_once():
    converted = []

    def convert(values):
        converted.extend(values)
        return pl.DataFrame({"plus": values + 1})

    assert by_distinct(pl.Series([3, 3, 1, 3, 1]), convert)["plus"].to_list() == [4, 4, 2, 4, 2]
    assert sorted(converted) == [1, 3]
