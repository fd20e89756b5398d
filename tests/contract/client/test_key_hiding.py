"""The key in the hands of those who look closely: objects, tracebacks, broken connections, echoes, the sandbox's files."""

from __future__ import annotations

import asyncio
import base64
import copy
import dataclasses
import json
import logging
import pickle
import signal
import subprocess
import sys
import traceback
from urllib.parse import quote

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowNotFoundException
from support.raw_server import answer, raw_server, read_all
from support.sandbox_server import KEY, STREAM
from support.state_stores import Store
from support.tasks import context, send

from cloudzero_provider import exceptions as errors
from cloudzero_provider.client import Client, Effect
from cloudzero_provider.client.error_text import error_kind, error_text
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.journal import SumJournal
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.triggers.anycost import AnyCostBillingDropTrigger

ROWS = [{"time/usage_start": "2026-03-01", "cost/cost": "1"}]


def everything_about(error):
    """What a debugger, an error tracker or another process gets to see of an error."""
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield repr([str(error), repr(error), error.args, vars(error), getattr(error, "__notes__", [])])
        for name in dir(error):
            yield repr(getattr(error, name, None))
        error = error.__cause__ or error.__context__


def shown(error):
    return [told for told in everything_about(error) if KEY in told]


# Objects


def everything_that_holds_it(hook):
    task = AnyCostBillingDropOperator(task_id="send", records=ROWS, month="2026-03")
    task.execute(context(task))
    sensor = AnyCostBillingDropSensor(task_id="wait", month="2026-03", mode="poke", poke_interval=0.1, timeout=5)
    sensor.execute(context(sensor))
    trigger = AnyCostBillingDropTrigger(
        cloudzero_conn_id="cloudzero_default",
        poll_interval=1,
        deadline=0,
        anycost_connection_id=STREAM,
        month="2026-03",
    )
    client = hook.client
    journal = SumJournal(Store(), f"{client.config.base_url} {STREAM}", is_retry=False, max_tries=0)
    return [hook, client, client.config, client._transport, client._sender, task, sensor, trigger, journal]


def test_no_repr_or_pickle_contains_the_key(sandbox):
    for thing in everything_that_holds_it(CloudZeroHook()):
        assert KEY not in repr(thing) + str(thing) + repr(vars(thing))
        for taken in (pickle.dumps, copy.copy, copy.deepcopy):
            assert KEY not in what_is_got_by(taken, thing)


def what_is_got_by(taken, thing):
    try:
        got = taken(thing)
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        return "".join(everything_about(error))
    return repr(got if isinstance(got, bytes) else vars(got))


def test_the_fields_of_a_configuration_do_not_show_it(sandbox):
    hook = CloudZeroHook()
    config = hook.client.config
    assert KEY not in repr(dataclasses.asdict(config)) + repr(vars(config)) + repr(dataclasses.astuple(config))
    assert KEY not in repr(dataclasses.asdict(hook._fields)) + repr(vars(hook._fields))
    assert config.api_key == KEY
    with pytest.raises(TypeError, match="can't be pickled"):
        pickle.dumps(config)


def test_what_airflow_stores_of_a_wait_does_not_hold_it(sandbox):
    trigger = AnyCostBillingDropTrigger(
        cloudzero_conn_id="cloudzero_default",
        poll_interval=0.1,
        deadline=0,
        anycost_connection_id=STREAM,
        month="2026-03",
    )

    async def events():
        return [event.payload async for event in trigger.run()]

    assert KEY not in json.dumps(trigger.serialize()) + json.dumps(asyncio.run(events()))


def test_a_pickled_error_does_not_contain_the_key(sandbox):
    sandbox.faults({"kind": "refuse", "status": 400, "body": {"message": f"no {KEY}"}})
    with pytest.raises(errors.CloudZeroError) as caught:
        send(records=ROWS)
    pickled = pickle.dumps(caught.value)
    assert KEY.encode() not in pickled
    assert str(pickle.loads(pickled)) == str(caught.value)


# Tracebacks


