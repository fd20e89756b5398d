"""
The last 24 months in one run, triggered by hand, written to the bucket of an AnyCost Bucket connection.

One mapped task instance per month, two at a time. A month whose rows are in the bucket already is not written again, so
the run can be triggered as often as you like. When one instance fails, the others stand; clear it alone.

Set the Airflow variable ``acme_bucket_path`` to the folder of the connection, like
``s3://my_aws_conn@cost-data/anycost/acme``.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import Param, dag, task

from cloudzero_provider.months import months_to_send
from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator


@dag(
    dag_id="anycost_bucket_backfill",
    schedule=None,
    params={
        "newest": Param("2026-03", type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$"),
        "months": Param(24, type="integer", minimum=1, description="How many months."),
    },
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_bucket_backfill():
    @task
    def months(params) -> list[str]:
        return months_to_send(params["newest"], back=params["months"] - 1)

    @task(multiple_outputs=False)
    def make_bill(month: str) -> dict[str, str]:
        return {"month": month, "files": write_bill(month_rows(month), f"acme-{month}.csv")}

    AnyCostBucketDropOperator.partial(
        task_id="write_bill",
        bucket_path="{{ var.value.acme_bucket_path }}",
        skip_unchanged=True,
        max_active_tis_per_dag=2,
    ).expand_kwargs(make_bill.expand(month=months()))


anycost_bucket_backfill()
