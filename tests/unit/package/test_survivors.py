"""The list of mutants that no test can tell from the code stays true as far as a glance can say."""

from __future__ import annotations

import re

import pytest
from support.paths import ROOT

LISTED = re.compile(r"- ([\w.]+): `(.*)` → `(.*)`")
LINES = [
    line
    for line in (ROOT / "tests" / "mutation" / "survivors.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("- ")
]


def source_of(name: str) -> str:
    """The module that holds a function, in one line."""
    parts = name.split(".")
    folders = [ROOT.joinpath("cloudzero_provider", *parts[:end]) for end in range(len(parts), 0, -1)]
    modules = (path for folder in folders for path in (folder.with_suffix(".py"), folder / "__init__.py"))
    path = next(path for path in modules if path.exists())
    return " ".join(path.read_text(encoding="utf-8").split())


@pytest.mark.parametrize("line", LINES)
def test_what_is_listed_is_still_in_the_code(line):
    name, before, after = LISTED.fullmatch(line).groups()
    assert " ".join(before.split()) in source_of(name)
    assert before != after
