"""A plan of telemetry, shown and then sent."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.plan import TelemetryPlanOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

STREAM = {"stream_name": "{{ dag_run.conf['stream'] }}", "stream_type": "allocation", "granularity": "DAILY"}


@dag(schedule=None)
def telemetry_planned():
    @task
    def measure(dag_run):
        return [
            {"timestamp": f"2026-03-{day:02}", "value": day, "element_name": f"team {{{{ 1/0 }}}} {element}"}
            for day in (1, 2, 4)
            for element in range(dag_run.conf["elements"])
        ]

    @task
    def show(headline):
        return [headline]

    records = measure()
    plan = TelemetryPlanOperator(
        task_id="plan",
        records=records,
        month="{{ dag_run.conf['month'] }}",
        clear_periods="{{ dag_run.conf['clear'] }}",
        report_file="{{ dag_run.conf['folder'] }}/{{ dag_run.conf['stream'] }}.md",
        **STREAM,
    )
    send = TelemetrySendOperator(task_id="send", records=records, month="2026-03", **STREAM)
    plan >> show("{{ ti.xcom_pull(task_ids='plan')['markdown'].splitlines()[0] }}") >> send


telemetry_planned()
