"""What Airflow's database and the sandbox show of a distributed run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg2
import requests

from distributed_run.dags.distributed_streams import DAG_ID

if TYPE_CHECKING:
    from support.postgres_server import PostgresServer
    from support.sandbox_server import SandboxServer

_INSTANCES = "SELECT task_id, state, try_number FROM task_instance WHERE dag_id = %s"
_DONE = "SELECT count(*) FROM task_instance WHERE dag_id = %s AND state = 'success' AND task_id LIKE 'wait_for_%%'"
_RUNS = "SELECT partition_key, state FROM dag_run WHERE dag_id = %s"
_RUNNING = (
    "SELECT task_id, partition_key, task_instance.pool, pid FROM task_instance JOIN dag_run USING (dag_id, run_id)"
    " WHERE dag_id = %s AND task_instance.state = 'running' AND pid IS NOT NULL"
)
_LAST = "SELECT extract(epoch FROM max(end_date)) FROM task_instance WHERE dag_id = %s"
#: Airflow writes these to its log of events.
_EVENTS = "SELECT event, count(*) FROM log WHERE event IN %s GROUP BY event"
HEARTBEAT_TIMEOUT, REQUEUED = "heartbeat timeout", "stuck in queued reschedule"


@dataclass(frozen=True)
class Instance:
    """A task instance."""

    task_id: str
    state: str | None
    tries: int


@dataclass(frozen=True)
class Running:
    """
    A task that runs.

    :param pid: of its process, on this machine.
    """

    task_id: str
    month: str
    pool: str
    pid: int


@dataclass
class Watch:
    """
    Reads the state of a run.

    :param database: Airflow's.
    :param sandbox: the sandbox.
    """

    database: PostgresServer
    sandbox: SandboxServer
    _ended: int = 0

    def months_done(self) -> int:
        """How many months of streams are sent and seen; -1 while the database does not answer."""
        try:
            return int(self._ask(_DONE, DAG_ID)[0][0])
        except psycopg2.OperationalError:
            return -1

    def runs(self) -> dict[str, str]:
        """Month → state of its run."""
        return {str(month): str(state) for month, state in self._ask(_RUNS, DAG_ID)}

    def runs_over(self) -> bool:
        """Whether every run has ended."""
        try:
            states = self.runs().values()
        except psycopg2.OperationalError:
            return False
        return bool(states) and all(state in ("success", "failed") for state in states)

    def instances(self) -> list[Instance]:
        """All task instances."""
        return [Instance(*row) for row in self._ask(_INSTANCES, DAG_ID)]

    def triggers_left(self) -> int:
        """How many triggers there are."""
        return int(self._ask("SELECT count(*) FROM trigger")[0][0])

    def last_end(self) -> float:
        """When the last task ended, in seconds since 1970."""
        return float(self._ask(_LAST, DAG_ID)[0][0])

    def noted(self) -> Counter[str]:
        """What Airflow noted of dead and stuck tasks."""
        return Counter(dict(self._ask(_EVENTS, (HEARTBEAT_TIMEOUT, REQUEUED))))

    def running(self) -> list[Running]:
        """Tasks that run; none while the database does not answer."""
        try:
            return [Running(*row) for row in self._ask(_RUNNING, DAG_ID)]
        except psycopg2.OperationalError:
            return []

    def sending(self) -> list[str]:
        """Streams on which a request that writes is running."""
        url = f"{self.sandbox.url}/sandbox/requests"
        found = requests.get(url, params={"since": self._ended}, timeout=60).json()["requests"]
        running = [request for request in found if request["ended"] is None]
        # All before the first one that still runs have ended.
        self._ended = min(
            [each["number"] - 1 for each in running], default=max((r["number"] for r in found), default=self._ended)
        )
        return sorted(str(each["connection_id"] or each["stream"]) for each in running if each["method"] == "POST")

    def _ask(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        connection = self.database.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, values)
                return list(cursor.fetchall())
        finally:
            connection.close()
