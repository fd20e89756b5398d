from __future__ import annotations

import io
import os
import subprocess
import sys
import time

import pytest
from support.command_line import run
from support.paths import environment

from cloudzero_provider import __version__
from cloudzero_provider.cli import main
from cloudzero_provider.cli.progress import Steps

rich_console = pytest.importorskip("rich.console")

BILL = "time/usage_start,cost/cost\n2026-03-01,1.5\n2026-03-02,-2\n"


@pytest.fixture
def bill(tmp_path):
    path = tmp_path / "march.csv"
    path.write_text(BILL)
    return str(path)


def process(*arguments: str, before: str = "", after: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command as its script does."""
    code = f"import sys\n{before}\nfrom cloudzero_provider.cli import main\ntry:\n    main()\nfinally:\n    {after or 'pass'}"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**env), timeout=60)


class TestCommand:
    def test_version(self):
        assert run("--version").stdout == f"cloudzero-provider {__version__}\n"

    def test_help_names_every_command_and_the_exit_codes(self):
        text = run("--help").stdout
        assert all(name in text for name in ("check", "months", "read", "sandbox", "Exit codes"))
        assert run(code=2).output.split() == run("--help").output.split()

    def test_a_check_starts_without_airflow(self, bill):
        found = process("check", bill, "--month", "2026-03", after="print('airflow' in sys.modules, file=sys.stderr)")
        assert (found.returncode, found.stderr) == (0, "False\n")

    def test_help_loads_no_data_frames(self):
        found = process("--help", after="print('polars' in sys.modules, file=sys.stderr)")
        assert (found.returncode, found.stderr) == (0, "False\n")

    @pytest.mark.parametrize(("missing", "said"), [("typer", "typer"), ("rich", "rich")])
    def test_without_the_extra_it_says_what_to_install(self, missing, said, monkeypatch, capsys):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else object())
        with pytest.raises(SystemExit) as exit_:
            main()
        assert exit_.value.code == 2
        expected = f"cloudzero-provider needs {said}: pip install 'airflow-provider-cloudzero[cli]'\n"
        assert capsys.readouterr().err == expected

    def test_the_sandbox_has_the_options_of_its_module(self):
        ours = process("sandbox", "--help")
        module = [sys.executable, "-m", "cloudzero_provider.sandbox", "--help"]
        theirs = subprocess.run(module, capture_output=True, text=True, env=environment(), timeout=60)
        assert (ours.returncode, ours.stdout) == (0, theirs.stdout)

    def test_the_sandbox_refuses_wrong_options_as_its_module_does(self):
        found = process("sandbox", "--port", "0", "--data", "/dev/null/x", "--api-key", "secret-1234")
        assert found.returncode == 1
        assert "cannot use /dev/null/x" in found.stderr
        assert process("sandbox", "--port", "x").returncode == 2

    def test_without_its_extra_the_sandbox_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        expected = "The sandbox needs aiohttp: pip install 'airflow-provider-cloudzero[sandbox]'\n"
        assert run("sandbox", "--help", code=2).stderr == expected

    def test_an_encoding_without_bars_is_no_error(self, bill):
        found = process("check", bill, "--month", "2026-03", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
        assert found.returncode == 0, found.stderr


class TestColours:
    @pytest.mark.parametrize(("name", "value", "expected"), [("FORCE_COLOR", "1", True), ("NO_COLOR", "1", False)])
    def test_colours_are_for_terminals_and_off_on_request(self, bill, name, value, expected):
        found = process("check", bill, "--month", "2026-03", TERM="xterm-256color", **{name: value})
        assert ("\x1b[" in found.stdout) == expected

    def test_both_variables(self, bill):
        # FORCE_COLOR makes it a terminal, NO_COLOR takes the colours away; bold type is no colour.
        found = process("check", bill, "--month", "2026-03", TERM="xterm-256color", FORCE_COLOR="1", NO_COLOR="1")
        assert "\x1b[3" not in found.stdout

    def test_columns_of_the_environment_win_where_there_is_no_terminal(self, bill):
        wide = process("check", bill, "--month", "2026-04").stdout
        narrow = process("check", bill, "--month", "2026-04", COLUMNS="60").stdout
        assert max(map(len, wide.splitlines())) > 70
        assert max(map(len, narrow.splitlines())) <= 60


def console(*, terminal: bool) -> rich_console.Console:
    return rich_console.Console(file=io.StringIO(), force_terminal=terminal, force_interactive=terminal, width=80)


def shown(steps: Steps, *, seconds: float) -> str:
    with steps.shown():
        steps.step("Reading march.csv")
        time.sleep(seconds)
        steps.step("Checking rows")
    return steps._console.file.getvalue()


class TestProgress:
    @pytest.fixture(autouse=True)
    def _terminal(self, monkeypatch):
        monkeypatch.setenv("TERM", "xterm")

    def test_what_is_quick_shows_nothing(self):
        assert shown(Steps(console(terminal=False), 2), seconds=0) == ""
        assert shown(Steps(console(terminal=True), 2), seconds=0).strip("\x1b[?25hl") == ""

    def test_lines_where_there_is_no_terminal(self, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.cli.progress._QUIET_SECONDS", 0.05)
        text = shown(Steps(console(terminal=False), 2), seconds=0.5)
        assert text == "Reading march.csv …\nChecking rows …\n"

    def test_lines_on_a_terminal_that_can_not_move_its_cursor(self, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.cli.progress._QUIET_SECONDS", 0.05)
        monkeypatch.setenv("TERM", "dumb")
        text = shown(Steps(console(terminal=True), 2), seconds=0.5)
        assert text == "Reading march.csv …\nChecking rows …\n"

    def test_a_bar_on_a_terminal(self, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.cli.progress._QUIET_SECONDS", 0.05)
        text = shown(Steps(console(terminal=True), 2), seconds=0.5)
        assert "Reading march.csv" in text
        assert "━" in text

    def test_names_are_not_read_as_markup(self, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.cli.progress._QUIET_SECONDS", 0.05)
        steps = Steps(console(terminal=True), 1)
        with steps.shown():
            steps.step("Reading [bold]march[/].csv")
            time.sleep(0.4)
        assert "[bold]march[/].csv" in steps._console.file.getvalue()


def test_the_variables_that_these_tests_set_are_not_set_already():
    assert not {"FORCE_COLOR", "NO_COLOR"} & set(os.environ)
