"""
Telemetry: check records, split them into batches, and send them.

Nothing here imports Airflow.
"""

from __future__ import annotations
