"""What the client makes of answers and of trouble on this side, where nothing else has to do with it."""

from __future__ import annotations

import io
import json
import signal
import socket
import time

import pytest
from support.clients import STREAM, client_of
from support.raw_server import answer, raw_server, read_all

from cloudzero_provider import exceptions as errors
from cloudzero_provider.client import Effect

LISTED = b'{"billing_drops":[{"month":"2026-03-01T00:00:00Z","drop_id":"d","row_count":3}]}'


def answering(body, status=200):
    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(answer(status, body if isinstance(body, bytes) else json.dumps(body).encode()))

    return raw_server(behave)


@pytest.mark.parametrize("body", [{}, {"is_valid": "yes"}, {"data": {"is_valid": None}}])
def test_a_validation_reply_without_a_verdict_is_an_error(body):
    with answering(body) as url, pytest.raises(errors.UnexpectedReplyError) as error:
        client_of(url).validate_drop(b"{}")
    assert str(error.value) == (
        "The reply does not say whether the drop is valid (POST /v2/connections/billing/anycost/validate_billing_drop)."
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b'"x"', b"[" * 100_000])
def test_a_reply_without_a_list_is_an_error(body):
    words = "but the reply has no list 'billing_drops'|but the reply is a web page"
    with answering(body) as url, pytest.raises(errors.UnexpectedReplyError, match=words):
        client_of(url).list_drops(STREAM)


@pytest.mark.parametrize("drop", [{}, {"month": 202603}, {"month": "March"}])
def test_a_listed_drop_without_a_month_is_an_error(drop):
    words = "lists a drop without a month"
    with answering({"billing_drops": [drop]}) as url, pytest.raises(errors.UnexpectedReplyError, match=words):
        client_of(url).list_drops(STREAM)


@pytest.mark.parametrize(
    ("body", "records", "status"),
    [
        (b" ", [], None),
        (b"[]", [], None),
        ([{"a": 1}], [{"a": 1}], None),
        ({"records": [{"a": 1}], "status": "Loading"}, [{"a": 1}], "Loading"),
        ({"other": [{"a": 1}], "status": 7}, [{"a": 1}], None),
        ({"x": [], "results": [{"a": 1}]}, [{"a": 1}], None),
    ],
)
def test_records_are_found_where_they_are(body, records, status):
    with answering(body) as url:
        for found in (client_of(url).submitted_records("orders"), client_of(url).processed_records("orders", limit=1)):
            assert (found.records, found.status) == (records, status)


@pytest.mark.parametrize("body", [b"{", {"message": "none"}, {"x": [], "y": []}, {"records": ["x"]}, b"7"])
def test_a_reply_without_a_list_of_records_does_not_mean_no_records(body):
    with answering(body) as url, pytest.raises(errors.UnexpectedReplyError) as error:
        client_of(url).submitted_records("orders")
    assert str(error.value) == (
        "HTTP 200, but the reply has no list of records (/unit-cost/v1/telemetry/metric/orders)."
    )


@pytest.mark.parametrize("limit", [0, 1001])
def test_as_many_records_are_asked_for_as_can_be_read(limit):
    with pytest.raises(errors.ConfigurationError, match=f"limit is {limit}: expected a whole number, 1 to 1,000"):
        client_of("http://127.0.0.1:1").processed_records("orders", limit=limit)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a b", "x" * 257, 7])
def test_a_name_that_leads_to_another_path_is_refused(name):
    with pytest.raises(
        errors.ConfigurationError, match="is not a valid stream name: expected 1 to 256 letters, digits"
    ):
        client_of("http://127.0.0.1:1").delete_stream(name)


@pytest.mark.parametrize(("force", "sent"), [(False, b""), (True, b'{"force": true}')])
def test_a_stream_is_deleted_by_force_only_when_that_is_asked_for(force, sent):
    seen = []

    def behave(connection, head):
        seen.append((head.split(b" HTTP")[0], read_all(connection, head)))
        connection.sendall(answer(200, b"{}"))

    with raw_server(behave) as url:
        client_of(url).delete_stream("orders", force=force)
    assert seen == [(b"DELETE /unit-cost/v1/telemetry/orders", sent)]


# Trouble on this side


def test_a_host_that_no_name_can_be_is_a_matter_of_configuration():
    with pytest.raises(errors.ConfigurationError, match=r"No request can be sent to https://a{70}"):
        client_of(f"https://{'a' * 70}.example").list_drops(STREAM)


def test_a_disk_that_is_full_is_named():
    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    with answering(b"{}") as url, pytest.raises(errors.CloudZeroError, match="No space left on device"):
        client_of(url, max_retry_seconds=0).download_month(STREAM, "2026-03", Full())


def test_a_slow_name_lookup_is_waited_for(monkeypatch):
    look_up = socket.getaddrinfo

    def slowly(*arguments, **options):
        time.sleep(0.5)
        return look_up(*arguments, **options)

    with answering(LISTED) as url:
        client = client_of(url.replace("127.0.0.1", "localhost"), timeout=0.4, max_retry_seconds=0)
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        assert client.list_drops(STREAM)[0].row_count == 3


class Interrupted(BaseException):
    """What a task's time-out raises."""


@pytest.fixture
def interrupted_soon():
    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("status", [None, 429], ids=["in the middle of a request", "between two tries"])
def test_a_read_that_is_interrupted_leaves_nothing_to_settle(interrupted_soon, status):
    def behave(connection, head):
        if status is None:
            time.sleep(60)
        connection.sendall(answer(429, b"", None, "Retry-After: 60"))

    began = time.monotonic()
    with raw_server(behave) as url, pytest.raises(Interrupted):
        client_of(url, settle_seconds=90, max_retry_seconds=90).list_drops(STREAM)
    assert time.monotonic() - began < 30


def test_a_write_that_is_interrupted_while_throttled_was_not_applied_and_need_not_settle(interrupted_soon):
    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(answer(429, b"", None, "Retry-After: 60"))

    began = time.monotonic()
    with raw_server(behave) as url, pytest.raises(Interrupted):
        client_of(url, settle_seconds=90, max_retry_seconds=90).send_drop(STREAM, b"{}", effect=Effect.REPEATABLE)
    assert time.monotonic() - began < 30
