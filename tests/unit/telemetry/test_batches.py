from __future__ import annotations

import contextlib
import json
import re
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.exceptions import (
    AmbiguousWriteError,
    CloudZeroConnectionError,
    ConfigurationError,
    InputError,
    InvalidRowsError,
)
from cloudzero_provider.journal import SumJournal
from cloudzero_provider.telemetry import record_values
from cloudzero_provider.telemetry.batches import BatchLimits, make_batches, sampled_hashes
from cloudzero_provider.telemetry.checks import OnDuplicate, OnMixedKeys, OnZero, RecordRules, check_records
from cloudzero_provider.telemetry.identity import hashes_of, record_hash
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.telemetry.record_values import convert_values
from cloudzero_provider.telemetry.send import TelemetryOptions
from cloudzero_provider.telemetry.table_records import as_records

ALLOCATION, METRIC = KINDS[StreamType.ALLOCATION], KINDS[StreamType.METRIC]


def checked(records, kind=ALLOCATION, operation=TelemetryOperation.REPLACE, granularity="DAILY", **choices):
    return check_records(sources.from_records(records), RecordRules(kind, operation, granularity, **choices))


def contents(batches):
    return [(batch.operation.value, json.loads(batch.body, parse_float=Decimal)["records"]) for batch in batches]


def batches_of(records, *, limits=None, clear_periods=False, **options):
    return list(make_batches(checked(records, **options), limits or BatchLimits(), clear_periods=clear_periods))


def record(n, **others):
    return {"timestamp": f"2026-03-{n % 28 + 1:02d}", "element_name": f"e{n}", "value": n + 1, **others}


def test_records_go_out_as_the_documentation_shows_them():
    given = record(0, value="0012.50", filter={"b": ["y", "x"], "a": ['z"ü']}, element_name='Müll "1"')
    ((operation, (sent,)),) = contents(batches_of([given]))
    assert operation == "replace"
    assert sent == {
        "timestamp": "2026-03-01T00:00:00Z",
        "value": Decimal("12.50"),
        "granularity": "DAILY",
        "element_name": 'Müll "1"',
        "filter": {"a": ['z"ü'], "b": ["x", "y"]},
    }


def test_a_metric_has_a_granularity_only_if_it_is_given():
    for granularity, sent in ((None, None), ("MONTHLY", "MONTHLY")):
        batches = batches_of([{"timestamp": "2026-03-05", "value": 1}], kind=METRIC, granularity=granularity)
        ((_, (one,)),) = contents(batches)
        assert one.get("granularity") == sent
        assert one["timestamp"] == ("2026-03-05T00:00:00Z" if granularity is None else "2026-03-01T00:00:00Z")


def test_a_deletion_has_no_value_and_may_leave_out_the_element():
    for one, fields in (
        (record(0), {"timestamp", "granularity", "element_name"}),
        ({"timestamp": "2026-03-01"}, {"timestamp", "granularity"}),
    ):
        ((operation, (sent,)),) = contents(batches_of([one], operation=TelemetryOperation.DELETE))
        assert (operation, set(sent)) == ("delete", fields)


@settings(max_examples=60)
@given(
    count=st.integers(1, 60),
    keys=st.lists(
        st.sampled_from([None, {}, {"a": ["x"]}, {"a": ["y"]}, {"b": ["x"], "a": ["x"]}]), min_size=1, max_size=4
    ),
    max_body=st.integers(200, 3000),
    max_records=st.integers(1, 20),
)
def test_every_record_is_sent_once_in_bodies_that_fit_with_one_key_set_each(count, keys, max_body, max_records):
    given = [record(n, filter=keys[n % len(keys)]) for n in range(count)]
    batches = batches_of(given, limits=BatchLimits(max_body, max_records))
    sent = []
    for batch, (_, records) in zip(batches, contents(batches), strict=True):
        assert batch.size == len(batch.body) <= max_body
        assert batch.records == len(records) <= max_records
        assert len({tuple(one.get("filter", {})) for one in records}) == 1
        sent += records
    assert sorted(one["element_name"] for one in sent) == sorted(one["element_name"] for one in given)


def test_deletions_go_first():
    records = [record(0, value=0), record(1)]
    batches = batches_of(records, on_zero=OnZero.DELETE, clear_periods=True)
    assert [(operation, len(sent)) for operation, sent in contents(batches)] == [
        ("delete", 2),
        ("delete", 1),
        ("replace", 1),
    ]
    assert "element_name" not in contents(batches)[0][1][0]


