"""The telemetry that the sandbox holds."""

from __future__ import annotations

from typing import Any

from support.sandbox_server import SandboxServer


def stream(sandbox: SandboxServer, name: str) -> dict[str, Any]:
    """A stream: kind, granularity, counts, total and digest."""
    return sandbox.telemetry(name) or {}


def records(sandbox: SandboxServer, name: str) -> list[tuple[str, str | None, dict[str, Any], str]]:
    """Each record of a stream: day, element, filter keys, value."""
    held = sandbox.records(name)
    return [(record["timestamp"][:10], record["element_name"], record["keys"], record["value"]) for record in held]
