from __future__ import annotations

import hashlib
import json
import random
import re
from collections import defaultdict
from datetime import datetime, timezone
from fractions import Fraction

import pytest
from support.documentation import text_of
from support.telemetry_plans import checked, planned
from support.telemetry_records import allocation, metric

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.months import Month
from cloudzero_provider.telemetry.batches import BatchLimits, make_batches
from cloudzero_provider.telemetry.checks import OnDuplicate, OnZero

MARCH = Month(2026, 3)
LATER = datetime(2026, 7, 1, tzinfo=timezone.utc)


def summed(records, key):
    """Records and their exact total by a key, by fractions."""
    found = defaultdict(lambda: [0, Fraction(0)])
    for record in records:
        found[key(record)][0] += 1
        found[key(record)][1] += Fraction(record["value"])
    return {name: tuple(sums) for name, sums in found.items()}


def as_fractions(parts, name):
    return {one[name]: (one["records"], Fraction(one["total"])) for one in parts}


def random_records(seed, elements):
    pick = random.Random(seed)
    return [
        allocation(day, f"element {element}", f"{pick.randrange(10**9)}.{pick.randrange(1, 10**6):06}")
        for day in range(1, 32)
        for element in range(elements)
        if pick.random() < 0.7
    ]


@pytest.mark.parametrize(("seed", "elements"), [(1, 3), (2, 20), (3, 21), (4, 200)])
def test_records_and_totals_are_those_of_an_independent_calculation(seed, elements):
    records = random_records(seed, elements)
    found = planned(records).as_dict()
    assert (found["records"], Fraction(found["total"])) == (len(records), sum(Fraction(r["value"]) for r in records))

    by_day = as_fractions(found["by_period"]["periods"], "period")
    assert by_day == summed(records, lambda record: record["timestamp"])
    assert list(by_day) == sorted(by_day)
    assert (found["by_period"]["unit"], found["by_period"]["others"]) == ("day", None)

    expected = summed(records, lambda record: record["element_name"])
    largest = sorted(expected, key=lambda name: -expected[name][1])
    by_element = as_fractions(found["by_value"]["values"], "value")
    assert found["by_value"]["by"] == "element_name"
    assert list(by_element) == largest[:20]
    assert by_element == {name: expected[name] for name in largest[:20]}
    others = found["by_value"]["others"]
    if elements <= 20:
        assert others is None
    else:
        rest = [expected[name] for name in largest[20:]]
        assert others["values"] == len(rest)
        assert (others["records"], Fraction(others["total"])) == tuple(map(sum, zip(*rest, strict=True)))


def test_a_metric_is_listed_by_its_filter_keys():
    records = [metric(day, day * 10, associated_cost={"custom:Team": team}) for day in (1, 2) for team in "ba"]
    records += [metric(3, "0.5"), metric(4, 1, associated_cost={"z": "1", "custom:Team": "a"})]
    found = planned(records, stream_type="metric").as_dict()
    assert found["by_value"] == {
        "by": "associated_cost",
        "values": [
            {"value": '{"custom:Team": "a"}', "records": 2, "total": "30"},
            {"value": '{"custom:Team": "b"}', "records": 2, "total": "30"},
            {"value": '{"custom:Team": "a", "z": "1"}', "records": 1, "total": "1"},
            {"value": None, "records": 1, "total": "0.5"},
        ],
        "others": None,
    }
    assert (found["stream_type"], found["key_sets"], found["requests"]) == ("metric", 3, 3)


def test_the_requests_are_those_of_sending():
    records = [allocation(day, f"e{n}", n + 1) for day in range(1, 4) for n in range(50)]
    limits = BatchLimits(max_body_bytes=3_000, max_batch_records=40)
    found = planned(records, limits=limits, clear_periods=True).as_dict()
    batches = list(make_batches(checked(records), limits, clear_periods=True))
    bodies = [batch.body for batch in batches]
    assert found["requests"] == len(bodies) > 4
    assert (found["bytes"], found["largest_request_bytes"]) == (sum(map(len, bodies)), max(map(len, bodies)))
    assert found["largest_request_records"] == max(len(json.loads(body)["records"]) for body in bodies)
    assert found["limits"] == {"max_body_bytes": 3_000, "max_batch_records": 40}
    assert found["sha256"] == hashlib.sha256(b"".join(bodies)).hexdigest()


def test_the_facts_of_the_records():
    records = [
        allocation(1, "a", 0.1 + 0.2),
        allocation(2, "b", 1),
        allocation(2, "b", 2),
        allocation(5, "c", 0),
    ]
    report = planned(records, month=MARCH, on_duplicate=OnDuplicate.SUM, on_zero=OnZero.DELETE, now=LATER)
    found = report.as_dict()
    assert {name: found[name] for name in ("stream_name", "operation", "granularity", "month", "records", "total")} == {
        "stream_name": "orders",
        "operation": "replace",
        "granularity": "DAILY",
        "month": "2026-03",
        "records": 2,
        "total": "3.3",
    }
    assert (found["first"], found["last"]) == ("2026-03-01T00:00:00Z", "2026-03-05T00:00:00Z")
    counts = ("duplicates_summed", "zeros_deleted", "zeros_skipped", "values_rounded")
    assert [found[name] for name in counts] == [1, 1, 0, 1]
    assert found["cleared"] is None
    # A day whose only record is zero is not a day that is missing.
    assert found["without_records"]["ranges"] == [
        {"first": "2026-03-03", "last": "2026-03-04", "periods": 2},
        {"first": "2026-03-06", "last": "2026-03-31", "periods": 26},
    ]
    assert found["markdown"] == report.markdown
    assert not {"record_hashes", "check_only"} & set(found)
    assert str(report) == "orders, 2026-03: writes 2 records, total 3.3"


