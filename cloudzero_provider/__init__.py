"""Apache Airflow provider for CloudZero: AnyCost billing drops and telemetry, one month at a time."""

from __future__ import annotations

__version__ = "0.1.0"
