from __future__ import annotations

import random
from decimal import Decimal

import polars as pl
import pytest
from support.month_versions import EXACT, ZERO, Expected, expected_changes, random_versions, spelled

from cloudzero_provider.anycost.comparison import encoding
from cloudzero_provider.anycost.comparison.changes import MOST_MOVERS, MOST_VALUES, compare
from cloudzero_provider.anycost.comparison.contents import canonical
from cloudzero_provider.exceptions import UnexpectedReplyError

STATUSES = ("removed", "added", "changed before", "changed after", "unchanged")
TAG = "resource/tag:team"


def frame(rows, extra=()):
    """Rows as columns of text, some of them without a value."""
    names = dict.fromkeys([*extra, *(name for row in rows for name in row)])
    return pl.DataFrame({name: pl.Series([row.get(name) for row in rows], dtype=pl.String) for name in names})


def compared(before, after, by="resource/service"):
    return compare(canonical(frame(before)), canonical(frame(after)), by)


def facts(change):
    """Rows and costs of each kind, as the independent calculation has them."""
    found = Expected()
    for status in STATUSES:
        part = getattr(change, status.replace(" ", "_"))
        if part.rows:
            found.rows[status] = part.rows
            found.cost[status] = Decimal(part.cost)
    return found


def day_row(day=1, cost="1", service="Compute", **others):
    row = {"time/usage_start": f"2026-03-{day:02d}T05:00:00Z", "cost/cost": cost, "resource/service": service}
    return row | {name.replace("__", "/"): value for name, value in others.items()}


@pytest.mark.parametrize("part", [7, 50_000])
@pytest.mark.parametrize("seed", range(40))
def test_the_changes_are_those_of_an_independent_calculation(seed, part, monkeypatch):
    monkeypatch.setattr(encoding, "_PART", part)
    before, after = random_versions(seed)
    by = random.Random(seed).choice(("resource/service", TAG, "resource/tag:only-after", "resource/region"))
    expected = expected_changes(before, after, by)
    held = canonical(frame(spelled(before, seed), extra=["resource/region", "k8s/labels"]))
    changes = compare(held, canonical(frame(after)), by)
    assert facts(changes.total) == expected.get((), Expected())
    assert {(one.day,): facts(one.change) for one in changes.by_day} == only(expected, 1)
    assert [one.day for one in changes.by_day] == sorted(one.day for one in changes.by_day)
    assert {(None, one.value): facts(one.change) for one in changes.by_value} == only(expected, 2, no_day=True)
    pairs = only(expected, 2, no_day=False)
    deltas = {key: delta(found) for key, found in pairs.items()}
    largest = sorted((abs_of(value) for value in deltas.values() if value), reverse=True)[:MOST_MOVERS]
    assert [abs_of(one.change.cost_change) for one in changes.movers] == largest
    assert all(facts(one.change) == pairs[one.day, one.value] for one in changes.movers)


def only(expected, length, *, no_day=True):
    return {
        key: found
        for key, found in expected.items()
        if len(key) == length and (length == 1 or (key[0] is None) is no_day)
    }


def delta(found):
    plus = EXACT.add(found.cost.get("added", ZERO), found.cost.get("changed after", ZERO))
    return EXACT.subtract(plus, EXACT.add(found.cost.get("removed", ZERO), found.cost.get("changed before", ZERO)))


def abs_of(value):
    # The function rounds to 28 digits.
    return value.copy_abs()


@pytest.mark.parametrize("seed", range(20))
def test_before_and_after_are_what_was_given_and_each_list_sums_to_the_total(seed):
    before, after = random_versions(seed)
    changes = compared(before, after)
    total = changes.total
    for side, rows in ((total.before, before), (total.after, after)):
        assert side.rows == len(rows)
        assert side.amount == exact(row["cost/cost"] for row in rows)
    assert total.changed_before.rows == total.changed_after.rows
    for lines in (changes.by_day, changes.by_value):
        for name in ("before", "after", "added", "removed", "changed_before", "changed_after", "unchanged"):
            parts = [getattr(one.change, name) for one in lines]
            if lines is changes.by_value:
                parts.append(getattr(changes.others, name))
            assert sum(part.rows for part in parts) == getattr(total, name).rows
            assert exact(part.amount for part in parts) == getattr(total, name).amount


def exact(numbers):
    total = ZERO
    for number in numbers:
        total = EXACT.add(total, Decimal(number))
    return total


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_does_not_matter(seed):
    before, after = random_versions(seed)
    first = compared(before, after)
    for order in range(3):
        random.Random(order).shuffle(before)
        random.Random(order + 9).shuffle(after)
        assert compared(before, after) == first


def test_the_same_month_has_no_changes():
    before, _ = random_versions(3)
    changes = compared(before, before[::-1])
    assert changes.total.is_empty
    assert changes.movers == ()
    assert changes.total.unchanged == changes.total.before == changes.total.after


