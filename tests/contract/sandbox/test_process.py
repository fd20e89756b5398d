from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
from support.paths import ROOT


def run(*options, python=(sys.executable,)):
    command = [*python, "-m", "cloudzero_provider.sandbox", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=ROOT, check=False)


def test_the_banner_has_the_address(start):
    sandbox, cloudzero = start()
    assert re.fullmatch(r"CloudZero sandbox at http://127\.0\.0\.1:\d+\n", sandbox.banner)
    assert cloudzero.own("GET", "state").status_code == 200


@pytest.mark.parametrize("is_terminal", [True, False])
def test_it_prints_its_streams_and_a_connection_to_copy(tmp_path, is_terminal):
    """The key is printed to a terminal only: elsewhere, it could end up in a log."""
    options = ["--port", "0", "--data", str(tmp_path), "--api-key", "key-4f2a", "--connection", "acme-1=Acme-bill"]
    command = [sys.executable, "-m", "cloudzero_provider.sandbox", *options]
    terminal, output = pty.openpty() if is_terminal else os.pipe()
    with subprocess.Popen(command, cwd=ROOT, stdout=output) as process:
        os.close(output)
        with open(terminal, encoding="utf-8") as lines:
            banner, streams, connect = (next(lines).rstrip() for _ in range(3))
        process.terminate()
    assert streams == "AnyCost streams: acme-1 (Acme-bill)"
    name, _, fields = shlex.split(connect.removeprefix("To connect Airflow: export "))[0].partition("=")
    assert name == "AIRFLOW_CONN_CLOUDZERO_DEFAULT"
    assert json.loads(fields) == {
        "conn_type": "cloudzero",
        "host": banner.removeprefix("CloudZero sandbox at "),
        "password": "key-4f2a" if is_terminal else "the key given with --api-key",
        "extra": {"anycost_connection_id": "acme-1"},
    }


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_and_at_once_while_requests_run(start, number):
    sandbox, cloudzero = start()
    cloudzero.arm({"kind": "slow", "seconds": 60})

    def send():
        with pytest.raises(requests.ConnectionError):
            cloudzero.post([cloudzero.row()], timeout=30)

    sender = threading.Thread(target=send)
    sender.start()
    cloudzero.wait_for(lambda: cloudzero.months())
    host, port = cloudzero.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))):
        began = time.monotonic()
        assert sandbox.end(number) == 0
    assert time.monotonic() - began < 20
    sender.join()
    assert sandbox.errors.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_everything_survives_a_restart(start, number):
    sandbox, cloudzero = start()
    cloudzero.set(row_count_means="request")
    created = cloudzero.session.post(
        f"{cloudzero.url}/v2/connections/billing", json={"name": "new", "cloud_provider": "x"}
    ).json()
    first = cloudzero.post([cloudzero.row("1.5"), cloudzero.row("2")], headers={"cloudzero-idempotency-key": "k"})
    cloudzero.post([cloudzero.row("x")])
    state, log = cloudzero.own("GET", "state").json(), cloudzero.requests()
    sandbox.end(number)

    _, cloudzero = start()
    assert cloudzero.own("GET", "state").json() == state
    assert cloudzero.requests() == log
    assert cloudzero.own("GET", "settings").json()["settings"]["row_count_means"] == "request"
    assert (
        cloudzero.session.get(f"{cloudzero.url}/v2/connections/billing/{created['connection']['id']}").json() == created
    )
    assert cloudzero.post([cloudzero.row("9")], headers={"cloudzero-idempotency-key": "k"}).content == first.content
    assert cloudzero.costs() == ["1.5", "2"]
    assert [request["number"] for request in cloudzero.requests()] == list(range(1, len(log) + 4))


def is_accepted(cloudzero, body):
    try:
        return cloudzero.post_raw(body).status_code == 200
    except requests.ConnectionError:
        return False


def test_a_kill_leaves_whole_drops_and_a_consistent_log(start):
    sandbox, cloudzero = start()
    body = json.dumps(
        {
            "month": "2024-08",
            "operation": "sum",
            "data": [cloudzero.row(hour=f"2024-08-{1 + number % 31:02}T00:00:00Z") for number in range(5_000)],
        }
    )
    killer = threading.Timer(0.8, lambda: sandbox.end(signal.SIGKILL))
    killer.start()
    replies = 0
    while is_accepted(cloudzero, body):
        replies += 1
    killer.join()

    _, cloudzero = start()
    applied = sum(request["applied"] for request in cloudzero.requests())
    assert replies <= applied <= replies + 1
    assert cloudzero.months().get("2024-08", {"rows": 0})["rows"] == 5_000 * applied
    assert all(request["ended"] for request in cloudzero.requests())


