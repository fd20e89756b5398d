"""Where nothing published decides whether something is refused, a setting does; the default is what is likelier."""

from __future__ import annotations

import json

import pytest

ROW = '{"time/usage_start": "2024-08-16T13:00:00Z", "cost/cost": "1"}'

TWICE = [
    f'{{"data": [{ROW}], "data": [{ROW.replace("1" + chr(34) + "}", "2" + chr(34) + "}")}]}}',
    '{"data": [{"time/usage_start": "2024-08-16T13:00:00Z", "cost/cost": "1", "cost/cost": "2"}]}',
    f'{{"month": "2024-07", "data": [{ROW.replace(": " + chr(34) + "1", ": " + chr(34) + "2")}], "month": "2024-08"}}',
]


@pytest.mark.parametrize("body", TWICE)
def test_a_duplicate_json_key_in_a_drop(cloudzero, body):
    assert cloudzero.post_raw(body).status_code == 200
    assert cloudzero.costs() == ["2"]
    cloudzero.own("POST", "reset")
    cloudzero.set(duplicate_json_keys="refuse")
    reply = cloudzero.post_raw(body)
    assert (reply.status_code, "appears twice" in reply.json()["error"]["message"]) == (400, True)
    assert cloudzero.months() == {}


def test_a_duplicate_json_key_in_a_record(cloudzero):
    body = '{"records": [{"timestamp": "2024-09-01", "value": 1, "value": 2}]}'
    assert cloudzero.send_raw(body).status_code == 200
    assert cloudzero.values() == ["2"]
    cloudzero.set(duplicate_json_keys="refuse")
    assert "Invalid JSON" in cloudzero.send_raw(body).json()["error"]["message"]
    assert cloudzero.values() == ["2"]


def test_a_duplicate_json_key_in_a_connection(cloudzero):
    url, headers = f"{cloudzero.url}/v2/connections/billing", {"Content-Type": "application/json"}
    body = '{"name": "a", "name": "b", "cloud_provider": "x"}'
    made = cloudzero.session.post(url, data=body, headers=headers)
    assert made.json()["connection"]["name"] == "b"
    cloudzero.set(duplicate_json_keys="refuse")
    assert cloudzero.session.post(url, data=body, headers=headers).status_code == 400


def test_an_unknown_member_of_a_drop(cloudzero):
    body = json.dumps({"month": "2024-08", "data": [cloudzero.row()], "source": "my-adaptor"})
    assert cloudzero.post_raw(body).status_code == 200
    cloudzero.set(unknown_members="refuse")
    reply = cloudzero.post_raw(body)
    assert (reply.status_code, "source: is not a key of a drop" in reply.json()["error"]["message"]) == (400, True)


def test_an_unknown_member_of_a_connection(cloudzero):
    url = f"{cloudzero.url}/v2/connections/billing"
    bucket = {"bucket_name": "b", "bucket_path": "p", "owner": {"a": 1}}
    body = {"name": "a", "cloud_provider": "x", "owner": 1, "s3_bucket_info": bucket}
    made = cloudzero.session.post(url, json=body)
    assert made.json()["connection"]["s3_bucket_info"] == {"bucket_name": "b", "bucket_path": "p"}
    changed = f"{url}/{made.json()['connection']['id']}"
    assert cloudzero.session.patch(changed, json={"owner": 1}).status_code == 200
    cloudzero.set(unknown_members="refuse")
    assert cloudzero.session.post(url, json=body).status_code == 400
    assert cloudzero.session.patch(changed, json={"owner": 1}).status_code == 400


ISO = [
    ("2026-09-16T13:00Z", "2026-09-16T13:00:00Z"),
    ("2026-09-16T13Z", "2026-09-16T13:00:00Z"),
    ("2026-09-16T13:00:00+0000", "2026-09-16T13:00:00Z"),
    ("2026-09-16T13:00:00+00", "2026-09-16T13:00:00Z"),
    ("2026-09-16T13:30:00,5-0530", "2026-09-16T19:00:00Z"),
    ("20260916", "2026-09-16T00:00:00Z"),
    ("20260916T130000Z", "2026-09-16T13:00:00Z"),
    ("20260916T1300+02", "2026-09-16T11:00:00Z"),
    ("2026-09-16T13:00", "2026-09-16T13:00:00Z"),
    ("2026-W38-3T13:00Z", "2026-09-16T13:00:00Z"),
    ("2026259T13Z", "2026-09-16T13:00:00Z"),
    ("2026-09-15T24:00:00Z", "2026-09-16T00:00:00Z"),
]