KEY_SETS = ({"b": ["x"], "a": ["x"]}, {"b": ["x"]}, None, {"c": ["x"]}, {"a": ["x"], "b": ["y"], "c": ["x"]})


@pytest.mark.parametrize(
    ("operation", "order"),
    [("replace", ["", "b", "c", "ab", "abc"]), ("sum", ["ab", "b", "", "c", "abc"])],
)
def test_smaller_sets_of_keys_go_before_larger_ones_unless_they_add(operation, order):
    """A ``replace`` may wipe records with more keys. What adds wipes nothing, and its journal knows the order."""
    records = [record(n, filter=KEY_SETS[n % len(KEY_SETS)]) for n in range(10)]
    batches = batches_of(records, operation=TelemetryOperation(operation), limits=BatchLimits(max_batch_records=1))
    sent = ["".join(sent.get("filter", {})) for _, (sent,) in contents(batches)]
    assert sent == [keys for keys in order for _ in range(2)]


def test_deletions_of_larger_sets_of_keys_go_before_records_of_smaller_ones():
    records = [record(n, filter=keys, value=n % 2) for n, keys in enumerate(({"a": ["x"]}, None, {"b": ["x"]}))]
    sent = contents(batches_of(records, on_zero=OnZero.DELETE))
    assert [(operation, *("".join(one.get("filter", {})) for one in found)) for operation, found in sent] == [
        ("delete", "a"),
        ("delete", "b"),
        ("replace", ""),
    ]


def test_periods_are_cleared_even_if_only_zeros_are_in_them():
    records = [record(0), record(1, value=0)]
    for on_zero in (OnZero.SKIP, OnZero.DELETE):
        cleared = contents(batches_of(records, on_zero=on_zero, clear_periods=True))[0][1]
        assert [one["timestamp"] for one in cleared] == ["2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"]


@pytest.mark.parametrize(
    ("options", "first"),
    [({"on_zero": OnZero.DELETE}, {"value": 0}), ({"operation": TelemetryOperation.DELETE}, {})],
)
def test_a_deletion_that_would_hide_other_rows_too_is_refused(options, first):
    records = [record(0, **first), record(1, filter={"a": ["x"]})]
    with pytest.raises(InvalidRowsError, match="this deletion would also hide other rows"):
        batches_of(records, **options)
    assert batches_of([records[0], record(1)], **options)


def test_a_deletion_with_a_blank_element_among_others_is_refused():
    with pytest.raises(InvalidRowsError, match=r"row 2, column 'element_name'"):
        batches_of([record(0), record(1, element_name="")], operation=TelemetryOperation.DELETE)


def test_mixed_keys_are_seen_in_zeros_too():
    records = [record(0, value=0), record(1, filter={"a": ["x"]})]
    with pytest.raises(InputError, match="2 sets of filter keys"):
        batches_of(records, on_zero=OnZero.DELETE, on_mixed_keys=OnMixedKeys.ERROR)


@pytest.mark.parametrize("limit", ["5", 1.5, float("nan"), True, 0, 6_000_000])
def test_limits_that_make_no_sense_are_refused(limit):
    with pytest.raises(ConfigurationError, match="max_body_bytes"):
        BatchLimits(max_body_bytes=limit)


@pytest.mark.parametrize("name", ["clear_periods", "check_only", "settle_from"])
def test_options_that_make_no_sense_are_refused(name):
    with pytest.raises(ConfigurationError, match=f"^{name} is 'x'"):
        TelemetryOptions(**{name: "x"})


def test_a_switch_of_batches_that_makes_no_sense_is_refused():
    with pytest.raises(ConfigurationError, match=r"^clear_periods is 'x'"):
        list(make_batches(checked([record(0)]), BatchLimits(), clear_periods="x"))


def table(columns, kind=ALLOCATION, **choices):
    rows = as_records(sources.from_frame(pl.DataFrame(columns)), kind)
    return check_records(rows, RecordRules(kind, TelemetryOperation.REPLACE, "DAILY", **choices))


def records_of(columns, kind=ALLOCATION):
    [(_, records)] = contents(make_batches(table(columns, kind), BatchLimits()))
    return records


ONE = {"timestamp": ["2026-03-01"], "value": [1], "element_name": ["a"]}


