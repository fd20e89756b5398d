"""Tasks whose instances are named by the package, by the user, or by both."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator


def rows(month: str, *costs: str) -> list[dict[str, str]]:
    return [{"time/usage_start": f"{month}-01", "cost/cost": cost} for cost in costs]


def record(value: int, day: int = 1) -> dict[str, object]:
    return {"timestamp": f"2026-03-{day:02}", "value": value}


@dag(schedule=None)
def instances_named():
    # One after the other, as they send to the same stream.
    send = AnyCostBillingDropOperator.partial(task_id="send").expand_kwargs(
        [
            {"month": "2026-01", "records": rows("2026-01", "1.5", "2.25")},
            {"month": "2026-02", "records": rows("2026-02", "7"), "check_only": True},
            {"month": "2026-03", "records": []},
            {"month": "2026-04", "records": rows("2026-04", "1,5")},
        ]
    )
    single = AnyCostBillingDropOperator(
        task_id="single", month="2026-06", records=rows("2026-06", "3", "4"), trigger_rule="all_done"
    )
    read = AnyCostBillingDropReadOperator(
        task_id="read", month="2026-06", path="{{ dag_run.conf['folder'] }}/{{ run_id }}.csv"
    )

    @task.cloudzero_billing_drop(month="{{ task.op_kwargs['of'] }}")
    def function(of):
        return rows(of, "0.5")

    TelemetrySendOperator.partial(task_id="metric", stream_name="named", stream_type="metric").expand_kwargs(
        [{"records": [record(5)]}, {"records": [record(2, day=2)], "month": "2026-03"}, {"records": [record(0)]}]
    )
    send >> single >> read >> function.expand(of=["2025-01"])


@dag(schedule=None)
def instances_named_by_the_user():
    AnyCostBillingDropOperator.partial(task_id="send", map_index_template="{{ task.month }} of mine").expand_kwargs(
        [{"month": "2026-01", "records": rows("2026-01", "1.5")}]
    )
    TelemetrySendOperator.partial(
        task_id="metric", stream_name="named", stream_type="metric", map_index_template="orders"
    ).expand(records=[[record(5)]])


instances_named()
instances_named_by_the_user()
