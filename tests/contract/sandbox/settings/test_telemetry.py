from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _at_once(cloudzero):
    cloudzero.set(processed_after_seconds=0)


RECORD = '"timestamp":"2024-09-01T00:00:00+00:00"'


@pytest.mark.parametrize(
    ("settings", "start"),
    [
        ({"records_wrapper": "items"}, '{"items":[{'),
        ({"records_wrapper": "results"}, '{"results":[{'),
        ({"records_wrapper": "telemetry"}, '{"telemetry":[{'),
        ({"records_wrapper": "nested"}, '{"result":{"records":[{'),
        ({"records_wrapper": "list"}, "[{"),
        ({"records_wrapper": "nested", "records_status": "word"}, '{"status":"Available","result":{"records":[{'),
    ],
)
def test_the_wrappers_of_records(cloudzero, settings, start):
    cloudzero.send([cloudzero.metric()])
    cloudzero.set(**settings)
    for reply in (cloudzero.processed(), cloudzero.submitted()):
        assert reply.text.startswith(start + RECORD)
        assert reply.json()


@pytest.mark.parametrize(
    ("spelling", "of_day", "of_hour"),
    [
        ("offset", "2024-09-01T00:00:00+00:00", "2024-09-01T13:00:00+00:00"),
        ("z", "2024-09-01T00:00:00Z", "2024-09-01T13:00:00Z"),
        ("naive", "2024-09-01T00:00:00", "2024-09-01T13:00:00"),
        ("blank", "2024-09-01 00:00:00+00:00", "2024-09-01 13:00:00+00:00"),
        ("date", "2024-09-01", "2024-09-01T13:00:00Z"),
    ],
)
def test_the_formats_of_times(cloudzero, spelling, of_day, of_hour):
    cloudzero.set(records_timestamp=spelling)
    for hour, shown in (("00", of_day), ("13", of_hour)):
        cloudzero.own("POST", "reset", json={})
        at = {"timestamp": f"2024-09-01T{hour}:00:00Z", "granularity": "HOURLY"}
        cloudzero.send([cloudzero.allocation(**at)], kind="allocation")
        assert cloudzero.processed().json()["records"][0]["timestamp"] == shown


def test_a_read_of_an_unknown_stream_can_be_forbidden(cloudzero):
    cloudzero.set(unknown_stream_read="403")
    reply = cloudzero.processed("nothing")
    assert (reply.status_code, sorted(reply.json())) == (403, ["message"])


@pytest.mark.parametrize(
    ("body", "text"),
    [("html", "<!DOCTYPE html>"), ("json_list", '["'), ("json_text", '"T'), ("json_null", "null"), ("text", "T")],
)
def test_unexpected_bodies_of_accepted_records(cloudzero, body, text):
    cloudzero.set(telemetry_success_body=body, telemetry_success_status="203")
    reply = cloudzero.send([cloudzero.metric()])
    assert (reply.status_code, reply.text[: len(text)]) == (203, text)
    assert cloudzero.values() == ["1"]
