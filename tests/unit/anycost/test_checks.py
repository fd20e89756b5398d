from __future__ import annotations

import json
from decimal import Decimal

import polars as pl
import pytest
from support.rows import checked, row

from cloudzero_provider.anycost.columns import COLUMNS, COST_COLUMNS, REQUIRED_COLUMNS
from cloudzero_provider.anycost.json_rows import json_rows
from cloudzero_provider.anycost.plan import Operation, make_plan
from cloudzero_provider.exceptions import InputError, InvalidRowsError


def problem(rows, **options):
    with pytest.raises(InvalidRowsError) as error:
        checked(rows, **options)
    assert error.value.total == 1, error.value
    return error.value.problems[0]


def test_good_rows_come_out_as_text_and_missing_values_are_left_out():
    rows = checked(
        [row(cost__cost=Decimal("1.50"), resource__service=""), row(resource__service="DB", usage__amount=0)]
    )
    assert [json.loads(text) for text in json_rows(rows.frame).encoded()] == [
        {"lineitem/type": "Usage", "time/usage_start": "2026-03-16T13:00:00Z", "cost/cost": "1.5"},
        row(resource__service="DB", usage__amount="0"),
    ]


def test_a_blank_cost_and_a_cost_of_zero_stay_different():
    rows = checked([row(cost__amortized_cost=""), row(cost__amortized_cost="0"), row(cost__amortized_cost=0)])
    encoded = [json.loads(text).get("cost/amortized_cost") for text in json_rows(rows.frame).encoded()]
    assert encoded == [None, "0", "0"]


def test_a_column_that_appears_first_in_row_101_and_later_is_kept():
    rows = checked([row()] * 150 + [row(resource__region="eu-west-1")])
    assert json.loads(json_rows(rows.frame).encoded()[150])["resource/region"] == "eu-west-1"


def test_text_is_unchanged():
    odd = 'a"b\\c\nd\te\u0000ü😀</script>'
    rows = checked([row(resource__id=odd)])
    assert json.loads(json_rows(rows.frame).encoded()[0])["resource/id"] == odd


def test_totals_are_exact_per_cost_column():
    rows = checked([row(cost__cost="0.1", cost__amortized_cost="5"), row(cost__cost=0.2), row(cost__cost="-12")])
    assert rows.totals == {"cost/cost": "-11.7", "cost/amortized_cost": "5"}


@pytest.mark.parametrize("name", REQUIRED_COLUMNS)
def test_required_columns_need_a_value_in_every_row(name):
    found = problem([row(), row(**{name.replace("/", "__"): ""})])
    assert (found.where, found.column) == ("row 2", name)
    assert "required in every row" in found.rule
    missing = problem([{key: value for key, value in row().items() if key != name}])
    assert (missing.where, missing.column) == ("row 1", name)


@pytest.mark.parametrize(
    ("changes", "column", "value", "rule"),
    [
        ({"cost__cost": "twelve"}, "cost/cost", "'twelve'", "not a decimal number"),
        ({"usage__amount": float("inf")}, "usage/amount", "inf", "not a decimal number"),
        ({"time__usage_start": "soon"}, "time/usage_start", "'soon'", "ISO 8601"),
        ({"time__usage_end": "soon"}, "time/usage_end", "'soon'", "ISO 8601"),
        ({"time__usage_start": "2026-04-01T00:00:00Z"}, "time/usage_start", "'2026-04-01T00:00:00Z'", "not in 2026-03"),
        (
            {"time__usage_start": "2026-03-01T00:30:00+01:00"},
            "time/usage_start",
            "'2026-03-01T00:30:00+01:00'",
            "not in",
        ),
        ({"lineitem__type": "usage"}, "lineitem/type", "'usage'", "not one of Usage"),
        ({"k8s__labels": "app=a"}, "k8s/labels", "'app=a'", "JSON object"),
        ({"resource__service": 1.5}, "resource/service", "1.5", "expected text"),
        ({"resource__tag:team": "a"}, "resource/tag:team", "'a'", "a tag requires a resource/id"),
        ({"resource__tag:my team": "a", "resource__id": "i"}, "resource/tag:my team", None, "without white space"),
        ({"resource__tag:": "a", "resource__id": "i"}, "resource/tag:", None, "a tag key is"),
        ({"cost__csot": "1"}, "cost/csot", None, "did you mean 'cost/cost'"),
        ({"Cost/Cost": "1"}, "Cost/Cost", None, "not a column of the Common Bill Format"),
    ],
)
def test_a_broken_rule_names_row_column_value_and_rule(changes, column, value, rule):
    found = problem([row(), row(**changes)])
    assert (found.where, found.column, found.value) == ("row 2", column, value)
    assert rule in found.rule
    assert str(found).startswith(f"row 2, column {column!r}")


def test_a_tag_in_a_row_without_resource_is_found_among_rows_with_one():
    tagged = {"resource__tag:team": "a"}
    assert problem([row(resource__id="i", **tagged), row(**tagged)]).where == "row 2"
    assert checked([row(resource__id="i", **tagged), row()]).frame.height == 2


