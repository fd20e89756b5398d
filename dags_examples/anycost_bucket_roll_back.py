"""
Go back to an earlier drop of a month in the bucket of an AnyCost Bucket connection, triggered by hand.

Without ``drop_id``, the run only lists the drops of the month. Triggered again with one of them, it makes that the
current drop.

Set the Airflow variable ``acme_bucket_path`` to the folder of the connection, like
``s3://my_aws_conn@cost-data/anycost/acme``.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from airflow.sdk import Param, dag, task

from cloudzero_provider.operators.bucket import AnyCostBucketListOperator, AnyCostBucketRollbackOperator

BUCKET_PATH, MONTH = "{{ var.value.acme_bucket_path }}", "{{ params.month }}"


@dag(
    dag_id="anycost_bucket_roll_back",
    schedule=None,
    params={
        "month": Param("2026-03", type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$"),
        "drop_id": Param("", type="string", description="The drop to go back to; empty to list them."),
    },
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_bucket_roll_back():
    @task.short_circuit
    def has_drop_id(params) -> bool:
        return bool(params["drop_id"])

    list_drops = AnyCostBucketListOperator(task_id="list_drops", bucket_path=BUCKET_PATH, month=MONTH)
    roll_back = AnyCostBucketRollbackOperator(
        task_id="roll_back", bucket_path=BUCKET_PATH, month=MONTH, drop_id="{{ params.drop_id }}"
    )
    list_drops >> has_drop_id() >> roll_back


anycost_bucket_roll_back()
