"""A sandbox for tests: the real server in its own process, with its control API."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

import requests

STREAM = "1234abcd-1234-abcd-1234-abcd1234efgh"
KEY = "planted-key-7f3a9c51d2"


class SandboxServer:
    """A running sandbox."""

    def __init__(self, data: Path, *arguments: str, key: str = KEY) -> None:
        self.key = key
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", str(data)]
            + ["--api-key", key, *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert " at http" in line, line
        self.url = line.rsplit(" at ", 1)[1].strip()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0

    def _call(self, method: str, path: str, **options: Any) -> Any:
        reply = requests.request(method, f"{self.url}/sandbox/{path}", timeout=60, **options)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def reset(self) -> None:
        self._call("POST", "reset", json={})

    def faults(self, *faults: dict[str, Any]) -> None:
        self._call("POST", "faults", json={"faults": list(faults)})

    def clear_faults(self) -> None:
        self._call("DELETE", "faults")

    def armed(self) -> list[dict[str, Any]]:
        return self._call("GET", "faults")["faults"]

    def settings(self, **settings: Any) -> None:
        self._call("POST", "settings", json=settings)

    def current_settings(self) -> dict[str, Any]:
        return self._call("GET", "settings")["settings"]

    def default_settings(self) -> None:
        self._call("DELETE", "settings")

    def requests(self) -> list[dict[str, Any]]:
        return self._call("GET", "requests")["requests"]

    def writes(self) -> list[dict[str, Any]]:
        """Requests that change a month (validation does not)."""
        return [r for r in self.requests() if r["method"] == "POST" and r["path"].endswith("/billing_drops")]

    def posts(self) -> list[dict[str, Any]]:
        return [request for request in self.requests() if request["method"] == "POST"]

    def months(self, stream: str = STREAM) -> dict[str, Any]:
        return self._call("GET", "state")["streams"][stream]["months"]

    def month(self, month: str, stream: str = STREAM) -> dict[str, Any]:
        return self.months(stream)[month]

    def rows(self, month: str, stream: str = STREAM) -> list[dict[str, str]]:
        """What CloudZero's own endpoint returns for a month, once no other request is running on its stream."""
        path = f"/v2/connections/billing/anycost/{stream}/billing_drops/{month}"
        deadline = time.monotonic() + 60
        while True:
            reply = requests.get(self.url + path, headers={"Authorization": self.key}, timeout=60)
            if reply.status_code != HTTPStatus.CONFLICT or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        reply.raise_for_status()
        return reply.json()["billing_drop"]

    def held(self, month: str = "2026-03") -> list[dict[str, str]]:
        """The rows of a month; an empty list if it does not exist."""
        return self.rows(month) if month in self.months() else []

    def total_cost(self, month: str = "2026-03") -> Decimal:
        return Decimal(self.month(month)["total_cost"])

    def telemetry(self, stream: str) -> dict[str, Any] | None:
        """The state of a telemetry stream: kind, granularity, counts, total and digest."""
        return self._call("GET", "state")["telemetry"].get(stream)

    def records(self, stream: str) -> list[dict[str, Any]]:
        """The records of a telemetry stream; an empty list if it does not exist."""
        return self._call("GET", f"telemetry/{stream}/records")["records"] if self.telemetry(stream) else []

    def never_overlapped(self) -> bool:
        return not any(request["overlapped"] for request in self.requests())
