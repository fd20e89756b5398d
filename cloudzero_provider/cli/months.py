"""``cloudzero-provider months`` and ``read``: what CloudZero holds."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from rich.table import Table

from cloudzero_provider.cli.connection import KEY_VARIABLE, ConnectionOptions, open_stream
from cloudzero_provider.cli.output import console, exits_on_error, print_json, print_report, printed_warnings
from cloudzero_provider.exceptions import ConfigurationError

#: A person waits for less time than a task does.
_MAX_RETRY_SECONDS = 30.0

_ConnId = Annotated[
    str | None, typer.Option("--conn-id", help=f"An Airflow connection. Default: the key in {KEY_VARIABLE}.")
]
_StreamId = Annotated[
    str | None,
    typer.Option("--anycost-connection-id", help="The AnyCost stream. Default: that of the Airflow connection."),
]
_Host = Annotated[
    str | None, typer.Option("--host", help=f"With {KEY_VARIABLE}: another base URL, for example of a sandbox.")
]
_AllowHttp = Annotated[
    bool, typer.Option("--allow-http", help="With --host: send the key unencrypted to another machine.")
]
_RetrySeconds = Annotated[float, typer.Option("--max-retry-seconds", help="How long to retry a request.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def months(
    *,
    conn_id: _ConnId = None,
    anycost_connection_id: _StreamId = None,
    host: _Host = None,
    allow_http: _AllowHttp = False,
    max_retry_seconds: _RetrySeconds = _MAX_RETRY_SECONDS,
    json: _Json = False,
) -> None:
    """
    List the months that CloudZero holds for an AnyCost stream, and their rows.

    The API key comes from an Airflow connection, or from CLOUDZERO_API_KEY in the environment. It is never shown.
    """
    with exits_on_error(), printed_warnings():
        stream = open_stream(ConnectionOptions(conn_id, anycost_connection_id, host, allow_http, max_retry_seconds))
        with _waiting(f"Listing the months of {stream.anycost_connection_id}"):
            drops = sorted(stream.client.list_drops(stream.anycost_connection_id), key=lambda drop: drop.month)
    listed = [{"month": drop.month, "rows": drop.row_count, "drop_id": drop.drop_id} for drop in drops]
    if json:
        print_json({"anycost_connection_id": stream.anycost_connection_id, "months": listed})
    else:
        print_report(_table(listed) if listed else "CloudZero holds no months for this stream.")


def read(
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Like 2026-03.")],
    *,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Ends in .csv, .csv.gz, .jsonl or .parquet.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    conn_id: _ConnId = None,
    anycost_connection_id: _StreamId = None,
    host: _Host = None,
    allow_http: _AllowHttp = False,
    max_retry_seconds: _RetrySeconds = _MAX_RETRY_SECONDS,
    json: _Json = False,
) -> None:
    """
    Read a month of an AnyCost stream back into a file.

    Values are written exactly as CloudZero returns them. The file appears once it is complete.
    """
    from cloudzero_provider.months import Month

    with exits_on_error(), printed_warnings():
        wanted = Month.parse(month)
        _check_output(output, force=force)
        options = ConnectionOptions(conn_id, anycost_connection_id, host, allow_http, max_retry_seconds)
        summary = _read(wanted, output, options)
    if json:
        print_json(summary)
    else:
        text = f"{wanted}: {summary['rows']:,} rows, total cost {summary['total_cost']}, written to {output}"
        typer.echo(text)


def _check_output(path: str, *, force: bool) -> None:
    from cloudzero_provider.anycost.file_writers import writer_for

    writer_for(path)
    if os.path.exists(path) and not force:
        raise ConfigurationError(f"{path} exists: --force replaces it.")


def _read(month: Any, path: str, options: ConnectionOptions) -> dict[str, Any]:
    from cloudzero_provider.anycost.file_writers import write_rows
    from cloudzero_provider.anycost.readback import hours_of, read_month, total_cost

    stream = open_stream(options)
    with _waiting(f"Reading {month} of {stream.anycost_connection_id}"):
        frame = read_month(stream.client, stream.anycost_connection_id, month)
        write_rows(frame, path)
        return {
            "month": str(month),
            "anycost_connection_id": stream.anycost_connection_id,
            "path": path,
            "rows": frame.height,
            "total_cost": total_cost(frame),
            "hours": hours_of(frame).n_unique(),
        }


def _waiting(text: str) -> Any:
    from cloudzero_provider.cli.progress import Steps

    steps = Steps(console(stderr=True))
    steps.step(text)
    return steps.shown()


def _table(listed: list[dict[str, Any]]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column("Month")
    table.add_column("rows", justify="right")
    table.add_column("drop id")
    for drop in listed:
        rows = "unknown" if drop["rows"] is None else f"{drop['rows']:,}"
        table.add_row(drop["month"], rows, drop["drop_id"] or "")
    return table
