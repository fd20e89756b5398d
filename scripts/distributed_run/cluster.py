"""An Airflow whose components share nothing but PostgreSQL, Redis and the network, and are restarted when they end."""

from __future__ import annotations

import json
import shutil
from base64 import urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass, field
from os import urandom
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from demo_airflow import COMPONENTS, Airflow, DemoError, airflow_settings, clean_environment, free_port

from distributed_run.dags.distributed_streams import DAG_ID, GIVEN, Given, Stream
from distributed_run.settings import Where, of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from demo_processes import Processes, Started

DAGS = Path(__file__).parent / "dags"
#: Workers, and all others. Airflow's own name for the workers of Celery is "celery worker".
CORE = ("api-server", "scheduler", "dag-processor", "triggerer")
#: A component that ends more often is broken.
MOST_RESTARTS = 20


@dataclass(frozen=True)
class Backends:
    """
    The addresses of the servers behind Airflow.

    :param database: for SQLAlchemy.
    :param broker: of Redis.
    """

    database: str
    broker: str


@dataclass
class Cluster(Airflow):
    """
    An Airflow with workers of its own.

    :param workers: names of the workers.
    :param slots: tasks that a worker runs at once.
    """

    workers: tuple[str, ...] = ()
    slots: int = 1
    #: Whether components that end are started again: not before all of them have run.
    restarts_what_ends: bool = False
    #: How often each component ended by itself and was started again.
    restarts: Counter[str] = field(default_factory=Counter)

    def start(self, names: Iterable[str] = CORE) -> None:
        """Start components, each with folders of its own."""
        for name in names:
            is_worker = name in self.workers
            home = self.home / name if is_worker else self.home / "core"
            arguments = self._worker(name) if is_worker else COMPONENTS[name]
            environment = self.environment | folders(home)
            command: list[str | Path] = [self.bin_folder / "airflow", *arguments]
            self.components.append(self.processes.start(f"airflow-{name}", command, environment))

    def _worker(self, name: str) -> tuple[str, ...]:
        options = ("--celery-hostname", name, "--concurrency", str(self.slots), "--skip-serve-logs")
        return ("celery", "worker", *options)

    def check_alive(self) -> None:
        """Start components again that have ended, as a supervisor of services does."""
        if not self.restarts_what_ends:
            super().check_alive()
            return
        for process in list(self.components):
            if process.popen.poll() is None:
                continue
            name = name_of(process)
            if name not in (*self.workers, *CORE):
                raise DemoError(f"{process.name} ended with {process.popen.returncode}.", [process.log])
            self.restarts[name] += 1
            if self.restarts[name] > MOST_RESTARTS:
                raise DemoError(f"{name} ended {MOST_RESTARTS} times.", [process.log])
            self.say(f"  {name} ended with {process.popen.returncode}: started again")
            self.kill(name)
            self.start([name])

    def running(self) -> list[str]:
        """Names of the workers that run."""
        names = {name_of(process) for process in self.components}
        return [name for name in self.workers if name in names]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request to the REST API; return the JSON of the reply."""
        if method == "GET":
            return self._get(path)
        reply = self._session.request(method, f"{self.url}/api/v2/{path}", json=body, timeout=60)
        reply.raise_for_status()
        return reply.json()

    def set_up(self, streams: Iterable[Stream], connections: Iterable[dict[str, Any]]) -> None:
        """Create the pools and the connections, and switch the DAG on."""
        for stream in streams:
            pool = {"name": stream.pool, "slots": 1, "include_deferred": True, "description": "one writer"}
            self.call("POST", "pools", pool)
        for connection in connections:
            self.call("POST", "connections", {**connection, "extra": json.dumps(connection["extra"])})
        self.call("PATCH", f"dags/{DAG_ID}", {"is_paused": False})

    def backfill(self, given: Given) -> None:
        """Create a run for each month, all of which are active at once."""
        months = given.month_names()
        dates = {"from_date": f"{months[0]}-01T00:00:00Z", "to_date": f"{months[-1]}-28T00:00:00Z"}
        self.call("POST", "backfills", {"dag_id": DAG_ID, "max_active_runs": given.months, **dates})

    def workers_ready(self) -> bool:
        """Whether all workers take tasks: only after the first start."""
        workers = [process for process in self.components if name_of(process) in self.workers]
        return all(" ready." in process.log.read_text(errors="replace") for process in workers)


def name_of(process: Started) -> str:
    """
    Return the name of a component.

    :param process: of the component.
    """
    return process.name.removeprefix("airflow-")


def make_cluster(
    home: Path,
    processes: Processes,
    backends: Backends,
    given: Given,
    *,
    workers: int,
    slots: int,
    say: Callable[[str], None],
) -> Cluster:
    """
    Make an Airflow; nothing is started yet.

    :param home: for the folders of its components.
    :param processes: starts them.
    :param backends: its database and broker.
    :param given: what the DAG is given.
    :param workers: number of workers.
    :param slots: tasks that a worker runs at once.
    :param say: prints what happens.
    """
    names = tuple(f"worker-{number}" for number in range(1, workers + 1))
    for name in (*names, "core"):
        for folder in ("home", "tmp", "user"):
            (home / name / folder).mkdir(parents=True)
        # As with git-sync: each machine has the DAGs, not the same folder of them.
        shutil.copytree(DAGS, home / name / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    url = f"http://127.0.0.1:{free_port()}"
    environment = clean_environment(home) | airflow_settings(home, DAGS, url, {})
    # Connections are in the database: workers get them from the API server.
    del environment["AIRFLOW_CONN_CLOUDZERO_DEFAULT"]
    more = of(Where.AIRFLOW) | {
        "CORE__EXECUTOR": "CeleryExecutor",
        # What is queued beyond the workers' slots would only wait, and count as stuck at some time.
        "CORE__PARALLELISM": workers * slots,
        "CORE__FERNET_KEY": urlsafe_b64encode(urandom(32)).decode(),
        "DATABASE__SQL_ALCHEMY_CONN": backends.database,
        "CELERY__BROKER_URL": backends.broker,
        "CELERY__RESULT_BACKEND": f"db+{backends.database}",
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": 1000,
    }
    environment |= {f"AIRFLOW__{name}": str(value) for name, value in more.items()} | {GIVEN: given.as_json()}
    environment |= folders(home / "core")
    return Cluster(home, environment, url, processes, say, workers=names, slots=slots)


def folders(place: Path) -> dict[str, str]:
    """
    Return the environment of a component with folders of its own.

    :param place: the folder that holds them.
    """
    return {
        "AIRFLOW_HOME": str(place / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(place / "dags"),
        "HOME": str(place / "user"),
        "TMPDIR": str(place / "tmp"),
    }


def is_ready(cluster: Cluster) -> bool:
    """
    Whether the scheduler is healthy and the DAG is parsed; an import error ends the wait.

    :param cluster: the Airflow.
    :raises DemoError: when the DAG can't be imported.
    """
    if cluster.is_up([DAG_ID]):
        return True
    try:
        errors = cluster.import_errors()
    except requests.RequestException:
        return False
    if errors:
        raise DemoError("Airflow can't import:\n" + "\n".join(errors))
    return False
