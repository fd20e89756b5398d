"""What Airflow loads when it parses a DAG, and how long that takes; and what a task has loaded at its first request."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from statistics import median

import pytest
from support.paths import environment

AIRFLOW = """
from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, dag, task
"""
PROVIDER = """
import cloudzero_provider.anycost
import cloudzero_provider.anycost.focus
import cloudzero_provider.decorators.anycost
import cloudzero_provider.decorators.telemetry
import cloudzero_provider.exceptions
import cloudzero_provider.get_provider_info
import cloudzero_provider.hooks.cloudzero
import cloudzero_provider.links
import cloudzero_provider.months
import cloudzero_provider.operators.anycost
import cloudzero_provider.operators.telemetry
import cloudzero_provider.sensors.anycost
import cloudzero_provider.sensors.telemetry
import cloudzero_provider.transforms
import cloudzero_provider.triggers.anycost
import cloudzero_provider.triggers.telemetry
"""
TASKS = """
import cloudzero_provider.operators.anycost
import cloudzero_provider.operators.telemetry
import cloudzero_provider.sensors.anycost
import cloudzero_provider.sensors.telemetry
"""
SENDING = """
import cloudzero_provider.anycost.readback, cloudzero_provider.client
"""
HEAVY = {"polars", "requests", "ijson", "aiohttp", "cloudzero_provider.sandbox"}
#: What a DAG file may load of the core: names and values of parameters, nothing that handles rows or requests.
CORE_OF_A_DAG_FILE = {
    "cloudzero_provider.anycost",
    "cloudzero_provider.anycost.aggregation",
    "cloudzero_provider.anycost.aggregation.options",
    "cloudzero_provider.anycost.columns",
    "cloudzero_provider.anycost.focus",
    "cloudzero_provider.exceptions",
    "cloudzero_provider.get_provider_info",
    "cloudzero_provider.links",
    "cloudzero_provider.months",
    "cloudzero_provider.transforms",
}
AIRFLOWS_SIDE = ("airflow_support", "decorators", "hooks", "operators", "sensors", "triggers", "values")

# The first request is refused, since nothing listens on this port.
BEFORE_A_TASK = """
import contextlib, json, os, sys
from support import tasks
with contextlib.suppress(ImportError):
    # The process of a task has them loaded, in Airflow 3.
    import airflow.sdk.execution_time.supervisor, airflow.sdk.execution_time.task_runner
connection = {"conn_type": "cloudzero", "host": "http://127.0.0.1:9", "password": "planted-key-7f3a9c51d2"}
connection["extra"] = {"anycost_connection_id": "1234abcd-1234-abcd-1234-abcd1234efgh", "max_retry_seconds": 0}
os.environ["AIRFLOW_CONN_CLOUDZERO_DEFAULT"] = json.dumps(connection)
"""
AT_THE_FIRST_REQUEST = """
import socket
before, loaded = {*sys.modules}, []
def connect(self, address):
    loaded[:] = loaded or [name for name in sys.modules if name not in before]
    raise ConnectionRefusedError
socket.socket.connect = connect
try:
    {task}
except Exception as error:
    print(repr(error), file=sys.stderr)
print(json.dumps(loaded))
"""
#: Libraries that a task may load before its first request. Airflow 3 has loaded requests and what it needs.
SENDS_BY = {"polars", "_polars_runtime", "ijson", "requests", "urllib3", "charset_normalizer", "certifi", "idna"}
if version("apache-airflow").startswith("2."):
    # What Airflow 2 loads itself to decrypt a connection, and with its database models.
    SENDS_BY |= {"babel", "cryptography", "pytz"}
SEND_ROWS = 'tasks.send(records=[{"time/usage_start": "2026-03-16T13:00:00Z", "cost/cost": "12"}])'
SEND_RECORDS = 'tasks.send_telemetry(records=[{"timestamp": "2026-03-01", "element_name": "Email", "value": 1}])'
WAIT_FOR_A_DROP = """
    from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
    sensor = AnyCostBillingDropSensor(task_id="wait", month="2026-03")
    sensor.poke(tasks.context(sensor))
"""
WAIT_FOR_RECORDS = """
    from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor
    sent = {"stream_name": "orders", "granularity": "DAILY", "operation": "replace", "check_only": False}
    sent["record_hashes"] = ["0123456789ab"]
    sensor = CloudZeroStreamStatusSensor(task_id="wait", summary=sent)
    sensor.poke(tasks.context(sensor))
"""
RUNS = 5

# Airflow's DAG processor is started once and forks for each file: so does this.
# Airflow's heap takes a tenth of a second to be searched for garbage, whenever that happens to be due.
TIMED = """
import gc, os, sys, time
import airflow.dag_processing.processor
gc.disable()

