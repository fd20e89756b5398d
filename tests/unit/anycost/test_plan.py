from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st
from support.rows import MARCH, checked, row

from cloudzero_provider.anycost.plan import (
    DropRequest,
    Limits,
    Operation,
    Unit,
    empty_month_body,
    empty_plan,
    make_plan,
)
from cloudzero_provider.exceptions import ConfigurationError, InputError, MonthTooLargeError


def rows_of(*counts, filler=None):
    """So many rows in each hour of the month, in order."""
    return [
        row(
            time__usage_start=f"2026-03-{hour // 24 + 1:02d}T{hour % 24:02d}:00:00Z",
            cost__cost=str(n),
            lineitem__description=filler,
        )
        for hour, count in enumerate(counts)
        for n in range(count)
    ]


def plan_of(rows, operation=Operation.REPLACE_DROP, **limits):
    return make_plan(checked(rows), operation, Limits(**limits))


def contents(plan):
    return [json.loads(body) for body in plan.bodies()]


def key(row):
    return json.dumps(row, sort_keys=True)


def test_emptying_a_month_is_one_request():
    plan = empty_plan(MARCH)
    body = b'{"month":"2026-03","operation":"replace_drop","data":[]}'
    request = DropRequest(Operation.REPLACE_DROP, start=0, rows=0, size=len(body), first_hour="", last_hour="")
    assert (plan.month, plan.operation, plan.units) == (MARCH, Operation.REPLACE_DROP, (Unit((request,)),))
    assert (plan.rows, plan.size, plan.hours, plan.order, plan.totals) == (0, len(body), (), None, {"cost/cost": "0"})
    assert (plan.objects.fields, plan.objects.frame.shape) == ((), (0, 0))
    assert empty_month_body(MARCH) == body


def test_a_month_that_fits_is_one_replace_drop():
    rows = rows_of(3, 2)
    (body,) = contents(plan_of(rows))
    assert body == {"month": "2026-03", "operation": "replace_drop", "data": rows}


def test_a_larger_month_goes_on_with_whole_hours():
    bodies = contents(plan_of(rows_of(3, 3, 3, 3), max_body_bytes=700))
    assert [body["operation"] for body in bodies] == ["replace_drop", "replace_hourly"]
    hours = [{row["time/usage_start"] for row in body["data"]} for body in bodies]
    assert not hours[0] & hours[1]


def test_an_hour_larger_than_a_body_begins_with_a_repeatable_request_and_goes_on_with_sums():
    plan = plan_of(rows_of(1, 12, 1), max_body_bytes=500)
    operations = [[request.operation.value for request in unit.requests] for unit in plan.units]
    assert operations[0] == ["replace_drop"]
    assert operations[1][0] == "replace_hourly"
    assert set(operations[1][1:]) == {"sum"}
    assert operations[2] == ["replace_hourly"]


def test_a_giant_first_hour_begins_with_replace_drop():
    plan = plan_of(rows_of(12, 1), max_body_bytes=500)
    assert [request.operation.value for request in plan.units[0].requests][:2] == ["replace_drop", "sum"]


def test_the_other_operations_keep_to_themselves():
    hourly = plan_of(rows_of(3, 3, 3), Operation.REPLACE_HOURLY, max_body_bytes=400)
    assert {body["operation"] for body in contents(hourly)} == {"replace_hourly"}
    added = plan_of(rows_of(3, 3, 3), Operation.SUM, max_body_bytes=400)
    assert {body["operation"] for body in contents(added)} == {"sum"}


def test_rows_of_any_order_are_sent_by_hour_in_the_order_they_came():
    first, second = (
        row(time__usage_start="2026-03-02", cost__cost="1"),
        row(time__usage_start="2026-03-01", cost__cost="2"),
    )
    third = row(time__usage_start="2026-03-02", cost__cost="3")
    (body,) = contents(plan_of([first, second, third]))
    assert [line["cost/cost"] for line in body["data"]] == ["2", "1", "3"]
    assert plan_of([second, first, third]).order is None


@settings(max_examples=60)
@given(
    counts=st.lists(st.integers(0, 30), min_size=1, max_size=40).filter(any),
    filler=st.sampled_from([None, "é", "x" * 50]),
    max_body=st.integers(300, 4000),
    operation=st.sampled_from(Operation),
    shuffle=st.randoms(use_true_random=False),
)
def test_every_row_is_sent_once_in_bodies_that_fit_and_hours_never_straddle(
    counts, filler, max_body, operation, shuffle
):
    rows = rows_of(*counts, filler=filler)
    shuffle.shuffle(rows)
    plan = plan_of(rows, operation, max_body_bytes=max_body)
    sent = []
    for request in plan.requests:
        body = plan.body(request)
        assert len(body) == request.size <= max_body
        sent += json.loads(body)["data"]
    assert sorted(map(key, sent)) == sorted(map(key, rows))
    hours_by_unit = [
        {line["time/usage_start"] for request in unit.requests for line in json.loads(plan.body(request))["data"]}
        for unit in plan.units
    ]
    assert sum(map(len, hours_by_unit)) == len(set().union(*hours_by_unit)) == len(plan.hours)
    for number, unit in enumerate(plan.units):
        first, *others = (request.operation for request in unit.requests)
        assert all(other is Operation.SUM for other in others)
        assert first is (Operation.REPLACE_HOURLY if number and operation is Operation.REPLACE_DROP else operation)
    assert plan.size == sum(len(body) for body in plan.bodies())


