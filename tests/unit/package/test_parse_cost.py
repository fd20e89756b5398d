"""What Airflow loads, and how long that takes, when it parses a DAG that imports everything of the provider."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

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
SENDING = """
import cloudzero_provider.anycost.readback, cloudzero_provider.client
"""
HEAVY = {"polars", "requests", "ijson", "aiohttp", "cloudzero_provider.sandbox"}
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
    ran = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
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
