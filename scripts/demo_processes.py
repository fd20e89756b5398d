"""
The demo's processes, none of which outlives it.

Each is started in its own session. Airflow's children create process groups, but stay in the session, so the whole
session is ended: first with SIGTERM, then with SIGKILL.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

POLITE_SECONDS = 7.0
FIRM_SECONDS = 10.0
PR_SET_CHILD_SUBREAPER = 36


class Stopped(BaseException):
    """The demo was asked to stop, by Ctrl-C or a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class StopSignals:
    """Turns the first signal into one ``Stopped`` in the main thread, but never while a process is being started."""

    def __init__(self) -> None:
        self._held = False
        self._waiting: int | None = None
        self._over = False
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._on_signal)

    def _on_signal(self, number: int, _frame: object) -> None:
        if self._over:
            return
        if self._held:
            self._waiting = number
            return
        self._over = True
        raise Stopped(number)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Delay a signal until the end of the block."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._waiting is not None and not self._over:
                self._over = True
                raise Stopped(self._waiting)

    def ignore(self) -> None:
        """Ignore further signals: the demo is already stopping."""
        self._over = True


@dataclass(frozen=True)
class Started:
    """
    A process and its log.

    :param name: shown to people.
    :param popen: the leader of a session, so its id is the session's.
    :param log: the file with its output.
    """

    name: str
    popen: subprocess.Popen[bytes]
    log: Path


@dataclass
class Processes:
    """Starts processes, and ends all of them."""

    signals: StopSignals
    logs: Path
    started: list[Started] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str | Path], environment: Mapping[str, str]) -> Started:
        """Start a command, with its output in a file."""
        log = self.logs / f"{name}.log"
        with self.signals.held(), log.open("ab") as output:
            popen = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
            process = Started(name, popen, log)
            self.started.append(process)
        return process

    def kill(self, process: Started) -> list[int]:
        """Kill one process and what it started, without a warning; return the ids of those still running."""
        return self._kill_sessions({process.popen.pid})

    def end_all(self) -> list[int]:
        """End all processes and what they started; return the ids of those still running."""
        for process in reversed(self.started):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.popen.pid, signal.SIGTERM)
        sessions = {process.popen.pid for process in self.started}
        self._wait_until_gone(sessions, POLITE_SECONDS)
        return self._kill_sessions(sessions)

    def _kill_sessions(self, sessions: set[int]) -> list[int]:
        deadline = time.monotonic() + FIRM_SECONDS
        while (left := _members(sessions)) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._wait_until_gone(sessions, 0.5)
        return left

    def _wait_until_gone(self, sessions: set[int], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            led = [process.popen for process in self.started if process.popen.pid in sessions]
            for popen in led:
                popen.poll()
            if all(popen.returncode is not None for popen in led):
                _reap_adopted(_members(sessions))
                if not _members(sessions):
                    return
            time.sleep(0.1)


def adopt_orphans() -> None:
    """Become the parent of orphaned processes, so that they are reaped even if init does not do it (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _reap_adopted(pids: Iterable[int]) -> None:
    """Reap adopted processes. The leaders of their sessions have already been waited for."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _members(sessions: set[int]) -> list[int]:
    return [pid for pid in _all_pids() if _session(pid) in sessions]


def _all_pids() -> list[int]:
    proc = Path("/proc/self")
    if proc.exists():
        return [int(entry.name) for entry in proc.parent.iterdir() if entry.name.isdigit()]
    listed = subprocess.run(["ps", "-A", "-o", "pid="], capture_output=True, text=True, check=True)
    return [int(pid) for pid in listed.stdout.split()]


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
