"""
A unit cost metric from a warehouse: the number of orders per day and team.

The column ``custom:Team`` is not a field of a record, so it is a filter key: a dimension that must exist in CloudZero
under exactly that name.

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from airflow.sdk import CronPartitionTimetable, dag

from cloudzero_provider.operators.telemetry import TelemetrySendOperator


@dag(
    dag_id="telemetry_sql",
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def telemetry_sql():
    TelemetrySendOperator(
        task_id="send_orders",
        stream_name="acme-orders-per-team",
        stream_type="metric",
        # Days in UTC, as CloudZero counts them. The warehouse counts, so only one row per day and team leaves it.
        sql="""
            SELECT (ordered_at AT TIME ZONE 'UTC')::date AS timestamp, team AS "custom:Team", count(*) AS value
            FROM acme_orders
            WHERE to_char(ordered_at AT TIME ZONE 'UTC', 'YYYY-MM') = '{{ dag_run.partition_key }}'
            GROUP BY 1, 2
            ORDER BY 1, 2
        """,
        sql_conn_id="acme_warehouse",
    )


telemetry_sql()
