"""An Airflow connection becomes a client."""

from __future__ import annotations
