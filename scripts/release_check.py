"""
Use a built wheel as a user does: in an environment that has nothing else.

Install it there, import every module, and have Airflow list the provider. A network, or pip's cache, is needed for its
dependencies.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements" / "airflow-3.3.txt"
IMPORT_ALL = """
import importlib, pkgutil, cloudzero_provider
names = [module.name for module in pkgutil.walk_packages(cloudzero_provider.__path__, "cloudzero_provider.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(f"{len(names)} modules can be imported from {cloudzero_provider.__path__[0]}.")
"""


def run(*command: str, cwd: Path) -> str:
    """Run a command away from the repository, whose package would be imported instead of the installed one."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHONPATH"))}
    done = subprocess.run(
        command, cwd=cwd, env=environment | {"AIRFLOW_HOME": str(cwd / "airflow")}, text=True, capture_output=True
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Install the wheel, import it, and find it in Airflow's list of providers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path, help="the folder with the wheel")
    [wheel] = parser.parse_args().dist.resolve().glob("*.whl")
    with tempfile.TemporaryDirectory(prefix="cloudzero-release-") as text:
        folder = Path(text)
        venv.create(folder / "venv", with_pip=True)
        python = str(folder / "venv" / "bin" / "python")
        print(f"Installing {wheel.name} and Airflow into an empty environment.", flush=True)
        run(python, "-m", "pip", "install", "--quiet", "--constraint", str(PINS), f"{wheel}[cli,sandbox]", cwd=folder)
        run(python, "-m", "pip", "check", cwd=folder)
        print(run(python, "-c", IMPORT_ALL, cwd=folder).strip())
        listed = run(str(folder / "venv" / "bin" / "airflow"), "providers", "list", "--output", "plain", cwd=folder)
        found = [line for line in listed.splitlines() if line.startswith("airflow-provider-cloudzero")]
        if not found:
            raise SystemExit(f"Airflow does not list the provider:\n{listed}")
        print(f"Airflow lists it: {' '.join(found[0].split())}")


if __name__ == "__main__":
    sys.exit(main())
