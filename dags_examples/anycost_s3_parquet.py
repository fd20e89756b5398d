"""
A month's export in object storage: Parquet files on S3, aggregated by day before they are sent.

``acme_aws`` is an Airflow connection of the type Amazon Web Services (``apache-airflow-providers-amazon[s3fs]``). GCS
and Azure work the same way, with their own providers: ``gs://acme_gcp@acme-exports/…``.

Needs Airflow 3.2 or later.
"""

from __future__ import annotations

from airflow.sdk import CronPartitionTimetable, dag

from cloudzero_provider.anycost import aggregate
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_s3_parquet",
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_s3_parquet():
    AnyCostBillingDropOperator(
        task_id="send_export",
        # All files of the month are one table. A month without a file is an error, not an empty month.
        files="s3://acme_aws@acme-exports/{{ dag_run.partition_key }}/*.parquet",
        # A line per resource and hour can be more than the million rows that CloudZero accepts for a month. No cost is
        # lost or rounded; columns that are not named here are left out.
        transform=aggregate(by=["resource/service", "resource/account", "resource/tag:*"], period="day"),
    )


anycost_s3_parquet()
