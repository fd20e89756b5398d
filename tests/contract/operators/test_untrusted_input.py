"""Input that wants to be led elsewhere, or to be more than the data it is."""

from __future__ import annotations

import os
import socket

import pytest
from support.sandbox_server import KEY, STREAM
from support.tasks import send

from cloudzero_provider import exceptions as errors
from cloudzero_provider.client import Client
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation

ELSEWHERE = [
    *("..", ".", "", "a/b", "../x", "%2e%2e", "a?x", "a#x", "a;x", "a\\b", "a b", "a\r\nX: 1", "a\0", "a\u2028b"),
    *("\u2025", "\uff0e\uff0e", "e\u0301", "\ud800", "x" * 100_000, None, 7, b"a"),
]


@pytest.mark.parametrize("given", ELSEWHERE, ids=lambda given: ascii(given)[:20])
def test_no_name_leads_to_another_path(sandbox, given):
    client = Client(KEY, base_url=sandbox.url)
    asked = (
        lambda: client.send_telemetry(StreamType.METRIC, given, TelemetryOperation.REPLACE, b"{}"),
        lambda: client.delete_stream(given),
        lambda: client.processed_records(given),
        lambda: client.list_drops("." if given == "." else given),
        lambda: client.download_month(STREAM, given, None),
        lambda: client.download_month(given, "2026-03", None),
    )
    for ask in asked:
        with pytest.raises(errors.ConfigurationError) as caught:
            ask()
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()
    assert sandbox.requests() == []


TEXTS = [
    *(
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        '","cost/cost":"9',
        "{{ conn.cloudzero_default.password }}",
    ),
    *("{% raw %}", "\x1b[31m", "a\r\nb", "\x7f", "\u202etxt", "\u2028", "null", "NaN", "</script>", "'; DROP TABLE x"),
]


def test_formulas_and_control_characters_arrive_unchanged(sandbox):
    """The documentation of the Common Bill Format forbids none of them, so they are neither changed nor refused."""
    rows = [
        {"time/usage_start": f"2026-03-{day:02d}", "cost/cost": "1", "lineitem/description": text, "resource/id": text}
        for day, text in enumerate(TEXTS, start=1)
    ]
    send(records=rows)
    held = sandbox.rows("2026-03")
    assert [(row["lineitem/description"], row["resource/id"]) for row in held] == [(text, text) for text in TEXTS]


GOOD = "time/usage_start,cost/cost\n2026-03-01,1\n"


def test_a_link_to_a_file_is_followed(sandbox, tmp_path):
    (tmp_path / "real.csv").write_text(GOOD)
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert send(files=str(tmp_path / "link.csv"))["rows"] == 1


def odd_files(folder):
    loop, lost, pipe, device = (folder / f"{name}.csv" for name in ("loop", "lost", "pipe", "device"))
    loop.symlink_to(loop)
    lost.symlink_to(folder / "nowhere.csv")
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    (folder / "folder.csv").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket.csv"))
    return [loop, lost, pipe, device, folder / "folder.csv", folder / "socket.csv"]


def test_a_path_that_is_not_a_file_is_refused_at_once(sandbox, tmp_path):
    names = [str(path) for path in odd_files(tmp_path)]
    for name in [*names, f"{tmp_path}/{'x' * 5000}.csv", f"{tmp_path}/\ud800.csv"]:
        with pytest.raises(errors.InputError, match=r"can't be read|not valid|no such file") as caught:
            send(files=name)
        assert len(str(caught.value)) < 6000
    assert sandbox.writes() == []


@pytest.mark.parametrize("name", ["link.csv", "link.json", "link.jsonl", "link.parquet"])
def test_the_environment_of_a_process_is_not_printed(sandbox, tmp_path, monkeypatch, name):
    monkeypatch.setenv("PLANTED", KEY)
    (tmp_path / name).symlink_to("/proc/self/environ")
    with pytest.raises(Exception) as caught:
        send(files=str(tmp_path / name))
    assert KEY not in str(caught.value)
    assert "AIRFLOW_CONN" not in str(caught.value)