@pytest.mark.parametrize("name", ["Granularity", "associated_cost"])
def test_a_table_column_that_is_a_field_is_not_a_filter_key(tmp_path, name):
    path = tmp_path / "a.csv"
    path.write_text(f"timestamp,value,element_name,{name}\n2026-03-01,1,a,x\n")
    with pytest.raises(InputError, match=r"a\.csv, line 2: the column .* is not a valid filter key"):
        as_records(sources.from_files(str(path)), ALLOCATION)


def test_an_invalid_filter_column_is_named_in_a_table_without_rows_too():
    with pytest.raises(InputError) as error:
        as_records(sources.from_frame(pl.DataFrame({"Value": []})), METRIC)
    assert str(error.value) == (
        "The table: the column 'Value' is not a valid filter key; the fields of metric records are timestamp, value, "
        "granularity, associated_cost. Names are matched exactly: 'Value' is not 'value' (in SQL, quote the name)."
    )


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (
            {**{key: ["x"] for key in ALLOCATION.fields[:-1]}, "associated_cost": ["x"]},
            (
                "row 1: the column 'associated_cost' is not a valid filter key; the fields of allocation records are "
                "timestamp, value, granularity, element_name, filter."
            ),
        ),
        (
            {"timestamp": ["x"], "value": ["x"], "element name": ["x"]},
            (
                "row 1: the fields of allocation records are timestamp, value, granularity, element_name, filter. Names are "
                "matched exactly: 'element name' is not 'element_name' (in SQL, quote the name)."
            ),
        ),
    ],
)
def test_what_is_said_of_a_column_that_may_be_a_field(columns, words):
    with pytest.raises(InputError) as error:
        as_records(sources.from_frame(pl.DataFrame(columns)), ALLOCATION)
    assert str(error.value) == words


def test_other_columns_of_a_table_are_filter_keys():
    [found] = records_of(ONE | {"custom:team": ["x"], "custom:none": [None], "custom:number": [7]})
    assert found["filter"] == {"custom:number": ["7"], "custom:team": ["x"]}
    [found] = records_of({"timestamp": ["2026-03-01"], "value": [1], "team": ["x"]}, METRIC)
    assert found["associated_cost"] == {"team": "x"}


@pytest.mark.parametrize(
    "keys",
    [
        pl.Series([{"team": ["x", "y"], "region": None}]),
        pl.Series(['{"team": ["x", "y"]}']),
        pl.Series([[{"key": "team", "value": ["x", "y"]}]]),
    ],
    ids=["struct", "JSON", "map"],
)
def test_a_table_may_have_its_filter_keys_in_one_column(keys):
    [found] = records_of(ONE | {"filter": keys})
    assert found["filter"] == {"team": ["x", "y"]}


@pytest.mark.parametrize("wrong", ["x", "[1]", "{", "null"])
def test_filter_keys_in_one_column_that_are_no_object_are_named(wrong):
    with pytest.raises(InvalidRowsError, match=r"column 'filter', value .*: expected a dict of filter keys and values"):
        table(ONE | {"filter": [wrong]})


@pytest.mark.parametrize("wrong", [7, [{"name": "x"}], [{"key": "x"}]])
def test_filter_keys_in_one_column_that_are_another_type_are_named(wrong):
    match = rf"column 'filter', value {re.escape(repr(wrong))}: expected a dict of filter keys and values, not "
    with pytest.raises(InvalidRowsError, match=match + type(wrong).__name__):
        table(ONE | {"filter": [wrong]})


@pytest.mark.parametrize("keys", ["", None])
def test_a_row_without_filter_keys_is_of_all_spend(keys):
    [found] = records_of(ONE | {"filter": pl.Series([keys], dtype=pl.String)})
    assert found["filter"] == {}


@pytest.mark.parametrize(
    ("wrong", "shown"), [(1.5, "1.5"), (True, "True"), (["x"], "['x']"), ([], "[]"), ({"x": "y"}, "{'x': 'y'}")]
)
def test_a_filter_column_that_is_not_text_is_named(wrong, shown):
    match = rf"column 'filter', value .*'team': \[{re.escape(shown)}\].*the value {re.escape(shown)} is not a string"
    with pytest.raises(InvalidRowsError, match=match):
        table(ONE | {"team": [wrong]})


