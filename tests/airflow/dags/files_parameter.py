"""Files from upstream tasks in every supported form; the paths are in the configuration of the run."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

MONTH = "2026-03"


def send(files, **arguments):
    return AnyCostBillingDropOperator(task_id="send", month=MONTH, files=files, **arguments)


@task
def paths(dag_run):
    return dag_run.conf["given"]


@task
def each(given):
    return given


@dag(schedule=None)
def files_from_task():
    send(paths())


@dag(schedule=None)
def files_from_mapped_task():
    send(each.expand(given=paths()))


@dag(schedule=None)
def files_from_several_tasks():
    send([each.override(task_id="first").expand(given=paths()), [paths()], "{{ dag_run.conf['more'] }}"])


@dag(schedule=None)
def files_from_template():
    paths() >> send("{{ ti.xcom_pull('paths') }}")


@dag(schedule=None)
def files_from_template_as_json():
    paths() >> send("{{ ti.xcom_pull('paths') | tojson }}")


@dag(schedule=None, render_template_as_native_obj=True)
def files_from_native_template():
    paths() >> send("{{ ti.xcom_pull('paths') }}")


@dag(schedule=None)
def files_from_template_of_mapped_task():
    each.expand(given=paths()) >> send("{{ ti.xcom_pull('each') }}")


@dag(schedule=None, render_template_as_native_obj=True)
def files_from_native_template_of_mapped_task():
    each.expand(given=paths()) >> send("{{ ti.xcom_pull('each') }}")


@dag(schedule=None)
def files_that_may_be_equal():
    send(paths(), allow_equal_files="{{ dag_run.conf['allow'] }}")


files_from_task()
files_from_mapped_task()
files_from_several_tasks()
files_from_template()
files_from_template_as_json()
files_from_native_template()
files_from_template_of_mapped_task()
files_from_native_template_of_mapped_task()
files_that_may_be_equal()
