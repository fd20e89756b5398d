"""Plan telemetry without sending it: periods and parts of the records → report → Markdown."""

from __future__ import annotations
