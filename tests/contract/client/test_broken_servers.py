"""Servers, proxies and gateways that do what they should not: a typed error, in bounded time, that says what is known."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import time
import traceback

import pytest
from support.raw_server import answer, raw_server, read_all, self_signed
from support.sandbox_server import KEY, STREAM

from cloudzero_provider import exceptions as errors
from cloudzero_provider.client import Client, Effect, transport
from cloudzero_provider.hooks.cloudzero import CloudZeroHook

BODY = b'{"month":"2026-03","operation":"replace_drop","data":[]}'
BIG_BODY = b" " * 6_000_000


def client(url, **options):
    return Client(KEY, base_url=url, **{"max_retry_seconds": 1, "settle_seconds": 0.2, "timeout": 5, **options})


def send(url, body=BODY, effect=Effect.REPEATABLE, **options):
    return client(url, **options).send_drop(STREAM, body, effect=effect)


def always(reply):
    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(reply)

    return behave


def in_turn(*replies):
    """Answer one request after the other; ``None`` closes the connection without an answer. The last goes on."""
    left = itertools.chain(replies, itertools.repeat(replies[-1]))

    def behave(connection, head):
        read_all(connection, head)
        reply = next(left)
        if reply is not None:
            connection.sendall(reply)

    return behave


# How far a request got


@pytest.mark.parametrize("tls", [False, True])
def test_a_reply_before_the_end_of_the_body_is_read(tmp_path, monkeypatch, tls):
    def behave(connection, head):
        connection.sendall(answer(413, b'{"message":"too large"}'))
        time.sleep(0.3)
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.3)

    certificate = self_signed(tmp_path) if tls else None
    if tls:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with raw_server(behave, certificate) as url, pytest.raises(errors.PayloadTooLargeError, match="too large"):
        send(url, BIG_BODY)


def test_a_slow_upload_has_the_time_of_the_request_and_not_that_of_connecting(monkeypatch):
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.5)

    def behave(connection, head):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        for _ in range(4):
            time.sleep(0.4)
            head += connection.recv(65536)
        read_all(connection, head)
        connection.sendall(answer(200))

    with raw_server(behave) as url:
        send(url, BIG_BODY, max_retry_seconds=0)


@pytest.mark.parametrize("effect", [Effect.REPEATABLE, Effect.ADDS_ROWS])
def test_what_can_not_be_sent_from_here_is_a_matter_of_configuration(monkeypatch, effect):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle.pem")
    with pytest.raises(errors.ConfigurationError, match="No request can be sent to https://127"):
        send("https://127.0.0.1:1", effect=effect)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(errors.ConfigurationError, match="SOCKS proxies are not supported"):
        send("https://cz.example", effect=effect)


def test_a_certificate_that_does_not_fit_means_that_nothing_was_sent(tmp_path):
    certificate = self_signed(tmp_path)
    with raw_server(always(answer(200)), certificate) as url, pytest.raises(errors.CloudZeroConnectionError) as error:
        send(url, effect=Effect.ADDS_ROWS)
    assert not error.value.maybe_applied


def test_a_proxy_that_refuses_means_that_nothing_was_sent(monkeypatch):
    with raw_server(always(answer(502))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        with pytest.raises(errors.CloudZeroConnectionError):
            send("https://cz.example", effect=Effect.ADDS_ROWS)


def test_the_key_does_not_go_to_a_proxy_when_the_host_is_this_machine(monkeypatch):
    seen = []

    def behave(connection, head):
        seen.append(head)
        connection.sendall(answer(200))

    with raw_server(behave) as proxy, raw_server(always(answer(200))) as url:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.setenv("http_proxy", proxy)
        send(url)
    assert seen == []


# What came of an answer


@pytest.mark.parametrize("effect", [Effect.REPEATABLE, Effect.ADDS_ROWS])
@pytest.mark.parametrize("body", [b'{"message": "cut', b"x" * 20_000_000], ids=["cut", "endless"])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RequestRejectedError),
        (403, errors.AuthenticationError),
        (413, errors.PayloadTooLargeError),
        (429, errors.RateLimitError),
    ],
)
def test_a_status_counts_even_if_its_body_breaks_off(effect, body, status, kind):
    with raw_server(always(answer(status, body, len(body) + 100))) as url, pytest.raises(kind):
        send(url, effect=effect)


@pytest.mark.parametrize("effect", [Effect.REPEATABLE, Effect.ADDS_ROWS])
def test_a_success_counts_even_if_its_body_breaks_off(effect):
    with raw_server(always(answer(201, b'{"connection":', 100))) as url:
        assert send(url, effect=effect).drop_id is None


@pytest.mark.parametrize("body", [b'{"error":{"message":"Stream is locked"}}', b"<html>Sign in</html>"])
def test_a_success_with_an_error_inside_is_none(body):
    with raw_server(always(answer(200, body))) as url, pytest.raises(errors.UnexpectedReplyError, match=r"Stream|Sign"):
        send(url)


@pytest.mark.parametrize(
    "body", [b"", b"OK", b"[]", b"null", b'{"connection": 5}', b'{"connection":{"drop_id":["x"]}}']
)
def test_any_other_success_is_one(body):
    with raw_server(always(answer(202, body))) as url:
        assert send(url).drop_id is None


def test_interim_replies_are_not_the_final_one():
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
    with raw_server(always(interim + answer(201, b'{"drop_id":"d-1"}'))) as url:
        assert send(url, effect=Effect.ADDS_ROWS).drop_id == "d-1"


@pytest.mark.parametrize("location", ["https://elsewhere.example/", "http://[", "\xff"])
def test_redirects_are_refused_and_not_read(location):
    reply = answer(302, b"x" * 1000, 400_000_000, f"Location: {location}")
    with (
        raw_server(always(reply)) as url,
        pytest.raises(errors.RequestRejectedError, match="Redirects are not followed"),
    ):
        send(url)


@pytest.mark.parametrize("value", ["Mon, 1 Jan 2026 00:00:00 +99999999999999999999", "99999999999999999999999", "\xff"])
def test_an_absurd_retry_after_does_no_harm(value):
    with (
        raw_server(always(answer(429, b"", None, f"Retry-After: {value}"))) as url,
        pytest.raises(errors.RateLimitError),
    ):
        send(url)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b"<" * 60_000, b"<script " * 8000, b"\xff" * 60_000]
)
def test_a_hostile_error_text_costs_no_time(body):
    began = time.monotonic()
    with raw_server(always(answer(400, body))) as url, pytest.raises(errors.RequestRejectedError) as error:
        send(url)
    assert len(str(error.value)) < 2000
    assert str(error.value).isprintable()
    assert time.monotonic() - began < 20


# Time


def drip(connection, head, chunk):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" if chunk == b" " else b"")
    while True:
        connection.sendall(chunk)
        time.sleep(0.1)


@pytest.mark.parametrize(
    "chunk", [b" ", b"HTTP/1.1 100 Continue\r\n\r\n", b"X"], ids=["body", "endless interim answers", "status line"]
)
def test_a_slow_drip_does_not_go_on_for_ever(chunk):
    began = time.monotonic()
    dripping = raw_server(lambda connection, head: drip(connection, head, chunk))
    with dripping as url, pytest.raises(errors.CloudZeroUnavailableError):
        client(url, timeout=1, max_retry_seconds=2).list_drops(STREAM)
    assert time.monotonic() - began < 30


def test_pages_that_lead_nowhere_end():
    page = json.dumps({"connections": [], "pagination": {"cursor": {"has_next": True, "next_cursor": "c"}}}).encode()
    with raw_server(always(answer(200, page))) as url:
        assert client(url).list_connections() == []
    page = json.dumps({"connections": [{}], "pagination": {"cursor": {"has_next": True, "next_cursor": "c"}}}).encode()
    with raw_server(always(answer(200, page))) as url:
        assert client(url).list_connections() == [{}, {}]


# Settling


class Interrupted(BaseException):
    """What Airflow raises in a task that has run too long, or that it kills, is no Exception either."""


def interrupt(*_):
    raise Interrupted


@pytest.fixture
def interrupted_soon():
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.4)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("slow", [True, False], ids=["in the middle of a request", "while settling"])
def test_a_task_that_is_interrupted_settles_before_it_ends(interrupted_soon, slow):
    def behave(connection, head):
        read_all(connection, head)
        if slow:
            time.sleep(60)

    began = time.monotonic()
    with raw_server(behave) as url, pytest.raises(Interrupted) as caught:
        send(url, settle_seconds=1.5, max_retry_seconds=60)
    assert 1.5 <= time.monotonic() - began < 30
    told = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert KEY not in "".join(told.format())


def test_a_request_that_was_lost_is_not_called_unsent_when_the_next_one_is():
    throttled = answer(429, b"", None, "Retry-After: 60")
    with raw_server(in_turn(None, throttled)) as url, pytest.raises(errors.RateLimitError) as error:
        send(url, max_retry_seconds=5)
    assert error.value.maybe_applied
    with raw_server(always(throttled)) as url, pytest.raises(errors.RateLimitError) as error:
        send(url, max_retry_seconds=5)
    assert not error.value.maybe_applied


# Contents of a month


@pytest.mark.parametrize(
    "body",
    [
        b'{"billing_drop":[{"cost/cost":' + b"9" * 5000 + b"}]}",
        b'{"billing_drop":[{"cost/cost":1e9999999999999999999999}]}',
        b'{"billing_drop":[{"cost/cost":1e999999}]}',
        b'{"billing_drop":[{"cost/cost":' + b"[" * 50_000 + b"]" * 50_000 + b"}]}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"billing_drop":[{"a":{"b":1}}]}',
        b'{"billing_drop":[{}]}',
        b'{"billing_drop":["x"]}',
        b'{"billing_drop":[{"cost/cost":true}]}',
        b'{"warnings":[],"data":{"billing_drop":[{"cost/cost":"1"}]}}',
        b'{"message":"none"}',
        b'{"billing_drop":[{"cost/cost":"1"}',
        b"\xff\xfe",
        b"",
    ],
)
def test_contents_that_are_no_rows_are_never_taken_for_none(body):
    from cloudzero_provider.anycost.readback import read_month
    from cloudzero_provider.months import Month

    began = time.monotonic()
    with raw_server(always(answer(200, body))) as url, pytest.raises(errors.UnexpectedReplyError):
        read_month(client(url), STREAM, Month(2026, 3))
    assert time.monotonic() - began < 20


def test_numbers_under_another_key_are_rows_all_the_same():
    from cloudzero_provider.anycost.readback import read_month
    from cloudzero_provider.months import Month

    body = b'{"data":{"contents":[{"cost/cost":0.10,"usage/amount":7,"lineitem/id":null}]}}'
    with raw_server(always(answer(200, body))) as url:
        assert read_month(client(url), STREAM, Month(2026, 3)).to_dicts() == [
            {"usage/amount": "7", "cost/cost": "0.10"}
        ]


@pytest.mark.parametrize(
    ("count", "held"),
    [("100000", 100_000), (100000.0, 100_000), (None, None), ("many", None), (1.5, None), (True, None)],
)
def test_a_number_of_rows_is_read_as_number_and_as_text(count, held):
    body = json.dumps(
        {"billing_drops": [{"month": "2026-03-01T00:00:00Z", "drop_id": "d", "row_count": count}]}
    ).encode()
    with raw_server(always(answer(200, body))) as url:
        assert client(url).list_drops(STREAM)[0].row_count == held


def test_testing_a_connection_ends_for_any_reply(monkeypatch):
    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(answer(200, b'{"connections":[],"x":[],"pagination":7}'))

    with raw_server(behave) as url:
        fields = {"conn_type": "cloudzero", "password": KEY, "host": url, "extra": {"anycost_connection_id": STREAM}}
        monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", json.dumps(fields))
        works, message = CloudZeroHook().test_connection()
    assert not works
    assert "billing_drops" in message
