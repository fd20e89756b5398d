"""Rows in every supported form."""

from __future__ import annotations

from decimal import Decimal

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

MONTH = "2026-03"
EXACT = Decimal("0.1234567890123456789")


def row(day: int, cost: object = "1.10", **more: str) -> dict[str, object]:
    return {"time/usage_start": f"{MONTH}-{day:02}T00:00:00Z", "cost/cost": cost, **more}


JINJA_ROWS = [
    row(1, **{"resource/service": "{{ 1/0 }}", "lineitem/description": "{% raise %} {{ ds }} {# gone #}"}),
    row(2, "2.25", **{"resource/service": "{{ var.value.not_there }}"}),
]


@dag(schedule=None)
def records_from_task():
    @task
    def make():
        return JINJA_ROWS

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=make())


@dag(schedule=None)
def records_given():
    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=JINJA_ROWS)


@dag(schedule=None)
def records_from_mapped_task():
    @task
    def make(days):
        return [row(day) for day in days]

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=make.expand(days=[[1, 2], [], [3]]))


@dag(schedule=None)
def records_none():
    @task
    def make():
        return None

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=make(), retries=2, retry_delay=0)


@dag(schedule=None)
def records_empty():
    @task
    def make():
        return []

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=make())


@dag(schedule=None)
def records_decimal():
    @task
    def make():
        return [row(1, EXACT)]

    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=make())


@dag(schedule=None)
def records_bad_row():
    AnyCostBillingDropOperator(
        task_id="send",
        month=MONTH,
        records=[row(1), row(2, "12,50")],
        retries=2,
        retry_delay=0,
    )


@dag(schedule=None)
def records_through_an_outage():
    AnyCostBillingDropOperator(
        task_id="send",
        cloudzero_conn_id="cloudzero_impatient",
        month=MONTH,
        records=[row(1), row(2)],
        retries=2,
        retry_delay=0,
    )


records_from_task()
records_given()
records_from_mapped_task()
records_none()
records_empty()
records_decimal()
records_bad_row()
records_through_an_outage()
