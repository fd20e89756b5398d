"""Airflow reads its settings when it is first imported, so its home is created here, before any test is imported."""

from __future__ import annotations

import os
import shutil
import tempfile

from hypothesis import settings

# A busy machine may miss a deadline without anything being wrong.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

WORKER = os.environ.get("PYTEST_XDIST_WORKER")

if WORKER:
    # In the home of the process that started the worker, which removes it: each worker has a database of its own.
    HOME = os.environ["AIRFLOW_HOME"] = f"{os.environ['AIRFLOW_HOME']}/{WORKER}"
else:
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    HOME = os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="cloudzero-airflow-")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


def pytest_unconfigure() -> None:
    if not WORKER:
        shutil.rmtree(HOME, ignore_errors=True)
