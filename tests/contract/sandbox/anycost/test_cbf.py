from __future__ import annotations

import pytest


def refused(cloudzero, row):
    reply = cloudzero.post([cloudzero.row(), row])
    assert reply.status_code == 400, reply.text
    assert cloudzero.months() == {}, "a refused body must store nothing"
    return reply.json()["error"]["message"]


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


def test_blank_numbers_are_a_setting_except_in_the_required_column(cloudzero):
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


@pytest.mark.parametrize("value", ["usage", "", "MAP Credit (Monthly)"])
def test_line_item_types(cloudzero, value):
    assert "lineitem/type: must be one of Usage" in refused(cloudzero, cloudzero.row(**{"lineitem/type": value}))


def test_line_item_types_only_in_the_guide_are_a_setting(cloudzero):
    rows = [cloudzero.row(**{"lineitem/type": kind}) for kind in ("CommittedUseVacancy", "CommittedUseRecurringFee")]
    assert cloudzero.post(rows).status_code == 200
    cloudzero.set(guide_only_lineitem_types="refuse")
    assert [cloudzero.post([row]).status_code for row in rows] == [400, 400]


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "a\n", "größe", "a,b", "a*"])
def test_tag_keys(cloudzero, key):
    row = cloudzero.row(**{"resource/id": "i", f"resource/tag:{key}": "v"})
    assert "a tag's key may contain only" in refused(cloudzero, row)


def test_every_allowed_character_of_a_tag_key(cloudzero):
    row = cloudzero.row(**{"resource/id": "i", "resource/tag:aZ0_.:/=+-@": "v"})
    assert cloudzero.post([row]).status_code == 200
    cloudzero.set(tag_key_letters="unicode")
    assert cloudzero.post([cloudzero.row(**{"resource/id": "i", "resource/tag:größe": "v"})]).status_code == 200
    assert cloudzero.post([cloudzero.row(**{"resource/id": "i", "resource/tag:a b": "v"})]).status_code == 400


def test_blank_tags_are_a_setting(cloudzero):
    row = cloudzero.row(**{"resource/id": "i", "resource/tag:team": ""})
    assert "leave out a tag without a value" in refused(cloudzero, row)
    cloudzero.set(blank_tags="accept")
    assert cloudzero.post([row]).status_code == 200


@pytest.mark.parametrize("labels", ["app=web", "[]", "1", " "])
def test_labels_are_a_json_object_as_text(cloudzero, labels):
    assert "row 1, k8s/labels: " in refused(cloudzero, cloudzero.row(**{"k8s/labels": labels}))


def test_unknown_columns_are_a_setting(cloudzero):
    row = cloudzero.row(**{"lineitem/cloud_provider": "OpenAI"})
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [row]
    cloudzero.set(unknown_columns="ignore")
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [cloudzero.row()]
    cloudzero.set(unknown_columns="refuse")
    assert cloudzero.post([row]).status_code == 400
