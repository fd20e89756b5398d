"""What the errors about a bill say, word by word; and what is just right."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from support.charges import charge, frame_of
from support.rows import checked, row

from cloudzero_provider import sources
from cloudzero_provider.anycost import aggregate
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan
from cloudzero_provider.anycost.send_options import SendOptions
from cloudzero_provider.exceptions import CloudZeroError, ConfigurationError, InputError, MonthTooLargeError
from cloudzero_provider.months import Month

CBF = "https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf"
TAG_KEY = "a tag key is letters, digits and _ . : / = + - @, without white space"
TYPES = (
    "not one of Usage, Tax, Support, Purchase, CommittedUsePurchase, CommittedUseVacancy, CommittedUseRecurringFee, "
    "Discount, Credit, Fee, Adjustment"
)
NO_TIME = (
    "not an ISO 8601 date or date and time, like 2026-03-16T13:00:00Z, 2026-03-16 13:00:00.000 +0530, "
    "2026-03-16 13:00 UTC, 20260316T130000Z or 2026-03-16 (the year first; a zone is Z, UTC, GMT or an offset)"
)


def words_of(call):
    with pytest.raises(CloudZeroError) as error:
        call()
    return str(error.value)


def problems_of(call):
    first, *problems = words_of(call).split("\n  ")
    assert first.endswith(" in the rows; nothing was sent.")
    return problems


# Rows in the Common Bill Format


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"cost__csot": "1"}, "column 'cost/csot': not a column of the Common Bill Format; did you mean 'cost/cost'? (allow_unknown_columns=True sends it anyway)"),
        ({"zzz": "1"}, "column 'zzz': not a column of the Common Bill Format (allow_unknown_columns=True sends it anyway)"),
        ({"resource/tag:my team": "x", "resource__id": "r"}, f"column 'resource/tag:my team': {TAG_KEY}"),
        ({"resource/tag:": "x", "resource__id": "r"}, f"column 'resource/tag:': {TAG_KEY}"),
        ({"resource/tag:a": "x"}, f"column 'resource/tag:a', value 'x': a tag requires a resource/id in the same row ({CBF})"),
        ({"cost__cost": ""}, f"column 'cost/cost': required in every row ({CBF})"),
        ({"time__usage_start": ""}, f"column 'time/usage_start': required in every row ({CBF})"),
        ({"lineitem__type": "usage"}, f"column 'lineitem/type', value 'usage': {TYPES}"),
        ({"k8s__labels": "[]"}, "column 'k8s/labels', value '[]': not a JSON object as text (json.dumps makes one)"),
        ({"k8s__labels": "{"}, "column 'k8s/labels', value '{': not a JSON object as text (json.dumps makes one)"),
        ({"time__usage_end": "x"}, f"column 'time/usage_end', value 'x': {NO_TIME}"),
        ({"time__usage_start": "2026-04-01"}, "column 'time/usage_start', value '2026-04-01': not in 2026-03 (UTC): a drop holds one month, and the rows include 2026-04"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_with_the_rule(changes, problem):
    assert problems_of(lambda: checked([row(), row(**changes)])) == [f"row 2, {problem}"]


def test_columns_that_are_missing_are_named():
    assert problems_of(lambda: checked([{"lineitem/id": "1"}])) == [
        f"row 1, column '{name}': required in every row ({CBF})" for name in ("time/usage_start", "cost/cost")
    ]


@pytest.mark.parametrize(
    ("months", "listed"),
    [
        ("04 01 02", "2026-01, 2026-02, 2026-04"),
        ("04 01 02 12 04", "2026-01, 2026-02, 2026-04 and 1 other months"),
        ("04 01 02 12 11", "2026-01, 2026-02, 2026-04 and 2 other months"),
    ],
)
def test_other_months_are_listed_three_at_the_most(months, listed):
    rows = [row(), *(row(time__usage_start=f"2026-{month}-05") for month in months.split())]
    assert all(line.endswith(f"the rows include {listed}") for line in problems_of(lambda: checked(rows))[:3])


def test_a_tag_is_fine_where_its_row_has_a_resource_and_in_no_other():
    rows = [row(resource__id=i, **{"resource/tag:a": t}) for i, t in (("r", "x"), ("", ""), ("r", ""), (None, "y"))]
    (problem,) = problems_of(lambda: checked(rows))
    assert problem.startswith("row 4, column 'resource/tag:a', value 'y': a tag requires a resource/id")


def test_a_column_without_any_value_does_not_count():
    found = checked([row(cost__amortized_cost="", resource__service=""), row(cost__discounted_cost="0")])
    assert found.frame.columns == ["lineitem/type", "time/usage_start", "cost/cost", "cost/discounted_cost"]
    assert found.totals == {"cost/cost": "24", "cost/discounted_cost": "0"}


# Limits


def plan(rows, operation=Operation.REPLACE_DROP, **limits):
    return make_plan(checked(rows), operation, Limits(**limits))


WAYS_OUT = (
    'Options: aggregate rows before sending, with transform=aggregate(by=[...], period="day") of cloudzero_provider.anycost '
    "(by: the columns to keep); send parts of the bill to AnyCost streams of their own; or use "
    "AnyCostBucketDropOperator, for CloudZero's AnyCost Bucket connection, which has no such limit (https://docs.cloudzero.com/docs/anycost-bucket-getting-started). The "
    "limits: https://docs.cloudzero.com/docs/anycost-send-stream-data"
)


def test_a_month_of_too_many_rows_says_the_limit_and_the_ways_out():
    with pytest.raises(MonthTooLargeError) as error:
        plan([row()] * 2001, max_month_rows=1000)
    assert str(error.value) == (
        "2026-03 has 2,001 rows, 1,001 more than the 1,000 that one AnyCost stream accepts per month (max_month_rows); "
        f"nothing was sent. {WAYS_OUT}"
    )


def test_a_month_of_too_many_bytes_says_the_limit():
    size = plan([row()] * 20).size
    assert plan([row()] * 20, max_month_bytes=size).size == size
    assert words_of(lambda: plan([row()] * 20, max_month_bytes=size - 1)) == (
        f"2026-03 has {size:,} bytes, 1 more than the {size - 1:,} that one AnyCost stream accepts per month "
        f"(max_month_bytes); nothing was sent. {WAYS_OUT}"
    )


ROW = '{"lineitem/type":"Usage","time/usage_start":"2026-03-16T13:00:00Z","cost/cost":"12"}'


def around(operation):
    return len(f'{{"month":"2026-03","operation":"{operation}","data":[]}}')


def test_rows_that_are_too_large_are_counted_and_the_first_is_named():
    most = len(ROW) + around("replace_hourly")
    assert plan([row()], max_body_bytes=most).size == len(ROW) + around("replace_drop")
    rule = f"{len(ROW)} bytes as JSON, too large for one request (max_body_bytes is {most - 1})"
    assert words_of(lambda: plan([row()], max_body_bytes=most - 1)) == (
        f"1 row is too large; nothing was sent.\n  row 1: {rule}"
    )
    later = row(time__usage_start="2026-03-17", lineitem__description="x" * 2000)
    rule = f"{len(ROW) + 2000 + 26:,} bytes as JSON, too large for one request (max_body_bytes is 1,000)"
    assert words_of(lambda: plan([later, *[row()] * 5, *[later] * 1099], max_body_bytes=1000)) == (
        f"1,100 rows are too large; nothing was sent.\n  row 1: {rule}"
    )


def test_bodies_are_filled_to_the_last_byte():
    hours = [row(time__usage_start=f"2026-03-16T{hour:02d}:00:00Z") for hour in range(4)]
    two = 2 * len(ROW) + 1 + around("replace_hourly")
    for limit, counts in (
        (two, [2, 2]),
        (two - 1, [1, 1, 1, 1]),
        (two + len(ROW), [2, 2]),
        (two + len(ROW) + 1, [3, 1]),
    ):
        assert [request.rows for request in plan(hours, max_body_bytes=limit).requests] == counts
    one_hour = [row()] * 5
    for limit, counts in ((two, [2, 2, 1]), (two - 1, [1, 1, 1, 1, 1]), (two + len(ROW) + 1, [3, 2])):
        assert [request.rows for request in plan(one_hour, max_body_bytes=limit).requests] == counts


def test_requests_know_their_first_and_last_hour_and_what_they_hold():
    hours = [row(time__usage_start=f"2026-03-16T{hour:02d}:00:00Z") for hour in (3, 1, 2, 0)]
    found = plan(hours, max_body_bytes=2 * len(ROW) + 1 + around("replace_hourly"))
    assert [(r.start, r.rows, r.first_hour[11:13], r.last_hour[11:13]) for r in found.requests] == [
        (0, 2, "00", "01"),
        (2, 2, "02", "03"),
    ]
    assert [hour[11:13] for hour in found.hours] == ["00", "01", "02", "03"]
    assert [len(body) for body in found.bodies()] == [r.size for r in found.requests]


@pytest.mark.parametrize("name", ["max_body_bytes", "max_month_bytes", "max_month_rows"])
def test_a_limit_of_nothing_is_refused(name):
    with pytest.raises(ConfigurationError) as error:
        Limits(**{name: 0})
    limit = "1 to 5,000,000" if name == "max_body_bytes" else "at least 1"
    assert str(error.value) == f"{name} is 0: expected a whole number, {limit}."


# Adding up


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (
            "resource/service",
            "by is 'resource/service': expected a list of CBF columns, for example ['resource/service'].",
        ),
        ([1], "by is [1]: expected a list of CBF columns, for example ['resource/service']."),
        (["resource/id"] * 2, "by names 'resource/id', which can't be kept: it is listed twice."),
        (["resource/tag:a b"], f"by names 'resource/tag:a b', which can't be kept: {TAG_KEY}."),
        (["servce"], "by names 'servce', which can't be kept: it is not a column of the Common Bill Format."),
        (["cost/cost"], "by names 'cost/cost', which can't be kept: it is summed."),
        (
            ["time/usage_end"],
            "by names 'time/usage_end', which can't be kept: the only time that is kept is time/usage_start, truncated to the period.",
        ),
    ],
)
def test_what_can_not_be_kept(by, words):
    assert words_of(lambda: aggregate(by=by)) == words


def test_a_tuple_of_columns_is_as_good_as_a_list():
    assert aggregate(by=("resource/service", "resource/tag:*")) == aggregate(by=["resource/service", "resource/tag:*"])


def aggregate_rows(*rows, by=()):
    names = list(dict.fromkeys(name for one in rows for name in one))
    return aggregate(by=list(by))(pl.DataFrame({name: [one.get(name) for one in rows] for name in names}))


def test_a_column_to_keep_that_is_not_there_is_named():
    assert words_of(lambda: aggregate_rows(row(), by=["resource/region", "k8s/cluster"])) == (
        "aggregate: the rows have no column resource/region, k8s/cluster; their columns are time/usage_start, cost/cost, lineitem/type."
    )


@pytest.mark.parametrize(
    ("one", "problem"),
    [
        (
            row(Cost__csot="1"),
            "row 1, column 'Cost/csot': not a column of the Common Bill Format; did you mean 'cost/cost'?",
        ),
        (row(cost__cost="x"), "row 1, column 'cost/cost', value 'x': not a decimal number"),
        (row(cost__cost=""), f"row 1, column 'cost/cost': required in every row ({CBF})"),
        (row(cost__cost=None), f"row 1, column 'cost/cost': required in every row ({CBF})"),
        (row(time__usage_start=None), f"row 1, column 'time/usage_start': required in every row ({CBF})"),
        (row(lineitem__type="x"), f"row 1, column 'lineitem/type', value 'x': {TYPES}"),
    ],
)
def test_rows_that_can_not_be_added_up_are_named(one, problem):
    assert problems_of(lambda: aggregate_rows(one)) == [problem]


def test_columns_of_another_origin_are_left_out_and_no_problem():
    assert aggregate_rows(row(loaded_at="now", **{"x/y": "1"})).columns == [
        "lineitem/type",
        "time/usage_start",
        "cost/cost",
    ]


# FOCUS


def focus(*charges, frame=None, **options):
    return to_cbf(frame_of(*charges) if frame is None else frame, **options)


NO_LIST = 'not a list of tags, like [{"key": "team", "value": "web"}]'
REQUIRED = "every charge needs a value (not an empty string or NULL)"


@pytest.mark.parametrize(
    ("changes", "options", "problem"),
    [
        ({"BilledCost": "NULL"}, {}, f"column 'BilledCost': {REQUIRED}"),
        ({"ChargeCategory": ""}, {}, f"column 'ChargeCategory': {REQUIRED}"),
        ({"ChargePeriodStart": None}, {}, f"column 'ChargePeriodStart': {REQUIRED}"),
        (
            {"BillingCurrency": "EUR"},
            {},
            (
                "column 'BillingCurrency', value 'EUR': expected USD: CBF has no currency, so all costs of a stream must have "
                "the same one (convert the others first, or set currency=)"
            ),
        ),
        (
            {"ChargeCategory": "Fee"},
            {},
            (
                "column 'ChargeCategory', value 'Fee': not a valid charge category of FOCUS: expected one of Usage, Purchase, Tax, "
                "Credit, Adjustment"
            ),
        ),
        ({"ChargePeriodStart": "soon"}, {}, f"column 'ChargePeriodStart', value 'soon': {NO_TIME}"),
        ({"ChargePeriodEnd": "soon"}, {}, f"column 'ChargePeriodEnd', value 'soon': {NO_TIME}"),
        (
            {"BillingPeriodStart": ""},
            {"month_from": "billing_period"},
            "column 'BillingPeriodStart': every charge needs a value with month_from='billing_period'",
        ),
        (
            {"BillingPeriodStart": "soon"},
            {"month_from": "billing_period"},
            f"column 'BillingPeriodStart', value 'soon': {NO_TIME}",
        ),
        ({"Tags": "x"}, {}, "column 'Tags', value 'x': not a JSON object, like {\"team\": \"web\"}"),
        ({"Tags": '"x"'}, {}, 'column \'Tags\', value \'"x"\': not a JSON object, like {"team": "web"}'),
        ({"Tags": "[1]"}, {}, f"column 'Tags', value '[1]': {NO_LIST}"),
        (
            {"Tags": '[["a", "b", "c"]]'},
            {},
            f'column \'Tags\', value \'[["a", "b", "c"]]\': {NO_LIST}',
        ),
        (
            {"Tags": '{"a": 1, "a": 2}'},
            {},
            (
                "column 'Tags', value '{\"a\": 1, \"a\": 2}': duplicate tag 'a', and the list does not mark one of "
                "the two as inherited (duplicate_tags='first' or 'last' chooses one)"
            ),
        ),
        (
            {"Tags": '{"a": {"b": 1}}'},
            {},
            (
                "column 'Tags', value '{\"a\": {\"b\": 1}}': the value of the tag 'a' is nested: expected text, a number, true, "
                "false or null"
            ),
        ),
        ({"Tags": '{"a": "\\ud800"}'}, {}, "column 'Tags', value '{\"a\": \"\\\\ud800\"}': not valid Unicode text"),
        ({"Tags": '{"": "x"}'}, {}, "column 'Tags': a tag needs a key"),
        (
            {"Tags": '{"a b": "x", "a_b": "y"}'},
            {},
            (
                "column 'Tags': the key 'a_b' of Tags would become resource/tag:a_b, as does the key 'a b' of Tags: two tags "
                "would be one in CloudZero (rename one of them with tag_names={'a_b': ...})"
            ),
        ),
        (
            {"Tags": '{"SubAccountName": "x"}', "SubAccountName": "y"},
            {"tag_columns": ["SubAccountName"]},
            (
                "column 'SubAccountName': the column 'SubAccountName' would become resource/tag:SubAccountName, as does the key "
                "'SubAccountName' of Tags: two tags would be one in CloudZero (rename one of them in a transform "
                "before to_cbf)"
            ),
        ),
    ],
)
def test_a_bad_charge_is_named_with_the_rule(changes, options, problem):
    good = {"ResourceId": "r", **dict.fromkeys(changes)} | charge(ResourceId="r")
    assert problems_of(lambda: focus(good, {**good, **changes}, **options)) == [f"row 2, {problem}"]


def test_two_resources_that_would_become_one_are_named_both():
    charges = [charge(ResourceType="t", ResourceId=i) for i in ("a:b", "c", "a/b", "a:b")]
    assert problems_of(lambda: focus(*charges)) == [
        (
            "row 3, column 'ResourceId': ResourceType 't' with ResourceId 'a/b' would become the resource/id 't/a|b', as does "
            "ResourceType 't' with ResourceId 'a:b' of row 1: two resources would be one in CloudZero (use another "
            "id_separator for ':' and '/')"
        )
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"month_from": "x"}, "month_from is 'x': expected one of charge_period, billing_period."),
        ({"currency": "usd"}, "currency is 'usd': expected a code of three capital letters, like USD."),
        ({"currency": 7}, "currency is 7: expected a code of three capital letters, like USD."),
        ({"unused_commitment": "x"}, "unused_commitment is 'x': expected one of Usage, CommittedUseVacancy."),
        (
            {"recurring_commitment": "x"},
            "recurring_commitment is 'x': expected one of CommittedUsePurchase, CommittedUseRecurringFee.",
        ),
        ({"negative_quantity": "x"}, "negative_quantity is 'x': expected one of keep, zero."),
        ({"id_separator": ":"}, "id_separator is ':': expected one printable ASCII character other than ':' and '/'."),
        (
            {"id_separator": "||"},
            "id_separator is '||': expected one printable ASCII character other than ':' and '/'.",
        ),
        ({"tag_columns": "Tags"}, "tag_columns is 'Tags': expected a list of column names."),
        ({"tag_columns": [1]}, "tag_columns is [1]: expected a list of column names."),
        ({"tag_columns": 7}, "tag_columns is 7: expected a list of column names."),
        (
            {"tag_columns": ["None"]},
            (
                "tag_columns names 'None', which is not a column. The columns are: BilledCost, EffectiveCost, "
                "BillingCurrency, BillingPeriodStart, ChargePeriodStart, ChargeCategory."
            ),
        ),
        (
            {"lineitem_id_column": "BilledCost"},
            "lineitem_id_column names 'BilledCost', which contains numbers: expected a column of text.",
        ),
    ],
)
def test_the_error_of_an_invalid_option_lists_the_valid_ones(options, words):
    with pytest.raises(ConfigurationError) as error:
        focus(charge(), **options)
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({}, "These are not FOCUS rows: they have no column BilledCost and no ChargePeriodStart and no ChargeCategory. The columns are: none."),
        (
            {"billed_cost": "1", "ChargeCategory": "Usage", "charge period start": "x"},
            ("The rows have no column BilledCost and no ChargePeriodStart. Names are matched exactly: 'billed_cost' is not "
            "'BilledCost', 'charge period start' is not 'ChargePeriodStart' (in SQL, quote the name). The columns are: "
            "billed_cost, ChargeCategory, charge period start."),
        ),
    ],
)  # fmt: skip
def test_columns_of_focus_that_are_missing_are_named(columns, words):
    with pytest.raises(InputError) as error:
        focus(frame=pl.DataFrame({name: [value] for name, value in columns.items()}))
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        (
            "ServiceName",
            [1.5],
            "Column 'ServiceName' has the type Float64: expected text (a float loses digits: read it as text).",
        ),
        ("BilledCost", [True], "Column 'BilledCost' has the type Boolean: expected numbers."),
        ("ChargePeriodStart", [1], "Column 'ChargePeriodStart' has the type Int64: expected times."),
        (
            "Tags",
            [1],
            (
                "Column 'Tags' has the type Int64: expected tags: a JSON object as text, a Struct, a Map, or a List of Struct with key and "
                "value."
            ),
        ),
        (
            "Tags",
            [[{"name": "a"}]],
            (
                "Column 'Tags' has the type List(Struct({'name': String})): expected tags: a JSON object as text, a Struct, a Map, or a List "
                "of Struct with key and value."
            ),
        ),
        (
            "Tags",
            [{"a": ["x"]}],
            "Column 'Tags' has the type List(String) for 'a': expected text, numbers or booleans.",
        ),
    ],
)
def test_a_column_of_focus_of_another_type_is_named(name, values, words):
    with pytest.raises(InputError) as error:
        focus(frame=frame_of(charge()).with_columns(pl.Series(name, values)))
    assert str(error.value) == words


def test_rows_of_another_month_come_with_what_to_do_about_them():
    rows = sources.from_records([row(time__usage_start="2026-04-01")])
    rule = "2026-04-01': not in 2026-03 (UTC): a drop holds one month, and the rows include 2026-04"
    for hint, end in (("", rule), ("set month_from", f"{rule}; set month_from")):
        assert words_of(lambda hint=hint: check_rows(replace(rows, month_hint=hint), Month(2026, 3))).endswith(end)


def test_a_switch_that_is_neither_true_nor_false_is_named():
    rows = sources.from_records([row()])
    words = words_of(lambda: check_rows(rows, Month(2026, 3), allow_unknown_columns="no"))
    assert words.startswith("allow_unknown_columns is 'no'")
    for name in ("check_only", "validate_with_cloudzero", "verify", "settle_from"):
        assert words_of(lambda name=name: SendOptions(**{name: "x"})).startswith(f"{name} is 'x'")
