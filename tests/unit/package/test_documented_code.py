"""Every block of code of the documentation runs, or is read by the program that it is for."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from support.documentation import BLOCKS, PAGES, Block
from support.paths import ROOT
from support.sandbox_server import SandboxServer

from cloudzero_provider.get_provider_info import EXTRA_FIELDS
from cloudzero_provider.sandbox.cli import parse_options

LINE = tuple(int(part) for part in version("apache-airflow").split(".")[:2])
NEWEST = (3, 3)
EXAMPLES = {path.stem for path in (ROOT / "dags_examples").glob("*.py")}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"[\w-]+", re.sub(r"\\\n", " ", MAKEFILE).split(".PHONY:")[1].split("\n")[0]))
PYTHON = [block for block in BLOCKS if block.language == "python"]
SHELL = [block for block in BLOCKS if block.language in {"bash", "sh"}]
#: What a program prints, drawings made of text, and Sphinx's own directives, which ``make docs`` reads.
NOT_CODE = {"text", "{include}", "{toctree}", "{eval-rst}"}


class TestBlocks:
    def test_each_is_run_or_read_or_is_not_code(self, record_property):
        record_property("blocks of Python", len(PYTHON))
        record_property("blocks of commands", len(SHELL))
        print(f"{len(PYTHON)} blocks of Python, {len(SHELL)} blocks of commands on {len(PAGES)} pages")
        assert {block.language for block in BLOCKS} == {"python", "bash", "sh", "json", *NOT_CODE}
        assert len(PYTHON) >= 25
        assert len(SHELL) >= 8

    def test_none_is_overlooked(self):
        fences = [line for page in PAGES for line in page.read_text(encoding="utf-8").splitlines() if "```" in line]
        assert len(fences) == 2 * len(BLOCKS)

    @pytest.mark.parametrize("block", [block for block in BLOCKS if block.language == "json"], ids=str)
    def test_json_is_json(self, block):
        assert isinstance(json.loads(block.code), dict)


class TestPython:
    @pytest.mark.parametrize("block", PYTHON, ids=str)
    def test_runs_as_it_stands(self, block, tmp_path, monkeypatch, request):
        monkeypatch.chdir(tmp_path)
        code = block.code
        if block.page == "docs/vendor-csv.md":
            write_vendor_files(tmp_path)
            monkeypatch.syspath_prepend(tmp_path)
            monkeypatch.delitem(sys.modules, "acme", raising=False)
        if "http://127.0.0.1:8900" in code:
            code = code.replace("http://127.0.0.1:8900", request.getfixturevalue("sandbox").url)
            rows = "time/usage_start,cost/cost,resource/service\n2026-03-01,12.5,Storage\n"
            (tmp_path / "march.csv").write_text(rows, encoding="utf-8")
        try:
            exec(compile(code, str(block), "exec"), {"__name__": "documented"})
        except ImportError as error:
            if LINE < NEWEST and (error.name or "").startswith("airflow"):
                pytest.skip(f"for a newer Airflow: {error}")
            raise

    @pytest.fixture
    def sandbox(self, tmp_path):
        server = SandboxServer(tmp_path / "sandbox", key="my-key")
        yield server
        server.stop()


def write_vendor_files(folder: Path) -> None:
    """The vendor's file and the module that docs/vendor-csv.md shows."""
    bill, transform, *_ = [block.code for block in BLOCKS if block.page == "docs/vendor-csv.md"]
    (folder / "acme-2026-03.csv").write_text(bill, encoding="utf-8")
    (folder / "acme.py").write_text(transform, encoding="utf-8")


def test_the_vendors_bill_has_the_total_that_the_page_says(tmp_path, monkeypatch, capsys):
    [check] = [block for block in PYTHON if block.page == "docs/vendor-csv.md" and "check_rows" in block.code]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme", raising=False)
    write_vendor_files(tmp_path)
    exec(compile(check.code, str(check), "exec"), {"__name__": "documented"})
    assert capsys.readouterr().out.splitlines()[-1] in check.code


def is_whole(text: str) -> bool:
    """Whether a command ends here: its quotes are closed, and nothing says that it goes on."""
    try:
        shlex.split(text)
    except ValueError:
        return False
    return not text.endswith("\\")


def commands_of(block: Block) -> Iterator[tuple[str, str]]:
    """The commands of a block, each with the comment before it that says for which Airflow it is."""
    lines = command = ""
    for line in block.code.splitlines():
        command = f"{command}\n{line}" if command else line
        if command.lstrip().startswith("#"):
            if command.startswith("# Airflow "):
                lines = command.removeprefix("# Airflow ").strip()
            command = ""
        elif is_whole(command):
            if command.strip():
                yield lines, command
            command = ""
    assert not command, f"{block}: {command}"


COMMANDS = [pytest.param(*found, id=f"{block} {found[1][:50]}") for block in SHELL for found in commands_of(block)]


def is_for(lines: str, line: tuple[int, int]) -> bool:
    """Read "3.3", "3.0 and later", "3.0 to 3.2"; nothing means all."""
    if not lines:
        return True
    first, *last = [tuple(map(int, text.split("."))) for text in re.findall(r"\d+\.\d+", lines)]
    if lines.endswith("and later"):
        return line >= first
    return first <= line <= (last[0] if last else first)


def airflow(arguments: list[str]) -> None:
    from airflow.cli.cli_parser import get_parser

    parsed = get_parser().parse_args([argument.replace("<id>", "cloudzero_default") for argument in arguments])
    dag_id = getattr(parsed, "dag_id", None)
    assert dag_id is None or dag_id in EXAMPLES | {"first_month", "first_stream"}


def make(arguments: list[str]) -> None:
    assert arguments[0] in TARGETS


def export(arguments: list[str]) -> None:
    name, _, value = arguments[0].partition("=")
    assert name.startswith("AIRFLOW_CONN_")
    if not value.startswith("cloudzero://"):
        connection = json.loads(value)
        assert connection["conn_type"] == "cloudzero"
        assert set(connection.get("extra", {})) <= set(EXTRA_FIELDS)


def python(arguments: list[str]) -> None:
    assert arguments[:2] == ["-m", "cloudzero_provider.sandbox"]
    parse_options(arguments[2:])


def pytest_(arguments: list[str]) -> None:
    for path in (argument for argument in arguments if argument.startswith("tests")):
        assert (ROOT / path).exists(), path


def cloudzero_provider(arguments: list[str]) -> None:
    # Skips the test where the extra cli is not installed.
    from support.command_line import parse

    parse(arguments)


def pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"


#: The program that a command begins with → what reads its arguments.
READERS: dict[str, Callable[[list[str]], None]] = {
    ".venv/bin/pytest": pytest_,
    "airflow": airflow,
    "cloudzero-provider": cloudzero_provider,
    "export": export,
    "make": make,
    "pip": pip,
    "python": python,
}


class TestCommands:
    @pytest.mark.parametrize(("lines", "command"), COMMANDS)
    def test_the_program_accepts_it(self, lines, command, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        program, *arguments = shlex.split(command, comments=True)
        if program == "airflow" and not is_for(lines, LINE):
            pytest.skip(f"for Airflow {lines}")
        READERS[program](arguments)

    def test_lines(self):
        assert len(COMMANDS) > 25
        assert [is_for("3.0 to 3.2", line) for line in ((2, 11), (3, 0), (3, 2), (3, 3))] == [False, True, True, False]
        assert [is_for("3.0 and later", line) for line in ((2, 11), (3, 0), (3, 3))] == [False, True, True]
        assert [is_for("3.3", line) for line in ((3, 2), (3, 3))] == [False, True]
