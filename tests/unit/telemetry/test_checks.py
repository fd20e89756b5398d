"""What is wrong with telemetry records, word by word; and what is just right."""

from __future__ import annotations

import hashlib
import json
import time
from decimal import Decimal
from itertools import permutations

import pytest

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError
from cloudzero_provider.months import Month
from cloudzero_provider.telemetry.batches import BatchLimits, make_batches, sampled_hashes
from cloudzero_provider.telemetry.checks import OnDuplicate, OnMixedKeys, OnZero, RecordRules, check_records
from cloudzero_provider.telemetry.identity import hashes_of, record_hash
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP

ALLOCATION, METRIC = KINDS[StreamType.ALLOCATION], KINDS[StreamType.METRIC]
REPLACE, SUM, DELETE = TelemetryOperation.REPLACE, TelemetryOperation.SUM, TelemetryOperation.DELETE
NEEDED = "every record needs one (https://docs.cloudzero.com/docs/send-via-api)"
TOO_PRECISE = (
    "more than the 15 significant digits that CloudZero keeps: round it first (floats are rounded automatically)"
)


def checked(records, kind=ALLOCATION, operation=REPLACE, granularity="DAILY", **choices):
    return check_records(sources.from_records(records), RecordRules(kind, operation, granularity, **choices))


def record(**others):
    given = {"timestamp": "2026-03-01", "element_name": "a", "value": 1, **others}
    return {name: value for name, value in given.items() if value != "absent"}


def metric(**others):
    return record(element_name="absent", **others)


def problems(records, **options):
    with pytest.raises(InvalidRowsError) as error:
        checked(records, **options)
    return str(error.value).split("\n  ")[1:]


# Fields


@pytest.mark.parametrize(
    ("one", "kind", "problem"),
    [
        (
            record(filters={}, granularity="DAILY"),
            ALLOCATION,
            (
                "column 'filters': not a field of allocation records, which are timestamp, value, granularity, element_name, "
                "filter; did you mean 'filter'?"
            ),
        ),
        (
            metric(xyz=1),
            METRIC,
            "column 'xyz': not a field of metric records, which are timestamp, value, granularity, associated_cost",
        ),
        (record(value=None), ALLOCATION, f"column 'value': {NEEDED}"),
        (record(value="absent"), ALLOCATION, f"column 'value': {NEEDED}"),
        (record(element_name=""), ALLOCATION, f"column 'element_name': {NEEDED}"),
        (record(element_name="absent"), ALLOCATION, f"column 'element_name': {NEEDED}"),
        (record(element_name=1.5), ALLOCATION, "column 'element_name', value 1.5: expected text, not float"),
        (record(timestamp=None), ALLOCATION, f"column 'timestamp': {NEEDED}"),
        (record(timestamp="absent"), ALLOCATION, f"column 'timestamp': {NEEDED}"),
        (
            record(timestamp="soon"),
            ALLOCATION,
            f"column 'timestamp', value 'soon': {NOT_TIMESTAMP}",
        ),
        (
            record(timestamp="2026-03-01T00:30:00+02:00"),
            ALLOCATION,
            (
                "column 'timestamp', value '2026-03-01T00:30:00+02:00': its UTC offset moves it into another month: "
                "write it in UTC"
            ),
        ),
        (record(value="x"), ALLOCATION, "column 'value', value 'x': not a decimal number"),
        (
            record(value=-3),
            ALLOCATION,
            "column 'value': -3 is negative: CloudZero accepts values above 0 (https://docs.cloudzero.com/docs/send-via-api)",
        ),
        (
            record(value=Decimal("1.234567890123456")),
            ALLOCATION,
            f"column 'value', value Decimal('1.234567890123456'): {TOO_PRECISE}",
        ),
        (
            record(value="0.00"),
            ALLOCATION,
            (
                "column 'value', value '0.00': zero: CloudZero accepts values above 0; on_zero='delete' deletes the record, "
                "on_zero='skip' keeps what CloudZero holds"
            ),
        ),
        (
            record(granularity=7),
            ALLOCATION,
            "column 'granularity', value 7: allocation records accept HOURLY, DAILY, MONTHLY",
        ),
        (
            record(granularity="WEEKLY"),
            ALLOCATION,
            "column 'granularity', value 'WEEKLY': allocation records accept HOURLY, DAILY, MONTHLY",
        ),
    ],
)
def test_a_bad_field_is_named_with_its_row_and_the_rule(one, kind, problem):
    good = record() if kind is ALLOCATION else metric()
    elsewhere = {**good, "timestamp": "2026-03-02"}
    others = [elsewhere] if elsewhere.keys() <= one.keys() else []
    assert problems([*others, one], kind=kind) == [f"row {len(others) + 1}, {problem}"]


