"""The README says what is there: its code compiles, its parameters exist, and Airflow takes its commands."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

import pytest
from support.paths import ROOT

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = sorted((ROOT / "dags_examples").glob("*.py"))
LINE = tuple(int(part) for part in version("apache-airflow").split(".")[:2])
#: The parameters of Airflow's own that our base classes name, to give them another default.
OF_AIRFLOW = {"mode", "poke_interval", "max_active_tis_per_dag"}
#: Those that every sensor has anyway, and the README explains.
EXPLAINED = {"timeout"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def section(title: str) -> str:
    [text] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    return text


def tables(title: str) -> list[dict[str, str]]:
    """The tables of parameters in a section: name → default."""
    found: list[dict[str, str]] = []
    for line in section(title).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| parameter |"):
            found.append({})
        elif line.startswith("| `") and found:
            names = re.findall(r"`([a-z_]+)`", cells[0])
            defaults = cells[1].split(" · ") if " · " in cells[1] else [cells[1]] * len(names)
            found[-1] |= dict(zip(names, defaults, strict=True))
        elif not line.startswith("|---"):
            found.append({})
    return [table for table in found if table]


def signature(of: type) -> dict[str, inspect.Parameter]:
    """What the class, and its base classes in this package, name themselves."""
    named: dict[str, inspect.Parameter] = {}
    for kind in of.__mro__:
        if kind.__module__.startswith("cloudzero_provider") and "__init__" in vars(kind):
            own = inspect.signature(inspect.unwrap(vars(kind)["__init__"])).parameters.values()
            named |= {p.name: p for p in own if p.kind is p.KEYWORD_ONLY and p.name not in named}
    return named


[DROP] = tables("Sending a month")
[SEND] = [table for table in tables("Telemetry") if "stream_name" in table]
COMMON, DROP_WAIT, STREAM_WAIT = tables("Waiting")


@pytest.mark.parametrize(
    ("operator", "documented"),
    [
        pytest.param(AnyCostBillingDropOperator, DROP, id="drop operator"),
        pytest.param(TelemetrySendOperator, SEND, id="telemetry operator"),
        pytest.param(AnyCostBillingDropSensor, COMMON | DROP_WAIT, id="drop sensor"),
        pytest.param(CloudZeroStreamStatusSensor, COMMON | STREAM_WAIT, id="stream sensor"),
    ],
)
class TestParameters:
    def test_all_are_in_the_table_and_no_others(self, operator, documented):
        assert set(documented) - EXPLAINED == set(signature(operator))

    def test_defaults(self, operator, documented):
        parameters = signature(operator)
        told = {
            name: ast.literal_eval(default.strip("`").replace(",", ""))
            for name, default in documented.items()
            if re.fullmatch(r'`("[A-Za-z_]+"|[0-9.]+|True|False)`|[0-9,]+', default)
        }
        assert told == {name: parameters[name].default for name in told}
        assert told


class TestCode:
    @pytest.mark.parametrize("code", blocks("python"), ids=lambda code: code.strip().splitlines()[-1][:30])
    def test_compiles(self, code):
        compile(code, "README.md", "exec")

    def test_imports_of_this_package_exist(self):
        for code in blocks("python"):
            for node in ast.walk(ast.parse(code)):
                if isinstance(node, ast.ImportFrom) and node.module.startswith("cloudzero_provider"):
                    module = import_module(node.module)
                    for name in (alias.name for alias in node.names):
                        assert hasattr(module, name) or find_spec(f"{node.module}.{name}"), (node.module, name)

    def test_links_lead_somewhere(self):
        headings = {
            re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", README, re.M)
        }
        for target in re.findall(r"\]\(([^)]+)\)", README):
            if target.startswith("#"):
                assert target[1:] in headings, target
            elif not target.startswith("http"):
                assert (ROOT / target).exists(), target


def commands() -> list[tuple[str, str]]:
    """Airflow's commands, each with the comment before it that says for which Airflow it is."""
    found = []
    for block in blocks("bash"):
        lines = ""
        for line in block.splitlines():
            if line.startswith("# Airflow "):
                lines = line.removeprefix("# Airflow ").strip()
            elif line.startswith("airflow "):
                found.append((lines, line))
    return found


def is_for(lines: str, line: tuple[int, int]) -> bool:
    """Read "3.3", "3.0 and later", "3.0 to 3.2"; nothing means all."""
    if not lines:
        return True
    first, *last = [tuple(map(int, text.split("."))) for text in re.findall(r"\d+\.\d+", lines)]
    if lines.endswith("and later"):
        return line >= first
    return first <= line <= (last[0] if last else first)


class TestCommands:
    @pytest.mark.parametrize(("lines", "command"), commands())
    def test_airflow_accepts_it(self, lines, command):
        if not is_for(lines, LINE):
            pytest.skip(f"for Airflow {lines}")
        from airflow.cli.cli_parser import get_parser

        arguments = shlex.split(command.replace("<id>", "cloudzero_default"))[1:]
        parsed = get_parser().parse_args(arguments)
        dag_id = getattr(parsed, "dag_id", None)
        assert dag_id is None or dag_id in {path.stem for path in EXAMPLES}

    def test_lines(self):
        assert len(commands()) > 15
        assert [is_for("3.0 to 3.2", line) for line in ((2, 11), (3, 0), (3, 2), (3, 3))] == [False, True, True, False]
        assert [is_for("3.0 and later", line) for line in ((2, 11), (3, 0), (3, 3))] == [False, True, True]
        assert [is_for("3.3", line) for line in ((3, 2), (3, 3))] == [False, True]
