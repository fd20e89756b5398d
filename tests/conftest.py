"""Airflow reads its settings when it is first imported, so its home is made here, before any test is."""

from __future__ import annotations

import os
import shutil
import tempfile

from hypothesis import settings

# A busy machine is slow now and then, which is nobody's mistake.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

#: Workers of pytest-xdist have the home of the process that started them.
HOME = None

if "PYTEST_XDIST_WORKER" not in os.environ:
    for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
        del os.environ[name]
    HOME = os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="cloudzero-airflow-")
    os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


def pytest_unconfigure() -> None:
    if HOME:
        shutil.rmtree(HOME, ignore_errors=True)
