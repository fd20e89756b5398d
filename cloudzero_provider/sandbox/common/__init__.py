"""What both AnyCost and telemetry stand on."""

from __future__ import annotations
