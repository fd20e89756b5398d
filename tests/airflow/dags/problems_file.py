"""Lists of problems, whose folder is in the configuration of the run."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

FOLDER = "{{ dag_run.conf['folder'] }}"


@dag(schedule=None)
def problems_of_mapped_months():
    @task
    def bills(dag_run):
        return [
            {"month": month, "records": [{"time/usage_start": f"{month}-01", "cost/cost": cost}] * 7}
            for month, cost in dag_run.conf["costs"].items()
        ]

    AnyCostBillingDropOperator.partial(
        task_id="send", problems_file=f"{FOLDER}/{{{{ task.month }}}}.csv"
    ).expand_kwargs(bills())


@dag(schedule=None)
def problems_of_function():
    @task.cloudzero_billing_drop(month="2026-03", problems_file=f"{FOLDER}/{{{{ dag_run.conf['name'] }}}}")
    def send(dag_run=None):
        return [{"time/usage_start": "2026-03-01", "cost/cost": dag_run.conf["cost"]}] * 7

    send()


problems_of_mapped_months()
problems_of_function()