@pytest.mark.parametrize(
    ("filters", "rule"),
    [
        (["k"], "expected a dict of filter keys and values, not list"),
        ({f"k{n}": ["x"] for n in range(6)}, "6 filter keys: CloudZero accepts at most 5"),
        ({"": ["x"]}, "the filter key '' is not a string, or is empty"),
        ({7: ["x"]}, "the filter key 7 is not a string, or is empty"),
        ({"k": "x"}, "filter key 'k': expected a list of strings, not str"),
        ({"k": []}, "filter key 'k': 0 values; CloudZero accepts 1 to 20"),
        ({"k": [str(n) for n in range(21)]}, "filter key 'k': 21 values; CloudZero accepts 1 to 20"),
        ({"k": [5]}, "filter key 'k': the value 5 is not a string, or is empty"),
        ({"k": ["x", "y", "x"]}, "filter key 'k': a value is listed twice"),
    ],
)
def test_bad_filter_keys_are_named(filters, rule):
    (problem,) = problems([record(), record(element_name="b", filter=filters)])
    assert problem.startswith("row 2, column 'filter', value ")
    assert problem.endswith(f": {rule}")


def test_a_metric_s_filter_key_has_one_text():
    (problem,) = problems([metric(associated_cost={"k": ["x"]})], kind=METRIC)
    assert problem == (
        "row 1, column 'associated_cost', value {'k': ['x']}: filter key 'k': expected a string, not list (metrics don't "
        "accept lists)"
    )


def test_the_maximum_of_keys_and_values_is_sent_sorted():
    filters = {f"k{n}": [str(value) for value in range(20, 0, -1)] for n in range(5, 0, -1)}
    keys = json.loads(checked([record(filter=filters)]).frame["keys"][0])
    assert list(keys) == ["k1", "k2", "k3", "k4", "k5"]
    assert list(keys.values()) == [sorted(map(str, range(1, 21)))] * 5


def test_letters_of_keys_stay_as_they_are():
    found = checked([record(filter={"Ä": ["ö"]})])
    assert (found.frame["keys"][0], found.frame["key_set"][0]) == ('{"Ä": ["ö"]}', '["Ä"]')


def test_keys_that_no_record_has_are_none():
    found = checked([record(filter={}), record(element_name="b", filter=None)])
    assert found.frame["keys"].to_list() == [None, None]
    assert found.frame["key_set"].to_list() == ["[]", "[]"]


@pytest.mark.parametrize(
    "value", ["123456789012345", "12345678901234.5", "0.00000123456789012345", "123456789012345000"]
)
def test_fifteen_digits_are_not_too_many(value):
    assert checked([record(value=value)]).frame["value"].to_list() == [value]


def test_several_problems_are_named_in_the_order_of_the_rows_and_the_rest_is_counted():
    found = problems([record(element_name=f"e{n}", value="x") for n in range(8)])
    assert [problem.split(",")[0] for problem in found] == [f"row {n}" for n in range(1, 6)] + ["and 3 more"]


# Granularity and month


def test_a_record_s_own_granularity_counts_and_the_parameter_fills_in():
    found = checked(
        [record(timestamp="2026-03-17", granularity="MONTHLY"), record(element_name="b", granularity=None)],
        granularity="MONTHLY",
    )
    assert (found.granularity, found.sends_granularity) == ("MONTHLY", True)
    assert found.frame["timestamp"].unique().to_list() == ["2026-03-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("granularity", "cut"),
    [
        ("HOURLY", "2026-03-17T13:00:00Z"),
        ("DAILY", "2026-03-17T00:00:00Z"),
        ("MONTHLY", "2026-03-01T00:00:00Z"),
    ],
)
def test_timestamps_are_cut_to_the_granularity(granularity, cut):
    found = checked([record(timestamp="2026-03-17T15:59:59.5+02:00")], granularity=granularity)
    assert (found.granularity, found.frame["timestamp"].to_list()) == (granularity, [cut])


