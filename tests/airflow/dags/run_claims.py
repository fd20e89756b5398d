"""Tasks and mapped instances that send to one month, or to one telemetry stream, in one DAG run."""

from __future__ import annotations

from pathlib import Path

from airflow.providers.common.compat.sdk import TaskGroup, dag, task, task_group

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

MONTH = "2024-09"
STREAM = {"stream_name": "orders", "stream_type": "allocation", "granularity": "DAILY"}
IMPATIENT = {"cloudzero_conn_id": "cloudzero_impatient", "retries": 1, "retry_delay": 0}


def rows(*costs: str, hour: int = 0) -> list[dict[str, str]]:
    return [
        {"time/usage_start": f"{MONTH}-{day:02d}T{hour:02d}:00:00Z", "cost/cost": cost}
        for day, cost in enumerate(costs, start=1)
    ]


@task
def given(dag_run):
    return dag_run.conf["given"]


@dag(schedule=None)
def mapped_files():
    AnyCostBillingDropOperator.partial(task_id="send", month="{{ dag_run.conf['month'] }}").expand(files=given())


@dag(schedule=None)
def mapped_function():
    @task.cloudzero_billing_drop(month=MONTH)
    def send(path):
        lines = [line.split(",") for line in Path(path).read_text().split()[1:]]
        return [{"time/usage_start": day, "cost/cost": cost} for day, cost in lines]

    send.expand(path=given())


@dag(schedule=None)
def mapped_group():
    @task_group
    def each(path):
        AnyCostBillingDropOperator(task_id="send", month=MONTH, files=path)

    each.expand(path=given())


@dag(schedule=None)
def mapped_months():
    AnyCostBillingDropOperator.partial(task_id="send").expand_kwargs(given())


@dag(schedule=None)
def two_tasks():
    with TaskGroup("estimates"):
        estimate = AnyCostBillingDropOperator(task_id="send", month=MONTH, records=rows("1", "1.5"), **IMPATIENT)
    estimate >> AnyCostBillingDropOperator(
        task_id="final",
        month=MONTH,
        records=rows("2", "2.5"),
        replace_in_same_run="{{ dag_run.conf.get('final', False) }}",
        trigger_rule="all_done",
        **IMPATIENT,
    )


@dag(schedule=None)
def two_files():
    def send(task_id: str, number: int):
        file = f"{{{{ dag_run.conf['given'][{number}] }}}}"
        return AnyCostBillingDropOperator(task_id=task_id, month=MONTH, files=file, trigger_rule="all_done")

    send("first", 0) >> send("send", 1)


@dag(schedule=None)
def hours():
    def send(task_id: str, hour: int, operation: str = "replace_hourly"):
        return AnyCostBillingDropOperator(
            task_id=task_id,
            month=MONTH,
            records=rows("1", "1.5", hour=hour),
            operation=operation,
            trigger_rule="all_done",
        )

    send("morning", 8) >> send("noon", 12) >> send("more", 12, "sum") >> send("again", 8)


@dag(schedule=None)
def check_then_send():
    check = AnyCostBillingDropOperator(task_id="check", month=MONTH, records=rows("1"), check_only=True)
    check >> AnyCostBillingDropOperator(task_id="send", month=MONTH, records=rows("2"))


@dag(schedule=None)
def send_then_empty():
    send = AnyCostBillingDropOperator(task_id="send", month=MONTH, records=rows("1"))
    send >> AnyCostBillingDropOperator(task_id="empty", month=MONTH, records=[], on_empty="clear")


@dag(schedule=None)
def telemetry_mapped():
    TelemetrySendOperator.partial(task_id="send", **STREAM).expand_kwargs(given())


@dag(schedule=None)
def telemetry_in_order():
    @task
    def part(number, dag_run):
        return [dag_run.conf["given"][number]]

    first = TelemetrySendOperator.partial(task_id="first", **STREAM).expand_kwargs(part(0))
    second = TelemetrySendOperator.partial(task_id="second", trigger_rule="all_done", **STREAM)
    first >> second.expand_kwargs(part(1))


@dag(schedule=None)
def telemetry_function():
    @task.cloudzero_telemetry(**STREAM)
    def send(values):
        for day, value in enumerate(values, start=1):
            yield {"timestamp": f"{MONTH}-{day:02d}", "element_name": "a", "value": value}

    send.expand(values=given())


mapped_files()
mapped_function()
mapped_group()
mapped_months()
two_tasks()
two_files()
hours()
check_then_send()
send_then_empty()
telemetry_mapped()
telemetry_in_order()
telemetry_function()
