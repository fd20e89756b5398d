"""What passes between one request and the next: cookies, rubbish, threads, processes, certificates."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.raw_server import SERVER_THREAD, answer, raw_server, read_all, read_head, self_signed
from support.sandbox_server import KEY, STREAM, SandboxServer

from cloudzero_provider import exceptions as errors
from cloudzero_provider.client import Client, Effect
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.triggers.anycost import AnyCostBillingDropTrigger


def client(url, **options):
    return Client(KEY, base_url=url, **{"max_retry_seconds": 1, "settle_seconds": 0.2, "timeout": 5, **options})


def kept_open(body=b"", *headers, status=200):
    """An answer after which the connection stays open."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def listed(month):
    return json.dumps({"billing_drops": [{"month": month}]}).encode()


@contextlib.contextmanager
def conversation(reply_to):
    """A server whose connections stay open; ``reply_to`` gets the number of the request and its head."""
    heads: list[tuple[int, bytes]] = []

    def behave(connection, head):
        me = threading.get_ident()
        while head:
            read_all(connection, head)
            heads.append((me, head))
            connection.sendall(reply_to(len(heads), head))
            head = read_head(connection)

    with raw_server(behave) as url:
        yield url, heads


# One connection, several requests


@pytest.mark.parametrize("cookie", ["a=b", "a=b; Path=/; Max-Age=1000", "a=b; Domain=127.0.0.1"])
def test_no_cookie_is_kept_or_sent_back(cookie):
    with conversation(lambda *_: kept_open(listed("2026-03"), f"Set-Cookie: {cookie}")) as (url, heads):
        one = client(url)
        for _ in range(3):
            one.list_drops(STREAM)
    assert len(heads) == 3
    assert not [head for _, head in heads if b"cookie" in head.lower()]


def test_a_second_reply_is_not_the_reply_to_the_next_request():
    def reply_to(number, head):
        rubbish = kept_open(listed("1999-01")) if number == 1 else b""
        return kept_open(listed(f"2026-{number:02d}")) + rubbish

    with conversation(reply_to) as (url, _):
        one = client(url)
        for number in (1, 2, 3):
            assert one.list_drops(STREAM)[0].month == f"2026-{number:02d}"


def test_a_late_unrequested_reply_is_not_the_reply_to_the_next_request():
    first = True

    def behave(connection, head):
        nonlocal first
        read_all(connection, head)
        if first:
            first = False
            connection.sendall(kept_open(listed("2026-01")))
            time.sleep(0.2)
            connection.sendall(kept_open(listed("1999-01")))
            time.sleep(2)
        else:
            connection.sendall(answer(200, listed("2026-02")))

    with raw_server(behave) as url:
        one = client(url)
        assert one.list_drops(STREAM)[0].month == "2026-01"
        time.sleep(0.5)
        assert one.list_drops(STREAM)[0].month == "2026-02"


def test_the_body_of_a_reply_that_may_not_have_one_is_not_the_reply_to_the_next_request():
    def reply_to(number, head):
        if number == 1:
            return b"HTTP/1.1 204 No Content\r\nContent-Length: 60\r\n\r\n" + kept_open(listed("1999-01"))
        return kept_open(listed("2026-02"))

    with conversation(reply_to) as (url, _):
        one = client(url)
        one.send_drop(STREAM, b"{}", effect=Effect.REPEATABLE)
        assert one.list_drops(STREAM)[0].month == "2026-02"


def test_a_reply_before_the_request_does_not_crash():
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.sendall(b"220 mail.example ESMTP\r\n")
                connection.recv(65536)
                connection.close()

    threading.Thread(target=serve, daemon=True).start()
    with listener, pytest.raises(errors.CloudZeroUnavailableError):
        client(f"http://127.0.0.1:{listener.getsockname()[1]}").list_drops(STREAM)


def test_a_redirect_with_a_long_body_is_refused_when_reading_too():
    reply = answer(302, b"x" * 1000, 400_000_000, "Location: https://elsewhere.example/")

    def behave(connection, head):
        connection.sendall(reply)

    with raw_server(behave) as url, pytest.raises(errors.RequestRejectedError, match="Redirects are not followed"):
        client(url).list_drops(STREAM)


@pytest.mark.parametrize("lengths", ["20, 21", "20\r\nContent-Length: 21"])
def test_a_contradictory_reply_counts_as_lost_and_not_as_a_configuration_error(lengths):
    reply = f"HTTP/1.1 200 OK\r\nContent-Length: {lengths}\r\n\r\n".encode() + b"x" * 21

    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(reply)

    with raw_server(behave) as url, pytest.raises(errors.AmbiguousWriteError):
        client(url).send_drop(STREAM, b"{}", effect=Effect.ADDS_ROWS)


def test_pages_without_end_end():
    def reply_to(number, head):
        cursor = {"has_next": True, "next_cursor": f"page {number}"}
        return kept_open(json.dumps({"connections": [{}], "pagination": {"cursor": cursor}}).encode())

    with conversation(reply_to) as (url, heads), pytest.raises(errors.UnexpectedReplyError, match="too many pages"):
        client(url).list_connections()
    assert len(heads) <= 1001