@pytest.mark.parametrize(("timestamp", "hour"), ISO)
def test_every_form_of_iso_8601_is_a_timestamp(cloudzero, timestamp, hour):
    record = cloudzero.allocation(1, timestamp, granularity="HOURLY")
    cloudzero.set(future_days=10_000)
    assert cloudzero.send([record], kind="allocation").status_code == 200
    assert cloudzero.telemetry()["orders"]["first"] == hour
    cloudzero.set(telemetry_times="extended")
    reply = cloudzero.send([record], kind="allocation")
    assert (reply.status_code, "record 0, timestamp" in reply.text) == (400, True)


def test_a_timestamp_without_offset_is_naive_in_every_form(cloudzero):
    cloudzero.set(naive_timestamps="organization", future_days=10_000)
    for timestamp in ("20240916T13", "2024-09-16T13:00"):
        assert cloudzero.send([cloudzero.allocation(1, timestamp, granularity="HOURLY")], kind="allocation").ok
    assert cloudzero.telemetry()["orders"]["last"] == "2024-09-16T18:00:00Z"


@pytest.mark.parametrize(("text", "hour"), ISO)
@pytest.mark.parametrize("column", ["time/usage_start", "time/usage_end"])
def test_every_form_of_iso_8601_in_a_row_is_a_setting(cloudzero, column, text, hour):
    row = {**cloudzero.row("1", "2026-09-16T00:00:00Z"), column: text}
    reply = cloudzero.post([row], month="2026-09")
    assert (reply.status_code, f"row 0, {column}: " in reply.text) == (400, True)
    cloudzero.set(cbf_times="iso_8601")
    assert cloudzero.post([row], month="2026-09").status_code == 200
    if column == "time/usage_start":
        assert cloudzero.months()["2026-09"]["first_hour"] == hour
    assert cloudzero.read("2026-09").json()["billing_drop"] == [row]
    assert cloudzero.post([{**row, column: "2026-09-16T13:00:60Z"}], month="2026-09").status_code == 400


@pytest.mark.parametrize("month", ["2024-08-01", "2024-08-16"])
def test_a_month_may_be_a_date(cloudzero, month):
    assert cloudzero.post([cloudzero.row()], month=month).json()["connection"]["month"] == "2024-08-01T00:00:00Z"
    assert cloudzero.read(month).status_code == 200
    cloudzero.set(month_dates="refuse", cbf_times="iso_8601")
    assert cloudzero.post([cloudzero.row()], month=month).status_code == 400
    assert cloudzero.read(month).status_code == 400
    cloudzero.set(month_dates="accept", month_format="year_month")
    assert cloudzero.post([cloudzero.row()], month=month).status_code == 400


def test_a_month_in_other_forms_of_iso_8601_is_a_setting(cloudzero):
    assert cloudzero.post([cloudzero.row()], month="2024-08-01T00Z").status_code == 400
    cloudzero.set(cbf_times="iso_8601")
    assert cloudzero.post([cloudzero.row()], month="2024-08-01T00Z").status_code == 200


@pytest.mark.parametrize(
    ("choice", "statuses"),
    [("json_or_blank", [200, 200, 400, 400]), ("json", [200, 400, 400, 400]), ("any", [200, 200, 200, 200])],
)
def test_labels(cloudzero, choice, statuses):
    assert cloudzero.own("GET", "settings").json()["settings"]["labels"] == "json_or_blank"
    cloudzero.set(labels=choice)
    texts = ['{"app": "web", "app": "api"}', "", "app=web", "[1]"]
    replies = [cloudzero.post([cloudzero.row(**{"k8s/labels": text})]) for text in texts]
    assert [reply.status_code for reply in replies] == statuses


def test_a_filter_key_without_values(cloudzero):
    records = [
        cloudzero.allocation(1, filter={"custom:Team": []}),
        cloudzero.allocation(2, filter={"custom:Team": ["a"]}),
    ]
    assert cloudzero.send(records, kind="allocation").status_code == 200
    assert cloudzero.values() == ["2", "1"] or cloudzero.values() == ["1", "2"]
    cloudzero.set(empty_filter_values="refuse")
    reply = cloudzero.send(records[:1], kind="allocation")
    assert (reply.status_code, "an array of 1 to 20 strings" in reply.text) == (400, True)


def test_a_blank_element_name(cloudzero):
    record = cloudzero.allocation(1, element="")
    assert cloudzero.send([record], kind="allocation").status_code == 400
    cloudzero.set(blank_element_names="accept")
    assert cloudzero.send([record], kind="allocation").status_code == 200
    assert cloudzero.values() == ["1"]