@pytest.mark.parametrize("given", list(permutations(("HOURLY", "DAILY", "MONTHLY"))))
def test_granularities_that_differ_are_named_in_their_order(given):
    rule = f"a stream has one granularity, but the records have {' and '.join(given)}"
    assert problems([record(element_name=each, granularity=each) for each in given], granularity=None) == [
        f"row {number}, column 'granularity', value '{each}': {rule}" for number, each in enumerate(given[1:], 2)
    ]


def test_a_record_without_a_granularity_among_differing_ones_is_named_once():
    records = [record(granularity="DAILY"), record(element_name="b", granularity=None), record(granularity="HOURLY")]
    assert [problem.split(": ")[0] for problem in problems(records, granularity=None)] == [
        "row 2, column 'granularity'",
        "row 3, column 'granularity', value 'HOURLY'",
    ]


def test_a_metric_without_a_granularity_is_daily_among_others_too():
    records = [metric(granularity="MONTHLY"), metric(timestamp="2026-03-02", granularity=None)]
    (problem,) = problems(records, kind=METRIC, granularity=None)
    assert problem.endswith("a stream has one granularity, but the records have MONTHLY and DAILY")


def test_a_granularity_that_is_none_is_named_once():
    (problem,) = problems([record(granularity=1.5)], granularity=None)
    assert problem == "row 1, column 'granularity', value 1.5: expected text, not float"


def test_an_allocation_needs_a_granularity():
    rule = "every record needs one (https://docs.cloudzero.com/docs/send-via-api), or set the operator's granularity"
    assert problems([record()], granularity=None) == [f"row 1, column 'granularity': {rule}"]
    mixed = [record(granularity="DAILY"), record(element_name="b", granularity="")]
    assert problems(mixed, granularity=None) == [f"row 2, column 'granularity': {rule}"]


@pytest.mark.parametrize(
    ("own", "granularity", "expected"),
    [("absent", None, ("DAILY", False)), ("MONTHLY", None, ("MONTHLY", True)), ("absent", "DAILY", ("DAILY", True))],
)
def test_a_metric_is_daily_and_has_a_granularity_only_if_it_is_given(own, granularity, expected):
    found = checked([metric(granularity=own)], kind=METRIC, granularity=granularity)
    assert (found.granularity, found.sends_granularity) == expected


def test_a_granularity_that_a_kind_does_not_have():
    with pytest.raises(ConfigurationError) as error:
        RecordRules(METRIC, REPLACE, "HOURLY")
    assert str(error.value) == "granularity is 'HOURLY': metric records accept DAILY, MONTHLY."


@pytest.mark.parametrize("operation", [SUM, DELETE])
def test_only_a_replace_corrects_to_zero(operation):
    with pytest.raises(ConfigurationError) as error:
        RecordRules(ALLOCATION, operation, "DAILY", on_zero=OnZero.DELETE)
    assert str(error.value) == "on_zero='delete' corrects records to zero, so it needs operation='replace'."


def test_records_of_another_month_are_named_once():
    records = [record(), record(timestamp="2026-04-01"), record(timestamp="2026-02-28T23:30:00-01:00")]
    assert problems(records, month=Month(2026, 3)) == [
        "row 2, column 'timestamp', value '2026-04-01': not in 2026-03 (UTC), the month of this task",
        (
            "row 3, column 'timestamp', value '2026-02-28T23:30:00-01:00': its UTC offset moves it into another "
            "month: write it in UTC"
        ),
    ]


def test_an_invalid_time_is_not_also_reported_as_of_another_month():
    (problem,) = problems([record(timestamp="soon")], month=Month(2026, 3))
    assert problem.endswith(f"value 'soon': {NOT_TIMESTAMP}")


# Duplicates, zeros, sets of keys


def test_records_that_differ_are_all_kept():
    found = checked([record(), record(element_name="b"), record(timestamp="2026-03-02")])
    assert (found.frame.height, found.duplicates_summed, found.zeros_skipped, found.total) == (3, 0, 0, "3")


def test_a_duplicate_is_named_with_the_record_it_would_overwrite():
    rule = "the same identity as row 1, which it would overwrite; on_duplicate='sum' sums their values"
    records = [record(), record(element_name="b"), record(value=5), record(value=6)]
    assert problems(records) == [f"row {n}, column 'timestamp': {rule}" for n in (3, 4)]
    added = checked(records, operation=SUM)
    assert (added.frame.height, added.duplicates_summed) == (4, 0)


