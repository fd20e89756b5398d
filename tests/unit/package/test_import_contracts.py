"""The import contracts leave no part of the package out."""

from __future__ import annotations

import ast
import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from support.paths import ROOT

from cloudzero_provider.airflow_support import compat, compat_dags

PACKAGE = ROOT / "cloudzero_provider"
AIRFLOW_SIDE = {"airflow_support", "decorators", "get_provider_info", "hooks", "links", "operators", "sensors"} | {
    "triggers",
    # Its module of connections; those that may not know Airflow are in a contract of their own.
    "cli",
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


def test_only_one_module_of_the_command_line_may_know_airflow():
    modules = {f"cli.{path.stem}" for path in (PACKAGE / "cli").glob("*.py")} - {"cli.__init__", "cli.__main__"}
    assert listed("cli", "source_modules") == modules - {"cli.connection"}


@pytest.mark.parametrize(
    ("contract", "key"), [("sandbox-alone", "forbidden_modules"), ("sandbox-unused", "source_modules")]
)
def test_the_sandbox_and_every_other_part_are_kept_apart(contract, key):
    assert listed(contract, key) == parts() - {"sandbox"}


#: Modules of Airflow and its providers that are meant to be imported.
PUBLIC = {
    "airflow.providers.common.compat.connection",
    "airflow.providers.common.compat.sdk",
    "airflow.providers.common.sql.hooks.sql",
    "airflow.sdk",
    "airflow.triggers.base",
}
COMPAT = {Path(module.__file__): module.__doc__ for module in (compat, compat_dags)}
MODULES = [path for path in PACKAGE.rglob("*.py") if path not in COMPAT and PACKAGE / "sandbox" not in path.parents]


def names_in(table: str) -> set[str]:
    """The names in the table of a module."""
    return {
        name
        for line in table.splitlines()
        if line.startswith("``")
        for name in re.findall(r"``(\w+)``", line.split("  ")[0])
    } - {"kwargs"}


def private_names() -> set[str]:
    return {name for table in COMPAT.values() for name in names_in(table)}


@pytest.mark.parametrize("path", COMPAT, ids=lambda path: path.stem)
def test_the_table_of_what_is_private_of_airflow_is_what_a_module_uses(path):
    names, code = names_in(COMPAT[path]), path.read_text(encoding="utf-8").replace(COMPAT[path], "")
    assert len(names) >= 7
    assert [name for name in names if not re.search(rf"\b{name}\b", code)] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_private_of_airflow_is_used_outside_of_compat(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    names = {(node.module or "", alias.name) for node in imported for alias in node.names}
    names |= {(alias.name, "") for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    from_airflow = {(module, name) for module, name in names if module.split(".")[0] == "airflow"}
    assert {module for module, _ in from_airflow} <= PUBLIC
    assert {name for _, name in from_airflow if name.startswith("_")} == set()
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    methods = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    own = {alias.name for node in imported for alias in node.names if (node.module or "").startswith("cloudzero")}
    assert (attributes | methods) & private_names() - own == set()
