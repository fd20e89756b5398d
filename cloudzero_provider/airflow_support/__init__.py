"""Helpers around Airflow: its private interfaces, errors, months, object storage and upstream outputs."""

from __future__ import annotations