def test_duplicates_are_added_up_exactly_where_the_first_of_them_stood():
    values = ["0.1", "7", "0.2", "30", "5"]
    elements = ["b", "a", "b", "c", "a"]
    found = checked(
        [record(element_name=e, value=v) for e, v in zip(elements, values, strict=True)], on_duplicate=OnDuplicate.SUM
    )
    assert found.frame.select("element_name", "value").rows() == [("b", "0.3"), ("a", "12"), ("c", "30")]
    assert (found.duplicates_summed, found.total) == (2, "42.3")


@pytest.mark.parametrize(
    ("values", "total"),
    [(("12.50", "7.5", "80"), "100"), (("50", "50"), "100"), (("0.0000001", "0.0000002"), "0.0000003")],
)
def test_sums_of_duplicates_are_written_plainly(values, total):
    found = checked([record(value=value) for value in values], on_duplicate=OnDuplicate.SUM)
    assert found.frame["value"].to_list() == [total]


def test_a_sum_of_duplicates_that_is_too_long_is_named():
    records = [record(value="100000000000000"), record(element_name="b"), record(value="0.25")]
    assert problems(records, on_duplicate=OnDuplicate.SUM) == [
        f"row 1, column 'value': the sum of its duplicates, 100000000000000.25, has {TOO_PRECISE}"
    ]


def test_duplicates_that_come_to_zero_are_zero():
    found = checked([record(value="0"), record(value=0)], on_duplicate=OnDuplicate.SUM, on_zero=OnZero.SKIP)
    assert (found.frame.height, found.zeros_skipped, found.duplicates_summed) == (0, 1, 1)


@pytest.mark.parametrize("on_zero", OnZero)
@pytest.mark.parametrize("other", [3, 1], ids=["above zero", "zero"])
def test_a_negative_value_is_named_even_if_its_duplicates_make_the_sum_positive(other, on_zero):
    records = [record(value=value) for value in (other, -1)]
    (problem,) = problems(records, on_duplicate=OnDuplicate.SUM, on_zero=on_zero)
    assert problem.startswith("row 2, column 'value': -1 is negative: CloudZero accepts values above 0 (")


@pytest.mark.parametrize(("on_zero", "zeros", "skipped"), [(OnZero.DELETE, ["b", "c"], 0), (OnZero.SKIP, [], 2)])
def test_zeros_are_deleted_or_left_as_is_asked_for(on_zero, zeros, skipped):
    values = [("a", "1.5"), ("b", 0), ("c", "-0.0"), ("d", "2")]
    found = checked([record(element_name=e, value=v) for e, v in values], on_zero=on_zero)
    assert found.frame["element_name"].to_list() == ["a", "d"]
    assert (found.zeros["element_name"].to_list(), found.zeros_skipped, found.total) == (zeros, skipped, "3.5")


def test_every_zero_is_named():
    found = problems([record(value=1), record(element_name="b", value=0), record(element_name="c", value=0.0)])
    assert [problem.split(": zero")[0] for problem in found] == [
        "row 2, column 'value', value 0",
        "row 3, column 'value', value 0.0",
    ]


def test_several_sets_of_keys_are_refused_with_their_counts():
    records = [record(element_name=str(n), filter={"a": ["x"]}) for n in range(1200)]
    records.append(record(filter={"b": ["x"], "a": ["y"]}))
    with pytest.raises(InputError) as error:
        checked(records, on_mixed_keys=OnMixedKeys.ERROR)
    assert str(error.value) == (
        "The records have 2 sets of filter keys (on_mixed_keys='error'): 1,200 records with "
        '["a"]; 1 record with ["a", "b"]. Nothing was sent.'
    )
    assert checked(records).frame.height == 1201
    assert checked(records[:-1], on_mixed_keys=OnMixedKeys.ERROR).frame.height == 1200


def test_sets_of_keys_are_listed_in_the_order_of_their_first_records():
    keys = [f"k{n * 7 % 20}" for n in range(20)]
    with pytest.raises(InputError) as error:
        checked([record(filter={key: ["x"]}) for key in keys], on_mixed_keys=OnMixedKeys.ERROR)
    assert str(error.value).endswith(
        "): " + "; ".join(f'1 record with ["{key}"]' for key in keys) + ". Nothing was sent."
    )


def test_a_deletion_that_would_hide_others_is_named():
    records = [record(filter={"a": ["x"], "b": ["y"]}), record(value="absent", filter={"b": ["y"]})]
    assert problems(records, operation=DELETE) == [
        ("row 2, column 'filter': this deletion would also hide other rows, which have these keys and more")
    ]


