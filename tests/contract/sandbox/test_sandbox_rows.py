from __future__ import annotations

import pytest


def refused(cloudzero, row):
    reply = cloudzero.post([cloudzero.row(), row])
    assert reply.status_code == 400, reply.text
    assert cloudzero.months() == {}, "a refused body must store nothing"
    return reply.json()["error"]["message"]


@pytest.mark.parametrize("value", [1, 1.5, None, True, [], {}])
@pytest.mark.parametrize("column", ["cost/cost", "resource/id", "made/up"])
def test_every_value_has_to_be_a_string(cloudzero, column, value):
    assert f"row 1, {column}: must be a JSON string" in refused(cloudzero, {**cloudzero.row(), column: value})


@pytest.mark.parametrize("column", ["time/usage_start", "cost/cost"])
def test_required_columns(cloudzero, column):
    row = cloudzero.row()
    del row[column]
    assert f"row 1, {column}: is required" in refused(cloudzero, row)


@pytest.mark.parametrize("column", ["cost/cost", "cost/on_demand_cost", "usage/amount"])
@pytest.mark.parametrize(
    "value", ["", " 1", "1 ", "1e3", "NaN", "Infinity", "+1", ".5", "5.", "1,5", "--1", "1\n", "٣", "0x1"]
)
def test_a_number_is_plain_digits(cloudzero, column, value):
    assert f"row 1, {column}: must be a decimal" in refused(cloudzero, {**cloudzero.row(), column: value})


def test_negative_numbers_are_a_setting(cloudzero):
    credit = cloudzero.row("-50.00", **{"lineitem/type": "Credit"})
    returned = cloudzero.row(**{"usage/amount": "-1"})
    assert cloudzero.post([credit, returned]).status_code == 200
    cloudzero.set(negative_numbers="costs_only")
    assert [cloudzero.post([row]).status_code for row in (credit, returned)] == [200, 400]
    cloudzero.set(negative_numbers="refuse")
    assert [cloudzero.post([row]).status_code for row in (credit, returned)] == [400, 400]


def test_blank_numbers_are_a_setting_but_never_for_the_required_one(cloudzero):
    cloudzero.set(blank_numbers="accept")
    assert cloudzero.post([cloudzero.row(**{"cost/amortized_cost": "", "usage/amount": ""})]).status_code == 200
    assert cloudzero.months()["2024-08"]["totals"] == {"cost/cost": "1"}
    assert cloudzero.post([cloudzero.row("")]).status_code == 400


@pytest.mark.parametrize(
    "hour",
    [
        "",
        "2024-08-16",
        "2024-08-16 13:00:00",
        "2024-08-16T13:00Z",
        "2024-08-32T00:00:00Z",
        "2024-08-16T24:00:00Z",
        "2024-08-16T13:00:60Z",
        "2024-08-16T13:00:00z",
        "2024-08-16T13:00:00+0200",
        "2024-08-16T13:00:00+25:00",
        "2024-08-16T13:00:00.Z",
        "2024-08-16T13:00:00Z\n",
        "0000-08-16T13:00:00Z",
        "0001-01-01T00:00:00+01:00",
    ],
)
@pytest.mark.parametrize("column", ["time/usage_start", "time/usage_end"])
def test_times_are_iso_8601(cloudzero, column, hour):
    assert f"row 1, {column}: " in refused(cloudzero, {**cloudzero.row(), column: hour})


@pytest.mark.parametrize(
    ("hour", "first_hour"),
    [
        ("2024-08-16T13:59:59.999999999Z", "2024-08-16T13:00:00Z"),
        ("2024-08-16T13:00:00", "2024-08-16T13:00:00Z"),
        ("2024-08-16T13:30:00+05:45", "2024-08-16T07:00:00Z"),
        ("2024-07-31T20:00:00-04:00", "2024-08-01T00:00:00Z"),
        ("2024-09-01T01:59:59+02:00", "2024-08-31T23:00:00Z"),
    ],
)
def test_the_hour_is_counted_in_utc(cloudzero, hour, first_hour):
    assert cloudzero.post([cloudzero.row(hour=hour)]).status_code == 200
    assert cloudzero.months()["2024-08"]["first_hour"] == first_hour


