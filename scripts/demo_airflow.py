"""A real Airflow for the demo and for tests, with its own home, database and components."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from demo_processes import Processes, Started

BIN = Path(sys.executable).parent
COMPONENTS = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
#: All that DAGs without deferral need.
FEWEST = ("api-server", "scheduler", "dag-processor")


class DemoError(Exception):
    """
    The demo failed.

    :param message: what failed.
    :param logs: files whose last lines may show the cause.
    """

    def __init__(self, message: str, logs: Iterable[Path] = ()) -> None:
        super().__init__(message)
        self.logs = tuple(logs)


@dataclass(frozen=True)
class Run:
    """A DAG run as Airflow's API returns it."""

    run_id: str
    state: str
    partition_key: str | None
    interval_end: str | None


@dataclass
class Airflow:
    """
    Runs Airflow's own commands, and reads its state from its REST API.

    :param home: Airflow's home, an empty folder.
    :param environment: of every Airflow process.
    :param url: of the UI and the REST API.
    :param processes: starts the processes.
    :param say: prints what happens.
    :param bin_folder: the folder of the ``airflow`` command.
    """

    home: Path
    environment: dict[str, str]
    url: str
    processes: Processes
    say: Callable[[str], None]
    bin_folder: Path = BIN
    #: The components that must stay alive, in the order they were started.
    components: list[Started] = field(default_factory=list)
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(max_retries=Retry(3, backoff_factor=0.5)))

    def command(self, *arguments: str, limit: float = 90) -> None:
        """Run an Airflow command and show it."""
        self.say(f"  $ airflow {shlex.join(arguments)}")
        name = "-".join(part for part in arguments[:2])
        process = self.processes.start(f"airflow-{name}", [self.bin_folder / "airflow", *arguments], self.environment)
        self.wait(f"'airflow {name}'", lambda: process.popen.poll() is not None, limit, pause=0.1)
        if process.popen.returncode:
            raise DemoError(f"'airflow {name}' ended with {process.popen.returncode}.", [process.log])

    def start(self, names: Iterable[str] = FEWEST) -> None:
        """Start components, all at once."""
        for name in names:
            arguments = COMPONENTS[name]
            self.say(f"  $ airflow {shlex.join(arguments)} &")
            self.components.append(
                self.processes.start(f"airflow-{name}", [self.bin_folder / "airflow", *arguments], self.environment)
            )

    def component(self, name: str) -> Started:
        """Return a component that was started."""
        [process] = [process for process in self.components if process.name == f"airflow-{name}"]
        return process

    def kill(self, name: str) -> None:
        """Kill a component and its children, as when its machine goes down. It can be started again."""
        self.say(f"  $ kill -9 <{name}>")
        process = self.component(name)
        self.components.remove(process)
        if left := self.processes.kill(process):
            raise DemoError(f"{name} was killed, but {left} are still running.")

    def wait(self, what: str, is_there: Callable[[], bool], limit: float, pause: float = 0.5) -> None:
        """Wait until a condition holds; fail if a component ends."""
        deadline = time.monotonic() + limit
        while not is_there():
            self.check_alive()
            if time.monotonic() > deadline:
                raise DemoError(f"Waited {limit:.0f} s for {what}.", [process.log for process in self.components])
            time.sleep(pause)

    def check_alive(self) -> None:
        """Fail when a component has ended."""
        for process in self.components:
            if process.popen.poll() is not None:
                raise DemoError(f"{process.name} ended with {process.popen.returncode}.", [process.log])

    def is_up(self, dag_ids: Iterable[str]) -> bool:
        """Whether the scheduler is healthy and the DAGs are parsed."""
        try:
            if self._get("monitor/health")["scheduler"]["status"] != "healthy":
                return False
            return {dag["dag_id"] for dag in self._get("dags?limit=100")["dags"]} >= set(dag_ids)
        except requests.RequestException:
            return False

    def import_errors(self) -> list[str]:
        """Errors of DAG files that could not be imported."""
        errors = self._get("importErrors")["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in errors]

    def runs(self, dag_id: str) -> list[Run]:
        """All runs of a DAG, oldest first."""
        runs = self._get(f"dags/{dag_id}/dagRuns?limit=100&order_by=id")["dag_runs"]
        return [Run(run["dag_run_id"], run["state"], run["partition_key"], run["data_interval_end"]) for run in runs]

    def backfills_complete(self, dag_id: str) -> bool:
        """Whether Airflow has closed all backfills of a DAG, which takes it up to half a minute after the last run."""
        return all(backfill["completed_at"] for backfill in self._get(f"backfills?dag_id={dag_id}")["backfills"])

    def task_logs(self, dag_id: str, run: Run) -> list[Path]:
        """Log files of a run's tasks."""
        return sorted((self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run.run_id}").rglob("*.log"))

    def _get(self, path: str) -> Any:
        if "Authorization" not in self._session.headers:
            token = self._session.get(f"{self.url}/auth/token", timeout=30)
            token.raise_for_status()
            self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        reply = self._session.get(f"{self.url}/api/v2/{path}", timeout=30)
        reply.raise_for_status()
        return reply.json()


def free_port() -> int:
    """Find a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(home: Path, bin_folder: Path = BIN) -> dict[str, str]:
    """Environment without the user's own Airflow, Python settings, proxies and home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "PYTHON")) and not name.lower().endswith("_proxy")
    }
    user = {"HOME": str(home), "USER": "demo", "LOGNAME": "demo", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    return kept | user | {"PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


def airflow_settings(home: Path, dags: Path, url: str, connection: dict[str, Any]) -> dict[str, str]:
    """Settings of a small Airflow, as environment variables."""
    settings = {
        "CORE__DAGS_FOLDER": dags,
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 2,
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": True,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "API__HOST": "127.0.0.1",
        "API__PORT": url.rpartition(":")[2],
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "API__SECRET_KEY": secrets.token_hex(),
        "API_AUTH__JWT_SECRET": secrets.token_hex(),
        # With the default of 5 s, tasks fail on a busy machine.
        "WORKERS__EXECUTION_API_TIMEOUT": 60,
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.3,
        "SCHEDULER__ENABLE_HEALTH_CHECK": False,
        "DAG_PROCESSOR__PARSING_PROCESSES": 1,
        # Files that change are parsed at once. Parsing the others again would make Airflow schedule the newest month,
        # too, as soon as there is a backfill: harmless, but one more run to explain.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 3600,
        "USAGE_DATA_COLLECTION__ENABLED": False,
        "LOGGING__COLORED_CONSOLE_LOG": False,
    }
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_CONN_CLOUDZERO_DEFAULT": json.dumps(connection),
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
    }
