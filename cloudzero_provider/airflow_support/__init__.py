"""What the package needs of Airflow beyond operators, sensors, hooks and triggers."""

from __future__ import annotations
