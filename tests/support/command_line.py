"""Runs ``cloudzero-provider`` in this process."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("typer", reason="the extra cli is not installed")

from typer.testing import CliRunner


def run(*arguments: object, code: int = 0, **environment: str | None) -> Any:
    """Run a command and return its result, with ``stdout`` and ``stderr``; check its exit code."""
    from cloudzero_provider.cli.app import app

    # pytest-xdist sets COLUMNS in its processes.
    environment = {"COLUMNS": None, **environment}
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def run_json(*arguments: object, code: int = 0, **environment: str | None) -> dict[str, Any]:
    """Run a command with ``--json`` and return the object, which is all that it prints."""
    return json.loads(run(*arguments, "--json", code=code, **environment).stdout)


def parse(arguments: list[str]) -> None:
    """Parse a command without running it; one that is not accepted ends in an error."""
    from typer.main import get_command

    from cloudzero_provider.cli.app import app
    from cloudzero_provider.sandbox.cli import parse_options

    name, *rest = arguments
    if name == "sandbox":
        parse_options(rest)
    else:
        get_command(app).commands[name].make_context(name, rest)
