"""CloudZero's own command line tool sends a file to the sandbox: a client that we did not write accepts it."""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal

import pytest
from support.paths import ROOT
from support.sandbox_server import KEY

PYTHON = ROOT / ".venv/uca-tools/bin/python"

#: The tool's host is fixed; this rewrites just that.
PROGRAM = """
import sys
import requests
from uca.interfaces import uca_api
from uca.main import cli
base, real = sys.argv.pop(1), requests.post
uca_api.requests.post = lambda url, **options: real(url.replace("https://api.cloudzero.com", base, 1), **options)
cli()
"""
RECORDS = [
    {
        "timestamp": "2024-02-09 00:00:00+00:00",
        "granularity": "DAILY",
        "element_name": element,
        "filter": {"custom:Environment": ["Production"]},
        "value": value,
    }
    for element, value in (("Hooli", "23.0000"), ("Pied Piper", "40.5"))
]


def transmit(sandbox, folder, key=KEY):
    settings = {"stream_name": "orders-by-team", "stream_type": "allocation", "transmit_type": "replace"}
    configuration = {"version": "1", "settings": {**settings, "generate": {"mode": "exact"}}, "template": {}}
    (folder / "conf.json").write_text(json.dumps(configuration))
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, RECORDS)))
    arguments = ["-c", str(folder / "conf.json"), "-k", key, "transmit", "-d", str(folder / "data.jsonl")]
    return subprocess.run([PYTHON, "-c", PROGRAM, sandbox.url, *arguments], capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not PYTHON.exists(), reason="make test-contract installs cloudzero-uca-tools")
def test_cloudzero_s_own_tool_sends_a_file_and_reads_success(sandbox, tmp_path):
    for _ in range(2):
        ran = transmit(sandbox, tmp_path)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    held = sandbox.telemetry("orders-by-team")
    assert (held["records"], Decimal(held["total"])) == (2, Decimal("63.5"))
    refused = transmit(sandbox, tmp_path, key="wrong-key")
    assert refused.returncode != 0
    assert "403" in refused.stdout + refused.stderr
