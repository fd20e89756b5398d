"""Only one sandbox at a time can use a directory: each knows only of its own running requests."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest
from support.paths import ROOT


def start_second(directory):
    command = [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", str(directory)]
    return subprocess.run(
        [*command, "--api-key", "topsecret"], capture_output=True, text=True, timeout=20, cwd=ROOT, check=False
    )


@pytest.mark.parametrize("spelled", ["same", "link", "dots"])
def test_a_second_sandbox_on_the_directory_does_not_start(start, tmp_path, spelled):
    sandbox, cloudzero = start()
    cloudzero.post([cloudzero.row("7")])
    (tmp_path / "link").symlink_to(sandbox.directory)
    names = {"same": sandbox.directory, "link": tmp_path / "link", "dots": sandbox.directory / ".." / "data"}
    ended = start_second(names[spelled])
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"cloudzero sandbox: cannot use {names[spelled]}: another sandbox is using it\n"
    assert cloudzero.costs() == ["7"]
    assert sandbox.errors.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_lock_does_not_outlive_the_sandbox(start, number):
    sandbox, cloudzero = start()
    cloudzero.post([cloudzero.row("7")])
    sandbox.end(number)
    began = time.monotonic()
    _, cloudzero = start()
    assert cloudzero.costs() == ["7"]
    assert time.monotonic() - began < 10


def test_other_directories_can_be_used(start, tmp_path):
    start()
    with subprocess.Popen(
        [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", str(tmp_path / "other")]
        + ["--api-key", "k"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout.readline().startswith("CloudZero sandbox at ")
        process.terminate()
