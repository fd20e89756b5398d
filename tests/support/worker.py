"""
Tasks in their own processes, which a test can stop and kill.

A process that has imported Airflow forks one for each task, as Airflow's own supervisor does: a new interpreter for
each would take seconds. polars starts threads when it is imported, so only the forked processes import it.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import traceback
from functools import lru_cache
from typing import Any

from support.paths import environment


class Worker:
    """
    A running task; used like a ``subprocess.Popen``.

    :param run: the function of ``support.tasks`` that runs the task.
    :param arguments: those of the function.
    :param before: a statement that is executed first.
    """

    def __init__(self, run: str, arguments: dict[str, Any], before: str = "") -> None:
        self.returncode: int | None = None
        self._is_stopped = False
        self._socket = socket.create_connection(("127.0.0.1", _server_port()))
        self._lines = self._socket.makefile("rb", buffering=0)
        job = {"run": run, "arguments": arguments, "before": before, "environment": dict(os.environ)}
        self._socket.sendall(f"{json.dumps(job)}\n".encode())
        self.pid = int(self._lines.readline())

    def poll(self) -> int | None:
        """Return the exit code, or minus the signal that ended the process, once it has ended."""
        self._follow(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process, and return what ``poll`` then returns."""
        self._follow(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def stop(self) -> None:
        """Stop the process, as if its machine froze, and wait until it has stopped."""
        self._is_stopped = False
        self.send_signal(signal.SIGSTOP)
        self._follow(30)
        assert self._is_stopped

    def wake(self) -> None:
        self._is_stopped = False
        self.send_signal(signal.SIGCONT)

    def _follow(self, timeout: float | None) -> None:
        """Read the reports of the process's monitor until it has ended or stopped, or the time is over."""
        while self.returncode is None and not self._is_stopped:
            if not select.select([self._socket], [], [], timeout)[0]:
                return
            word, _, code = self._lines.readline().decode().strip().partition(" ")
            assert word, "the monitor of a worker has died"
            if word == "ended":
                self.returncode = int(code)
            self._is_stopped = word == "stopped"


@lru_cache(maxsize=1)
def _server_port() -> int:
    """Start the process that forks workers; it ends with this one."""
    server = subprocess.Popen(
        [sys.executable, "-m", "support.worker"],
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    atexit.register(server.stdin.close)
    line = server.stdout.readline().decode()
    while line and not line.startswith("port "):  # Airflow may write to the standard output
        line = server.stdout.readline().decode()
    assert line, "the process that forks workers has died"
    return int(line.split()[1])


def main() -> None:
    """Fork a worker for each connection, until the standard input ends."""
    import cloudzero_provider.operators.telemetry  # noqa: F401
    import support.tasks  # noqa: F401

    with contextlib.suppress(ImportError):  # slow, too, for tasks that write to S3
        import s3fs  # noqa: F401

    if "polars" in sys.modules:
        raise RuntimeError("polars is imported: its threads would be missing in a forked process.")
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"port {listener.getsockname()[1]}", flush=True)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [])[0]):
        assert ready
        connection, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _monitor(connection)
            os._exit(0)
        connection.close()


def _monitor(connection: socket.socket) -> None:
    job = json.loads(connection.makefile("rb").readline())
    pid = os.fork()
    if pid == 0:
        connection.close()
        os._exit(_exit_code_of(job))
    connection.sendall(f"{pid}\n".encode())
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        with contextlib.suppress(OSError):  # the test may have ended
            if os.WIFSTOPPED(status):
                connection.sendall(b"stopped\n")
                continue
            connection.sendall(f"ended {os.waitstatus_to_exitcode(status)}\n".encode())
        return


def _exit_code_of(job: dict[str, Any]) -> int:
    """Run a task, and return the exit code of its process."""
    from support import tasks

    os.environ.clear()
    os.environ.update(job["environment"])
    try:
        exec(job["before"], {"sys": sys})
        getattr(tasks, job["run"])(**job["arguments"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main()
