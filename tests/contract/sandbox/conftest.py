"""A sandbox in its own process, and a client for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from support.paths import ROOT

KEY = "sandbox-test-key-1234"
READER_KEY = "sandbox-reader-key-5678"
STREAM = "1234abcd-1234-abcd-1234-abcd1234efgh"
OTHER_STREAM = "second-stream"


class SandboxProcess:
    """A sandbox started from its command line."""

    def __init__(self, directory, *options, environment=None):
        command = [
            sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", str(directory),
            "--api-key", KEY,
            "--api-key", f"{READER_KEY}:connections:read_billing_anycost_billing_drops",
            "--connection", f"{STREAM}=sandbox-stream", "--connection", OTHER_STREAM, *options,
        ]  # fmt: skip
        self.errors = Path(directory).with_suffix(".log")
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
            )
        self.directory = Path(directory)
        self.banner = self.process.stdout.readline()
        self.url = self.banner.split()[-1] if self.banner else ""

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        return code


class CloudZero:
    """A client without checks: it sends anything and returns every reply."""

    KEY, READER_KEY, STREAM, OTHER_STREAM = KEY, READER_KEY, STREAM, OTHER_STREAM

    def __init__(self, url):
        self.url = url
        self.session = requests.Session()
        self.session.headers["Authorization"] = KEY

    def drops_url(self, stream=STREAM):
        return f"{self.url}/v2/connections/billing/anycost/{stream}/billing_drops"

    def connections_url(self, connection_id=""):
        return f"{self.url}/v2/connections/billing{connection_id and '/' + connection_id}"

    def create_connection(self, **body):
        return self.session.post(self.connections_url(), json=body, timeout=10)

    def row(self, cost="1", hour="2024-08-16T13:00:00Z", **columns):
        return {"time/usage_start": hour, "cost/cost": cost, **columns}

    def post(self, rows, operation="replace_drop", month="2024-08", stream=STREAM, headers=None, timeout=10):
        body = {"month": month, "operation": operation, "data": rows}
        return self.session.post(self.drops_url(stream), json=body, headers=headers, timeout=timeout)

    def post_raw(self, body, headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self.session.post(self.drops_url(), data=body, headers=headers, timeout=10)

    def validate(self, rows, month="2024-08"):
        url = f"{self.url}/v2/connections/billing/anycost/validate_billing_drop"
        return self.session.post(url, json={"month": month, "data": rows}, timeout=10)

    def read(self, month="2024-08", stream=STREAM):
        return self.session.get(f"{self.drops_url(stream)}/{month}", timeout=10)

    def list_drops(self):
        return self.session.get(self.drops_url(), timeout=10)

    def listed_row_counts(self):
        """The row count of each month in the list of drops."""
        return {drop["month"][:7]: drop["row_count"] for drop in self.list_drops().json()["billing_drops"]}

    def metric(self, value=1, timestamp="2024-09-01", **fields):
        return {"timestamp": timestamp, "value": value, **fields}

    def allocation(self, value=1, timestamp="2024-09-01", element="Email", **fields):
        record = {"timestamp": timestamp, "granularity": "DAILY", "element_name": element, "value": value}
        return {**record, **fields}

    def telemetry_url(self, path):
        return f"{self.url}/unit-cost/v1/telemetry/{path}"

    def send(self, records, operation="sum", name="orders", kind="metric", **options):
        url = self.telemetry_url(f"{kind}/{name}/{operation}")
        return self.session.post(url, json={"records": records}, **{"timeout": 10, **options})

    def send_raw(self, body, path="metric/orders/sum", headers=None):
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self.session.post(self.telemetry_url(path), data=body, headers=headers, timeout=10)

    def submitted(self, name="orders", **query):
        return self.session.get(self.telemetry_url(f"metric/{name}"), params=query, timeout=10)

    def processed(self, name="orders", **query):
        return self.session.get(self.telemetry_url(f"{name}/records"), params=query, timeout=10)

    def telemetry(self):
        return self.own("GET", "state").json()["telemetry"]

    def values(self, name="orders"):
        """The exact values of a telemetry stream by time, element and keys."""
        reply = self.own("GET", f"telemetry/{name}/records")
        return [record["value"] for record in reply.json()["records"]]

    def costs(self, month="2024-08"):
        """The sorted costs of a month; None if it does not exist."""
        reply = self.read(month)
        return None if reply.status_code == 404 else sorted(row["cost/cost"] for row in reply.json()["billing_drop"])

    def months(self, stream=STREAM):
        return self.own("GET", "state").json()["streams"][stream]["months"]

    def requests(self, since=0):
        return self.own("GET", f"requests?since={since}").json()["requests"]

    def set(self, **settings):
        reply = self.own("POST", "settings", json=settings)
        assert reply.status_code == 200, reply.text

    def arm(self, *faults):
        reply = self.own("POST", "faults", json={"faults": list(faults)})
        assert reply.status_code == 200, reply.text

    def own(self, method, path, **options):
        return requests.request(method, f"{self.url}/sandbox/{path}", timeout=10, **options)

    def wait_for(self, happened, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < deadline, "timed out"
            time.sleep(0.01)


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory):
    sandbox = SandboxProcess(tmp_path_factory.mktemp("sandbox") / "data")
    yield sandbox
    assert sandbox.end() == 0
    assert sandbox.errors.read_text() == ""


@pytest.fixture
def cloudzero(shared_sandbox):
    client = CloudZero(shared_sandbox.url)
    client.own("DELETE", "settings")
    client.own("POST", "reset")
    return client


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """A sandbox that may write to its log, with a client."""
    sandbox = SandboxProcess(tmp_path_factory.mktemp("noisy") / "data")
    yield sandbox, CloudZero(sandbox.url)
    assert sandbox.end() == 0


@pytest.fixture
def start(tmp_path):
    """Start sandboxes on one directory, one after the other; end those that still run."""
    started = []

    def start_one(*options, environment=None):
        sandbox = SandboxProcess(tmp_path / "data", *options, environment=environment)
        started.append(sandbox)
        return sandbox, CloudZero(sandbox.url)

    yield start_one
    for sandbox in started:
        if sandbox.process.poll() is None:
            sandbox.end()
