"""Every time-out and limit that a distributed run changes, with its value for production."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Where(Enum):
    """Where a setting is made."""

    AIRFLOW = "airflow.cfg"
    DAG = "DAG"
    CONNECTION = "connection"
    SANDBOX = "sandbox"


@dataclass(frozen=True)
class Changed:
    """
    A setting that a distributed run changes.

    :param where: where it is made.
    :param name: for Airflow ``SECTION__OPTION``, as in its environment variables.
    :param here: its value in a distributed run.
    :param production: its value in production: Airflow's default, or what the documentation says.
    :param why: what depends on it.
    """

    where: Where
    name: str
    here: float
    production: float
    why: str

    @property
    def shown_name(self) -> str:
        """Its name for people."""
        section, _, option = self.name.rpartition("__")
        return f"[{section.lower()}] {option.lower()}" if section else self.name


CHANGED = (
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT",
        20,
        300,
        "how long after a worker died its tasks are retried; longer than settle_seconds, since another month's task may"
        " take the pool's slot then",
    ),
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL",
        3,
        10,
        "how often dead tasks are looked for",
    ),
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__TASK_QUEUED_TIMEOUT",
        45,
        600,
        "when a task whose message the broker lost is queued again; longer than a task waits for a worker's slot",
    ),
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL",
        5,
        120,
        "how often such tasks are looked for",
    ),
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES",
        20,
        2,
        "how often a task is queued again before it fails, without a retry",
    ),
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL",
        10,
        300,
        "when a new scheduler takes over the tasks of one that ended",
    ),
    Changed(
        Where.AIRFLOW,
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD",
        20,
        30,
        "when a scheduler without a heartbeat counts as ended",
    ),
    Changed(
        Where.AIRFLOW,
        "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD",
        15,
        30,
        "when another triggerer takes over the waits of one that ended",
    ),
    Changed(
        Where.AIRFLOW,
        "CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT",
        60,
        86400,
        "when the broker delivers a dead worker's message again; longer than the longest task. Nothing waits for it:"
        " the two time-outs above are shorter",
    ),
    Changed(
        Where.AIRFLOW,
        "WORKERS__EXECUTION_API_TIMEOUT",
        60,
        5,
        "longer here: the machine is busy with everything at once",
    ),
    Changed(Where.DAG, "retries", 10, 5, "a worker is killed, or the broker is down when a task is queued"),
    Changed(
        Where.DAG,
        "retry_delay",
        3,
        600,
        "retries × retry_delay outlast the longest outage of the broker, during which each queued task fails at once",
    ),
    Changed(Where.DAG, "poke_interval", 2, 300, "checks are requests on the stream, too"),
    Changed(
        Where.CONNECTION,
        "settle_seconds",
        3,
        60,
        "a retry waits until it is so old before it writes; longer than CloudZero takes to apply a lost request",
    ),
    Changed(Where.SANDBOX, "read_lag_seconds", 3, 300, "when a drop is listed: so long a bill's sensor is deferred"),
    Changed(
        Where.SANDBOX, "processed_after_seconds", 4, 3600, "when records are processed, for the sensors of telemetry"
    ),
)
_VALUES = {changed.name: changed.here for changed in CHANGED}


def here(name: str) -> float:
    """
    Return a setting's value in a distributed run.

    :param name: as in ``CHANGED``.
    """
    return _VALUES[name]


def of(where: Where) -> dict[str, float]:
    """
    Return the settings that are made in one place.

    :param where: the place.
    """
    return {changed.name: changed.here for changed in CHANGED if changed.where is where}
