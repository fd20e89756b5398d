from __future__ import annotations

import json
from collections import OrderedDict

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.exceptions import InvalidRowsError
from cloudzero_provider.telemetry import filter_keys
from cloudzero_provider.telemetry.checks import RecordRules, check_records
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
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cloudzero_provider.sources.rows.BLOCK", data.draw(st.integers(1, 12)))
        together = convert_keys(values, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filter_keys, "_MOST_KEY_SETS", -1)
        one_by_one = convert_keys(values, kind)
    assert together.bad == one_by_one.bad
    assert together.encoded.to_list() == one_by_one.encoded.to_list()
    assert together.key_sets.to_list() == one_by_one.key_sets.to_list()


def encoded(values):
    """The keys as Python's own encoder writes them, sorted."""
    canonical = [
        {key: sorted(value[key]) if isinstance(value[key], (list, tuple)) else value[key] for key in sorted(value)}
        for value in values
    ]
    return [json.dumps(value, ensure_ascii=False) if value else None for value in canonical]


GOOD = {
    ALLOCATION: [
        # Rows whose smallest values are in another order than the rows.
        [{"b": ["z", "y"], "a": ["x"]}, {"b": ("b", "a"), "a": ["w"]}, {"a": ["x"], "b": ["c"]}],
        [{"a": [f"{10 * length + number:03}" for number in range(length, 0, -1)]} for length in range(20, 0, -1)],
        [{}, {"a": ["x"]}, {f"k{number}": ["x"] for number in range(5)}, {"a": ["y"]}],
    ],
    METRIC: [
        [{"b": "z", "a": 'q"'}, {"a": "x", "b": "y"}, {"b": "z", "a": "w"}],
        [{}, {"a": "x"}, {f"k{number}": "x" for number in range(5)}, {"a": "y"}],
    ],
}


@pytest.mark.parametrize(("kind", "values"), [(kind, values) for kind, cases in GOOD.items() for values in cases])
def test_good_records_are_not_checked_one_by_one(monkeypatch, kind, values):
    """A million records in a second or two depend on it."""
    monkeypatch.delattr(filter_keys, "_of_each")
    monkeypatch.setattr(filter_keys, "_MOST_KEY_SETS", len({tuple(sorted(value)) for value in values}) + 1)
    found = convert_keys(values, kind)
    assert found.encoded.to_list() == encoded(values)
    assert found.key_sets.to_list() == [json.dumps(sorted(value)) for value in values]
    assert not found.bad


def test_as_many_keys_and_values_as_cloudzero_accepts_one_by_one():
    values = [OrderedDict((f"k{number}", [f"{text:02}" for text in range(20)]) for number in range(5))]
    found = convert_keys(values, ALLOCATION)
    assert (found.bad, found.encoded.to_list()) == ({}, encoded(values))


def test_many_lists_stay_in_the_order_of_their_rows():
    values = [{"a": [f"{-number}b", f"{-number}a"]} for number in range(3_000)]
    assert convert_keys(values, ALLOCATION).encoded.to_list() == encoded(values)


def test_records_without_filter_keys_are_not_checked_one_by_one(monkeypatch):
    monkeypatch.delattr(filter_keys, "_of_each")
    for values in ([None, None], [{}, {}], [None, {}]):
        found = convert_keys(values, METRIC)
        assert (found.encoded.to_list(), found.key_sets.to_list(), found.bad) == ([None, None], ["[]", "[]"], {})
        assert (found.encoded.dtype, found.key_sets.dtype) == (pl.String, pl.String)


@pytest.mark.parametrize(
    ("kind", "good", "bad", "rule"),
    [
        (ALLOCATION, ["x"], [""], "filter key 'a': the value '' is not a string, or is empty"),
        (ALLOCATION, ["x"], [], "filter key 'a': 0 values; CloudZero accepts 1 to 20"),
        (ALLOCATION, ["x"], ["x"] * 21, "filter key 'a': 21 values; CloudZero accepts 1 to 20"),
        (ALLOCATION, ["x", "y"], ["y", "x", "y"], "filter key 'a': a value is listed twice"),
        (ALLOCATION, ["x"], "x", "filter key 'a': expected a list of strings, not str"),
        (METRIC, "x", "", "filter key 'a': expected a string, not str (metrics don't accept lists)"),
        (METRIC, "x", "\ud800", "filter key 'a': expected a string, not str (metrics don't accept lists)"),
        (METRIC, "x", 5, "filter key 'a': expected a string, not int (metrics don't accept lists)"),
    ],
)
def test_a_bad_record_among_good_ones_of_the_same_keys_is_named(kind, good, bad, rule):
    found = convert_keys([{"a": good}, {"a": bad}, {"a": good}], kind)
    assert found.bad == {1: rule}


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


@pytest.mark.parametrize(("kind", "cell"), [(METRIC, "'x'"), (ALLOCATION, "['x']")], ids=["metric", "allocation"])
def test_a_row_of_a_table_with_more_filters_than_a_record_may_have(kind, cell):
    fields = {"timestamp": ["2026-03-01", "2026-03-02"], "value": [1, 2], "element_name": ["a", "b"]}
    fields = {name: values for name, values in fields.items() if name in kind.fields}
    columns = {f"k{number}": ["x" if number < 5 else None, "x"] for number in range(6)}
    rows = as_records(sources.from_frame(pl.DataFrame(fields | columns)), kind)
    with pytest.raises(InvalidRowsError) as error:
        check_records(rows, RecordRules(kind, TelemetryOperation.REPLACE, "DAILY"))
    shown = ", ".join(f"'k{number}': {cell}" for number in range(6))
    shown = f"{{{shown}}}"[:80] + ("…" if len(shown) > 78 else "")
    [problem] = str(error.value).split("\n  ")[1:]
    assert problem == f"row 2, column '{kind.keys_field}', value {shown}: 6 filter keys: CloudZero accepts at most 5"


def test_a_row_without_structs_has_no_dict():
    structs = pl.Series([None, {"a": "x"}], dtype=pl.Struct({"a": pl.String}))
    assert as_dicts(structs, METRIC) == [None, {"a": "x"}]


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
