"""
A report of what was sent: a DAG that runs when ``anycost_send_and_wait`` has sent a bill.

Neither is partitioned. The event of a run with a partition key doesn't start a DAG that is scheduled on the asset
alone: to follow a DAG that is partitioned by month, schedule on ``PartitionedAssetTimetable(assets=SENT)``.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from airflow.sdk import Asset, dag, task

SENT = Asset("acme_bill_sent")


@dag(dag_id="anycost_report_what_was_sent", schedule=SENT, catchup=False, tags=["cloudzero", "example"], doc_md=__doc__)
def anycost_report_what_was_sent():
    @task
    def report(triggering_asset_events) -> list[str]:
        # One event per month that was sent since the last run.
        sent = [event.extra for event in triggering_asset_events[SENT]]
        return [f"{bill['month']}: {bill['rows']} rows, {bill['total_cost']}, {bill['sha256'][:8]}" for bill in sent]

    report()


anycost_report_what_was_sent()
