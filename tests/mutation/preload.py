"""Imports the tests that judge mutants, once for all of them. None of them may use polars while it is imported."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import ijson  # noqa: F401
import pytest  # noqa: F401
import tomllib

TESTS = Path(__file__).parents[1]
CONFIGURATION = tomllib.loads((TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]

sys.path[:0] = [str(TESTS), str(TESTS / "unit"), str(TESTS / "contract")]
for path in CONFIGURATION["pytest_add_cli_args_test_selection"]:
    importlib.import_module(Path(path).stem)
importlib.import_module("mutation.forked_sandbox").use()

THREADS = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").glob("*")]
if any(name.startswith("polars-") and name[7:].isdigit() for name in THREADS):
    sys.exit("A test uses polars while it is imported: no mutant could be judged.")