def test_the_surplus_of_a_pair_is_that_with_the_larger_costs():
    before = [day_row(cost="9"), day_row(cost="10"), day_row(cost="-1")]
    total = compared(before, [day_row(cost="2")]).total
    assert (total.changed_before.cost, total.changed_after.cost) == ("-1", "2")
    assert (total.removed.rows, total.removed.cost) == (2, "19")
    back = compared([day_row(cost="2")], before).total
    assert (back.added.rows, back.added.cost, back.changed_before.cost, back.changed_after.cost) == (2, "19", "2", "-1")


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [("9", "10"), ("-10", "-9"), ("123456789012345678.1", "123456789012345678.2"), ("0." + "0" * 29 + "1", "1")],
)
def test_pairs_are_in_the_order_of_numbers_even_where_floats_are_equal(smaller, larger):
    for costs in ((smaller, larger), (larger, smaller)):
        total = compared([day_row(cost=cost) for cost in costs], [day_row(cost="2")]).total
        assert (total.changed_before.cost, total.removed.cost) == (smaller, larger)


def test_many_costs_that_are_equal_as_floats_are_in_order():
    costs = [f"123456789012345678.{number}" for number in range(1, 10)]
    total = compared([day_row(cost=cost) for cost in reversed(costs)], [day_row(cost="2")] * 5).total
    assert (total.changed_before.cost, total.removed.cost) == ("617283945061728391.5", "493827156049382715")


@pytest.mark.parametrize("amount", ["cost/cost", "usage/amount", "cost/on_demand_cost"])
def test_a_row_with_another_amount_has_changed(amount):
    total = compared([day_row()], [day_row() | {amount: "7"}]).total
    assert (total.changed_after.rows, total.added.rows, total.removed.rows) == (1, 0, 0)


@pytest.mark.parametrize("other", [{"resource/tag:team": "a"}, {"lineitem/id": "7"}, {"resource/service": "Storage"}])
def test_a_row_that_differs_in_anything_else_was_removed_and_another_added(other):
    total = compared([day_row()], [day_row() | other]).total
    assert (total.changed_after.rows, total.added.rows, total.removed.rows) == (0, 1, 1)


def test_a_column_that_one_version_lacks_is_null_there():
    total = compared([day_row(), day_row(resource__region="eu")], [day_row()]).total
    assert (total.unchanged.rows, total.removed.rows, total.added.rows) == (1, 1, 0)


def test_values_with_the_separator_are_not_confused():
    before = [day_row(lineitem__id="a\0b"), day_row(lineitem__id="a", lineitem__description="b")]
    after = [
        day_row(lineitem__id="a", lineitem__description="b\0"),
        day_row(lineitem__id="a\0", lineitem__description="b"),
    ]
    assert compared(before, after).total.unchanged.rows == 0
    assert compared(before, before[::-1]).total.unchanged.rows == 2


def test_of_many_values_those_that_move_most_are_shown_and_the_others_summed():
    before = [day_row(service=f"s{number:03d}", cost=str(number)) for number in range(100)]
    after = [row | {"cost/cost": "500"} if row["resource/service"] in ("s007", "s090") else row for row in before]
    changes = compared(before, after)
    assert len(changes.by_value) == MOST_VALUES
    assert [one.value for one in changes.by_value[:4]] == ["s007", "s090", "s099", "s098"]
    assert changes.other_values == 80
    assert changes.others.before == changes.others.after
    assert changes.as_dict()["others"]["values"] == 80
    assert [(one.value, one.day) for one in changes.movers] == [("s007", "2026-03-01"), ("s090", "2026-03-01")]


def test_rows_without_a_valid_hour_are_of_no_day():
    held = [day_row(), day_row() | {"time/usage_start": "soon"}, {"cost/cost": "3"}]
    assert [(one.day, one.change.before.rows) for one in compared(held, []).by_day] == [
        ("(none)", 2),
        ("2026-03-01", 1),
    ]


def test_a_row_without_a_cost_costs_nothing():
    held = [{"time/usage_start": "2026-03-01T05:00:00Z"}, day_row(cost="3")]
    assert (compared(held, []).total.removed.rows, compared(held, []).total.removed.cost) == (2, "3")


def test_a_held_cost_that_is_not_a_number_can_not_be_compared():
    with pytest.raises(UnexpectedReplyError, match=r"1 values? of cost/cost"):
        compared([day_row(cost="much"), day_row()], [day_row()])


def test_plain_values_for_json():
    changes = compared([day_row(cost="1.50"), day_row(day=2)], [day_row(cost="2"), day_row(day=3), day_row(day=3)])
    line = {"rows_before": 1, "rows_after": 1, "cost_before": "1.5", "cost_after": "2", "cost_change": "0.5"}
    counts = {"added": 0, "removed": 0, "changed": 1}
    found = changes.as_dict()
    assert found["by_day"][0] == {"day": "2026-03-01", **line, **counts}
    assert found["movers"][0]["cost_change"] == "2"
    assert (found["rows_before"], found["rows_after"], found["added"], found["changed"]) == (2, 3, 2, 1)
    assert found["by_value"][0]["value"] == "Compute"
    assert found["others"] is None


@pytest.mark.parametrize(
    "name", ["^.*$", "*", "row", "key", "index", "group", "is_after", "c0", "day", "value", "cost"]
)
def test_columns_may_have_any_name(name):
    before, after = [day_row() | {name: "a"}, day_row()], [day_row() | {name: "b"}, day_row()]
    changes = compared(before, after, by=name)
    total = changes.total
    assert (total.unchanged.rows, total.removed.rows, total.added.rows) == (1, 1, 1)
    assert {one.value for one in changes.by_value} == {"a", "b", "(none)"}
