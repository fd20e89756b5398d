"""
A bill from a warehouse: the result of the query is sent without a file or an XCom.

``acme_warehouse`` is an Airflow connection of any type whose hook runs SQL: PostgreSQL, Snowflake, Databricks, …

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from airflow.sdk import CronPartitionTimetable, dag

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_sql",
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_sql():
    # The path is relative to this file. The query is a template: it asks for the month of the run.
    AnyCostBillingDropOperator(task_id="send_bill", sql="sql/acme_bill.sql", sql_conn_id="acme_warehouse")


anycost_sql()