def test_every_key_is_documented():
    [keys] = re.findall(r"^\| key \| \|\n((?:\|.*\n)+)", text_of("telemetry"), re.MULTILINE)
    documented = [name for line in keys.splitlines() for name in re.findall(r"`(\w+)`", line.split(" | ")[0])]
    assert sorted(documented) == sorted(planned([allocation()]).as_dict())


def test_the_docstring_of_the_operator_has_every_key():
    from cloudzero_provider.operators.plan import TelemetryPlanOperator

    [told] = re.findall(r":return: (.*?)\n *:raises", TelemetryPlanOperator.__doc__ or "", re.DOTALL)
    told = told.replace(" (decimal string)", "").rstrip(".")
    assert re.split(r",\s+", told) == list(planned([allocation()]).as_dict())


def test_the_periods_that_are_cleared_first():
    records = [allocation(day) for day in (4, 2, 1, 9)] + [allocation(3, value=0)]
    found = planned(records, clear_periods=True, on_zero=OnZero.DELETE).as_dict()
    assert found["cleared"] == {
        "unit": "day",
        "count": 5,
        "ranges": [
            {"first": "2026-03-01", "last": "2026-03-04", "periods": 4},
            {"first": "2026-03-09", "last": "2026-03-09", "periods": 1},
        ],
        "other_ranges": 0,
    }


def test_what_sending_refuses_is_refused():
    with pytest.raises(ConfigurationError, match="clear_periods=True deletes before it writes"):
        planned([allocation()], operation="sum", clear_periods=True)
    with pytest.raises(InputError, match="clear_periods=True would delete it"):
        planned([allocation(), allocation(2, value=0)], on_zero=OnZero.SKIP, clear_periods=True)
    with pytest.raises(InputError, match="too large for one request"):
        planned([allocation()], limits=BatchLimits(max_body_bytes=50))


def test_a_deletion_has_records_and_no_total():
    found = planned([allocation(1, "a"), allocation(1, "b"), allocation(3, "a")], operation="delete").as_dict()
    assert (found["records"], found["total"], found["without_records"]) == (3, "0", None)
    assert found["by_value"]["values"] == [
        {"value": "a", "records": 2, "total": "0"},
        {"value": "b", "records": 1, "total": "0"},
    ]


def test_a_deletion_of_every_element():
    found = planned([{"timestamp": "2026-03-01"}], operation="delete").as_dict()
    assert found["by_value"]["values"] == [{"value": None, "records": 1, "total": "0"}]


def test_a_plan_in_which_every_record_is_skipped():
    report = planned([allocation(1, value=0)], on_zero=OnZero.SKIP)
    found = report.as_dict()
    assert (found["records"], found["requests"], found["largest_request_bytes"]) == (0, 0, 0)
    assert (found["by_value"]["values"], found["by_period"]["periods"], found["zeros_skipped"]) == ([], [], 1)
    assert str(report) == "orders: writes 0 records, total 0"


def test_the_report_of_many_large_records_is_small_plain_json():
    keys = {f"key {n} {'k' * 900}": [f"{n} {'v' * 900}"] for n in range(5)}
    records = [
        allocation(1, f"{hour} {'e' * 2_000}", "1.5", filter=keys) | {"timestamp": f"2026-{month:02}-01T{hour:02}:00Z"}
        for month in range(1, 13)
        for hour in range(24)
    ]
    found = planned(records, granularity="HOURLY").as_dict()
    assert json.loads(json.dumps(found)) == found
    assert len(json.dumps(found)) < 20_000
    assert found["by_period"]["unit"] == "day"
    assert {len(one["value"]) for one in found["by_value"]["values"]} == {256}


def test_more_months_than_are_listed_are_summed():
    records = [
        allocation(value="0.1") | {"timestamp": f"{year}-{month:02}-01"}
        for year in range(2023, 2027)
        for month in range(1, 13)
    ]
    found = planned(records, granularity="MONTHLY").as_dict()["by_period"]
    assert [one["period"] for one in found["periods"]] == [record["timestamp"][:7] for record in records[:31]]
    assert found["others"] == {"periods": 17, "records": 17, "total": "1.7"}


def test_totals_of_many_digits_are_exact():
    values = ["99999999999999.9", "0.000000000000001", "100000000000000"]
    found = planned([allocation(1, "a", value) for value in values], operation="sum").as_dict()
    assert found["total"] == found["by_value"]["values"][0]["total"] == "199999999999999.900000000000001"
