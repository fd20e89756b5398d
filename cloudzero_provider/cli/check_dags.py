"""``cloudzero-provider check-dags``: where two tasks can write one stream at the same time."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 Typer reads it.
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cloudzero_provider.cli.output import (
    ExitCode,
    console,
    exits_on_error,
    print_json,
    print_report,
    printed_warnings,
)
from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudzero_provider.airflow_support.pools import KnownPool
    from cloudzero_provider.cli.stream_writers import Findings, Writer


@dataclass(frozen=True)
class CheckedDags:
    """
    What was found in DAGs.

    :param dags: number of DAGs.
    :param writers: the tasks that write streams.
    :param findings: which of them can write one stream at the same time.
    :param errors: file → why it could not be imported.
    :param notes: what could not be looked up, and what that means.
    """

    dags: int
    writers: tuple[Writer, ...]
    findings: Findings
    errors: Mapping[str, str]
    notes: tuple[str, ...]

    @property
    def is_known(self) -> bool:
        """Whether nothing was left open. Without a DAG, all is: the folder may be the wrong one."""
        return not self.findings.unknown and (self.dags > 0 or bool(self.errors))

    @property
    def is_good(self) -> bool:
        """Whether all files were read, and no conflict was found."""
        return not self.findings.conflicts and not self.errors


def check_dags(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="[FOLDER]...", help="Folders or files of DAGs. Default: those of your Airflow."),
    ] = [],  # noqa: B006
    *,
    pools: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.json", help="What airflow pools export wrote. Default: the pools of your Airflow's database."
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 also for what can't be known.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of the report.")] = False,
) -> None:
    """
    Look for tasks of all DAGs that can write one AnyCost or telemetry stream at the same time.

    CloudZero does not support that. Tasks that write one stream belong into a pool with one slot; a stream that only
    one task writes needs none. The DAG files are imported, and nothing is sent. Exit codes: 0 if there are no such
    tasks, 1 if there are or a file can't be imported, 2 for wrong usage.
    """
    # What DAG files print must not get between the lines of the report.
    with exits_on_error(), printed_warnings(), redirect_stdout(sys.stderr), _programs_print_to_stderr():
        checked = _check(folders, pools)
    if json:
        from cloudzero_provider.cli.check_dags_report import as_object

        print_json(as_object(checked))
    else:
        from cloudzero_provider.cli.check_dags_report import report

        print_report(report(checked))
    is_good = checked.is_good and (checked.is_known or not strict)
    raise typer.Exit(ExitCode.GOOD if is_good else ExitCode.PROBLEMS)


@contextmanager
def _programs_print_to_stderr() -> Iterator[None]:
    """Redirect what programs print which DAG files start: they inherit the descriptor, not ``sys.stdout``."""
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _check(folders: list[Path], pools_file: Path | None) -> CheckedDags:
    # Airflow takes seconds to import.
    from cloudzero_provider.airflow_support.compat import look_up_connections_in_database
    from cloudzero_provider.airflow_support.compat_dags import ParsedDags, parse_dags
    from cloudzero_provider.cli.dag_writers import Connections, find_writers
    from cloudzero_provider.cli.progress import Steps
    from cloudzero_provider.cli.stream_writers import compare_writers

    if missing := [str(folder) for folder in folders if not folder.exists()]:
        raise ConfigurationError(f"{', '.join(missing)}: there is no such folder or file.")
    notes: list[str] = []
    look_up_connections_in_database()
    with Steps(console(stderr=True), max(1, len(folders)) + 2).shown() as steps:
        parsed = ParsedDags()
        places: list[Path | None] = [*folders]
        for folder in places or [None]:
            steps.step(f"Importing DAGs of {folder or 'your Airflow'}")
            found = parse_dags(folder.resolve() if folder else None)
            _refuse_equal_ids(parsed.dags, found.dags)
            parsed.dags |= found.dags
            parsed.errors |= found.errors
        steps.step("Looking connections up")
        connections = Connections()
        writers = find_writers(parsed.dags.values(), connections)
        for conn_id, problem in sorted(connections.problems.items()):
            notes.append(f"{problem} What tasks on {conn_id!r} write is known only where they name the stream.")
        if not parsed.dags and not parsed.errors:
            notes.append(f"No DAG was found in {', '.join(map(str, folders)) or 'what Airflow is configured with'}.")
        steps.step("Looking pools up")
        known = _known_pools(pools_file, notes) if writers else {}
        slots = {name: pool.slots for name, pool in known.items()}
    return CheckedDags(len(parsed.dags), tuple(writers), compare_writers(writers, slots), parsed.errors, tuple(notes))


def _refuse_equal_ids(dags: Mapping[str, Any], more: Mapping[str, Any]) -> None:
    for dag_id in dags.keys() & more.keys():
        if dags[dag_id].fileloc != more[dag_id].fileloc:
            raise ConfigurationError(f"{dags[dag_id].fileloc} and {more[dag_id].fileloc} both have a DAG {dag_id!r}.")


def _known_pools(file: Path | None, notes: list[str]) -> dict[str, KnownPool]:
    from cloudzero_provider.airflow_support.pools import existing_pools, read_pools

    if file is not None:
        return read_pools(file)
    try:
        return existing_pools()
    except ConfigurationError:
        notes.append(
            "The pools of Airflow can't be read, so how many slots they have is unknown. Give --pools, the file that "
            "`airflow pools export` writes."
        )
        return {}
