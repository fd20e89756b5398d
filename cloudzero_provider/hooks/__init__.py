"""The hook, which makes a client from an Airflow connection."""

from __future__ import annotations
