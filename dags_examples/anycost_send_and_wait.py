"""
Send a bill, wait for it, and tell other DAGs with an asset.

Waiting is a separate task: clearing it waits again and sends nothing. The asset in ``outlets`` makes Airflow run
every DAG that is scheduled on it, with what was sent in the event's ``extra``: see ``anycost_report_what_was_sent``.

Needs Airflow 3.2 or later; on 3.0 and 3.1, import ``CronDataIntervalTimetable`` from ``airflow.timetables.interval``.
"""

from __future__ import annotations

from acme_bill import month_rows, write_bill
from airflow.sdk import Asset, CronDataIntervalTimetable, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor


@dag(
    dag_id="anycost_send_and_wait",
    schedule=CronDataIntervalTimetable("@monthly", timezone="UTC"),
    catchup=False,
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_send_and_wait():
    @task
    def make_bill(data_interval_start) -> str:
        month = f"{data_interval_start:%Y-%m}"
        return write_bill(month_rows(month), f"acme-{month}.csv")

    send = AnyCostBillingDropOperator(task_id="send_bill", files=make_bill(), outlets=[Asset("acme_bill_sent")])
    AnyCostBillingDropSensor(task_id="wait_for_bill", summary=send.output, deferrable=True)


anycost_send_and_wait()
