from __future__ import annotations

import pytest


def refused(cloudzero, row):
    reply = cloudzero.post([cloudzero.row(), row])
    assert reply.status_code == 400, reply.text
    assert cloudzero.months() == {}, "a refused body must store nothing"
    return reply.json()["error"]["message"]


@pytest.mark.parametrize("value", [1, 1.5, None, True, [], {}])
@pytest.mark.parametrize("column", ["cost/cost", "resource/id", "made/up"])
def test_every_value_must_be_a_string(cloudzero, column, value):
    assert f"row 1, {column}: must be a JSON string" in refused(cloudzero, {**cloudzero.row(), column: value})


@pytest.mark.parametrize("column", ["time/usage_start", "cost/cost"])
def test_required_columns(cloudzero, column):
    row = cloudzero.row()
    del row[column]
    assert f"row 1, {column}: is required" in refused(cloudzero, row)


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
def test_hours_are_in_utc(cloudzero, hour, first_hour):
    assert cloudzero.post([cloudzero.row(hour=hour)]).status_code == 200
    assert cloudzero.months()["2024-08"]["first_hour"] == first_hour


@pytest.mark.parametrize("hour", ["2024-07-31T23:59:59Z", "2024-09-01T00:00:00Z", "2024-08-01T00:00:00+00:01"])
def test_every_row_must_be_in_the_month_in_utc(cloudzero, hour):
    assert "the drop's month is 2024-08" in refused(cloudzero, cloudzero.row(hour=hour))


def test_a_tag_requires_a_resource(cloudzero):
    assert "requires resource/id" in refused(cloudzero, cloudzero.row(**{"resource/tag:team": "a"}))
    assert "row 1, resource/id: " in refused(cloudzero, cloudzero.row(**{"resource/tag:team": "a", "resource/id": ""}))


def test_labels_are_stored_unchanged(cloudzero):
    row = cloudzero.row(**{"k8s/labels": '{"app": "frontend"}'})
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [row]


def test_blank_text_is_accepted(cloudzero):
    row = cloudzero.row(**{"resource/service": "", "resource/id": ""})
    assert cloudzero.post([row]).status_code == 200
    assert cloudzero.read().json()["billing_drop"] == [row]


def test_the_first_errors_are_listed_and_the_rest_counted(cloudzero):
    reply = cloudzero.post([cloudzero.row("x") for _ in range(25)])
    message = reply.json()["error"]["message"]
    assert "row 0, cost/cost" in message
    assert "row 9, cost/cost" in message
    assert "row 10," not in message
    assert "and 15 more" in message


def test_one_bad_row_leaves_the_month_unchanged(cloudzero):
    cloudzero.post([cloudzero.row("7")])
    for operation in ("replace_drop", "replace_hourly", "sum"):
        assert cloudzero.post([cloudzero.row("8"), cloudzero.row("x")], operation).status_code == 400
    assert cloudzero.costs() == ["7"]
