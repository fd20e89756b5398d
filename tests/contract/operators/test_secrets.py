"""The key, planted as a recognisable text, shows up nowhere, whatever goes wrong."""

from __future__ import annotations

import json
import logging
import pickle
import traceback

import pytest
from support.raw_server import raw_server
from support.sandbox_server import KEY, STREAM
from support.tasks import connect, context, read, send

from cloudzero_provider.client import Client
from cloudzero_provider.exceptions import CloudZeroError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

ROWS = [{"time/usage_start": f"2026-03-{day:02d}", "cost/cost": "1"} for day in range(1, 32)]


def everything_said_of(error):
    """What a log, a debugger or an error tracker could get hold of."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    yield from told.format()
    while error is not None:
        yield str(error)
        yield repr(error)
        yield repr(vars(error))
        error = error.__cause__ or error.__context__


FAULTS = {
    "refused": [{"kind": "refuse", "status": 400, "body": {"error": {"message": f"bad key {KEY}", "type": "T"}}}],
    "refused as text": [{"kind": "refuse", "status": 404, "body": f"<html>{KEY}</html>", "content_type": "text/html"}],
    "denied": [{"kind": "refuse", "status": 403, "body": {"message": KEY}}],
    "throttled": [{"kind": "refuse", "status": 429, "times": 50}],
    "unavailable": [{"kind": "refuse", "status": 503, "body": KEY, "times": 50}],
    "gone": [{"kind": "refuse", "status": 502, "times": 50}],
    "lost": [{"kind": "lose_request", "times": 50}],
    "in the middle": [{"kind": "refuse", "status": 400, "skip": 5, "body": {"message": KEY}}],
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_error_and_no_log_line_holds_the_key(sandbox, monkeypatch, capfd, caplog, name):
    connect(monkeypatch, sandbox, max_retry_seconds=1, settle_seconds=0.1)
    caplog.set_level(logging.DEBUG)
    sandbox.faults(*FAULTS[name])
    try:
        with pytest.raises(CloudZeroError) as caught:
            send(records=ROWS, max_body_bytes=300)
    finally:
        sandbox.clear_faults()
    assert "HTTP" in str(caught.value) or "no reply" in str(caught.value)
    assert not [told for told in everything_said_of(caught.value) if KEY in told]
    assert KEY.encode() not in pickle.dumps(str(caught.value))
    assert KEY not in caplog.text + "".join(capfd.readouterr())


def test_the_logs_of_a_good_run_and_what_it_returns_do_not_hold_it(sandbox, capfd, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    returned = send(records=ROWS, verify=True, validate_with_cloudzero=True, max_body_bytes=1000)
    returned |= read(path=str(tmp_path / "march.csv"))
    assert "urllib3" in caplog.text, "debug logging was not on"
    assert KEY not in caplog.text + "".join(capfd.readouterr()) + json.dumps(returned)
    assert KEY not in (tmp_path / "march.csv").read_text()


def test_no_repr_of_what_holds_it_shows_it(sandbox):
    hook = CloudZeroHook()
    task = AnyCostBillingDropOperator(task_id="send", records=ROWS, month="2026-03")
    task.execute(context(task))
    for thing in (hook, hook.client, hook.client.config, hook.client._transport, hook.client._sender, task):
        assert KEY not in repr(thing)
    assert KEY not in repr(vars(hook)) + repr(vars(task)) + repr(vars(hook.client)) + repr(vars(hook.client._transport))


@pytest.mark.parametrize("ending", [" and more", "\r\nX-Injected: 1", "\u00fc"])
def test_a_broken_key_is_refused_without_being_shown(sandbox, monkeypatch, capfd, ending):
    connect(monkeypatch, sandbox, key=KEY + ending)
    with pytest.raises(CloudZeroError, match="not shown here") as caught:
        send(records=ROWS)
    assert not [told for told in everything_said_of(caught.value) if KEY in told]
    assert KEY not in "".join(capfd.readouterr())
    works, message = CloudZeroHook().test_connection()
    assert not works
    assert KEY not in message


@pytest.mark.parametrize("extra", [{"unknown": 1}, {"timeout": "x"}, {"anycost_connection_id": "../x"}])
def test_a_connection_that_can_not_be_used_is_refused_without_showing_it(sandbox, monkeypatch, extra):
    connect(monkeypatch, sandbox, **extra)
    with pytest.raises(CloudZeroError) as caught:
        send(records=ROWS)
    assert not [told for told in everything_said_of(caught.value) if KEY in told]


def test_an_entry_in_netrc_does_not_replace_the_key(sandbox, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    assert send(records=ROWS)["rows"] == 31


def test_a_pickled_hook_looks_its_connection_up_again(sandbox):
    hook = CloudZeroHook()
    hook.client.list_connections(limit=1)
    pickled = pickle.dumps(hook)
    assert KEY.encode() not in pickled
    assert pickle.loads(pickled).client.list_connections(limit=1)


def test_a_reply_that_holds_the_key_where_an_id_should_be(monkeypatch):
    body = json.dumps({"billing_drops": [{"month": "2026-03", "drop_id": KEY, "row_count": 1}]}).encode()

    def answer(connection, head):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    with raw_server(answer) as url:
        assert Client(KEY, base_url=url).list_drops(STREAM)[0].drop_id is None


def test_an_empty_reply_holds_no_records():
    def answer(connection, head):
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with raw_server(answer) as url:
        assert Client(KEY, base_url=url).processed_records("orders").records == []
