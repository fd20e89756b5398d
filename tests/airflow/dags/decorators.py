"""Rows from decorated functions, called, mapped and overridden as Airflow allows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import Asset, TaskGroup, dag, task, task_group

if TYPE_CHECKING:
    from collections.abc import Iterator

MONTH = "2026-03"
#: How often a function was called, by the id of its DAG.
CALLS: Counter[str] = Counter()


def row(day: int, cost: object = "1.10", month: str = MONTH, **more: str) -> dict[str, object]:
    return {"time/usage_start": f"{month}-{day:02}T00:00:00Z", "cost/cost": cost, **more}


@dag(schedule=None)
def function_yields():
    # The return type is imported for type checkers only.
    @task.cloudzero_billing_drop
    def send() -> Iterator[dict[str, object]]:
        yield row(1, **{"resource/service": "{{ 1/0 }}", "lineitem/description": "{% raise %} {{ ds }} {# gone #}"})
        yield row(2, "2.25", **{"resource/service": "{{ var.value.not_there }}"})

    send.override(month=MONTH)()


@dag(schedule=None)
def function_of_dicts():
    # Airflow infers multiple outputs from this return type.
    @task.cloudzero_billing_drop(month="{{ dag_run.conf['month'] }}")
    def send() -> dict[str, object]:
        return [row(1)]

    send()


@dag(
    schedule=None,
    default_args={"anycost_connection_id": "{{ dag_run.conf['stream'] }}", "files": "x", "sql_conn_id": "y"},
)
def function_arguments():
    @task
    def accounts():
        return ["112233", "445566"]

    @task.cloudzero_billing_drop(month="{{ dag_run.conf['month'] }}")
    def send(accounts, first, *days, cost, query, dag_run=None, **context):
        for account in accounts:
            for day in (first, *days):
                service = f"{context['task'].task_id} {query}"
                more = {"resource/account": account, "resource/service": service}
                yield row(int(day), cost, dag_run.conf["month"], **more)

    with TaskGroup("outer"):
        send(accounts(), "{{ dag_run.conf['day'] }}", 7, cost="{{ dag_run.conf['cost'] }}", query="bill.sql")


@dag(schedule=None, default_args={"cloudzero_conn_id": "cloudzero_impatient", "files": "x"})
def function_mapped():
    @task
    def months(dag_run):
        return dag_run.conf["months"]

    # Not named month: Airflow rejects an argument that is also a parameter of the decorator.
    @task.cloudzero_billing_drop(month="{{ task.op_kwargs['of'] }}", map_index_template="{{ task.month }}")
    def send(of, cost) -> dict[str, object]:
        return [row(1, cost, of), row(28, cost, of)]

    send.partial(cost="2.5").expand(of=months())
    send.override(task_id="send_pairs").expand_kwargs([{"of": "2025-01", "cost": "1"}, {"of": "2025-02", "cost": "2"}])
    send.override(task_id="send_side_by_side", max_active_tis_per_dag=None).expand(of=["2024-01", "2024-02"], cost=[1])

    @task_group
    def each(of):
        send.override(task_id="send")(of=of, cost="3")

    each.expand(of=["2023-01", "2023-02"])


@dag(schedule=None)
def function_fails_late():
    @task.cloudzero_billing_drop(month=MONTH, retries=1, retry_delay=0)
    def send(ti):
        for number in range(1_000):
            yield row(1 + number % 28)
        if ti.try_number == 1:
            raise KeyError("page 11")

    send()


@dag(schedule=None)
def function_none():
    @task.cloudzero_billing_drop(month=MONTH, retries=2, retry_delay=0)
    def send():
        row(1)

    send()


@dag(schedule=None)
def function_adds():
    @task.cloudzero_billing_drop(
        cloudzero_conn_id="cloudzero_impatient",
        month=MONTH,
        operation="sum",
        max_body_bytes=250,
        retries=1,
        retry_delay=0,
    )
    def send(dag):
        CALLS[dag.dag_id] += 1
        for day in range(1, 21):
            yield row(day, 2**day)

    send()


@dag(schedule=None)
def function_measures():
    @task
    def elements():
        return ["Email", "Search"]

    @task.cloudzero_telemetry(
        stream_name="{{ dag_run.conf['stream'] }}",
        stream_type="allocation",
        granularity="DAILY",
        month=MONTH,
        outlets=[Asset("cloudzero-function")],
    )
    def send(elements, dag_run=None):
        for number, element in enumerate(elements, start=1):
            yield {"timestamp": f"{dag_run.conf['day']}T11:00:00Z", "element_name": element, "value": number}

    send(elements())


function_yields()
function_of_dicts()
function_arguments()
function_mapped()
function_fails_late()
function_none()
function_adds()
function_measures()