@pytest.mark.parametrize("hour", ["2024-07-31T23:59:59Z", "2024-09-01T00:00:00Z", "2024-08-01T00:00:00+00:01"])
def test_every_row_has_to_be_of_the_month_in_utc(cloudzero, hour):
    assert "the drop's month is 2024-08" in refused(cloudzero, cloudzero.row(hour=hour))


@pytest.mark.parametrize("value", ["usage", "", "MAP Credit (Monthly)"])
def test_line_item_types(cloudzero, value):
    assert "lineitem/type: must be one of Usage" in refused(cloudzero, cloudzero.row(**{"lineitem/type": value}))


def test_the_guides_own_line_item_types_are_a_setting(cloudzero):
    rows = [cloudzero.row(**{"lineitem/type": kind}) for kind in ("CommittedUseVacancy", "CommittedUseRecurringFee")]
    assert cloudzero.post(rows).status_code == 200
    cloudzero.set(guide_only_lineitem_types="refuse")
    assert [cloudzero.post([row]).status_code for row in rows] == [400, 400]


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "a\n", "größe", "a,b", "a*"])
def test_tag_keys(cloudzero, key):
    row = cloudzero.row(**{"resource/id": "i", f"resource/tag:{key}": "v"})
    assert "a tag's key may contain only" in refused(cloudzero, row)


def test_every_character_a_tag_key_may_have(cloudzero):
    row = cloudzero.row(**{"resource/id": "i", "resource/tag:aZ0_.:/=+-@": "v"})
    assert cloudzero.post([row]).status_code == 200
    cloudzero.set(tag_key_letters="unicode")
    assert cloudzero.post([cloudzero.row(**{"resource/id": "i", "resource/tag:größe": "v"})]).status_code == 200
    assert cloudzero.post([cloudzero.row(**{"resource/id": "i", "resource/tag:a b": "v"})]).status_code == 400


def test_a_tag_needs_a_resource(cloudzero):
    assert "requires resource/id" in refused(cloudzero, cloudzero.row(**{"resource/tag:team": "a"}))
    assert "row 1, resource/id: " in refused(cloudzero, cloudzero.row(**{"resource/tag:team": "a", "resource/id": ""}))


def test_blank_tags_are_a_setting(cloudzero):
    row = cloudzero.row(**{"resource/id": "i", "resource/tag:team": ""})
    assert "leave out a tag without a value" in refused(cloudzero, row)
    cloudzero.set(blank_tags="accept")
    assert cloudzero.post([row]).status_code == 200


@pytest.mark.parametrize("labels", ["app=web", "[]", "1", " "])
def test_labels_are_a_json_object_in_text(cloudzero, labels):
    assert "row 1, k8s/labels: " in refused(cloudzero, cloudzero.row(**{"k8s/labels": labels}))


def test_labels_are_stored_as_they_came(cloudzero):
    row = cloudzero.row(**{"k8s/labels": '{"app": "frontend"}'})
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [row]


def test_unknown_columns_are_a_setting(cloudzero):
    row = cloudzero.row(**{"lineitem/cloud_provider": "OpenAI"})
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [row]
    cloudzero.set(unknown_columns="ignore")
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [cloudzero.row()]
    cloudzero.set(unknown_columns="refuse")
    assert cloudzero.post([row]).status_code == 400


def test_a_blank_text_is_a_text(cloudzero):
    row = cloudzero.row(**{"resource/service": "", "resource/id": ""})
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [row]


def test_the_first_errors_are_told_and_the_rest_counted(cloudzero):
    reply = cloudzero.post([cloudzero.row("x") for _ in range(25)])
    message = reply.json()["error"]["message"]
    assert "row 0, cost/cost" in message
    assert "row 9, cost/cost" in message
    assert "row 10," not in message
    assert "and 15 more" in message


def test_one_bad_row_keeps_the_good_ones_of_the_month_as_they_were(cloudzero):
    cloudzero.post([cloudzero.row("7")])
    for operation in ("replace_drop", "replace_hourly", "sum"):
        assert cloudzero.post([cloudzero.row("8"), cloudzero.row("x")], operation).status_code == 400
    assert cloudzero.costs() == ["7"]
