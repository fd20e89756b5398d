"""What the provider adds to what Airflow has loaded when it parses a DAG that imports everything of it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from airflow.providers.common.compat.sdk import DAG
before = set(sys.modules)
import cloudzero_provider.get_provider_info
import cloudzero_provider.hooks.cloudzero
import cloudzero_provider.months
import cloudzero_provider.operators.anycost
import cloudzero_provider.operators.telemetry
print(",".join(set(sys.modules) - before))
"""


def test_no_data_frame_library_no_http_library_and_no_sandbox_is_loaded():
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.splitlines()[-1].split(","))
    assert "cloudzero_provider.operators.anycost" in loaded
    assert not loaded & {"polars", "requests", "ijson", "aiohttp", "cloudzero_provider.sandbox"}
