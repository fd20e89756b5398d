"""
Retries that depend on the error, with a retry policy.

Errors that a retry can't fix (a wrong key, bad rows) fail the task immediately, whatever the policy says.
The others: CloudZero is down, which takes a while; or it throttles, and says for how long.

Needs Airflow 3.3 or later.
"""

from __future__ import annotations

from datetime import timedelta

from acme_bill import month_rows, write_bill
from airflow.sdk import CronPartitionTimetable, ExceptionRetryPolicy, RetryRule, dag, task

from cloudzero_provider.exceptions import (
    CloudZeroConnectionError,
    CloudZeroUnavailableError,
    RateLimitError,
    ServiceUnavailableError,
)
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

OUTAGES = [CloudZeroConnectionError, CloudZeroUnavailableError, ServiceUnavailableError]
POLICY = ExceptionRetryPolicy(
    rules=[
        RetryRule(exception=RateLimitError, retry_delay=timedelta(minutes=5), reason="CloudZero throttles"),
        RetryRule(exception=OUTAGES, retry_delay=timedelta(minutes=30), reason="CloudZero is down"),
    ]
)


@dag(
    dag_id="anycost_retry_policy",
    schedule=CronPartitionTimetable("0 6 3 * *", timezone="UTC", run_offset=-1, key_format="%Y-%m"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_retry_policy():
    @task
    def make_bill(dag_run) -> str:
        month = dag_run.partition_key
        return write_bill(month_rows(month), f"acme-{month}.csv")

    # The policy says when, retries how often. An error that no rule names is retried after retry_delay.
    AnyCostBillingDropOperator(
        task_id="send_bill",
        files=make_bill(),
        retries=8,
        retry_delay=timedelta(minutes=2),
        retry_policy=POLICY,
    )


anycost_retry_policy()
