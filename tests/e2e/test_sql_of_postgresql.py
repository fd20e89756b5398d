"""Rows from a real PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from psycopg2.extras import execute_values
from support.bills import MONTH, cbf_bill, focus_bill, read_focus, with_long_numbers
from support.formats import Row, write_csv
from support.postgres_server import PASSWORD
from support.real_data import real_data
from support.recording_proxy import WireTap
from support.tasks import connect, send

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import CloudZeroError, InputError

CONNECTION = {"sql_conn_id": "warehouse"}


@pytest.fixture
def tap(sandbox, postgres, monkeypatch):
    """A proxy that records requests to the sandbox; Airflow connections to it and to the warehouse."""
    tap = WireTap(sandbox.url, sandbox.key)
    connect(monkeypatch, tap)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", postgres.airflow_connection())
    yield tap
    tap.stop()


@pytest.fixture
def run_sql(postgres):
    opened = postgres.connect()
    with opened.cursor() as cursor:
        yield cursor
    opened.close()


def quoted(name: str) -> str:
    return f'"{name}"'


def create_table(cursor, rows: list[Row]) -> str:
    """
    Create a table with the types of a warehouse: exact numbers, timestamps with or without a time zone, text.

    :return: a query for its rows, in order.
    """
    columns = {quoted(column): column_type([row[column] for row in rows]) for column in rows[0]}
    defined = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    cursor.execute(f"DROP TABLE IF EXISTS bill; CREATE TABLE bill ({defined}, line integer)")
    execute_values(cursor, "INSERT INTO bill VALUES %s", [(*row.values(), line) for line, row in enumerate(rows)])
    return f"SELECT {', '.join(columns)} FROM bill ORDER BY line"


def column_type(values: list) -> str:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {Decimal}:
        return "numeric"
    if kinds == {datetime}:
        return "timestamptz" if next(filter(None, values)).tzinfo else "timestamp"
    return "text"


def requests_of(tap, **given):
    summary = send(month=MONTH, min_rows_ratio=0, **given)
    return summary["sha256"], tap.take_posted()


@pytest.mark.parametrize("bill", ["CBF", "CBF with long numbers", "FOCUS", "FOCUS sample"])
def test_a_table_makes_the_same_requests_as_a_file(tap, run_sql, tmp_path, bill):
    make = {
        "CBF": cbf_bill,
        "CBF with long numbers": lambda: with_long_numbers(cbf_bill()),
        "FOCUS": focus_bill,
        "FOCUS sample": lambda: read_focus(real_data("focus_sample.csv")),
    }
    rows, transform = make[bill](), to_cbf if bill.startswith("FOCUS") else None
    sql = create_table(run_sql, rows)
    write_csv(rows, tmp_path / "bill.csv")
    expected = requests_of(tap, files=str(tmp_path / "bill.csv"), transform=transform)
    assert len(expected[1]) == 1
    assert requests_of(tap, sql=sql, transform=transform, **CONNECTION) == expected


def test_columns_named_in_the_query_and_database_types_arrive(tap, sandbox, run_sql):
    run_sql.execute("DROP TABLE IF EXISTS lines")
    run_sql.execute("CREATE TABLE lines (day date, cost numeric(38, 20), seats integer, price money)")
    run_sql.execute("INSERT INTO lines VALUES ('2024-09-03', 0.00000000000000000001, 3), ('2024-09-04', -12.50, 2)")
    sql = """
        SELECT day AS "time/usage_start", cost AS "cost/cost", seats AS "usage/amount", 'a' || seats AS "resource/id"
        FROM lines ORDER BY day
    """
    summary = send(sql=sql, month=MONTH, **CONNECTION)
    assert summary["total_cost"] == "-12.49999999999999999999"
    assert sandbox.rows(MONTH) == [
        {
            "time/usage_start": "2024-09-03T00:00:00Z",
            "cost/cost": "0.00000000000000000001",
            "usage/amount": "3",
            "resource/id": "a3",
        },
        {
            "time/usage_start": "2024-09-04T00:00:00Z",
            "cost/cost": "-12.5",
            "usage/amount": "2",
            "resource/id": "a2",
        },
    ]


def test_more_rows_than_a_batch_are_exact(tap, run_sql):
    sql = """
        SELECT timestamp '2024-09-01' + number % 720 * interval '1 hour' AS "time/usage_start",
               number::numeric / 1024 AS "cost/cost", md5(number::text) AS "lineitem/id"
        FROM generate_series(1, 50000) AS number
    """
    summary = send(sql=sql, month=MONTH, **CONNECTION)
    run_sql.execute("SELECT sum(number::numeric / 1024) FROM generate_series(1, 50000) AS number")
    assert summary["rows"] == 50_000
    assert Fraction(summary["total_cost"]) == Fraction(run_sql.fetchone()[0])


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ('SELECT 1 AS "cost/cost", 2 AS "cost/cost"', "two columns 'cost/cost'"),
        ("CREATE TEMPORARY TABLE nothing (a text)", "sql is not a query"),
        (
            "SELECT 'x' AS \"cost/cost\", '2024-09-01' AS \"time/usage_start\"",
            "row 1 of the query, column 'cost/cost', value 'x'",
        ),
    ],
)
def test_an_invalid_bill_is_refused(tap, sandbox, sql, message):
    with pytest.raises(InputError, match=message):
        send(sql=sql, month=MONTH, **CONNECTION)
    assert sandbox.writes() == []


def test_a_database_error_can_be_retried_and_does_not_contain_the_password(tap, postgres, monkeypatch, caplog):
    unreachable = postgres.airflow_connection().replace(str(postgres.port), "9")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", unreachable)
    with pytest.raises(Exception, match="refused") as error:
        send(sql="SELECT 1", month=MONTH, **CONNECTION)
    assert not isinstance(error.value, CloudZeroError)
    assert PASSWORD not in str(error.value) + caplog.text