def test_rows_of_an_hour_stay_in_the_order_they_came_however_many_they_are():
    rows = [row(time__usage_start=f"2026-03-01T{n % 3:02d}:00:00Z", cost__cost=str(n)) for n in range(3000)]
    (body,) = contents(plan_of(rows))
    costs = [int(line["cost/cost"]) for line in body["data"]]
    assert costs == [*range(0, 3000, 3), *range(1, 3000, 3), *range(2, 3000, 3)]


def test_hours_are_in_order_however_many_they_are():
    plan = plan_of(rows_of(*[1] * 700), max_body_bytes=2000)
    assert plan.hours == tuple(sorted(plan.hours))
    assert len(plan.hours) == 700
    spans = [(request.first_hour, request.last_hour) for request in plan.requests]
    assert spans == sorted(spans)
    assert (spans[0][0], spans[-1][1]) == (plan.hours[0], plan.hours[-1])


def test_each_request_names_its_first_and_its_last_hour():
    plan = plan_of(rows_of(1, 12, 1, 1), max_body_bytes=500)
    zero, one, two, three = (f"2026-03-01T{hour:02d}:00:00Z" for hour in range(4))
    spans = [{(request.first_hour, request.last_hour) for request in unit.requests} for unit in plan.units]
    assert spans == [{(zero, zero)}, {(one, one)}, {(two, three)}]
    assert len(plan.units[1].requests) > 2


@pytest.mark.parametrize("operation", Operation)
def test_a_plan_knows_its_operation_and_its_totals(operation):
    plan = plan_of(rows_of(4), operation)
    assert (plan.operation, plan.totals["cost/cost"]) == (operation, "6")


def test_an_hour_that_is_a_byte_too_large_is_two_requests():
    hour, hourly = rows_of(5), Operation.REPLACE_HOURLY
    size = plan_of(hour, hourly).size
    assert [request.size for request in plan_of(hour, hourly, max_body_bytes=size).requests] == [size]
    assert [request.size < size for request in plan_of(hour, hourly, max_body_bytes=size - 1).requests] == [True] * 2


def test_letters_of_any_language_are_sent_as_they_are():
    given = row(resource__id="r", **{"resource/tag:größe": "groß"})
    assert '"resource/tag:größe":"groß"' in plan_of([given]).body(plan_of([given]).requests[0]).decode()


def test_a_month_over_a_limit_says_by_how_much_and_what_to_do():
    with pytest.raises(MonthTooLargeError, match=r"has 12 rows, 2 more than the 10 .*max_month_rows") as error:
        plan_of(rows_of(12), max_month_rows=10)
    assert 'transform=aggregate(by=[...], period="day") of cloudzero_provider.anycost' in str(error.value)
    assert "AnyCostBucketDropOperator, for CloudZero's AnyCost Bucket connection" in str(error.value)
    assert "https://docs.cloudzero.com/docs/anycost-bucket-getting-started" in str(error.value)
    size = plan_of(rows_of(12)).size
    with pytest.raises(MonthTooLargeError, match=rf"{size:,} bytes, 1 more than.*max_month_bytes"):
        plan_of(rows_of(12), max_month_bytes=size - 1)
    assert plan_of(rows_of(12), max_month_bytes=size, max_month_rows=12).rows == 12


def test_a_row_larger_than_a_body_is_named():
    rows = [*rows_of(1, 1), row(lineitem__description="x" * 600)]
    with pytest.raises(InputError, match=r"row 3: .* bytes as JSON, too large for one request"):
        plan_of(rows, max_body_bytes=500)


def test_limits_and_operations_that_make_no_sense_are_refused():
    for limit in (0, 1.5, "5", 6_000_000):
        with pytest.raises(ConfigurationError, match="max_body_bytes is"):
            Limits(max_body_bytes=limit)
    with pytest.raises(ConfigurationError, match="'replace': expected one of replace_drop, replace_hourly, sum"):
        Operation.parse("replace", "operation")


def test_the_request_that_empties_a_month():
    assert json.loads(empty_month_body(MARCH)) == {"month": "2026-03", "operation": "replace_drop", "data": []}
