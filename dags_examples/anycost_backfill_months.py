"""
A list of months in one run, triggered by hand: one mapped task instance per month.

The months are sent one after the other: CloudZero accepts one request at a time on a stream, so the operator's default
of ``max_active_tis_per_dag`` is 1, mapped or not. Each instance is named after its month, rows and total.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import Param, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_backfill_months",
    schedule=None,
    params={
        "months": Param(
            ["2026-01", "2026-02", "2026-03"],
            type="array",
            items={"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
            description="Months to send, like 2026-03.",
        )
    },
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_backfill_months():
    @task
    def months(params) -> list[str]:
        return list(params["months"])

    @task(multiple_outputs=False)
    def make_bill(month: str) -> dict[str, str]:
        return {"month": month, "files": write_bill(month_rows(month), f"acme-{month}.csv")}

    AnyCostBillingDropOperator.partial(task_id="send_bill").expand_kwargs(make_bill.expand(month=months()))


anycost_backfill_months()
