"""
Rows straight from a task, without a file, and what CloudZero holds afterwards read back into one.

Good for a few thousand rows. Write more to a file: what a task returns goes through Airflow's database.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from acme_bill import bill_folder
from airflow.sdk import Param, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator


@dag(
    dag_id="anycost_from_task",
    schedule=None,
    params={"month": Param("2026-03", type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")},
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_from_task():
    @task
    def make_rows(params) -> list[dict[str, str]]:
        # Money is text: on its way from task to task (XCom) Airflow turns a Decimal into a float.
        seats = {"support": "1250.00", "sales": "2075.50", "engineering": "3420.333333"}
        return [
            {
                "time/usage_start": f"{params['month']}-01T00:00:00Z",
                "cost/cost": cost,
                "resource/service": "Acme Desk",
                "resource/id": f"seats/{team}",
                "resource/tag:team": team,
            }
            for team, cost in seats.items()
        ]

    send = AnyCostBillingDropOperator(task_id="send_rows", month="{{ params.month }}", records=make_rows())
    read_back = AnyCostBillingDropReadOperator(
        task_id="read_back",
        month="{{ params.month }}",
        path=str(bill_folder() / "read-back-{{ params.month }}.csv"),
    )
    send >> read_back


anycost_from_task()
