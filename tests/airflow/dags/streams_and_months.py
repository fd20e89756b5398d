"""Streams × months, each pair a mapped instance that sends a file; the files are those of a test."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(schedule=None)
def streams_and_months():
    @task
    def pairs(dag_run) -> list[dict[str, str]]:
        conf = dag_run.conf
        return [
            {"anycost_connection_id": stream, "month": month, "files": f"{conf['folder']}/{stream}-{month}.csv"}
            for stream in conf["streams"]
            for month in conf["months"]
        ]

    AnyCostBillingDropOperator.partial(
        task_id="send",
        cloudzero_conn_id="cloudzero_streams",
        map_index_template="{{ task.anycost_connection_id }}, {{ task.month }}",
    ).expand_kwargs(pairs())


streams_and_months()
