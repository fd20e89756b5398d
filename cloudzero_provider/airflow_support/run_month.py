"""The month of a run: the argument, the run's partition key, or its data interval; and the moment it was due."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from cloudzero_provider.exceptions import MonthError
from cloudzero_provider.months import YEAR_MONTH, Month, in_utc
from cloudzero_provider.values.time_formats import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOW_TO_SET = (
    "Set the month in one of three ways: the parameter month='2026-03' (templates work: "
    "month='{{ data_interval_start | ds }}'); a DAG partitioned by month, with keys like 2026-03 "
    "(CronPartitionTimetable(..., key_format='%Y-%m'), Airflow 3.2 and later); or a schedule whose data interval is "
    "exactly one calendar month (CronDataIntervalTimetable('@monthly', timezone='UTC'))."
)
_HOW_TO_GIVE_A_KEY = (
    "No month: the run has no partition key. Its DAG is partitioned, so a run that is triggered by hand needs one: in "
    "Airflow's page, Trigger > Advanced Options > Partition Key: 2026-03; with the REST API, POST the run with "
    '{"partition_key": "2026-03"}. The commands airflow dags trigger and airflow dags test can\'t set one: to try the '
    "DAG with them, set the operator's month, for example from a param of the DAG."
)
_RESOLUTION = timedelta(microseconds=1)


def resolve_month(month: str | date | None, context: Mapping[str, Any]) -> Month:
    """
    Return the month of a task: the argument, else the run's partition key, else its data interval.

    It is never guessed: a cron ``@monthly`` run has an empty data interval in Airflow 3, and means another month in
    Airflow 2.

    :param month: the operator's ``month``, rendered.
    :param context: the task's context.
    :raises MonthError: when none of the three is exactly one month.
    """
    if month is not None:
        return _named_month(month)
    key = _partition_key(context)
    return _interval_month(context) if key is None else _partition_month(key)


def moment_of_run(context: Mapping[str, Any]) -> datetime:
    """
    Return the last moment that a run covers, in UTC, for :func:`~cloudzero_provider.months.months_to_send`.

    It is the end of the run's month, if it has one: a partition key, or a data interval of exactly one month. Otherwise
    it is the moment of a partition key that is a time, the end of the data interval, or, in a run without one (by hand,
    or of an asset), the moment it was due. Running the task again gives the same moment.

    A run that is due at midnight on the first of a month covers the month before. So does one of a plain cron schedule,
    whose data interval is empty in Airflow 3.

    :param context: the task's context: that of ``**context`` of a ``@task`` function.
    :raises MonthError: when it is not the context of a run.
    """
    try:
        return resolve_month(None, context).end - _RESOLUTION
    except MonthError:
        pass
    key = _partition_key(context)
    if key is not None and (moment := read_time(key)):
        return moment
    due: datetime | None = context.get("data_interval_end") or getattr(context.get("dag_run"), "run_after", None)
    if due is None:
        raise MonthError("No moment: the context has neither a data interval nor a run with run_after. Pass **context.")
    return in_utc(due) - _RESOLUTION


def _partition_key(context: Mapping[str, Any]) -> str | None:
    key = context.get("partition_key") or getattr(context.get("dag_run"), "partition_key", None)
    return None if key is None else str(key)


def _named_month(month: str | date) -> Month:
    try:
        return Month.parse(month)
    except MonthError as error:
        raise MonthError(f"month: {error.message} {_HOW_TO_SET}") from None


def _partition_month(key: str) -> Month:
    if not YEAR_MONTH.fullmatch(key):
        raise MonthError(
            f"The run's partition key {key!r} is not a valid month: expected a key like '2026-03'. "
            "Set key_format='%Y-%m' on the DAG's CronPartitionTimetable, or set the operator's month."
        )
    return Month.parse(key)


def _interval_month(context: Mapping[str, Any]) -> Month:
    if _is_partitioned(context.get("dag")):
        raise MonthError(_HOW_TO_GIVE_A_KEY)
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None:
        raise MonthError(f"No month: the run has neither a partition key nor a data interval. {_HOW_TO_SET}")
    zone = _dag_zone(context)
    local_start, local_end = start.astimezone(zone), end.astimezone(zone)
    first = Month(local_start.year, local_start.month)
    if not (_is_month_start(local_start) and _is_month_start(local_end)) or first.next != Month(
        local_end.year, local_end.month
    ):
        raise MonthError(
            f"No month: the run's data interval, {start.isoformat()} to {end.isoformat()}, is not exactly one calendar "
            f"month{' (it is empty: a plain cron schedule in Airflow 3)' if start == end else ''}. {_HOW_TO_SET}"
        )
    return first


def _is_partitioned(dag: Any) -> bool:
    # Airflow tells it only of the scheduler's own timetables.
    return "Partition" in type(getattr(dag, "timetable", None)).__name__


def _dag_zone(context: Mapping[str, Any]) -> tzinfo:
    zone = getattr(context.get("dag"), "timezone", None)
    return zone if isinstance(zone, tzinfo) else timezone.utc


def _is_month_start(moment: datetime) -> bool:
    return moment.day == 1 and (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