def test_a_deletion_has_no_values():
    found = checked([record(value="not looked at")], operation=DELETE)
    assert (found.frame["value"].to_list(), found.total, found.values_rounded) == ([None], "0", 0)
    assert found.zeros.height == found.zeros_skipped == 0


def test_a_deletion_without_an_element_means_all_of_them():
    found = checked([record(value="absent", element_name="absent")], operation=DELETE)
    assert found.frame["element_name"].to_list() == [None]


# Batches


def batches(records, *, clear_periods=False, limits=None, **options):
    return list(make_batches(checked(records, **options), BatchLimits(**(limits or {})), clear_periods=clear_periods))


ONE = (
    b'{"records":[{"timestamp":"2026-03-01T00:00:00Z","value":1,"granularity":"DAILY","element_name":"a","filter":{}}]}'
)


def test_bodies_are_filled_up_to_the_limit():
    records = [record(element_name=name) for name in "abc"]
    two = 2 * len(ONE) - len('{"records":[]}') + 1
    for limit, counts in ((two, [2, 1]), (two - 1, [1, 1, 1]), (len(ONE), [1, 1, 1])):
        found = batches(records, limits={"max_body_bytes": limit})
        assert [batch.records for batch in found] == counts
        assert found[0].body.startswith(ONE[:-2])
    with pytest.raises(InputError) as error:
        batches(records, limits={"max_body_bytes": len(ONE) - 1})
    assert str(error.value) == (
        f"A record of 2026-03-01T00:00:00Z is {len(ONE) - 14} bytes as JSON, too large for one request (max_body_bytes "
        f"is {len(ONE) - 1}). Nothing was sent."
    )


def test_sizes_of_thousands_have_commas():
    with pytest.raises(
        InputError, match=r"is 2,0\d\d bytes as JSON, too large for one request \(max_body_bytes is 1,000\)"
    ):
        batches([record(element_name="x" * 2000)], limits={"max_body_bytes": 1000})


def test_a_body_is_measured_in_bytes_and_not_in_letters():
    record_bytes = len(ONE) + len("ü".encode()) - 1
    assert len(batches([record(element_name="ü")], limits={"max_body_bytes": record_bytes})[0].body) == record_bytes
    with pytest.raises(InputError):
        batches([record(element_name="ü")], limits={"max_body_bytes": record_bytes - 1})


def test_a_batch_knows_its_first_and_last_record():
    found = batches([record(timestamp=f"2026-03-0{day}") for day in (3, 1, 2, 5)], limits={"max_batch_records": 3})
    assert [(batch.records, batch.first[:10], batch.last[:10]) for batch in found] == [
        (3, "2026-03-03", "2026-03-02"),
        (1, "2026-03-05", "2026-03-05"),
    ]


def test_3000_records_go_out_in_one_request():
    found = batches([record(element_name=str(n)) for n in range(3001)])
    assert [batch.records for batch in found] == [3000, 1]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"max_body_bytes": 5_000_001}, "max_body_bytes is 5000001: expected a whole number, 1 to 5,000,000."),
        ({"max_body_bytes": 0}, "max_body_bytes is 0: expected a whole number, 1 to 5,000,000."),
        ({"max_batch_records": 0}, "max_batch_records is 0: expected a whole number, at least 1."),
    ],
)
def test_limits_that_make_no_sense(limits, words):
    with pytest.raises(ConfigurationError) as error:
        BatchLimits(**limits)
    assert str(error.value) == words


def test_clearing_deletes_each_period_once_in_order():
    order = [day * 11 % 31 + 1 for day in range(31)]
    records = [record(timestamp=f"2026-03-{day:02d}", element_name=name) for name in "ab" for day in order]
    first, second = batches(records, clear_periods=True)
    days = [f'{{"timestamp":"2026-03-{day:02d}T00:00:00Z","granularity":"DAILY"}}' for day in order]
    assert first.body.decode() == f'{{"records":[{",".join(days)}]}}'
    assert (first.operation, second.operation, second.records) == (DELETE, REPLACE, 62)


def test_records_of_one_set_of_keys_go_out_together_in_their_order():
    keys = [{"b": ["1"]}, {"a": ["1"]}, None, {"b": ["2"]}, {"a": ["2"]}]
    found = batches([record(element_name=str(n), filter=key) for n, key in enumerate(keys)])
    sent = [[one["element_name"] for one in json.loads(batch.body)["records"]] for batch in found]
    assert sent == [["2"], ["0", "3"], ["1", "4"]]


