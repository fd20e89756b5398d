from __future__ import annotations

import polars as pl
from hypothesis import given, strategies as st

from cloudzero_provider.values.json_objects import JsonField, JsonObjects

CELLS = st.none() | st.sampled_from(["1", "23", "ß"])
#: What is after a value, of each of three fields.
ENDS = st.tuples(*[st.sampled_from(["", '"', ']"'])] * 3)


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6),
    ENDS,
    st.sampled_from([",", ", "]),
    st.sets(st.integers(0, 2)),
)
def test_an_object_has_the_fields_with_a_value_however_each_ends(rows, ends, separator, complete):
    cells = [tuple(cell or ("x" if number in complete else None) for number, cell in enumerate(row)) for row in rows]
    fields = [JsonField(f"c{number}", f"{number}:", end) for number, end in enumerate(ends)]
    expected = [
        "{" + separator.join(f"{number}:{row[number]}{ends[number]}" for number in range(3) if row[number]) + "}"
        for row in cells
    ]
    objects = JsonObjects(
        pl.DataFrame(cells, schema=dict.fromkeys(["c0", "c1", "c2"], pl.String), orient="row"), fields, separator
    )
    assert objects.encoded().to_list() == expected
    for size, text in zip(objects.sizes(), expected, strict=True):
        assert text == "{}" or size == len(text.encode()) + 1
