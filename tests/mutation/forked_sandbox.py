"""A sandbox forked from this process, where all that it needs is imported: a new Python takes longer than most tests."""

from __future__ import annotations

import os
import signal
import sys
from types import SimpleNamespace
from typing import Any

import sandbox_client

from cloudzero_provider.sandbox.cli import main


class ForkedSandbox:
    """What ``SandboxServer`` uses of ``subprocess.Popen``."""

    def __init__(self, command: list[str], **_: Any) -> None:
        written, told = os.pipe()
        self._process = os.fork()
        if not self._process:
            self._serve(command[command.index("cloudzero_provider.sandbox") + 1 :], told)
        os.close(told)
        self.stdout = os.fdopen(written)

    def _serve(self, arguments: list[str], told: int) -> None:
        try:
            os.dup2(told, 1)
            sys.stdout = os.fdopen(1, "w")
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            os._exit(main(arguments))
        finally:
            os._exit(1)

    def send_signal(self, number: int) -> None:
        os.kill(self._process, number)

    def wait(self, _timeout: float) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])


def use() -> None:
    """Let ``SandboxServer`` start sandboxes in this way."""
    sandbox_client.subprocess = SimpleNamespace(Popen=ForkedSandbox, PIPE=None)  # type: ignore[attr-defined]
