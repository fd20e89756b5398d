from __future__ import annotations

import json

import polars as pl
from hypothesis import given, strategies as st

from cloudzero_provider.anycost.json_rows import json_rows

CELLS = st.none() | st.text(min_size=1, max_size=5) | st.sampled_from(['"', "\\", "\n\x00\x1f\x7f", "ß😀", "a,b"])


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8),
    st.permutations(["a", 'b"\\c', "größe"]),
    st.none() | st.integers(0, 2),
)
def test_rows_and_their_sizes_are_those_of_python(rows, names, complete):
    """Whatever characters values have, and wherever a column that is complete is among others."""
    cells = [tuple("x" if number == complete else cell for number, cell in enumerate(row)) for row in rows]
    given_rows = [{name: cell for name, cell in zip(names, row, strict=True) if cell is not None} for row in cells]
    expected = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in given_rows]
    found = json_rows(pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String), orient="row"))
    assert found.encoded().to_list() == expected
    assert found.joined() == ",".join(expected).encode()
    for size, text in zip(found.sizes(), expected, strict=True):
        assert text == "{}" or size == len(text.encode()) + 1
    order = pl.Series(range(len(rows))).reverse()
    assert found.in_order(order).slice(0, 2).joined() == ",".join(expected[::-1][:2]).encode()


def test_text_is_escaped_in_checked_rows_and_in_all_columns_of_others():
    frame = pl.DataFrame({"cost/cost": ['1"'], "resource/id": ['a"b']})
    expected = '{"cost/cost":"1\\"","resource/id":"a\\"b"}'
    assert json_rows(frame).encoded().to_list() == [expected]
    checked = frame.with_columns(pl.lit("1").alias("cost/cost"))
    assert json_rows(checked, is_checked=True).encoded().to_list() == ['{"cost/cost":"1","resource/id":"a\\"b"}']
