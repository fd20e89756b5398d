"""What is inside the distribution."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest
from packaging.requirements import Requirement
from packaging.version import Version
from support.paths import ROOT

from hatch_build import description

REQUIREMENTS = ROOT / "requirements"


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
    static = "cloudzero_provider/sandbox/page/static"
    assert {f"{static}/script.js", f"{static}/style.css", f"{static}/icon.svg"} <= set(names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"cloudzero_provider", "airflow_provider_cloudzero"}


def test_the_metadata_say_what_a_user_needs_to_know(wheel):
    (path,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(path).decode())
    assert metadata["Name"] == "airflow-provider-cloudzero"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.10"
    assert "apache-airflow>=2.11" in metadata.get_all("Requires-Dist")
    assert metadata.get_all("Provides-Extra") == ["cli", "sandbox"]
    assert "Framework :: Apache Airflow :: Provider" in metadata.get_all("Classifier")
    assert any(name.endswith("licenses/LICENSE") for name in wheel.namelist())
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "[apache_airflow_provider]" in wheel.read(entry_points).decode()
    assert "cloudzero-provider = cloudzero_provider.cli:main" in wheel.read(entry_points).decode()


def test_the_description_has_no_link_that_only_the_repository_has(wheel):
    (path,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(path).decode())
    shown = metadata.get_payload()
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "exactly once" in shown
    assert [target for target in re.findall(r"\]\(([^)]+)\)", shown) if not target.startswith("https://")] == []


def test_links_of_the_description_lead_to_the_repository_once_there_is_one():
    text = "[What](docs/a.md#b) and [that](https://example.com) [there](#here)\n\n![A](docs/a.png)\n"
    assert description(text, "https://example.com/it/") == (
        "[What](https://example.com/it/blob/main/docs/a.md#b) and [that](https://example.com) [there](#here)\n\n"
        "![A](https://example.com/it/raw/main/docs/a.png)\n\n"
    )
    assert description(text, None) == "What and [that](https://example.com) [there](#here)\n\n"


def test_pins_are_plain_names_and_versions():
    for path in REQUIREMENTS.glob("*.txt"):
        for line in path.read_text().splitlines():
            requirement = line.split(" ; ")[0]
            assert requirement.count("==") == 1, f"{path.name}: {line}"
            assert "/" not in line, f"{path.name}: {line}"


def depended_on(wheel):
    """Every run-time dependency, those of extras included."""
    (path,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = Parser().parsestr(wheel.read(path).decode())
    return [Requirement(text) for text in metadata.get_all("Requires-Dist")]


def pinned(name):
    """Name → the versions that are pinned, which may be several for several versions of Python."""
    pins = {}
    for line in (REQUIREMENTS / f"{name}.txt").read_text().splitlines():
        package, version = line.split(" ; ")[0].split("==")
        pins.setdefault(package, []).append(version)
    return pins


def lower_bound(requirement):
    (bound,) = (specifier.version for specifier in requirement.specifier if specifier.operator == ">=")
    return Version(bound)


def test_the_lowest_pins_are_the_lowest_versions_that_are_allowed(wheel):
    pins = pinned("lowest")
    for requirement in depended_on(wheel):
        assert list(map(Version, pins[requirement.name])) == [lower_bound(requirement)], requirement


def test_the_highest_pins_are_allowed_and_of_the_last_major_version_that_is(wheel):
    pins = pinned("highest")
    for requirement in depended_on(wheel):
        assert all(version in requirement.specifier for version in pins[requirement.name]), requirement
        above = [Version(specifier.version) for specifier in requirement.specifier if specifier.operator == "<"]
        if requirement.name == "apache-airflow":
            # pip would install an older Airflow for a bound.
            assert not above
        else:
            newest = max(map(Version, pins[requirement.name]))
            assert above == [Version(str(newest.major + 1))], requirement


@pytest.mark.parametrize("name", sorted(path.stem for path in REQUIREMENTS.glob("airflow-*.txt")))
def test_every_line_of_airflow_is_tested_with_what_is_allowed(wheel, name):
    pins = pinned(name)
    for requirement in depended_on(wheel):
        assert all(version in requirement.specifier for version in pins[requirement.name]), requirement


def test_what_the_package_imports_is_what_it_depends_on(wheel):
    """A package that only another one depends on has no range of versions here."""
    names = {requirement.name for requirement in depended_on(wheel)}
    imported = set()
    for path in (ROOT / "cloudzero_provider").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    # What Airflow brings along and hands over: its templates, and its web server's form for a connection.
    of_airflow = {"airflow", "jinja2", "flask_appbuilder", "wtforms"}
    assert imported - set(sys.stdlib_module_names) - of_airflow - {"cloudzero_provider"} <= names