def test_settings_of_the_command_line(start):
    _, cloudzero = start("--setting", "body_limit=100", "--setting", "gzip=accept")
    settings = cloudzero.own("GET", "settings").json()["settings"]
    assert (settings["body_limit"], settings["gzip"]) == (100, "accept")


def test_the_default_connection(tmp_path):
    command = [
        sys.executable,
        "-m",
        "cloudzero_provider.sandbox",
        "--port",
        "0",
        "--data",
        str(tmp_path),
        "--api-key",
        "k",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        url = process.stdout.readline().split()[-1]
        streams = requests.get(f"{url}/sandbox/state", timeout=5).json()["streams"]
        process.terminate()
    assert streams == {"1234abcd-1234-abcd-1234-abcd1234efgh": {"name": "sandbox-stream", "months": {}}}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--setting", "gzip=x"], "Possible: accept, refuse"),
        (["--setting", "nothing=1"], "Settings: body_limit"),
        (["--connection", "a b"], "a connection id may contain"),
        (["--api-key", "topsecret:no-such-scope"], "connections:create_billing_anycost_billing_drop"),
    ],
)
def test_the_error_of_a_bad_option_contains_no_key(tmp_path, options, told):
    ended = run("--port", "0", "--data", str(tmp_path), "--api-key", "topsecret", *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert told in ended.stderr
    assert "topsecret" not in ended.stderr


def test_a_port_in_use_is_reported(start, tmp_path):
    _, cloudzero = start()
    ended = run("--port", cloudzero.url.rsplit(":", 1)[1], "--data", str(tmp_path / "other"), "--api-key", "k")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "in use" in ended.stderr


def test_without_aiohttp_it_says_what_to_install(tmp_path):
    (tmp_path / "hide.py").write_text(
        "import importlib.util, runpy, sys\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'aiohttp' else real(name, *rest)\n"
        "sys.modules['aiohttp'] = None\n"
        "sys.argv = ['sandbox', '--port', '0', '--data', 'x', '--api-key', 'k']\n"
        "runpy.run_module('cloudzero_provider.sandbox', run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, str(tmp_path / "hide.py")], capture_output=True, text=True, timeout=20, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path,
    )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "pip install 'airflow-provider-cloudzero[sandbox]'" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_telemetry_survives_a_restart(start, number):
    sandbox, cloudzero = start()
    cloudzero.set(processed_after_seconds=0)
    cloudzero.send(
        [cloudzero.metric("1.5", associated_cost={"k": "v"}), cloudzero.metric(2, associated_cost={"k": "w"})]
    )
    cloudzero.send([{"timestamp": "2024-09-01", "associated_cost": {"k": "w"}}], "delete")
    cloudzero.send([cloudzero.metric()], name="deleted")
    cloudzero.session.delete(cloudzero.telemetry_url("deleted"), json={"force": True})
    state, log, submitted = cloudzero.telemetry(), cloudzero.requests(), cloudzero.submitted().json()
    sandbox.end(number)

    _, cloudzero = start()
    assert (cloudzero.telemetry(), cloudzero.requests()[: len(log)]) == (state, log)
    assert cloudzero.submitted().json() == submitted
    assert cloudzero.send([cloudzero.metric()], name="deleted").status_code == 400
    cloudzero.send([cloudzero.metric(1, associated_cost={"k": "v"})])
    assert cloudzero.values() == ["2.5"]


def are_accepted(cloudzero, body):
    try:
        return cloudzero.send_raw(body, "allocation/orders/sum").status_code == 200
    except requests.ConnectionError:
        return False


def test_a_kill_leaves_whole_requests_and_a_consistent_log(start):
    sandbox, cloudzero = start()
    records = [cloudzero.allocation(1, element=f"e{number}") for number in range(2_000)]
    body = json.dumps({"records": records})
    killer = threading.Timer(0.8, lambda: sandbox.end(signal.SIGKILL))
    killer.start()
    replies = 0
    while are_accepted(cloudzero, body):
        replies += 1
    killer.join()

    _, cloudzero = start()
    applied = sum(request["applied"] for request in cloudzero.requests())
    assert replies <= applied <= replies + 1
    stream = cloudzero.telemetry().get("orders", {"total": "0", "records": 0})
    assert stream["total"] == str(2_000 * applied)