def test_a_blank_cell_is_not_a_filter_beside_a_cell_that_is_not_text():
    columns = {name: values * 2 for name, values in ONE.items()}
    with pytest.raises(InvalidRowsError) as error:
        table(columns | {"team": pl.Series(["", 1.5], dtype=pl.Object)})
    assert [line.split(",")[0] for line in str(error.value).split("\n  ")[1:]] == ["row 2"]


@pytest.mark.parametrize(
    "keys", ['{"team": ["x"], "team": ["y"]}', [{"key": "team", "value": ["x"]}, {"key": "team", "value": ["y"]}]]
)
def test_a_duplicate_filter_key_is_named(keys):
    with pytest.raises(InvalidRowsError, match=r"row 1, column 'filter', value .*: a filter key appears twice"):
        table(ONE | {"filter": [keys]})


def test_a_timestamp_beyond_the_calendar_is_named():
    with pytest.raises(InvalidRowsError, match="column 'timestamp', value 1152921504606846976: not an ISO 8601"):
        table(ONE | {"timestamp": pl.Series([2**60]).cast(pl.Datetime("ms"))})


def test_a_short_float_of_a_table_is_the_number_that_it_is_written_as():
    [found] = records_of(ONE | {"value": pl.Series([0.1], dtype=pl.Float32)})
    assert found["value"] == Decimal("0.1")


def test_a_number_out_of_all_bounds_in_json_lines_is_named(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"value": 1}\n{"value": 1e99999999999999999999}\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 2: a number that is too large or too small"):
        sources.from_files(str(path))


def test_a_record_larger_than_a_request_is_refused():
    with pytest.raises(InputError, match="bytes as JSON, too large for one request"):
        batches_of([record(0, element_name="x" * 500)], limits=BatchLimits(max_body_bytes=300))


def test_duplicates_have_the_same_period_element_and_keys():
    same = [
        record(0, timestamp="2026-03-01T05:00:00Z", filter={"a": ["x", "y"]}),
        record(0, timestamp="2026-03-01T23:00:00Z", filter={"a": ["y", "x"]}),
        record(0, timestamp="2026-03-01", filter={"a": ["x"]}),
    ]
    found = checked(same, on_duplicate=OnDuplicate.SUM)
    assert (found.frame.height, found.duplicates_summed, found.total) == (2, 1, "3")
    assert checked([record(0), record(1)]).duplicates_summed == 0


def test_a_number_is_text_beside_a_filter_column_that_is_no_text():
    with pytest.raises(InvalidRowsError, match=r"'a': \['7'\], 'team': \[1\.5\]\}: filter key 'team'"):
        table(ONE | {"a": [7], "team": [1.5]})
    columns = {name: values for name, values in ONE.items() if name != "element_name"}
    with pytest.raises(InvalidRowsError, match="filter key 'team': expected a string, not float"):
        table(columns | {"team": [1.5]}, METRIC)


@pytest.mark.parametrize(
    ("value", "sent", "rounded"),
    [
        (0.1 + 0.2, "0.3", 1),
        (0.1, "0.1", 0),
        (1e-20, "0.00000000000000000001", 0),
        (123456789012345.6, "123456789012346", 1),
    ],
)
def test_floats_go_out_with_15_significant_digits_and_are_counted(value, sent, rounded):
    found = checked([record(0, value=value)])
    assert (found.frame["value"].to_list(), found.values_rounded) == ([sent], rounded)


@given(
    st.lists(
        st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.floats(0, 1e6).map(lambda n: round(n, 3))
    )
)
def test_floats_of_a_column_are_those_of_python_to_15_digits(floats):
    plain = [None if number is None else format(Decimal(f"{number:.15g}"), "f") for number in floats]
    expected = convert_values(plain)[0]
    for values in (floats, pl.Series(values=floats, dtype=pl.Float64)):
        found, rounded = convert_values(values)
        assert (found.strings.to_list(), found.bad) == (expected.strings.to_list(), expected.bad)
        assert rounded == sum(number is not None and float(f"{number:.15g}") != number for number in floats)


def test_floats_of_a_column_are_not_rounded_one_by_one(monkeypatch):
    monkeypatch.delattr(record_values, "_each_as_text")
    floats = [0.1 + 0.2, 0.5, 123456789012345.6, 1e-7]
    for values in (floats, pl.Series(floats), [None, *floats], pl.Series([0.5, 0.1], dtype=pl.Float32)):
        convert_values(values)


