"""
A unit cost metric: what an order costs, per team.

The task sends how many orders there were; CloudZero divides the team's cost by it. ``custom:Team`` is a dimension
that must exist in CloudZero under exactly that name.

Needs Airflow 3.2 or later; on 3.0 and 3.1, import ``CronDataIntervalTimetable`` from ``airflow.timetables.interval``.
"""

from __future__ import annotations

from acme_usage import orders
from airflow.sdk import CronDataIntervalTimetable, dag, task

from cloudzero_provider.operators.telemetry import TelemetrySendOperator


@dag(
    dag_id="telemetry_cost_per_order",
    # A data interval of one day: a plain "@daily" has an interval of no length in Airflow 3.
    schedule=CronDataIntervalTimetable("@daily", timezone="UTC"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def telemetry_cost_per_order():
    @task
    def count_orders(data_interval_start) -> list[dict]:
        # The day that was counted, not the day of the run: sending it again then replaces the same record.
        return [
            {
                "timestamp": f"{data_interval_start:%Y-%m-%d}",
                # An int passes from task to task (XCom) as it is. A Decimal would become a float: pass it as text.
                "value": count,
                "associated_cost": {"custom:Team": team},
            }
            for team, count in orders(data_interval_start).items()
        ]

    TelemetrySendOperator(
        task_id="send_orders",
        stream_name="acme-orders",
        stream_type="metric",
        records=count_orders(),
    )


telemetry_cost_per_order()
