"""
AnyCost billing drops: CBF columns and checks, the plan of a month, running a plan, reading a month back.

Nothing here knows Airflow. Data flows one way: rows, checked, planned, sent, summary.
"""

from __future__ import annotations

from cloudzero_provider.anycost.aggregation import aggregate

__all__ = ["aggregate"]