def test_floats_among_other_numbers_are_rounded_and_counted():
    found, rounded = convert_values([0.1 + 0.2, "1.50", 7, 123456789012345.6, 0.5, Decimal("2.25"), 1e-7, 0.25])
    assert (found.strings.to_list(), found.bad, rounded) == (
        ["0.3", "1.5", "7", "123456789012346", "0.5", "2.25", "0.0000001", "0.25"],
        {},
        2,
    )


def test_half_of_the_hashes_are_of_what_is_sent_last():
    mixed = [record(n, filter={"region" if n % 2 else "service": ["a"]}) for n in range(3_000)]
    hashes = sampled_hashes(checked(mixed))
    assert len(set(hashes)) == 500
    # Records of one set of keys go out together, in the order of their first.
    first, last = (
        {found for each in mixed if key in each["filter"] for found in hashes_of(each, "DAILY")}
        for key in ("service", "region")
    )
    assert len(first & set(hashes)) > 100
    assert set(hashes[-250:]) <= last
    nested = [record(n, filter={"region": ["a"], **({"service": ["a"]} if n < 1_500 else {})}) for n in range(3_000)]
    for operation, sent_last in (
        (TelemetryOperation.REPLACE, nested[:1_500]),
        (TelemetryOperation.SUM, nested[1_500:]),
    ):
        last = {found for each in sent_last for found in hashes_of(each, "DAILY")}
        assert set(sampled_hashes(checked(nested, operation=operation))[-250:]) <= last
    newest = {found for n in range(29_000, 30_000) for found in hashes_of(record(n), "DAILY")}
    assert len(newest & set(sampled_hashes(checked([record(n) for n in range(30_000)])))) >= 250


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"filter": {"costcontext:Team": ["b", "a"]}}, {"filter": {"custom:Team": ["a", "b"]}}),
        ({"filter": {"custom:Team": ["a"]}}, {"filter": {"costcontext:Team": ["a"]}}),
        ({"filter": {"b": ["1"], "a": ["2"]}}, {"filter": {"a": ["2"], "b": ["1"]}}),
        ({"value": "1.50"}, {"value": 1.5}),
        ({"value": 0.1 + 0.2}, {"value": 0.30000000000000004}),
        ({"value": 1e-7}, {"value": "1E-7"}),
        ({"value": 123456789012345}, {"value": 123456789012345.0}),
        ({"timestamp": "2026-03-01T23:30:00-00:00"}, {"timestamp": "2026-03-01T00:00:00.000000+00:00"}),
        ({}, {"timestamp": "2026-03-01", "granularity": "daily", "filter": "*"}),
    ],
)
def test_a_record_that_is_read_has_the_hash_of_the_one_that_was_sent(sent, read):
    replaced, added = (
        sampled_hashes(checked([{**record(0), **sent}], operation=operation))
        for operation in (TelemetryOperation.REPLACE, TelemetryOperation.SUM)
    )
    shown = {**record(0), **sent, **read}
    assert hashes_of(shown, "DAILY") == {*replaced, *added}
    dashed = {name.replace("_", "-"): value for name, value in shown.items()}
    assert hashes_of(dashed, "DAILY") == {*replaced, *added}


def test_a_value_of_a_billion_digits_fills_no_memory():
    for value in ("1e999999999", "-1e-999999999", "nan", "Infinity"):
        with pytest.raises(ValueError, match="value"):
            hashes_of({**record(0), "value": value}, "DAILY")


def test_hashes_tell_records_apart_and_are_spread_over_all():
    found = checked([record(n) for n in range(2_000)])
    hashes = sampled_hashes(found)
    assert len(hashes) == len(set(hashes)) == 500
    assert record_hash("2026-03-01T00:00:00Z", "e0", None, "1.0") == hashes[0]
    assert len(sampled_hashes(checked([record(n) for n in range(501)]))) <= 500
    added = checked([record(0)], operation=TelemetryOperation.SUM)
    assert sampled_hashes(added) == [record_hash("2026-03-01T00:00:00Z", "e0", None, None)]


class Store(dict):
    def set(self, key, value):
        self[key] = json.loads(json.dumps(value))


def run(store, hashes, *, is_retry, fail_at=None, error=None, target="stream", max_tries=3):
    journal, sent = SumJournal(store, target, is_retry=is_retry, max_tries=max_tries), []

    def send(sha256):
        if sha256 == fail_at:
            raise error
        sent.append(sha256)
        return sha256

    with contextlib.suppress(type(error)) if error else contextlib.nullcontext():
        for sha256 in hashes:
            journal.send_once(sha256, lambda sha256=sha256: send(sha256))
        journal.finish()
    return sent


