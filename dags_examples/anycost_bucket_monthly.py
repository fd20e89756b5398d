"""
A bill per month, written to the bucket of an AnyCost Bucket connection, which takes months of any size.

As in ``anycost_monthly_partitioned``, the run's partition key is the month, like ``2026-03``. Two years of months:
``airflow backfill create --dag-id anycost_bucket_monthly --from-date 2024-04-01 --to-date 2026-03-31``. Months are
independent of each other in a bucket, so two are written at a time.

Set the Airflow variable ``acme_bucket_path`` to the folder of the connection, like
``s3://my_aws_conn@cost-data/anycost/acme``.

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import CronPartitionTimetable, dag, task

from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator


@dag(
    dag_id="anycost_bucket_monthly",
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_bucket_monthly():
    @task
    def make_bill(dag_run) -> str:
        month = dag_run.partition_key
        return write_bill(month_rows(month), f"acme-{month}.csv")

    AnyCostBucketDropOperator(
        task_id="write_bill",
        bucket_path="{{ var.value.acme_bucket_path }}",
        files=make_bill(),
        max_active_tis_per_dag=2,
    )


anycost_bucket_monthly()
