"""The import contracts leave no part of the package out."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cloudzero_provider"
AIRFLOW_SIDE = {"airflow_support", "decorators", "get_provider_info", "hooks", "links", "operators", "sensors"} | {
    "triggers"
}


def parts() -> set[str]:
    """The modules and folders right below the package."""
    return {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {
        "__init__"
    }


def listed(contract: str, key: str) -> set[str]:
    file = ConfigParser()
    file.read(ROOT / ".importlinter", encoding="utf-8")
    names = file[f"importlinter:contract:{contract}"][key].split()
    return {name.removeprefix("cloudzero_provider.") for name in names}


def test_every_part_is_of_airflow_or_may_not_know_it():
    assert listed("core", "source_modules") == parts() - AIRFLOW_SIDE


@pytest.mark.parametrize(
    ("contract", "key"), [("sandbox-alone", "forbidden_modules"), ("sandbox-unused", "source_modules")]
)
def test_the_sandbox_and_every_other_part_are_kept_apart(contract, key):
    assert listed(contract, key) == parts() - {"sandbox"}
