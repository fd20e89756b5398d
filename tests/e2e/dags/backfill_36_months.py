"""Sends a bill and a metric for each month and waits for both; a file can correct a month."""

from __future__ import annotations

import csv
import os
from calendar import monthrange
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

from airflow.sdk import CronPartitionTimetable, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

DAG_ID = "backfill_36_months"
STREAM_NAME = "orders-of-36-months"
MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)]
WAIT = {"deferrable": True, "poke_interval": 1, "timeout": 300}


def bill(month: str, *, corrected: bool = False) -> list[tuple[str, str]]:
    """Time and cost of one row per day; no two months cost the same. A correction adds a row to the last day."""
    days = [f"{month}-{day:02d}" for day in range(1, monthrange(int(month[:4]), int(month[5:]))[1] + 1)]
    unit = Decimal(month.replace("-", "")).scaleb(-9)
    lines = [(day, f"{number + unit:f}") for number, day in enumerate(days, start=7_000)]
    return [*lines, (days[-1], f"-{unit:f}")] if corrected else lines


def orders(month: str, *, corrected: bool = False) -> list[tuple[str, int]]:
    """Time and count for some days of a month; all counts are different."""
    first = 8_000_000 + int(month.replace("-", "")) * 10 + (5 if corrected else 0)
    return [(f"{month}-{day:02d}", first + number) for number, day in enumerate((1, 8, 15, 22))]


def write(path: Path, columns: list[str], lines: list[tuple[str, object]]) -> str:
    """Write a file atomically, since the task may be killed."""
    part = path.with_suffix(f".{os.getpid()}")
    with part.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *lines])
    part.rename(path)
    return str(path)


@dag(
    dag_id=DAG_ID,
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    # Otherwise Airflow also schedules the newest month, if it ended only days ago.
    end_date=datetime(2026, 1, 31, tzinfo=timezone.utc),
    # For killed workers, and for tasks that Airflow itself loses in a race.
    default_args={"retries": 3, "retry_delay": timedelta(seconds=1)},
)
def backfill_36_months():
    @task(multiple_outputs=True)
    def measure(dag_run) -> dict[str, str]:
        month, folder = dag_run.partition_key, Path(os.environ["E2E_FOLDER"])
        corrected = (folder / f"{month}.corrected").exists()
        return {
            "bill": write(
                folder / f"bill-{month}.csv", ["time/usage_start", "cost/cost"], bill(month, corrected=corrected)
            ),
            "orders": write(folder / f"orders-{month}.csv", ["timestamp", "value"], orders(month, corrected=corrected)),
        }

    files = measure()
    sent_bill = AnyCostBillingDropOperator(task_id="send_bill", files=files["bill"])
    AnyCostBillingDropSensor(task_id="wait_for_bill", summary=sent_bill.output, **WAIT)
    sent_orders = TelemetrySendOperator(
        task_id="send_orders", stream_name=STREAM_NAME, stream_type="metric", files=files["orders"]
    )
    CloudZeroStreamStatusSensor(task_id="wait_for_orders", summary=sent_orders.output, **WAIT)


backfill_36_months()
