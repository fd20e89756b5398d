"""What is inside the distribution."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    names = wheel.namelist()
    assert "cloudzero_provider/py.typed" in names
    assert "cloudzero_provider/operators/anycost.py" in names
    assert "cloudzero_provider/sandbox/__main__.py" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cloudzero_provider", "airflow_provider_cloudzero"}


def test_the_metadata_say_what_a_user_needs_to_know(wheel):
    (path,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(path).decode())
    assert metadata["Name"] == "airflow-provider-cloudzero"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert "apache-airflow>=2.11" in metadata.get_all("Requires-Dist")
    assert "Framework :: Apache Airflow :: Provider" in metadata.get_all("Classifier")
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "[apache_airflow_provider]" in wheel.read(entry_points).decode()


def test_pins_are_plain_names_and_versions():
    for path in (ROOT / "requirements").glob("*.txt"):
        for line in path.read_text().splitlines():
            requirement = line.split(" ; ")[0]
            assert requirement.count("==") == 1, f"{path.name}: {line}"
            assert "/" not in line, f"{path.name}: {line}"