@pytest.mark.parametrize("cursor", [KEY, f"x{KEY}x", "c" * 100_000, "a\r\nX-Injected: 1", "\u202e"])
def test_a_next_page_that_can_not_be_asked_for_is_an_error(cursor, caplog):
    caplog.set_level("DEBUG")
    pagination = {"cursor": {"has_next": True, "next_cursor": cursor}}
    page = kept_open(json.dumps({"connections": [{}], "pagination": pagination}).encode())
    with conversation(lambda *_: page) as (url, _), pytest.raises(errors.UnexpectedReplyError, match="next page"):
        client(url).list_connections()
    assert KEY not in caplog.text


def test_a_proxy_that_drips_is_cut_off(monkeypatch):
    def behave(connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"X: y\r\n")
                time.sleep(0.05)

    began = time.monotonic()
    with raw_server(behave) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(errors.CloudZeroConnectionError):
            client("https://cz.example", timeout=1, max_retry_seconds=1).list_drops(STREAM)
    assert time.monotonic() - began < 30


# Certificates


@pytest.mark.parametrize("wrong", [{"host": "10.0.0.1"}, {"days": -1}, {"trusted": False}])
def test_a_certificate_that_does_not_fit_means_that_the_key_was_not_sent(tmp_path, monkeypatch, wrong):
    seen = []

    def behave(connection, head):
        seen.append(head)
        connection.sendall(answer(200))

    trusted = wrong.pop("trusted", True)
    certificate = self_signed(tmp_path, **wrong)
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with (
        raw_server(behave, certificate) as url,
        pytest.raises(errors.CloudZeroConnectionError, match="certificate") as e,
    ):
        client(url).send_drop(STREAM, b"{}", effect=Effect.ADDS_ROWS)
    assert not e.value.maybe_applied
    assert seen == []


def test_a_certificate_that_fits_is_taken(tmp_path, monkeypatch):
    certificate = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with raw_server(lambda connection, _: connection.sendall(answer(200, listed("2026-03"))), certificate) as url:
        assert client(url).list_drops(STREAM)[0].month == "2026-03"
    assert ssl.HAS_SNI


# Threads and processes

STREAMS = [f"aaaa{number:04d}-1234-abcd-1234-abcd1234efgh" for number in range(8)]
DAYS = 28


@pytest.fixture(scope="module")
def eight_streams(tmp_path_factory):
    named = [argument for stream in STREAMS for argument in ("--connection", f"{stream}=S")]
    sandbox = SandboxServer(tmp_path_factory.mktemp("eight"), *named)
    yield sandbox
    sandbox.stop()


def rows_of(number):
    cost = f"{number + 1}.25"
    return [
        {
            "time/usage_start": f"2026-{number + 1:02d}-{day:02d}",
            "cost/cost": cost,
            "lineitem/description": f"s{number}",
        }
        for day in range(1, DAYS + 1)
    ]


def send_month_of(one, number):
    from cloudzero_provider.anycost.checks import check_rows
    from cloudzero_provider.anycost.plan import Limits
    from cloudzero_provider.anycost.send import send_month
    from cloudzero_provider.anycost.send_options import SendOptions
    from cloudzero_provider.months import Month
    from cloudzero_provider.sources import from_records

    checked = check_rows(from_records(rows_of(number)), Month(2026, number + 1))
    options = SendOptions(limits=Limits(600, 70_000_000, 1_000_000), verify=True)
    return send_month(one, STREAMS[number], checked, options).as_dict()


def exact(sandbox, number):
    rows = sandbox.rows(f"2026-{number + 1:02d}", STREAMS[number])
    return sorted((row["cost/cost"], row["lineitem/description"]) for row in rows) == [
        (f"{number + 1}.25", f"s{number}")
    ] * DAYS and list(sandbox.months(STREAMS[number])) == [f"2026-{number + 1:02d}"]


def test_eight_threads_with_one_client_mix_nothing(eight_streams):
    eight_streams.reset()
    one = Client(KEY, base_url=eight_streams.url, settle_seconds=1, max_retry_seconds=20)
    with ThreadPoolExecutor(8) as threads:
        summaries = list(threads.map(lambda number: send_month_of(one, number), range(8)))
    one.close()
    assert [summary["month"] for summary in summaries] == [f"2026-{number + 1:02d}" for number in range(8)]
    assert all(summary["requests"] > 2 for summary in summaries)
    assert all(exact(eight_streams, number) for number in range(8))
    assert eight_streams.never_overlapped()


def test_threads_that_need_fresh_connections_do_not_take_those_of_others():
    """A client that adds opens a connection per request; others go on with theirs."""

    def reply_to(number, head):
        time.sleep(0.01)
        return kept_open(listed("2026-03"))

    with conversation(reply_to) as (url, heads):
        one = client(url, max_retry_seconds=0)

        def read(_):
            return [one.list_drops(STREAM)[0].month for _ in range(40)]

        def add(_):
            return [one.send_drop(STREAM, b"{}", effect=Effect.ADDS_ROWS).drop_id for _ in range(40)]

        with ThreadPoolExecutor(8) as threads:
            done = list(threads.map(lambda work: work(0), [read, add] * 4))
    assert done == [["2026-03"] * 40, [None] * 40] * 4
    reads = [(where, head) for where, head in heads if head.startswith(b"GET")]
    assert len({where for where, _ in reads}) <= 8