def test_the_first_few_problems_are_shown_in_order_and_the_rest_is_counted():
    bad = [row(cost__cost="x"), row(lineitem__type="y"), *[row(cost__cost="z") for _ in range(50)]]
    with pytest.raises(InvalidRowsError) as error:
        checked(bad)
    assert error.value.total == 52
    assert [found.where for found in error.value.problems] == ["row 1", "row 2", "row 3", "row 4", "row 5"]
    assert str(error.value).startswith("52 problems in the rows; nothing was sent.")
    assert str(error.value).endswith("and 47 more")


def test_an_unknown_column_is_named_in_the_first_row_with_a_value():
    beyond = pl.Series("valid_to", [None, 2**60]).cast(pl.Datetime("ms"))
    frame = pl.DataFrame([row(), row()]).with_columns(beyond)
    with pytest.raises(InvalidRowsError, match="row 2, column 'valid_to': not a column of the Common Bill Format"):
        checked(frame)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ["Date", "Amount"],
            (
                "(Date, Amount). Convert them with a transform, a function that returns a frame with time/usage_start "
                "and cost/cost. The format: "
            ),
        ),
        (list("abcdefghijkl"), "(a, b, c, d, e, f, g, h, i, j and 2 other columns). Convert them with a transform"),
        (["BilledCost", "x"], "(BilledCost, x). They look like FOCUS charges: set transform=to_cbf (from "),
    ],
)
@pytest.mark.parametrize("allowed", [True, False])
def test_rows_of_another_format_are_refused_in_one_sentence(names, told, allowed):
    with pytest.raises(InputError) as error:
        checked([dict.fromkeys(names, "1")], allow_unknown_columns=allowed)
    assert str(error.value).startswith(
        "The rows are not in the Common Bill Format, so nothing was sent: none of their columns belongs to it " + told
    )


@pytest.mark.parametrize("name", [*COLUMNS, "resource/tag:team", "Cost/Cost"])
def test_rows_with_one_column_of_the_format_are_checked_column_by_column(name):
    with pytest.raises(InvalidRowsError, match="column 'Amount': not a column of the Common Bill Format"):
        checked([{name: "1", "Amount": "1"}])


def test_unknown_columns_are_sent_when_that_is_asked_for():
    rows = checked([row(**{"x/own": "1"})], allow_unknown_columns=True)
    assert json.loads(json_rows(rows.frame).encoded()[0])["x/own"] == "1"


def test_a_long_value_is_cut_in_the_error():
    found = problem([row(cost__cost="x" * 500)])
    assert len(found.value) < 100


def test_every_cost_column_but_the_first_falls_back_to_the_cost():
    """A cost column that is blank counts as what CloudZero shows for it; aggregate sums all of COST_COLUMNS."""
    costs = [column for name, column in COLUMNS.items() if name.startswith("cost/")]
    assert [column.name for column in costs] == list(COST_COLUMNS)
    others = [column for column in costs if column.name != "cost/cost"]
    assert [column.name for column in others if column.fallbacks[-1:] != ("cost/cost",)] == [], (
        "the fallbacks of a cost column end in cost/cost"
    )
    assert REQUIRED_COLUMNS == ("time/usage_start", "cost/cost")


def test_a_float_cost_is_sent_in_its_shortest_form():
    rows = checked([row(cost__cost=0.1 + 0.2)])
    assert json.loads(json_rows(rows.frame).encoded()[0])["cost/cost"] == "0.30000000000000004"


@pytest.mark.parametrize("name", ["^lineitem/.*$", "row", "*", "c0", 'a"b\\c', "größe"])
def test_a_column_name_is_never_taken_for_a_pattern(name):
    rows = checked([row(**{"lineitem/id": "a", name: "1"}), row()], allow_unknown_columns=True)
    assert [json.loads(text) for text in json_rows(rows.frame).encoded()] == [
        row(**{"lineitem/id": "a", name: "1"}),
        row(),
    ]
    plan = make_plan(rows, Operation.REPLACE_DROP)
    assert json.loads(plan.body(plan.requests[0]))["data"][0][name] == "1"


@pytest.mark.parametrize(("kind", "is_warned_of"), [("CommittedUseVacancy", True), ("CommittedUsePurchase", False)])
def test_a_type_that_the_api_may_not_know_is_sent_and_warned_of(caplog, kind, is_warned_of):
    assert checked([row(), row(lineitem__type=kind)]).frame["lineitem/type"].to_list() == ["Usage", kind]
    assert ("CloudZero may reject them" in caplog.text) == is_warned_of


def test_timestamps_that_are_cut_are_counted(caplog):
    caplog.set_level("INFO")
    checked([row(time__usage_start="2026-03-16T13:05:00Z", time__usage_end="2026-03-16T13:05:00.5Z"), row()])
    assert caplog.messages == [
        "time/usage_start: truncated 1 timestamps to the start of their hour",
        "time/usage_end: truncated 1 timestamps to the start of their second",
    ]


def test_a_millionth_of_a_second_is_cut_and_nothing_is_not(caplog):
    caplog.set_level("INFO")
    given = ["2026-03-16T13:00:00.000001Z", "2026-03-16 13:00:00", "2026-03-16 14:00:00"]
    checked([row(time__usage_start=each, time__usage_end=each) for each in given])
    assert [message.split(" to ")[0] for message in caplog.messages] == [
        "time/usage_start: truncated 1 timestamps",
        "time/usage_end: truncated 1 timestamps",
    ]