def parse_ms(dag_file):
    reading, writing = os.pipe()
    if not os.fork():
        began = time.process_time()
        exec(dag_file, {})
        os.write(writing, str(1000 * (time.process_time() - began)).encode())
        os._exit(0)
    # A child that failed leaves nothing to read, rather than a pipe that stays open.
    os.close(writing)
    os.wait()
    return float(os.read(reading, 99))

print([[parse_ms(file) for file in sys.argv[2:]] for _ in range(int(sys.argv[1]))])
"""


def run(program: str, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, env=environment()
    )
    return ran.stdout.splitlines()[-1]


def loaded(*programs: str) -> list[set[str]]:
    """The modules that are there after each program, in one process."""
    shown = "\nimport json, sys\nshown = [*globals().get('shown', []), [*sys.modules]]\n"
    return [set(names) for names in json.loads(run(shown.join([*programs, "print(json.dumps(shown))"])))]


def test_no_data_frame_library_no_http_library_and_no_sandbox_is_loaded():
    before, after = loaded(AIRFLOW, PROVIDER)
    added = after - before
    assert {"cloudzero_provider.operators.anycost", "cloudzero_provider.triggers.anycost"} <= added
    assert "cloudzero_provider.anycost.aggregation.options" in added
    assert not added & HEAVY


def test_of_the_core_only_names_and_parameters_are_loaded():
    [there] = loaded(PROVIDER)
    parts = {name: name.split(".") for name in there if name.startswith("cloudzero_provider.")}
    assert {name for name, [_, room, *_] in parts.items() if room not in AIRFLOWS_SIDE} == CORE_OF_A_DAG_FILE


def test_no_library_is_loaded_that_airflow_has_not_loaded():
    before, after = loaded(AIRFLOW, PROVIDER)
    # Triggers of Airflow 3.3 load a little more of pydantic.
    assert libraries(after - before) <= {"pydantic"}


def test_operators_and_sensors_load_neither_triggers_nor_what_sends():
    before, after = loaded(AIRFLOW, TASKS)
    ours = {".".join(name.split(".")[:2]) for name in after - before}
    assert "cloudzero_provider.sensors" in ours
    assert not ours & {
        f"cloudzero_provider.{room}" for room in ("anycost", "client", "sources", "telemetry", "triggers")
    }


def loaded_by_the_first_request(dag_file: str, task: str) -> set[str]:
    """The modules that a task loads, beside those of its DAG file, until it makes its first connection."""
    return set(json.loads(run(BEFORE_A_TASK + dag_file + AT_THE_FIRST_REQUEST.replace("{task}", task.strip()))))


def libraries(names: set[str]) -> set[str]:
    """The libraries of modules, without those of Python and Airflow. The name of polars' own part ends in a number."""
    found = {name.partition(".")[0].rstrip("_0123456789") for name in names}
    return found - sys.stdlib_module_names - {"__mp_main", "airflow", "cloudzero_provider"}


@pytest.mark.parametrize(
    ("task", "own", "other"), [(SEND_ROWS, "anycost", "telemetry"), (SEND_RECORDS, "telemetry", "anycost")]
)
def test_a_task_that_sends_loads_only_what_it_needs(task, own, other):
    names = loaded_by_the_first_request(TASKS, task)
    assert {"polars", "cloudzero_provider.client", f"cloudzero_provider.{own}.send"} <= names
    assert libraries(names) <= SENDS_BY
    assert not names & {
        f"cloudzero_provider.{name}" for name in (f"{other}.send", "anycost.focus", "status", "sandbox")
    }


@pytest.mark.parametrize("task", [WAIT_FOR_A_DROP, WAIT_FOR_RECORDS])
def test_a_sensor_loads_no_data_frame_library(task):
    names = loaded_by_the_first_request(TASKS, task)
    assert "cloudzero_provider.status" in names
    assert libraries(names) <= SENDS_BY - {"polars", "_polars_runtime", "ijson"}


def test_a_dag_file_that_imports_everything_costs_less_than_the_libraries_for_sending_would():
    """In CPU time, since other work on the machine makes time on the clock longer; and side by side, since machines differ."""
    runs = json.loads(run(TIMED, str(RUNS), AIRFLOW, AIRFLOW + PROVIDER, AIRFLOW + PROVIDER + SENDING))
    alone, everything, sending = (median(column) for column in zip(*runs, strict=True))
    print(
        f"Airflow alone {alone:.0f} ms, with the provider {everything:.0f} ms, with what it sends by {sending:.0f} ms"
    )
    assert everything - alone < sending - everything


def test_something_heavy_would_have_been_seen():
    [there] = loaded(SENDING)
    assert {"polars", "requests", "ijson"} <= there