class Interrupted(BaseException):
    """What Airflow raises in a task that has run too long, or that it kills, is no Exception either."""


@pytest.mark.parametrize("where", ["_new_conn", "send", "getresponse"])
def test_a_task_that_is_interrupted_anywhere_in_a_request_does_not_show_it(monkeypatch, where):
    from cloudzero_provider.client import request_progress

    def interrupted(*_, **__):
        raise Interrupted

    # A signal can come at any moment; only so can it come at each of them on purpose.
    monkeypatch.setattr(request_progress._Connection, where, interrupted)
    with raw_server(lambda *_: None) as url, pytest.raises(Interrupted) as caught:
        Client(KEY, base_url=url, settle_seconds=0).list_drops(STREAM)
    assert not shown(caught.value)


def test_a_task_that_is_interrupted_while_it_sends_does_not_show_it():
    def behave(connection, head):
        signal.raise_signal(signal.SIGALRM)
        read_all(connection, head)

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with raw_server(behave) as url, pytest.raises(Interrupted) as caught:
            Client(KEY, base_url=url, settle_seconds=0, timeout=5).send_drop(
                STREAM, b" " * 50_000_000, effect=Effect.REPEATABLE
            )
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not shown(caught.value)


# Connections that can't be read


@pytest.mark.parametrize(
    "connection",
    [
        f"cloudzero://:{KEY}/slash@api.cloudzero.com",
        f"cloudzero://api.cloudzero.com:{KEY}",
        f"cloudzero://:{KEY}@[api",
        f"cloudzero://:{KEY}@host:99999999",
        f'{{"conn_type": "cloudzero", "password": "{KEY}"',
    ],
)
def test_the_error_of_an_unreadable_connection_does_not_contain_the_key(monkeypatch, connection):
    """What Airflow's own log says of it is Airflow's: it takes a connection it can't read for none."""
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection)
    with pytest.raises((errors.CloudZeroError, AirflowNotFoundException)) as caught:
        CloudZeroHook().client.list_drops("x")
    assert not [told for told in (str(caught.value), repr(vars(caught.value))) if KEY in told]
    works, message = CloudZeroHook().test_connection()
    assert not works
    assert KEY not in message


@pytest.mark.parametrize(
    "connection",
    [
        json.dumps({"conn_type": "cloudzero", "password": KEY, "extra": "no JSON"}),
        json.dumps({"conn_type": "cloudzero", "password": KEY, "extra": "[1]"}),
        json.dumps({"conn_type": "cloudzero", "password": KEY, "extra": {"timeout": KEY}}),
        json.dumps({"conn_type": "cloudzero", "password": KEY, "extra": {"anycost_connection_id": KEY}}),
        json.dumps({"conn_type": "cloudzero", "password": KEY, "extra": {KEY: 1}}),
        json.dumps({"conn_type": "cloudzero", "password": KEY, "host": KEY}),
        json.dumps({"conn_type": "cloudzero", "password": KEY, "schema": KEY, "host": "h"}),
    ],
)
def test_a_connection_that_can_not_be_used_does_not_show_it(monkeypatch, capfd, caplog, connection):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", connection)
    for used in (lambda: CloudZeroHook().client.list_drops("x"), lambda: asyncio.run(looked_up())):
        assert not shown(raised_by(used))
    works, message = CloudZeroHook().test_connection()
    assert not works
    assert KEY not in message + caplog.text + "".join(capfd.readouterr())


def raised_by(used):
    """Catch it here, since the test itself has the connection among its local variables."""
    with pytest.raises(errors.CloudZeroError) as caught:
        used()
    return caught.value


async def looked_up():
    hook = CloudZeroHook()
    await hook.look_up_connection()
    hook.client.list_drops("x")


# Echoes

