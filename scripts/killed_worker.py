"""
A task in its own process, which can be killed at any moment.

Processes are forked from one that has imported Airflow, as Airflow's own supervisor does: a new interpreter for each
would take two seconds. polars starts threads when it is imported, so only the children import it.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Longer than any task here takes on a busy machine.
LONGEST_TASK = 120.0


class Worker:
    """
    A running task.

    :param task: runs it; its process ends with code 0 when it returns, with 1 when it raises.
    :param log: the file that its output is appended to.
    """

    def __init__(self, task: Callable[[], object], log: Path) -> None:
        if "polars" in sys.modules:
            raise RuntimeError("polars is imported: its threads would be missing in a forked process.")
        self._status: int | None = None
        self.began = time.time()
        self.pid = os.fork()
        if self.pid == 0:
            _run(task, log)

    def poll(self) -> bool:
        """Whether the process has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = status if pid else None
        return self._status is not None

    def wait(self) -> int:
        """Wait for the end; return the exit code, or minus the signal that ended it."""
        deadline = time.monotonic() + LONGEST_TASK
        while not self.poll():
            if time.monotonic() > deadline:
                self.kill()
                raise TimeoutError(f"A task did not end within {LONGEST_TASK:g} s.")
            time.sleep(0.002)
        return os.waitstatus_to_exitcode(self._status or 0)

    def kill(self) -> bool:
        """Kill the process; return False if it had finished before."""
        if not self.poll():
            os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL


def _run(task: Callable[[], object], log: Path) -> None:
    """In the child: run the task and exit without the parent's cleanup."""
    code = 1
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        task()
        code = 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", flush=True)
    finally:
        os._exit(code)
