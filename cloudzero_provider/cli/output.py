"""Where output goes: reports to standard output; errors, warnings and progress to standard error."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.text import Text

from cloudzero_provider.exceptions import CloudZeroError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

#: Columns where there is no terminal, so that lines are not wrapped. ``COLUMNS`` in the environment wins.
_PLAIN_WIDTH = 1000
_LOGGER = "cloudzero_provider"


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    GOOD = 0
    PROBLEMS = 1
    USAGE = 2


def console(*, stderr: bool = False) -> Console:
    """Return a console. It has no colours where ``NO_COLOR`` is set, or where it is not a terminal."""
    made = Console(stderr=stderr, highlight=False)
    if made.is_terminal or "COLUMNS" in os.environ:
        return made
    return Console(stderr=stderr, highlight=False, width=_PLAIN_WIDTH)


def print_report(content: RenderableType) -> None:
    """Print a report to standard output."""
    output = console()
    if output.is_terminal:
        output.print(content)
        return
    with output.capture() as captured:
        output.print(content)
    # Columns are filled up with spaces, which nobody wants in a file.
    typer.echo("\n".join(line.rstrip() for line in captured.get().rstrip().split("\n")))


def print_json(content: dict[str, Any]) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(content, indent=2))


@contextmanager
def exits_on_error() -> Iterator[None]:
    """
    End the command on an error of this package, with its message.

    :raises typer.Exit: with 2 for a parameter or a connection that is not valid, 1 for everything else.
    """
    try:
        yield
        return
    except ConfigurationError as error:
        message, code = str(error), ExitCode.USAGE
    except (CloudZeroError, OSError) as error:
        message, code = str(error), ExitCode.PROBLEMS
    print_error(message)
    raise typer.Exit(code)


def print_error(message: str) -> None:
    """Print an error, on a line that is not wrapped, so that it can be searched."""
    console(stderr=True).print(Text.assemble(("Error: ", "bold red"), message), soft_wrap=True)


class _Handler(logging.Handler):
    def __init__(self, found: list[logging.LogRecord]) -> None:
        super().__init__()
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


class _Printer(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        console(stderr=True).print(Text(record.getMessage(), "yellow"), soft_wrap=True)


@contextmanager
def _handled_by(handler: logging.Handler, level: int) -> Iterator[None]:
    logger = logging.getLogger(_LOGGER)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    # Airflow's own handlers, if it was imported, write to standard output.
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before


@contextmanager
def collected_log() -> Iterator[list[logging.LogRecord]]:
    """Collect what this package logs inside the block, from ``INFO`` on."""
    found: list[logging.LogRecord] = []
    with _handled_by(_Handler(found), logging.INFO):
        yield found


@contextmanager
def printed_warnings() -> Iterator[None]:
    """Print what this package warns of inside the block, for example that it waits for CloudZero."""
    with _handled_by(_Printer(), logging.WARNING):
        yield
