"""The layers that docs/architecture.md draws are those of .importlinter."""

from __future__ import annotations

import re
from configparser import ConfigParser

from support.paths import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "cloudzero_provider"


def layers_of(contract: str) -> tuple[str, list[str]]:
    file = ConfigParser()
    file.read(ROOT / ".importlinter", encoding="utf-8")
    found = file[f"importlinter:contract:{contract}"]
    return found["containers"].strip(), found["layers"].split("\n")[1:]


def test_the_layers_are_those_of_importlinter():
    drawn = "\n\n".join(
        "\n    ".join([container, *layers]) for container, layers in map(layers_of, ("layers", "sandbox-layers"))
    )
    [block] = re.findall(r"^```text\n(.*?)\n^```", PAGE, re.DOTALL | re.MULTILINE)
    assert block == drawn


def test_every_part_of_the_package_has_a_sentence():
    told = {
        name.removesuffix("/").removesuffix(".py")
        for line in PAGE.split("## From a file")[0].splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([\w/.]+)`", line.split(" | ")[0])
    }
    _, layers = layers_of("layers")
    assert {name for layer in layers for name in layer.split(" | ")} <= told
    rooms = {path.name for path in (PACKAGE / "sandbox").iterdir() if (path / "__init__.py").exists()}
    assert rooms <= told


def test_every_file_that_the_page_names_exists():
    named = re.findall(r"\b((?:[\w]+/)*\w+\.py)\b", PAGE)
    assert len(named) > 20
    folders = (ROOT, PACKAGE, PACKAGE / "telemetry")
    assert [name for name in named if not any((folder / name).exists() for folder in folders)] == []


def test_every_name_of_code_that_the_page_names_exists():
    code = "\n".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    named = re.findall(
        r"\b((?!test_)[a-z]+_[a-z_]+|[A-Z]+_[A-Z_]+|[A-Z][a-z]+[A-Z]\w+)\b", PAGE.split("## From a file")[1]
    )
    assert [name for name in named if not re.search(rf"\b{name}\b", code)] == []
