"""What the files around the package name is there: targets of make, files, and the commands of make lint."""

from __future__ import annotations

import re

import pytest
from support.paths import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"[\w-]+", re.sub(r"\\\n", " ", MAKEFILE).split(".PHONY:")[1].split("\n")[0]))
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["CONTRIBUTING.md", "README.md", "tests/README.md"])
def test_every_target_of_make_that_is_named_exists(path):
    # In prose, a target stands in backticks; in code, "make" begins a line.
    named = set(re.findall(r"(?:`|^\s*)make ([a-z][\w-]*)", text_of(path), re.MULTILINE))
    assert named <= TARGETS
    assert named


def test_every_file_that_contributing_names_exists():
    named = re.findall(r"`([\w./-]+\.(?:py|md|toml|sh|yaml))`", CONTRIBUTING)
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.*") if ".venv" not in path.parts}
    assert len(named) > 60
    assert [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)] == []


def test_every_name_of_code_that_contributing_names_exists():
    recipes = CONTRIBUTING.split("## Recipes")[1]
    named = set(re.findall(r"`(_\w+|[A-Z]\w+|[a-z]+_[a-z_]+)`", recipes)) - {"CHANGELOG"}
    folders = (ROOT / "cloudzero_provider", ROOT / "tests", ROOT / "dags_examples")
    code = "\n".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    assert len(named) > 30
    assert sorted(name for name in named if not re.search(rf"\b{name}\b", code)) == []
