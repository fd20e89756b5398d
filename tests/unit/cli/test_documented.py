"""docs/cli.md says what the commands do."""

from __future__ import annotations

import re
import shlex
from xml.etree import ElementTree

import pytest
from support.command_line import parse, run, run_json
from support.command_line_bills import write_acme_bill, write_bill_with_mistakes, write_focus_export
from support.paths import ROOT

PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)\n```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = [line for language, code in BLOCKS if language == "bash" for line in code.splitlines()]
CHECKS = [line for line in COMMANDS if line.startswith("cloudzero-provider check ")]

DAG_FILE = """
from airflow.providers.common.compat.sdk import DAG
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

with DAG("{}", schedule=None):
    AnyCostBillingDropOperator(task_id="send", month="2026-03", files="a.csv", anycost_connection_id="acme")
"""


@pytest.fixture(scope="module")
def bills(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bills")
    for write in (write_acme_bill, write_bill_with_mistakes, write_focus_export):
        write(folder)
    return folder


@pytest.mark.parametrize("command", CHECKS)
def test_a_check_shows_what_the_page_says(bills, monkeypatch, command):
    monkeypatch.chdir(bills)
    code = 1 if "mistakes.csv" in command else 0
    shown = run(*shlex.split(command)[1:], code=code, COLUMNS="100").stdout.rstrip()
    following = BLOCKS[[code for _, code in BLOCKS].index(command) + 1]
    # A picture shows the output of a FOCUS export.
    assert following[0] == "bash" if "--focus" in command else following == ("text", shown)
    if "--problems" in command:
        first = "\n".join((bills / "problems.csv").read_text(encoding="utf-8").splitlines()[:4])
        assert ("text", first) in BLOCKS


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("cloudzero-provider ")])
def test_a_command_of_the_page_is_accepted(command):
    parse(shlex.split(command)[1:])


@pytest.mark.parametrize("command", ["months --no-such-option", "read 2026-03", "sandbox --port x"])
def test_another_command_is_not(command):
    with pytest.raises((SystemExit, Exception), match=r"no-such-option|output|2"):
        parse(command.split())


def test_every_command_and_option_is_on_the_page_and_no_other():
    options = {
        option
        for command in ("check", "months", "read", "check-dags", "create-pools")
        for option in re.findall(r"--[a-z][a-z-]+", run(command, "--help", COLUMNS="200").stdout)
    }
    told = set(re.findall(r"--[a-z][a-z-]+", PAGE)) - {"--port", "--data", "--api-key", "--connection", "--version"}
    # The longer name of -o.
    assert told | {"--output"} == options


def test_every_key_is_on_the_page(bills):
    found = run_json("check", bills / "mistakes.csv", "--month", "2026-03", code=1)
    keys = {*found, *found["limits"], *found["error"], *found["problems"][0], *found["problems"][0]["examples"][0]}
    [table] = re.findall(r"^\| key of `check` .*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert keys <= set(re.findall(r"`(\w+)`", table))


def test_every_key_of_what_is_found_in_dags_is_on_the_page(tmp_path):
    (tmp_path / "pools.json").write_text("{}")
    for name in ("a", "b"):
        (tmp_path / f"{name}.py").write_text(DAG_FILE.format(name))
    found = run_json("check-dags", tmp_path, "--pools", tmp_path / "pools.json", code=1)
    keys = {*found, *found["writers"][0], *found["conflicts"][0], *found["conflicts"][0]["tasks"][0]}
    [table] = re.findall(r"^\| key of `check-dags .*?\n\n", PAGE, re.DOTALL | re.MULTILINE)
    assert keys <= set(re.findall(r"`(\w+)`", table))


@pytest.mark.parametrize("name", ["check-bill", "check-mistakes", "check-focus"])
def test_a_picture_shows_the_same_and_needs_nothing_from_elsewhere(name):
    path = ROOT / "docs" / "images" / f"{name}.svg"
    text = path.read_text(encoding="utf-8")
    assert f"(images/{name}.svg)" in PAGE
    assert path.stat().st_size < 100_000
    assert set(re.findall(r"https?://[^\"'\s)]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "font-face" not in text
    drawn = [
        "".join(part for part in line if part)
        for line in ([node.text] for node in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}text"))
    ]
    words = " ".join(drawn).replace("\xa0", " ")
    assert f"cloudzero-provider check {'acme' if name == 'check-bill' else name.split('-')[1]}" in words
