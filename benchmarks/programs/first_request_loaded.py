"""The same with the libraries loaded before: what is left is Airflow's connection, and the work."""

from __future__ import annotations

import polars  # noqa: F401
import requests  # noqa: F401

from benchmarks.programs.first_request import prepare

__all__ = ["prepare"]