def asks_in_a_child(one, how_many, connection):
    connection.send([one.list_drops(STREAM)[0].month for _ in range(how_many)])


def test_a_fork_shares_no_connection_with_its_parent():
    """The child asks on connections of its own, while the parent goes on with its warm one."""
    with conversation(lambda number, head: kept_open(listed("2026-03"))) as (url, heads):
        one = client(url)
        one.list_drops(STREAM)
        here, there = multiprocessing.get_context("fork").Pipe()
        child = multiprocessing.get_context("fork").Process(target=asks_in_a_child, args=(one, 20, there))
        child.start()
        mine = [one.list_drops(STREAM)[0].month for _ in range(20)]
        theirs = here.recv()
        child.join(20)
        after = one.list_drops(STREAM)[0].month
    assert mine == theirs == ["2026-03"] * 20
    assert after == "2026-03"
    by_connection: dict[int, int] = {}
    for where, _ in heads:
        by_connection[where] = by_connection.get(where, 0) + 1
    assert sorted(by_connection.values()) == [20, 22], "the parent kept its connection, the child had one of its own"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_hook_can_be_used_in_another_process(sandbox, method):
    hook = CloudZeroHook()
    assert hook.client.list_drops(STREAM) == []
    processes = multiprocessing.get_context(method)
    with processes.Pool(1) as pool:
        assert pool.map(months_of, [hook] * 4) == [[]] * 4
    assert hook.client.list_drops(STREAM) == []


def months_of(hook):
    return [drop.month for drop in hook.client.list_drops(STREAM)]


def test_a_client_can_be_used_after_it_was_closed(sandbox):
    one = CloudZeroHook().client
    for _ in range(3):
        assert one.list_drops(STREAM) == []
        one.close()


def test_nothing_is_left_open():
    # Warnings of what earlier tests left behind are not of this one.
    gc.collect()
    with (
        conversation(lambda *_: kept_open(listed("2026-03"))) as (url, _),
        warnings.catch_warnings(record=True) as told,
    ):
        warnings.simplefilter("always")
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            one = client(url)
            one.list_drops(STREAM)
            one.send_drop(STREAM, b"{}", effect=Effect.ADDS_ROWS)
            one.close()
        del one
        gc.collect()
        time.sleep(0.5)
        gc.collect()
        left = len(os.listdir("/proc/self/fd")) - before
    assert not [warning for warning in told if issubclass(warning.category, ResourceWarning)]
    assert left <= 2


def threads_of_the_client():
    return sum(thread.name != SERVER_THREAD for thread in threading.enumerate())


def test_fifty_triggers_at_once_block_no_loop_and_need_few_threads(monkeypatch):
    gaps, most_threads = [], 0

    async def heartbeat():
        nonlocal most_threads
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - began)
            most_threads = max(most_threads, threads_of_the_client())

    async def one():
        trigger = AnyCostBillingDropTrigger(
            cloudzero_conn_id="cloudzero_default",
            poll_interval=0.2,
            deadline=time.time() + 3,
            anycost_connection_id=STREAM,
            month="2026-03",
        )
        return [event.payload["outcome"] async for event in trigger.run()]

    async def all_of_them():
        beating = asyncio.create_task(heartbeat())
        outcomes = await asyncio.gather(*(one() for _ in range(50)))
        beating.cancel()
        return outcomes

    def slowly(number, head):
        time.sleep(0.1)
        return answer(200, b'{"billing_drops":[]}')

    before = threads_of_the_client()
    with conversation(slowly) as (url, heads):
        fields = {"conn_type": "cloudzero", "password": KEY, "host": url, "extra": {"timeout": 5}}
        monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", json.dumps(fields))
        assert asyncio.run(all_of_them()) == [["timed_out"]] * 50
    assert len(heads) >= 50
    gaps.sort()
    assert gaps[int(len(gaps) * 0.95)] < 0.3
    # Eight requests at a time, each with a timer, beside one that is ending; the event loop has some threads of its own,
    # for looking connections up.
    assert most_threads - before <= 3 * 8 + min(32, (os.cpu_count() or 1) + 4) + 4


PRINTS_HEADERS = """
import http.client, logging, sys
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG)
from cloudzero_provider.client import Client
print(Client(sys.argv[1], base_url=sys.argv[2]).list_drops(sys.argv[3]))
"""


def test_the_debug_switch_of_python_prints_no_key(sandbox):
    arguments = [sys.executable, "-c", PRINTS_HEADERS, KEY, sandbox.url, STREAM]
    told = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    assert "[]" in told.stdout
    assert "urllib3.connectionpool" in told.stderr
    assert KEY not in told.stdout + told.stderr
