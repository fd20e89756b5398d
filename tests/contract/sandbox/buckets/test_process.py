"""Buckets across restarts, kills and requests that run beside a poll."""

from __future__ import annotations

import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import requests

FIRST, SECOND = "20260401T000000Z", "20260402T000000Z"
MANY = 100_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_everything_survives_a_restart(start_polled, number):
    bucket = start_polled()
    bucket.drop(FIRST, [bucket.row("1.50")])
    bucket.drop(SECOND, [bucket.row("x")])
    bucket.put_manifest(b"{", "20260401-20260501")
    bucket.put_manifest(b"{", "2026-05")
    before, rows = bucket.poll(), bucket.rows()
    bucket.sandbox.end(number)
    again = start_polled()
    assert (again.state(), again.rows()) == (before, rows)
    assert again.poll() == before


def test_what_was_read_stays_without_the_option(start_polled):
    bucket = start_polled()
    before = bucket.drop(FIRST, [bucket.row("1.50")])
    bucket.sandbox.end()
    again = start_polled(None)
    assert again.state() == {**before, "is_polled": False}
    again.write(SECOND, [again.row("2")])
    again.point(SECOND)
    assert again.poll()["months"]["2026-03"]["total_cost"] == "1.50"


def test_buckets_are_polled_without_being_asked_to(start_polled):
    bucket = start_polled(seconds=0.05)
    bucket.write(FIRST, [bucket.row("1")])
    bucket.point(FIRST)
    bucket.cloudzero.wait_for(lambda: "2026-03" in bucket.state()["months"])
    bucket.write(SECOND, [bucket.row("2")])
    bucket.point(SECOND)
    bucket.cloudzero.wait_for(lambda: bucket.costs() == ["2"])


def test_a_month_is_never_seen_in_part(start_polled):
    """Not its rows, not its total, not its state, while another drop of several pieces is read and put in its place."""
    bucket = start_polled()
    bucket.drop(FIRST, [bucket.row("1")] * 3)
    for number in range(2):
        bucket.write(SECOND, [bucket.row("2", 1 + row % 31) for row in range(MANY)], f"{number}.csv.gz")
    bucket.point(SECOND)
    seen = set()
    with ThreadPoolExecutor(1) as worker:
        polling = worker.submit(bucket.poll)
        while not polling.done():
            month = bucket.month()
            seen.add((month["current_drop_id"], month["rows"], month["total_cost"]))
        polling.result()
    seen.add((SECOND, bucket.month()["rows"], bucket.month()["total_cost"]))
    assert seen == {(FIRST, 3, "3"), (SECOND, 2 * MANY, str(4 * MANY))}


def test_a_stream_does_not_wait_for_a_drop_that_is_read(start_polled):
    bucket = start_polled()
    bucket.write(FIRST, [bucket.row("1", 1 + row % 31) for row in range(5 * MANY)])
    bucket.point(FIRST)
    with ThreadPoolExecutor(1) as worker:
        polling = worker.submit(bucket.poll)
        sent = 0
        while not polling.done():
            assert bucket.cloudzero.post([bucket.cloudzero.row()], "sum").status_code == 200
            sent += 1
        assert polling.result()["months"]["2026-03"]["rows"] == 5 * MANY
    assert sent > 3
    assert bucket.cloudzero.months()["2024-08"]["rows"] == sent


def is_being_read(bucket):
    return (bucket.sandbox.directory / "sandbox.sqlite3-wal").stat().st_size > 2_000_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_drop_that_was_being_read_is_read_again_after_a_restart(start_polled, number):
    bucket = start_polled(seconds=0.01)
    bucket.drop(FIRST, [bucket.row("1")])
    for part in range(4):
        bucket.write(SECOND, [bucket.row("2", 1 + row % 31) for row in range(MANY)], f"{part}.csv.gz")
    bucket.point(SECOND)
    bucket.cloudzero.wait_for(lambda: is_being_read(bucket), 30)
    bucket.sandbox.end(number)
    again = start_polled()
    # It did not wait for the end of the drop, either.
    assert again.costs() == ["1"]
    assert again.state()["months"]["2026-03"]["rows"] == 1
    month = again.poll()["months"]["2026-03"]
    assert (month["rows"], again.history()) == (4 * MANY, [(FIRST, "ingested"), (SECOND, "ingested")])


