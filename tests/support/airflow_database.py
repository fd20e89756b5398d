"""Reads Airflow's database while Airflow runs."""

from __future__ import annotations

import sqlite3


def ask(airflow, query, *values):
    database = sqlite3.connect(f"file:{airflow.home}/airflow.db?mode=ro", uri=True, timeout=30)
    try:
        return database.execute(query, values).fetchall()
    finally:
        database.close()
