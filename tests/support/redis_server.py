"""A real Redis in a temporary folder. It keeps nothing on disk: when it stops, all that it held is lost."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import redis
from demo_airflow import free_port


class RedisServer:
    """
    A running Redis, on a free port of this machine.

    :param folder: for its log.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.log = folder / "redis.log"
        self._folder = folder
        self.client = redis.Redis(port=self.port, decode_responses=True)
        self.start()

    def start(self) -> None:
        """Start the server, empty, also after ``halt``."""
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: 'make redis' installs it"
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "appendonly": "no", "save": ""}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [program, *(str(part) for name, value in options.items() for part in (f"--{name}", value))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 20
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.halt()
                raise RuntimeError(f"redis-server did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    def halt(self) -> None:
        """Kill the server."""
        self.process.kill()
        self.process.wait(20)

    def stop(self) -> None:
        """Stop the server, and close the connection to it."""
        self.client.close()
        self.halt()
