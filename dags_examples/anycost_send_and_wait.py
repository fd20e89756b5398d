"""
A bill that is sent, waited for, and reported by another DAG.

Waiting is a task of its own: to clear it waits again, and sends nothing. And the asset in ``outlets`` has Airflow run
every DAG that is scheduled on it, with what was sent in the event's ``extra``.

Both DAGs are without partitions. In Airflow, the event of a run with a partition key never starts a DAG that is scheduled
on the asset alone: to follow a DAG that is partitioned by month, schedule on ``PartitionedAssetTimetable(assets=BILL)``.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import Asset, CronDataIntervalTimetable, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor

BILL = Asset("acme_bill_in_cloudzero")


@dag(
    dag_id="anycost_send_and_wait",
    schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"),
    catchup=False,
    tags=["cloudzero", "example"],
)
def anycost_send_and_wait():
    @task
    def make_bill(data_interval_start) -> str:
        month = f"{data_interval_start:%Y-%m}"
        return write_bill(month_rows(month), f"acme-{month}.csv")

    send = AnyCostBillingDropOperator(task_id="send_bill", files=make_bill(), outlets=[BILL])
    AnyCostBillingDropSensor(task_id="wait_for_bill", summary=send.output, deferrable=True)


@dag(dag_id="anycost_report_what_was_sent", schedule=BILL, catchup=False, tags=["cloudzero", "example"])
def anycost_report_what_was_sent():
    @task
    def report(triggering_asset_events) -> list[str]:
        # Several months may have been sent since the last run: one event each.
        sent = [event.extra for event in triggering_asset_events[BILL]]
        return [f"{bill['month']}: {bill['rows']} rows, {bill['total_cost']}, {bill['sha256'][:8]}" for bill in sent]

    report()


anycost_send_and_wait()
anycost_report_what_was_sent()
