"""Runs the examples that need a warehouse or S3 in a complete Airflow and checks what CloudZero then holds."""

from __future__ import annotations

import io
from collections import Counter
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest
from psycopg2.extras import execute_values
from support.airflow_rest import run as run_once
from support.bills import MONTH, cbf_bill
from support.formats import polars_frame
from support.postgres_server import PASSWORD
from support.s3_server import SECRET_KEY
from support.sandbox_server import KEY

BY = ("resource/service", "resource/account", "resource/tag:team")
TEAMS = ("checkout", "search")
FIRST = datetime(2024, 9, 1, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def bill(s3):
    """A month in two files, beside files that do not belong to it."""
    rows = cbf_bill()
    files = {f"{MONTH}/1.parquet": rows[:100], f"{MONTH}/2.parquet": rows[100:], "2024-08/1.parquet": rows[:10]}
    s3.bucket("acme-exports", {key: parquet(some) for key, some in files.items()} | {f"{MONTH}/_SUCCESS": b""})
    return rows


def parquet(rows) -> bytes:
    file = io.BytesIO()
    polars_frame(rows).write_parquet(file)
    return file.getvalue()


@pytest.fixture(scope="module")
def warehouse(postgres):
    """Lines and orders, up to the first and the last second of the month, and just outside it."""
    moments = [FIRST + timedelta(hours=7 * number) for number in range(103)]
    edges = [FIRST - timedelta(seconds=1), FIRST + timedelta(days=30, seconds=-1), FIRST + timedelta(days=30)]
    lines = [
        (number, moment, "Usage", f"m-{number % 9}", "Compute", TEAMS[number % 2], Decimal(number + 1) / 2**20)
        for number, moment in enumerate([*moments, *edges])
    ]
    with postgres.connect() as opened, opened.cursor() as cursor:
        # The time zone of the session must make no difference.
        cursor.execute("ALTER ROLE CURRENT_USER SET timezone TO 'America/New_York'")
        cursor.execute(
            "CREATE TABLE acme_lines (line_id integer, used_at timestamptz, line_type text, machine text, service text,"
            " team text, amount numeric);"
            "CREATE TABLE acme_orders (ordered_at timestamptz, team text)"
        )
        execute_values(cursor, "INSERT INTO acme_lines VALUES %s", lines)
        execute_values(cursor, "INSERT INTO acme_orders VALUES %s", [(line[1], line[5]) for line in lines])
    return [line for line in lines if line[1].month == 9]


def run(airflow, dag_id):
    """Run the DAG for the month; neither key nor password may be in a log."""
    ended = run_once(airflow, dag_id, partition_key=MONTH)
    logs = [log.read_text() for log in airflow.task_logs(dag_id, ended)]
    print(*logs)
    assert ended.state == "success"
    assert [secret for secret in (KEY, PASSWORD, SECRET_KEY) for log in logs if secret in log] == []


def test_parquet_on_s3_is_aggregated_by_day(airflow, sandbox, bill):
    run(airflow, "anycost_s3_parquet")
    expected: Counter = Counter()
    for row in bill:
        expected[(f"{row['time/usage_start']:%Y-%m-%d}", *(row[name] for name in BY))] += Fraction(row["cost/cost"])
    held: Counter = Counter()
    for row in sandbox.rows(MONTH):
        assert row["time/usage_start"].endswith("T00:00:00Z")
        held[(row["time/usage_start"][:10], *(row.get(name) for name in BY))] += Fraction(row["cost/cost"])
    assert held == expected
    assert sandbox.month(MONTH)["rows"] < len(bill)


def test_a_query_is_sent_unchanged(airflow, sandbox, warehouse):
    run(airflow, "anycost_sql")
    assert sandbox.rows(MONTH) == [
        {
            "lineitem/type": kind,
            "time/usage_start": f"{moment.replace(minute=0, second=0):%Y-%m-%dT%H:%M:%SZ}",
            "resource/id": f"vm/{machine}",
            "resource/service": service,
            "resource/tag:team": team,
            "cost/cost": f"{amount.normalize():f}",
        }
        for _, moment, kind, machine, service, team, amount in sorted(warehouse, key=lambda line: line[1])
    ]
    run(airflow, "anycost_sql")
    first, second = sandbox.writes()
    assert first["bytes"] == second["bytes"]


def test_orders_are_counted_by_day_and_team(airflow, sandbox, warehouse):
    run(airflow, "telemetry_sql")
    expected = Counter((f"{moment:%Y-%m-%d}", team) for _, moment, *_, team, _ in warehouse)
    records = sandbox.records("acme-orders-per-team")
    held = {(r["timestamp"][:10], r["keys"]["custom:Team"]): int(r["value"]) for r in records}
    assert held == expected
    assert len(records) == len(held)
