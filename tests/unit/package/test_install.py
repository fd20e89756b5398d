"""What ``make demo`` says while it installs: figures that are measured."""

from __future__ import annotations

import re
import subprocess
import venv
import zipfile

import pytest
from install import Progress
from support.paths import ROOT

PIP = """\
Looking in links: /opt/wheels
Ignoring colorama: markers 'sys_platform == "win32"' don't match your environment
Collecting apache-airflow==3.3.2 (from -r requirements/airflow-3.3.txt (line 9))
  Downloading apache_airflow-3.3.2-py3-none-any.whl.metadata (38 kB)
Collecting numpy>=1.22 (from apache-airflow==3.3.2)
  Using cached numpy-2.3.0-cp311-cp311-manylinux.whl (16.5 MB)
Collecting Apache_Airflow[celery] (from apache-airflow==3.3.2)
Downloading apache_airflow-3.3.2-py3-none-any.whl (12.5 MB)
Downloading tiny-1.0.tar.gz (500 kB)
"""


def test_packages_and_sizes_are_read_from_the_output_of_pip():
    progress = Progress(4)
    for line in PIP.splitlines():
        progress.read(line)
    assert (len(progress.names), progress.downloaded, progress.local) == (2, 13.0, 16.5)
    assert str(progress) == "2 of 3 packages: 13 MB downloaded, 16 MB found on this machine"
    progress.read("Installing collected packages: numpy, apache-airflow")
    assert str(progress).endswith("; now writing them to disk")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An empty environment, and a folder with a package of 3 MB."""
    folder = tmp_path_factory.mktemp("install")
    venv.create(folder / "venv", with_pip=True)
    with zipfile.ZipFile(folder / "large-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("large.py", "#" * 3_000_000)
        wheel.writestr("large-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: large\nVersion: 1.0\n")
        wheel.writestr("large-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("large-1.0.dist-info/RECORD", "large.py,,\n")
    return folder


def install(environment, *pins):
    (environment / "pins.txt").write_text("".join(f"{pin}\n" for pin in pins))
    python, options = environment / "venv/bin/python", ["--no-index", "--find-links", environment]
    return subprocess.run(
        [python, ROOT / "scripts/install.py", *options, "-r", environment / "pins.txt"],
        capture_output=True,
        text=True,
        check=False,
    )


def measured(line):
    found = re.fullmatch(r"Installed: (\d+) packages, (\d+) MB in \S+, in \d+ s", line)
    return int(found[1]), int(found[2])


def test_it_says_what_it_installs_and_how_much_was_installed(environment):
    before = measured(install(environment).stdout.splitlines()[-1])
    ran = install(environment, "large==1.0")
    assert ran.returncode == 0, ran.stdout
    first, *_, done, last = ran.stdout.splitlines()
    assert first.startswith("Installing what is pinned, into ")
    assert done.endswith("1 package: 0 MB downloaded, 3 MB found on this machine; now writing them to disk")
    packages, size = measured(last)
    assert packages == before[0] + 1
    assert 2 <= size - before[1] <= 4


def test_a_failure_shows_what_pip_says(environment):
    ran = install(environment, "absent==1.0")
    assert ran.returncode == 1
    assert "No matching distribution found for absent==1.0" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "pip ended with 1."


def test_make_demo_installs_with_it():
    rule = (ROOT / "Makefile").read_text(encoding="utf-8").split("\n$(VENV)/installed:")[1].split("\n\n")[0]
    assert "scripts/install.py" in rule
