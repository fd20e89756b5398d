"""``cloudzero-provider create-pools``: a pool of one slot for each stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from cloudzero_provider.cli.output import ExitCode, exits_on_error, print_error, print_json, print_report
from cloudzero_provider.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudzero_provider.airflow_support.pools import KnownPool, StreamPool

_MISSING, _CREATED, _EXISTS, _OTHER_SLOTS = "missing", "created", "exists", "other slots"
_NOT_DEFERRED = "without deferred tasks"


@dataclass(frozen=True)
class _Result:
    """A pool, how many slots it has now (none, if it is missing), what became of it, and which it should include."""

    pool: StreamPool
    slots: int | None
    status: str
    include_deferred: bool

    @property
    def is_good(self) -> bool:
        return self.status not in (_OTHER_SLOTS, _NOT_DEFERRED)


def create_pools(
    streams: Annotated[
        list[str], typer.Argument(metavar="[STREAM]...", help="Ids of AnyCost streams, or names of telemetry streams.")
    ] = [],  # noqa: B006
    *,
    conn_id: Annotated[
        list[str],
        typer.Option("--conn-id", help="An Airflow connection whose extra names the AnyCost stream. Repeatable."),
    ] = [],  # noqa: B006
    include_deferred: Annotated[
        bool, typer.Option("--include-deferred", help="A sensor in the pool keeps its slot while it is deferred.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show which pools are missing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """
    Create a pool with one slot for each stream: the tasks in it run one at a time, of all DAGs and on all workers.

    The pool of a stream is named cloudzero_STREAM. A pool that exists is never changed: if it has other slots than one,
    or lacks what --include-deferred asks for, the exit code is 1.
    """
    with exits_on_error():
        results = _create(_wanted(streams, conn_id), include_deferred=include_deferred, dry_run=dry_run)
    others = [result for result in results if not result.is_good]
    if json:
        print_json({"ok": not others, "pools": [_as_object(result) for result in results]})
    else:
        print_report(_table(results))
        for result in others:
            option = " --include-deferred" if result.include_deferred else ""
            print_error(
                f"{result.pool.name} {_problem(result)}. It was not changed: "
                f'airflow pools set {result.pool.name} 1 "one writer"{option} does that.'
            )
    raise typer.Exit(ExitCode.PROBLEMS if others else ExitCode.GOOD)


def _wanted(streams: Sequence[str], conn_ids: Sequence[str]) -> list[StreamPool]:
    from cloudzero_provider.airflow_support.pools import StreamPool

    found = [StreamPool.of(stream) for stream in streams]
    if not streams and not conn_ids:
        raise ConfigurationError("No stream: give ids of streams, or --conn-id.")
    if conn_ids:
        # Airflow takes seconds to import.
        from cloudzero_provider.cli.connection import look_up_stream

        for conn_id in conn_ids:
            stream = look_up_stream(conn_id).anycost_connection_id
            if stream is None:
                raise ConfigurationError(
                    f"Connection {conn_id!r} names no AnyCost stream in its extra: give the stream's id."
                )
            found.append(StreamPool.of(stream))
    return list(dict.fromkeys(found))


def _create(pools: Sequence[StreamPool], *, include_deferred: bool, dry_run: bool) -> list[_Result]:
    from cloudzero_provider.airflow_support.pools import create_pools, existing_pools

    existing = existing_pools()
    if not dry_run:
        create_pools((pool for pool in pools if pool.name not in existing), include_deferred=include_deferred)
    return [_result(pool, existing.get(pool.name), asked=include_deferred, dry_run=dry_run) for pool in pools]


def _result(pool: StreamPool, known: KnownPool | None, *, asked: bool, dry_run: bool) -> _Result:
    if known is None:
        slots, status = (None, _MISSING) if dry_run else (1, _CREATED)
        return _Result(pool, slots, status, asked)
    lacks_deferred = asked and not known.include_deferred
    status = _OTHER_SLOTS if known.slots != 1 else _NOT_DEFERRED if lacks_deferred else _EXISTS
    # Airflow's command turns it off unless it is given.
    return _Result(pool, known.slots, status, asked or known.include_deferred)


def _problem(result: _Result) -> str:
    if result.status == _NOT_DEFERRED:
        return "does not include deferred tasks, so a sensor in it gives its slot up while it waits"
    if result.slots == 0:
        return "has 0 slots, so no task in it runs"
    slots = "unlimited slots" if result.slots == -1 else f"{result.slots} slots"
    return f"has {slots}, so several tasks in it run at once"


def _as_object(result: _Result) -> dict[str, Any]:
    return {
        "pool": result.pool.name,
        "stream": result.pool.stream,
        "slots": result.slots,
        "status": result.status,
    }


def _table(results: Sequence[_Result]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("Pool", overflow="fold")
    table.add_column("slots", justify="right")
    table.add_column("")
    for result in results:
        style = "bold red" if not result.is_good else "green" if result.status == _CREATED else ""
        table.add_row(result.pool.name, "" if result.slots is None else str(result.slots), Text(result.status, style))
    return table
