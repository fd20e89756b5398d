"""The commands, and what they share."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cloudzero_provider import __version__
from cloudzero_provider.cli.check import check
from cloudzero_provider.cli.check_dags import check_dags
from cloudzero_provider.cli.create_pools import create_pools
from cloudzero_provider.cli.months import months, read

_EXIT_CODES = "Exit codes: 0 if all is well, 1 if something is wrong with what was checked, 2 for wrong usage."

app = typer.Typer(
    help=f"Check bills and DAGs, and read back what CloudZero holds.\n\n{_EXIT_CODES}",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    # Its tracebacks may show the values of variables, and one of them is the API key.
    pretty_exceptions_enable=False,
)
app.command()(check)
app.command()(months)
app.command()(read)
app.command()(check_dags)
app.command()(create_pools)


def _show_version(value: bool) -> None:  # noqa: FBT001
    if value:
        typer.echo(f"cloudzero-provider {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and exit.")
    ] = False,
) -> None:
    """Options before the name of a command."""


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
def sandbox(context: typer.Context) -> None:
    """
    Run a CloudZero on this machine, for tests and demos.

    The same as python -m cloudzero_provider.sandbox, with the same options: sandbox --help lists them.
    """
    from importlib.util import find_spec

    if find_spec("aiohttp") is None:
        typer.echo("The sandbox needs aiohttp: pip install 'airflow-provider-cloudzero[sandbox]'", err=True)
        raise typer.Exit(2)
    from cloudzero_provider.sandbox.cli import main

    sys.exit(main(context.args))
