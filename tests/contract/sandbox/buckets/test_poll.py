"""When a drop is ingested, and what becomes of the month: https://docs.cloudzero.com/docs/anycost-cbf-drop-specs"""

from __future__ import annotations

import hashlib
import json

FIRST, SECOND, THIRD = "20260401T000000Z", "20260402T000000Z", "20260403T000000Z"
APRIL = "20260401-20260501"


def test_a_drop_becomes_the_month(bucket):
    rows = [bucket.row("1.50", 1, **{"resource/service": "Compute"}), bucket.row("-0.25", 2)]
    month = bucket.drop(FIRST, rows)["months"]["2026-03"]
    lines = sorted(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() for row in rows)
    assert {name: month[name] for name in ("current_drop_id", "rows", "total_cost", "totals", "hours", "digest")} == {
        "current_drop_id": FIRST,
        "rows": 2,
        "total_cost": "1.25",
        "totals": {"cost/cost": "1.25"},
        "hours": 2,
        "digest": hashlib.sha256(b"\n".join(lines)).hexdigest(),
    }
    assert (month["first_hour"], month["last_hour"]) == ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z")
    assert bucket.rows() == rows
    assert bucket.state() == bucket.poll()


def test_all_files_of_a_drop_belong_to_the_month(bucket):
    for number in range(5):
        bucket.write(FIRST, [bucket.row(str(number))], f"part {number} é.csv.gz")
    bucket.point(FIRST)
    month = bucket.poll()["months"]["2026-03"]
    assert (month["rows"], month["history"][0]["files"], bucket.costs()) == (5, 5, ["0", "1", "2", "3", "4"])


def test_nothing_happens_before_the_manifest_names_the_drop(bucket):
    bucket.write(FIRST, [bucket.row()])
    assert bucket.poll()["months"] == {}
    bucket.point(FIRST)
    assert bucket.poll()["months"]["2026-03"]["rows"] == 1


def test_the_next_drop_replaces_the_whole_month(bucket):
    bucket.drop(FIRST, [bucket.row("1", day) for day in range(1, 32)])
    before = bucket.month()
    bucket.drop(SECOND, [bucket.row("2", 5)])
    assert bucket.costs() == ["2"]
    assert bucket.month()["digest"] != before["digest"]
    assert bucket.history() == [(FIRST, "ingested"), (SECOND, "ingested")]


def test_only_another_id_triggers_anything(bucket):
    bucket.drop(FIRST, [bucket.row("1")])
    bucket.write(FIRST, [bucket.row("2")])
    bucket.write(FIRST, [bucket.row("3")], "another.csv.gz")
    bucket.point(FIRST, version="1.4.0", note="rewritten")
    bucket.poll()
    assert (bucket.costs(), bucket.history()) == (["1"], [(FIRST, "ingested")])
    bucket.point(SECOND)
    bucket.write(SECOND, [bucket.row("4")])
    bucket.poll()
    assert bucket.costs() == ["4"]


def test_a_manifest_that_points_back_brings_the_earlier_drop_back(bucket):
    bucket.drop(FIRST, [bucket.row("1")])
    first = bucket.month()["digest"]
    bucket.drop(SECOND, [bucket.row("2")])
    bucket.point(FIRST)
    bucket.poll()
    assert (bucket.costs(), bucket.month()["digest"], bucket.month()["current_drop_id"]) == (["1"], first, FIRST)
    assert bucket.history() == [(FIRST, "ingested"), (SECOND, "ingested"), (FIRST, "ingested")]


def test_a_drop_without_files_empties_the_month(bucket):
    bucket.drop(FIRST, [bucket.row()])
    bucket.point(SECOND)
    month = bucket.poll()["months"]["2026-03"]
    nothing = {"current_drop_id": SECOND, "rows": 0, "total_cost": "0", "totals": {}, "hours": 0, "first_hour": None}
    assert {name: month[name] for name in nothing} == nothing
    assert month["digest"] == hashlib.sha256(b"").hexdigest()
    assert (bucket.rows(), month["last_error"]) == ([], None)


def test_a_drop_of_a_header_alone_empties_the_month(local):
    local.drop(FIRST, [local.row()])
    month = local.drop(SECOND, [])["months"]["2026-03"]
    assert (month["rows"], month["last_error"], month["history"][-1]["files"]) == (0, None, 1)


def test_each_month_is_its_own(bucket):
    bucket.drop(FIRST, [bucket.row("1")])
    bucket.write(FIRST, [{**bucket.row("7"), "time/usage_start": "2026-04-30T23:00:00Z"}], folder=APRIL)
    bucket.point(FIRST, APRIL)
    bucket.poll()
    assert {month: held["total_cost"] for month, held in bucket.state()["months"].items()} == {
        "2026-03": "1",
        "2026-04": "7",
    }
    assert [row["cost/cost"] for row in bucket.rows("2026-04")] == ["7"]


def test_one_refused_month_does_not_hold_up_another(local):
    local.put_manifest(b"{")
    local.write(FIRST, [{**local.row("7"), "time/usage_start": "2026-04-30T23:00:00Z"}], folder=APRIL)
    local.point(FIRST, APRIL)
    months = local.poll()["months"]
    assert (months["2026-03"]["current_drop_id"], months["2026-04"]["rows"]) == (None, 1)