ECHOES = {
    "percent": "".join(f"%{ord(character):02x}" for character in KEY),
    "double percent": quote(quote(KEY, safe="")),
    "JSON escape": "".join(f"\\u{ord(character):04X}" for character in KEY),
    "HTML entities": "".join(f"&#{ord(character)};" for character in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 after one": base64.b64encode(b"x" + KEY.encode() + b"yz").decode(),
    "base64 after two": base64.b64encode(b"u:" + KEY.encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(b"u:p" + KEY.encode()).decode(),
    "hex": KEY.encode().hex(),
    "HEX": KEY.encode().hex().upper(),
    "NULs": "\0".join(KEY),
    "zero width": "\u200b".join(KEY),
}


def reads_as_it(text):
    bare = "".join(text.split())
    return any(form in bare for form in (KEY, *ECHOES.values()))


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("wrap", ["no %s", "%s", "<p>%s</p>", '{"unknown": "%s"}', '{"error": {"message": "a %s b"}}'])
def test_no_error_text_holds_an_echo_of_it(echo, wrap):
    assert not reads_as_it(error_text((wrap % echo).encode(), secret=KEY))


def test_an_ordinary_error_text_is_left_alone():
    words = "Stream 1234abcd-1234-abcd-1234-abcd1234efgh: 100% of rows &amp; columns \\u00e9 refused"
    assert error_text(words.encode(), secret=KEY) == words


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_no_error_text_holds_it_in_another_charset(encoding):
    body = json.dumps({"error": {"message": f"no {KEY}"}}).encode(encoding)
    assert not reads_as_it(error_text(body, secret=KEY))


def test_the_details_of_an_error_do_not_hold_it_when_escaped():
    body = json.dumps({"error": {"type": "T", "event_details": {"given": "HERE"}}})
    body = body.replace("HERE", ECHOES["JSON escape"])
    assert error_kind(body.encode(), secret=KEY) == (None, {})


@pytest.mark.parametrize("drop_id", [KEY, f"d-{KEY}", KEY.encode().hex(), base64.b64encode(KEY.encode()).decode()])
def test_no_id_of_a_reply_holds_it(drop_id):
    body = json.dumps({"drop_id": drop_id, "billing_drops": [{"month": "2026-03", "drop_id": drop_id}]}).encode()

    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(answer(200, body))

    with raw_server(behave) as url:
        client = Client(KEY, base_url=url)
        assert client.list_drops(STREAM)[0].drop_id is None
        assert client.send_drop(STREAM, b"{}", effect=Effect.REPEATABLE).drop_id is None


def test_headers_that_can_not_be_read_are_not_logged_word_for_word(caplog):
    caplog.set_level(logging.DEBUG)
    reply = f"HTTP/1.1 200 OK\r\nBroken {KEY}\r\nContent-Length: 2\r\n\r\n{{}}".encode()

    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(reply)

    with raw_server(behave) as url:
        Client(KEY, base_url=url).send_drop(STREAM, b"{}", effect=Effect.REPEATABLE)
    assert "urllib3" in caplog.text
    assert KEY not in caplog.text


# The sandbox


def test_the_sandbox_keeps_no_key_anywhere(tmp_path):
    other = "another-key-0b1c2d3e4f"
    program = [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", str(tmp_path)]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen([*program, "--api-key", KEY], stdout=subprocess.PIPE, stderr=said, text=True)
        line = process.stdout.readline()
        url = line.rsplit(" at ", 1)[1].strip()
        path = f"{url}/v2/connections/billing/anycost/{STREAM}/billing_drops"
        for key in (KEY, f"Bearer {KEY}", other, f"{KEY} {other}"):
            headers = {"Authorization": key, "cloudzero-idempotency-key": "one"}
            requests.post(path, headers=headers, json={"month": "2026-03", "data": ROWS}, timeout=20)
            requests.get(path, headers=headers, timeout=20)
        pages = [requests.get(url + page, timeout=20).text for page in ("/", "/sandbox/requests", "/sandbox/state")]
        process.send_signal(signal.SIGTERM)
        rest = process.communicate(timeout=20)[0]
    kept = {str(file): file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert len(kept) > 1
    assert "billing_drops" in pages[1]
    for secret in (KEY, other):
        assert secret not in line + rest + "".join(pages)
        assert not [name for name, content in kept.items() if secret.encode() in content]
