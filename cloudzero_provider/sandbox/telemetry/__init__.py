"""Telemetry: streams and their records."""

from __future__ import annotations
