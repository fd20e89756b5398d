"""Run programs in processes of their own, and measure those from outside."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks.model import ROOT, Case, Environment, Program
from benchmarks.results import Run

TIMEOUT_SECONDS = 900


class ProgramFailedError(Exception):
    """The last line that a program wrote before it failed."""


@dataclass(frozen=True)
class Interpreters:
    """
    The Python of each environment.

    :param venv: the environment of the provider; the others are below it.
    """

    venv: Path = Path(sys.prefix)

    def of(self, environment: Environment) -> Path:
        """Return the path of an environment's Python, whether it exists or not."""
        if environment is Environment.MAIN:
            return Path(sys.executable)
        folder: str = environment.value
        return self.venv / folder / "bin" / "python"


def run_once(interpreters: Interpreters, case: Case, program: Program) -> Run:
    """
    Run a program in a process of its own.

    :raises ProgramFailedError: with what it said last.
    """
    python = interpreters.of(program.environment)
    with tempfile.TemporaryDirectory(prefix="cloudzero-bench-") as folder, _around(case) as variables:
        result = Path(folder, "result.json")
        command = [
            str(python),
            "-m",
            "benchmarks.child",
            str(result),
            program.module,
            str(program.repeat),
            *(case.given.arguments if case.given else ()),
        ]
        with open(Path(folder, "errors"), "w+b") as errors:
            began = time.perf_counter()
            # Installed packages are compiled; without this variable, those of this folder are, too.
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **variables}
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
            timer = threading.Timer(TIMEOUT_SECONDS, process.kill)
            timer.start()
            # The usage of this process alone; that of all children would add up.
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                errors.seek(0)
                raise ProgramFailedError(_last_line(errors.read(), process.returncode))
        found = json.loads(result.read_text(encoding="utf-8"))
    # What prepares the input of a program, such as a list of dictionaries, belongs to the user of the program.
    return Run(
        whole_seconds=seconds - found["prepare_seconds"],
        whole_cpu=usage.ru_utime + usage.ru_stime - found["prepare_cpu"],
        work_seconds=found["work_seconds"],
        work_cpu=found["work_cpu"],
        peak_mb=usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6,
        bodies=found["bodies"],
        bytes=found["bytes"],
    )


def _around(case: Case) -> AbstractContextManager[dict[str, str]]:
    if not case.around:
        return nullcontext({})
    module, name = case.around.split(":")
    entered: AbstractContextManager[dict[str, str]] = getattr(importlib.import_module(module), name)()
    return entered


def _last_line(errors: bytes, code: int) -> str:
    lines = errors.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {code}"