def not_applied():
    error = CloudZeroConnectionError("no")
    error.maybe_applied = False
    return error


def test_a_journal_leaves_out_what_was_acknowledged():
    store = Store()
    assert run(store, "abcd", is_retry=False, fail_at="c", error=not_applied()) == ["a", "b"]
    assert run(store, "abcd", is_retry=True, fail_at="d", error=not_applied()) == ["c"]
    assert run(store, "abcd", is_retry=True) == ["d"]


def test_a_try_that_dies_after_the_last_request_does_not_make_the_next_one_add_again():
    store = Store()
    assert run(store, "ab", is_retry=False) == ["a", "b"]
    assert run(store, "ab", is_retry=True) == []
    assert run(store, "ab", is_retry=False, max_tries=7) == ["a", "b"]


def test_a_retry_is_recognized_by_max_tries_even_if_retries_changed():
    store = Store()
    run(store, "abc", is_retry=False, fail_at="c", error=not_applied())
    assert run(store, "abc", is_retry=False) == ["c"]


def test_a_retry_after_a_clear_sends_all_again_when_the_cleared_try_died_before_it_opened_its_journal():
    for fail_at in (None, "c"):
        store = Store()
        run(store, "abc", is_retry=False, fail_at=fail_at, error=AmbiguousWriteError("lost"))
        assert run(store, "abc", is_retry=True, max_tries=7) == ["a", "b", "c"]


def test_a_retry_does_not_go_on_in_another_stream_nor_without_a_trace():
    store = Store()
    run(store, "abc", is_retry=False, fail_at="b", error=not_applied())
    with pytest.raises(AmbiguousWriteError, match="another stream"):
        run(store, "abc", is_retry=True, target="other")
    with pytest.raises(AmbiguousWriteError, match="could count them twice"):
        run(Store(), "abc", is_retry=True)


def test_a_request_that_was_open_is_not_forgotten_when_it_is_not_asked_for_again():
    for fail_at, rest in (("c", "ab"), ("a", "")):
        store = Store()
        run(store, "abc", is_retry=False, fail_at=fail_at, error=AmbiguousWriteError("lost"))
        with pytest.raises(AmbiguousWriteError, match="missing in this attempt"):
            run(store, rest, is_retry=True)


@pytest.mark.parametrize("others", ["abx", "xbcd", "a", "acbd"])
def test_a_journal_refuses_another_input(others):
    store = Store()
    run(store, "abcd", is_retry=False, fail_at="d", error=not_applied())
    with pytest.raises(AmbiguousWriteError, match="the input has changed"):
        run(store, others, is_retry=True)


def test_a_journal_refuses_to_go_on_where_a_request_was_open_until_the_task_is_cleared():
    store = Store()
    run(store, "abc", is_retry=False, fail_at="b", error=AmbiguousWriteError("lost"))
    for others, words in (("abc", "the same in this attempt"), ("axc", "different in this attempt")):
        with pytest.raises(AmbiguousWriteError, match=words):
            run(store, others, is_retry=True)
    assert run(store, "abc", is_retry=False, max_tries=4) == ["a", "b", "c"]


def test_of_two_tries_that_both_live_only_one_adds():
    for first_wakes_after in (0, 1, 3):
        store, sent = Store(), []

        def add(journal, hashes, sent=sent):
            for sha256 in hashes:
                journal.send_once(sha256, lambda sha256=sha256: sent.append(sha256))

        first = SumJournal(store, "stream", is_retry=False, max_tries=3)
        second = SumJournal(store, "stream", is_retry=True, max_tries=3)
        add(second, "abc"[:first_wakes_after])
        if first_wakes_after:
            with pytest.raises(AmbiguousWriteError, match="an attempt presumed dead is still running"):
                add(first, "abc")
        else:
            add(first, "a")
            with pytest.raises(AmbiguousWriteError, match="an attempt presumed dead is still running"):
                add(second, "abc")
        assert "".join(sent) == ("abc"[:first_wakes_after] or "a")


def test_a_journal_without_a_store_refuses_a_retry():
    assert run(None, "ab", is_retry=False) == ["a", "b"]
    with pytest.raises(AmbiguousWriteError, match="could count them twice"):
        SumJournal(None, "stream", is_retry=True, max_tries=3)
