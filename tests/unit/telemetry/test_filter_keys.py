from __future__ import annotations

from collections import OrderedDict

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType
from cloudzero_provider.telemetry import filter_keys
from cloudzero_provider.telemetry.filter_keys import as_dicts, convert_keys
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.telemetry.table_records import as_records, joined_records

ALLOCATION, METRIC = KINDS[StreamType.ALLOCATION], KINDS[StreamType.METRIC]
KINDS_OF_KEYS = pytest.mark.parametrize("kind", [ALLOCATION, METRIC], ids=["allocation", "metric"])


class Text(str):
    __slots__ = ()


KEYS = st.sampled_from(["a", "b", "custom:Team", 'ü"', "\x01", "", "^a$", "*", "k0"]) | st.sampled_from(
    [7, True, Text("a"), "\ud800"]
)
TEXTS = st.sampled_from(["x", "y", "z", 'q"', "\\", "\n", "ü"])
ODD = st.sampled_from([None, 5, 1.5, True, "", Text("x"), "\ud800", (), ("x",), b"x", {"x": 1}])
LISTS = st.lists(TEXTS, min_size=1, max_size=4) | st.lists(TEXTS | ODD, max_size=3) | st.just(["x"] * 21)
GOOD_KEYS = st.sampled_from(["a", "b", "^a.*$", "*", "k0", "k1"])


def dicts_of(values):
    good = st.dictionaries(GOOD_KEYS, values, max_size=6)
    anything = st.none() | st.just(["a"]) | st.dictionaries(KEYS, values | ODD, max_size=3)
    return st.lists(good | good | anything, min_size=1, max_size=12)


@KINDS_OF_KEYS
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_records_are_checked_together_as_they_are_one_by_one(kind, data):
    values = data.draw(dicts_of(LISTS | TEXTS if kind.lists_values else TEXTS | LISTS))
    values += [OrderedDict(value) for value in values[:2] if isinstance(value, dict)]
    together = convert_keys(values, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_keys, "_MOST_KEY_SETS", -1)
        one_by_one = convert_keys(values, kind)
    assert together.bad == one_by_one.bad
    assert together.encoded.to_list() == one_by_one.encoded.to_list()
    assert together.key_sets.to_list() == one_by_one.key_sets.to_list()


@KINDS_OF_KEYS
def test_more_sets_of_keys_than_are_worth_a_column_each(kind):
    one = ["x"] if kind.lists_values else "x"
    values = [{f"k{number % 1_500:04}": one} for number in range(3_000)]
    found = convert_keys(values, kind)
    assert not found.bad
    assert found.key_sets.to_list() == [f'["k{number % 1_500:04}"]' for number in range(3_000)]


@KINDS_OF_KEYS
def test_filter_columns_are_the_same_as_dicts(kind):
    columns = {"b": ["x", None, "", 'q"'], "^.$": [None, None, "y", "z"]}
    rows = as_records(sources.from_frame(pl.DataFrame(columns)), kind)
    given = rows.columns[kind.keys_field]
    dicts = [{"b": "x"}, {}, {"^.$": "y"}, {"b": 'q"', "^.$": "z"}]
    if kind.lists_values:
        dicts = [{key: [text] for key, text in row.items()} for row in dicts]
    assert as_dicts(given, kind) == dicts
    found, expected = convert_keys(given, kind), convert_keys(dicts, kind)
    assert found.encoded.to_list() == expected.encoded.to_list()
    assert found.key_sets.to_list() == expected.key_sets.to_list() == ['["b"]', "[]", '["^.$"]', '["^.$", "b"]']


def test_a_row_of_a_table_with_more_filters_than_a_record_may_have():
    columns = {f"k{number}": ["x", None if number else "x"] for number in range(6)}
    rows = as_records(sources.from_frame(pl.DataFrame(columns)), METRIC)
    assert convert_keys(rows.columns["associated_cost"], METRIC).bad == {
        0: "6 filter keys: CloudZero accepts at most 5"
    }


@pytest.mark.parametrize(
    ("parts", "keys"),
    [
        ([{"a": ["x"]}, {"a": ["y"]}], [{"a": "x"}, {"a": "y"}]),
        ([{"a": ["x"]}, {"b": ["y"]}], [{"a": "x"}, {"b": "y"}]),
        ([{"a": ["x"], "b": [None]}, {"b": ["y"], "a": ["z"]}], [{"a": "x"}, {"a": "z", "b": "y"}]),
        ([{"a": ["x"]}, {"value": [1]}, {"a": ["y"]}], [{"a": "x"}, {}, {"a": "y"}]),
        ([{"a": ["x"]}, {"value": [1]}, {"b": ["y"]}], [{"a": "x"}, {}, {"b": "y"}]),
        ([{"a": ["x"]}, {"associated_cost": ['{"b": "y"}']}], [{"a": "x"}, {"b": "y"}]),
        ([{"a": ["x"]}, [{"associated_cost": {"b": "y"}}]], [{"a": "x"}, {"b": "y"}]),
    ],
)
def test_files_with_other_filters_are_concatenated(parts, keys):
    rows = [
        sources.from_records(part) if isinstance(part, list) else sources.from_frame(pl.DataFrame(part))
        for part in parts
    ]
    found = convert_keys(joined_records(rows, METRIC).columns["associated_cost"], METRIC)
    assert found.encoded.to_list() == convert_keys(keys, METRIC).encoded.to_list()
    assert not found.bad