def test_records_are_looked_for_in_the_order_in_which_they_are_sent():
    keys = [f"k{n * 7 % 20}" for n in range(20)] * 2
    records = [record(element_name=str(n), filter={key: ["x"]}) for n, key in enumerate(keys)]
    sent = [one for batch in batches(records) for one in json.loads(batch.body)["records"]]
    assert [one["element_name"] for one in sent] == [str(n) for first in range(20) for n in (first, first + 20)]
    in_order = [
        record_hash(one["timestamp"], one["element_name"], json.dumps(one["filter"]), str(one["value"])) for one in sent
    ]
    assert sampled_hashes(checked(records)) == in_order


def test_where_nothing_is_sent_there_is_nothing_to_look_for():
    assert sampled_hashes(checked([record(value=0)], on_zero=OnZero.SKIP)) == []


def test_every_float_that_is_rounded_is_counted():
    values = [0.1 + 0.2, 0.5, 1.1 + 2.2]
    found = checked([record(element_name=str(n), value=value) for n, value in enumerate(values)])
    assert (found.values_rounded, found.frame["value"].to_list()) == (2, ["0.3", "0.5", "3.3"])


# What makes a record that one


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"timestamp": "soon", "value": 1}, "Unable to parse string [soon]"),
        ({"timestamp": None, "value": 1}, "Unable to parse string [None]"),
        ({"timestamp": "2026-03-01/2026-03-02", "value": 1}, "timestamp '2026-03-01/2026-03-02'"),
        ({"timestamp": "2026-03-01", "value": "x"}, "value 'x'"),
        ({"timestamp": "2026-03-01", "value": None}, "value None"),
        ({"timestamp": "2026-03-01", "value": "1e1001"}, "value '1e1001'"),
        ({"timestamp": "2026-03-01", "value": "inf"}, "value 'inf'"),
        ({"timestamp": "2026-03-01", "value": 1, "granularity": "weekly"}, "granularity 'WEEKLY'"),
        ({"timestamp": "2026-03-01", "value": 1, "filter": ["x"]}, "filter keys ['x']"),
    ],
)
def test_values_that_are_not_records_are_reported(record, words):
    with pytest.raises(ValueError) as error:
        hashes_of(record, "DAILY")
    assert str(error.value) == words


def test_a_hash_is_the_same_in_every_version():
    """Sensors of one version look for what an operator of another has sent."""
    for identity, given in (
        (
            '["2026-03-01T00:00:00Z", "ü", {"a": "z", "b": ["x", "y"]}, "1.5"]',
            ("ü", '{"b": ["y", "x"], "a": "z"}', "1.50"),
        ),
        ('["2026-03-01T00:00:00Z", null, {}, null]', (None, None, None)),
    ):
        assert record_hash("2026-03-01T00:00:00Z", *given) == hashlib.sha256(identity.encode()).hexdigest()[:12]


def test_a_value_of_a_thousand_digits_is_still_one():
    record = {"timestamp": "2026-03-01", "value": "1e1000"}
    assert record_hash("2026-03-01T00:00:00Z", None, None, "1" + "0" * 1000) in hashes_of(record, "DAILY")


def test_a_number_of_whole_tens_keeps_its_zeros():
    assert record_hash("t", None, None, "100") != record_hash("t", None, None, "1")
    assert record_hash("t", None, None, "100.0") == record_hash("t", None, None, "100")


@pytest.fixture
def far_from_utc(monkeypatch):
    monkeypatch.setenv("TZ", "Far-13")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_from_utc")
@pytest.mark.parametrize("written", ["2026-03-17T13:45:00Z", "2026-03-17T13:45:00", "2026-03-18T02:45:00+13:00"])
def test_a_record_is_of_the_same_period_wherever_it_is_read(written):
    assert time.localtime(0).tm_hour == 13
    found = hashes_of({"timestamp": written, "value": 1}, "HOURLY")
    assert record_hash("2026-03-17T13:00:00Z", None, None, "1") in found


def test_the_granularity_of_a_record_precedes_the_parameter():
    at = {"timestamp": "2026-03-17T13:45:00Z", "value": 1}
    for own, given, period in (
        ({}, "MONTHLY", "2026-03-01T00:00:00Z"),
        ({"granularity": "hourly"}, "MONTHLY", "2026-03-17T13:00:00Z"),
        ({"granularity": None}, "DAILY", "2026-03-17T00:00:00Z"),
    ):
        assert record_hash(period, None, None, "1") in hashes_of({**at, **own}, given)