def test_a_refused_drop_is_not_read_again(local):
    local.drop(FIRST, [local.row("1")])
    local.drop(SECOND, [local.row("no number")])
    local.write(SECOND, [local.row("2")])
    assert "must be a decimal number" in local.poll()["months"]["2026-03"]["last_error"]
    assert local.history() == [(FIRST, "ingested"), (SECOND, "refused")]
    assert (local.month()["current_drop_id"], local.costs()) == (FIRST, ["1"])
    assert local.drop(THIRD, [local.row("2")])["months"]["2026-03"]["last_error"] is None
    assert local.costs() == ["2"]


def test_a_manifest_that_points_back_after_a_refusal_is_a_change(local):
    local.drop(FIRST, [local.row("1")])
    local.drop(SECOND, [local.row("no number")])
    local.point(FIRST)
    local.poll()
    assert local.history() == [(FIRST, "ingested"), (SECOND, "refused"), (FIRST, "ingested")]
    assert (local.costs(), local.month()["last_error"]) == (["1"], None)


def test_a_refused_manifest_is_read_again_and_noted_once(local):
    local.drop(FIRST, [local.row("1")])
    local.put_manifest(b"[]")
    for _ in range(3):
        assert local.refusal() == "manifest.json is not a JSON object"
    assert local.history() == [(FIRST, "ingested"), (None, "refused")]
    assert local.month()["current_drop_id"] == FIRST
    local.point(FIRST)
    assert local.poll()["months"]["2026-03"]["last_error"] is None
    assert local.history() == [(FIRST, "ingested"), (None, "refused")]


def test_a_month_stays_without_its_manifest_or_its_files(bucket):
    bucket.drop(FIRST, [bucket.row("1")])
    bucket.delete(f"20260301-20260401/{FIRST}/part-0.csv.gz")
    bucket.delete("20260301-20260401/manifest.json")
    bucket.poll()
    assert (bucket.costs(), bucket.month()["last_error"]) == (["1"], None)


def test_a_month_of_several_pieces_is_whole(local):
    """More rows than are read at a time, in two files."""
    for number in range(2):
        local.write(FIRST, [local.row("0.1", 1 + row % 31) for row in range(100_001)], f"{number}.csv.gz")
    local.point(FIRST)
    month = local.poll()["months"]["2026-03"]
    assert (month["rows"], month["total_cost"], month["hours"]) == (200_002, "20000.2", 31)
    assert len(local.rows()) == 200_002


def test_a_refusal_at_the_end_leaves_nothing_of_what_was_read(local):
    local.drop(FIRST, [local.row("1")])
    local.write(SECOND, [local.row("2")] * 100_001, "a.csv.gz")
    local.write(SECOND, [local.row("none")], "b.csv.gz")
    local.point(SECOND)
    assert local.refusal() == "b.csv.gz, line 2, cost/cost: must be a decimal number, without an exponent"
    assert (local.month()["rows"], local.month()["total_cost"]) == (1, "1")


def test_drop_ids_of_different_months_may_be_equal(local):
    local.drop(FIRST, [local.row("1")])
    local.write(FIRST, [{**local.row("2"), "time/usage_start": "2026-04-01T00:00:00Z"}], folder=APRIL)
    local.point(FIRST, APRIL)
    assert local.poll()["months"]["2026-04"]["current_drop_id"] == FIRST
    assert local.costs() == ["1"]


def test_a_reset_forgets_what_was_read_and_the_next_poll_reads_it(local):
    local.drop(FIRST, [local.row("1")])
    local.put_manifest(b"{")
    local.poll()
    local.cloudzero.own("POST", "reset")
    state = local.state()
    assert (state["is_polled"], state["months"], local.rows()) == (True, {}, [])
    local.point(FIRST)
    local.poll()
    assert local.history() == [(FIRST, "ingested")]


def test_the_connection_is_one_of_cloudzeros(bucket):
    [found] = [
        connection
        for connection in bucket.cloudzero.session.get(bucket.cloudzero.connections_url()).json()["connections"]
        if connection["id"] == bucket.name
    ]
    assert (found["name"], found["connection_type"]) == (bucket.name, "anycost_bucket")
    assert found["s3_bucket_info"]["bucket_path"] == str(bucket.root.folder)
    reply = bucket.cloudzero.post([bucket.row()], month="2026-03", stream=bucket.name)
    assert (reply.status_code, "not an AnyCost Stream" in reply.text) == (400, True)


def test_a_connection_that_is_turned_off_is_not_polled(local):
    url = local.cloudzero.connections_url(local.name)
    assert local.cloudzero.session.patch(url, json={"is_enabled": False}, timeout=10).status_code == 200
    try:
        assert local.drop(FIRST, [local.row()])["months"] == {}
    finally:
        local.cloudzero.session.patch(url, json={"is_enabled": True}, timeout=10)
    assert local.poll()["months"]["2026-03"]["rows"] == 1
