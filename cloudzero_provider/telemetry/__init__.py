"""
Telemetry: record kinds and checks, batches, sending them.

Nothing here knows Airflow. Data flows one way: rows, checked, batched, sent, summary.
"""

from __future__ import annotations
