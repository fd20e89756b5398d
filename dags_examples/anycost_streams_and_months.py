"""
Several AnyCost streams and months in one run: one mapped task instance per stream and month.

Acme's bill is split by account, and each account has a stream of its own. Every pair of a stream and a month is a dict
of arguments (``expand_kwargs``), and each instance is named after its pair (``map_index_template``). An instance that
fails does not stop the others: clear it alone.

The task is in a pool with one slot, so that it shares its streams with other DAGs that are in the pool, too. Create it
first: ``cloudzero-provider create-pools acme``.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import Param, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_streams_and_months",
    schedule=None,
    params={
        "streams": Param(
            {"checkout-production": "acme-checkout", "search-production": "acme-search"},
            type="object",
            additionalProperties={"type": "string"},
            description="Account → id of its AnyCost stream.",
        ),
        "months": Param(
            ["2026-01", "2026-02", "2026-03"],
            type="array",
            items={"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"},
            description="Months to send, like 2026-03.",
        ),
    },
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_streams_and_months():
    @task
    def pairs(params) -> list[dict[str, str]]:
        return [
            {"account": account, "stream": stream, "month": month}
            for account, stream in params["streams"].items()
            for month in params["months"]
        ]

    @task(multiple_outputs=False, map_index_template="{{ task.op_kwargs['stream'] }}, {{ task.op_kwargs['month'] }}")
    def make_bill(account: str, stream: str, month: str) -> dict[str, str]:
        rows = [row for row in month_rows(month) if row.get("resource/account") == account]
        return {
            "anycost_connection_id": stream,
            "month": month,
            "files": write_bill(rows, f"acme-{account}-{month}.csv"),
        }

    AnyCostBillingDropOperator.partial(
        task_id="send_bill",
        pool="cloudzero_acme",
        map_index_template="{{ task.anycost_connection_id }}, {{ task.month }}",
    ).expand_kwargs(make_bill.expand_kwargs(pairs()))


anycost_streams_and_months()
