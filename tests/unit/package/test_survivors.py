"""The list of mutants that no test can tell from the code stays true as far as a glance can say."""

from __future__ import annotations

import ast
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
    """The source of a function or a method, in one line."""
    parts = name.split(".")
    modules = [ROOT.joinpath("cloudzero_provider", *parts[:end]) for end in range(len(parts), 0, -1)]
    depth, path = next(
        (len(parts) - cut, path)
        for cut, module in enumerate(modules)
        for path in (module.with_suffix(".py"), module / "__init__.py")
        if path.exists()
    )
    source = path.read_text(encoding="utf-8")
    node: ast.AST = ast.parse(source)
    for part in parts[depth:]:
        node = next(each for each in ast.iter_child_nodes(node) if getattr(each, "name", None) == part)
    return " ".join((ast.get_source_segment(source, node) or "").split())


@pytest.mark.parametrize("line", LINES)
def test_what_is_listed_is_still_in_the_code(line):
    name, before, after = LISTED.fullmatch(line).groups()
    assert " ".join(before.split()) in source_of(name)
    assert before != after
