"""Rows of several upstream tasks, some of which were skipped, failed or returned nothing."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowSkipException, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

MONTH = "2026-03"
MIN_ONE = "none_failed_min_one_success"


def row(day: int) -> dict[str, object]:
    return {"time/usage_start": f"{MONTH}-{day:02}T00:00:00Z", "cost/cost": "1.10"}


@task
def a():
    return [row(1), row(2)]


@task
def b():
    return [row(3)]


@task
def nothing():
    return None


@task
def fails():
    raise RuntimeError("no bill")


@task
def skips():
    raise AirflowSkipException


@task
def of_day(day):
    if day < 0:
        raise AirflowSkipException
    if day == 0:
        return None
    if day > 31:
        raise RuntimeError("no bill")
    return [row(day)]


def send(records, trigger_rule=MIN_ONE):
    AnyCostBillingDropOperator(task_id="send", month=MONTH, records=records, trigger_rule=trigger_rule)


@dag(schedule=None)
def skipped_by_a_branch():
    @task.branch
    def choose():
        return "a"

    first, second = a(), b()
    choose() >> [first, second]
    send([first, second])


@dag(schedule=None)
def skipped_on_a_second_run():
    """Both return rows at first; after a clear one is skipped, and its XCom may still exist."""

    @task.branch
    def choose(ti=None):
        return ["a", "b"] if ti.try_number == 1 else "a"

    first, second = a(), b()
    choose() >> [first, second]
    send([first, second])


@dag(schedule=None)
def skipped_beside_none():
    send([a(), nothing(), skips()])


@dag(schedule=None)
def none_beside_rows():
    send([a(), nothing()], trigger_rule="all_success")


@dag(schedule=None)
def skipped_alone():
    send(skips(), trigger_rule="all_done")


@dag(schedule=None)
def skipped_all():
    send([skips(), skips.override(task_id="skips_too")()], trigger_rule="all_done")


@dag(schedule=None)
def failed_beside_rows():
    send([a(), fails()], trigger_rule="all_done")


@dag(schedule=None)
def skipped_and_combined():
    send(a().concat(skips()))


@dag(schedule=None)
def mapped_with_none():
    send(of_day.expand(day=[1, 0, 2]), trigger_rule="all_success")


@dag(schedule=None)
def mapped_with_skipped():
    send(of_day.expand(day=[1, -1, 2]), trigger_rule="none_failed")


@dag(schedule=None)
def mapped_over_less_on_a_second_run():
    @task
    def days(ti=None):
        return [1, 2, 3] if ti.try_number == 1 else [1, 2]

    send(of_day.expand(day=days()))


@dag(schedule=None)
def mapped_with_failed():
    send(of_day.expand(day=[1, 40, 2]), trigger_rule="all_done")


@dag(schedule=None)
def mapped_over_nothing():
    @task
    def days():
        return []

    send(of_day.expand(day=days()), trigger_rule="none_failed")


skipped_by_a_branch()
skipped_on_a_second_run()
skipped_beside_none()
none_beside_rows()
skipped_alone()
skipped_all()
failed_beside_rows()
skipped_and_combined()
mapped_with_none()
mapped_with_skipped()
mapped_over_less_on_a_second_run()
mapped_with_failed()
mapped_over_nothing()
