"""
The month so far and the two before it, every morning: for vendors that correct their bills.

Months that CloudZero holds already are compared and not sent again (``skip_unchanged``). There is one mapped task
instance per month; the list of months is made when the run starts. On the first day of a month, which has no rows yet,
the newest month is still the one before (``delay``). A run that is triggered by hand sends the months up to that
moment, also without a logical date.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from datetime import timedelta

from acme_bill import month_rows, write_bill
from airflow.sdk import dag, task

from cloudzero_provider.airflow_support.run_month import moment_of_run
from cloudzero_provider.months import months_to_send
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_last_months",
    schedule="0 6 * * *",
    catchup=False,
    # Two runs at a time would replace what the other one sends.
    max_active_runs=1,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_last_months():
    @task
    def months(**context) -> list[str]:
        # Acme's bill of a month begins on its second day.
        return months_to_send(moment_of_run(context), back=2, delay=timedelta(days=1))

    @task(multiple_outputs=False, map_index_template="{{ task.op_kwargs['month'] }}")
    def make_bill(month: str, **context) -> dict[str, str]:
        rows = month_rows(month, until=moment_of_run(context))
        return {"month": month, "files": write_bill(rows, f"acme-{month}.csv")}

    # Each instance is named after its month, rows and total.
    bills = make_bill.expand(month=months())
    AnyCostBillingDropOperator.partial(task_id="send_bill", skip_unchanged=True).expand_kwargs(bills)


anycost_last_months()
