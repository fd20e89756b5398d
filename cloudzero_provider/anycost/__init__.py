"""
AnyCost billing drops: check rows, plan a month, execute the plan, read the month back.

Nothing here depends on Airflow. Data flows one way: rows → checked → planned → sent → summary.
"""

from __future__ import annotations

from cloudzero_provider.anycost.aggregation import aggregate

__all__ = ["aggregate"]
