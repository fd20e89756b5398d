from __future__ import annotations


def test_the_state_names_every_stream(cloudzero):
    streams = cloudzero.own("GET", "state").json()["streams"]
    assert streams[cloudzero.STREAM] == {"name": "sandbox-stream", "months": {}}
    assert streams[cloudzero.OTHER_STREAM]["name"] == cloudzero.OTHER_STREAM


def test_a_reset_forgets_everything_but_connections_and_settings(cloudzero):
    cloudzero.set(row_count_means="request")
    cloudzero.post([cloudzero.row()], headers={"cloudzero-idempotency-key": "k"})
    cloudzero.arm({"kind": "lose_request"})
    assert cloudzero.own("POST", "reset").status_code == 200
    assert (cloudzero.months(), cloudzero.requests(), cloudzero.own("GET", "faults").json()) == (
        {},
        [],
        {"faults": []},
    )
    assert cloudzero.own("GET", "settings").json()["settings"]["row_count_means"] == "request"
    assert cloudzero.post([cloudzero.row("2")], headers={"cloudzero-idempotency-key": "k"}).status_code == 200
    assert cloudzero.costs() == ["2"]


def test_rows_of_a_month_ignore_the_settings_for_reads(cloudzero):
    cloudzero.set(contents_wrapper="nested", contents_numbers="number", read_lag_seconds=5)
    rows = [cloudzero.row("1.50"), cloudzero.row("2", "2024-08-17T00:00:00Z")]
    cloudzero.post(rows)
    shown = [
        cloudzero.own("GET", f"streams/{cloudzero.STREAM}/{month}/rows") for month in ("2024-08", "2024-09", "2024")
    ]
    assert [reply.status_code for reply in shown] == [200, 200, 400]
    assert [reply.json() for reply in shown[:2]] == [rows, []]


def test_records_of_an_unknown_stream(cloudzero):
    reply = cloudzero.own("GET", "telemetry/none/records")
    assert (reply.status_code, "no telemetry stream" in reply.json()["error"]["message"]) == (404, True)


def test_a_reset_forgets_telemetry_and_blocked_names(cloudzero):
    cloudzero.send([cloudzero.metric()])
    cloudzero.session.delete(cloudzero.telemetry_url("orders"), json={"force": True})
    cloudzero.send([cloudzero.metric()], name="other")
    cloudzero.own("POST", "reset")
    assert cloudzero.telemetry() == {}
    assert cloudzero.send([cloudzero.metric()]).status_code == 200
    assert len(cloudzero.submitted().json()["records"]) == 1