def test_a_reset_ends_the_reading_of_a_drop(start_polled):
    bucket = start_polled()
    for part in range(4):
        bucket.write(FIRST, [bucket.row("2", 1 + row % 31) for row in range(MANY)], f"{part}.csv.gz")
    bucket.point(FIRST)
    with ThreadPoolExecutor(1) as worker:
        polling = worker.submit(bucket.poll)
        bucket.cloudzero.wait_for(lambda: is_being_read(bucket), 30)
        assert bucket.cloudzero.own("POST", "reset").status_code == 200
        # It was given up, rather than read to its end and then forgotten.
        assert polling.result()["months"] == {}
    assert (bucket.state()["months"], bucket.rows()) == ({}, [])


def test_a_connection_that_is_deleted_is_forgotten(start_polled):
    bucket = start_polled()
    bucket.drop(FIRST, [bucket.row("1")])
    deleted = bucket.cloudzero.session.delete(bucket.cloudzero.connections_url(bucket.name), timeout=10)
    assert deleted.status_code == 200
    reply = bucket.cloudzero.own("POST", "buckets/poll")
    assert (reply.status_code, reply.json()) == (200, {"buckets": {}})
    assert bucket.cloudzero.own("GET", f"buckets/{bucket.name}/2026-03/rows").status_code == 404
    bucket.sandbox.end()
    assert start_polled().poll()["months"]["2026-03"]["rows"] == 1


def test_a_connection_that_is_deleted_while_its_drop_is_read_leaves_nothing(start_polled):
    bucket = start_polled()
    bucket.write(FIRST, [bucket.row("1", 1 + row % 31) for row in range(2 * MANY)])
    bucket.point(FIRST)
    with ThreadPoolExecutor(1) as worker:
        polling = worker.submit(bucket.cloudzero.session.post, f"{bucket.cloudzero.url}/sandbox/buckets/poll")
        bucket.cloudzero.wait_for(lambda: is_being_read(bucket), 30)
        url = bucket.cloudzero.connections_url(bucket.name)
        assert requests.delete(url, headers={"Authorization": bucket.cloudzero.KEY}, timeout=10).status_code == 200
        assert polling.result().json() == {"buckets": {}}
    bucket.sandbox.end()
    with closing(sqlite3.connect(bucket.sandbox.directory / "sandbox.sqlite3")) as database:
        assert database.execute("SELECT (SELECT count(*) FROM blocks), count(*) FROM block_rows").fetchone() == (0, 0)
    bucket.write(FIRST, [bucket.row("1")])
    assert start_polled().poll()["months"]["2026-03"]["rows"] == 1


def test_polls_at_the_same_time_read_a_drop_once(local):
    local.write(FIRST, [local.row("1")] * 20_000)
    local.point(FIRST)
    with ThreadPoolExecutor(4) as workers:
        replies = list(workers.map(lambda _: local.poll(), range(4)))
    assert {reply["months"]["2026-03"]["rows"] for reply in replies} == {20_000}
    assert local.history() == [(FIRST, "ingested")]


def test_the_manifest_that_changed_while_a_drop_was_read_is_that_of_the_next_poll(start_polled):
    bucket = start_polled()
    bucket.write(FIRST, [bucket.row("1", 1 + row % 31) for row in range(2 * MANY)])
    bucket.write(SECOND, [bucket.row("2")])
    bucket.point(FIRST)
    polling = threading.Thread(target=bucket.poll)
    polling.start()
    bucket.cloudzero.wait_for(lambda: is_being_read(bucket), 30)
    bucket.point(SECOND)
    polling.join()
    assert (bucket.month()["current_drop_id"], bucket.month()["rows"]) == (FIRST, 2 * MANY)
    bucket.poll()
    assert (bucket.costs(), bucket.history()) == (["2"], [(FIRST, "ingested"), (SECOND, "ingested")])


def test_the_rows_of_what_does_not_exist(local):
    assert local.cloudzero.own("GET", "buckets/nobody/2026-03/rows").status_code == 404
    assert local.cloudzero.own("GET", "buckets/local/2026/rows").status_code == 400
    assert local.rows("2026-09") == []


def test_a_sandbox_without_buckets(cloudzero):
    assert cloudzero.own("POST", "buckets/poll").json() == {"buckets": {}}
    assert cloudzero.own("GET", "state").json()["buckets"] == {}


def test_it_prints_its_buckets(start, tmp_path):
    sandbox, _ = start("--bucket", f"acme={tmp_path / 'bills'}")
    printed = [sandbox.process.stdout.readline() for _ in range(3)]
    assert printed[0].startswith("AnyCost streams: ")
    assert printed[1] == f"AnyCost buckets: acme ({tmp_path / 'bills'})\n"
    assert printed[2].startswith("To connect Airflow: ")
