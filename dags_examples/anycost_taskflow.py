"""
Rows straight from a function: a vendor's API, read page by page.

The same task sends what the function yields: no file, and no rows in Airflow's database. Nothing is sent before the
last page is read and every row is checked; if the API fails, Airflow retries the whole task.

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from datetime import timedelta

from acme_api import charges
from airflow.sdk import CronPartitionTimetable, dag, task


@dag(
    dag_id="anycost_taskflow",
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_taskflow():
    # The decorator's arguments are parameters of AnyCostBillingDropOperator. Its month is the run's partition key.
    @task.cloudzero_billing_drop(retries=3, retry_delay=timedelta(minutes=10))
    def send_bill(dag_run):
        after = None
        while True:
            page = charges(dag_run.partition_key, after)
            for charge in page["charges"]:
                yield {
                    "lineitem/type": charge["type"],
                    "lineitem/description": charge["text"],
                    "time/usage_start": charge["started_at"],
                    "cost/cost": charge["amount"],
                    "resource/id": charge["resource"],
                    "resource/service": charge["product"],
                    "resource/account": charge["account"],
                    "resource/region": charge["region"],
                    "usage/amount": charge["quantity"],
                    "usage/units": charge["unit"],
                    **{f"resource/tag:{key}": value for key, value in charge["labels"].items()},
                }
            after = page["next"]
            if after is None:
                return

    send_bill()


anycost_taskflow()
