"""What was found in DAGs, for a person and as one JSON object. Its keys are documented in docs/cli.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from cloudzero_provider.cli.check_dags import CheckedDags
    from cloudzero_provider.cli.stream_writers import Finding, Writer


def report(checked: CheckedDags) -> RenderableType:
    """
    Describe what was found.

    :param checked: what was found.
    """
    parts: list[RenderableType] = [_headline(checked), ""]
    for finding in checked.findings.conflicts:
        parts += _finding(finding, "bold red")
    if checked.findings.unknown:
        parts += [Text("Unknown", "bold yellow"), ""]
        for finding in checked.findings.unknown:
            parts += _finding(finding, "yellow")
    for file, error in checked.errors.items():
        parts += [Text.assemble(("  not imported  ", "bold red"), file), Padding(Text(_last_line(error)), (0, 4)), ""]
    parts += [Text.assemble(("  ! ", "bold yellow"), note) for note in checked.notes]
    return Group(*parts)


def as_object(checked: CheckedDags) -> dict[str, Any]:
    """
    Describe what was found.

    :param checked: what was found.
    """
    return {
        "ok": checked.is_good,
        "dags": checked.dags,
        "writers": [_writer_object(writer) for writer in checked.writers],
        "conflicts": [_finding_object(finding) for finding in checked.findings.conflicts],
        "unknown": [_finding_object(finding) for finding in checked.findings.unknown],
        "errors": dict(checked.errors),
        "notes": list(checked.notes),
    }


def _headline(checked: CheckedDags) -> Text:
    where = f"{counted(len(checked.writers), 'task')} in {counted(checked.dags, 'DAG')} send to CloudZero"
    if conflicts := len(checked.findings.conflicts):
        what = f"{counted(conflicts, 'stream')} can be written by several task instances at once"
    elif checked.errors:
        what = f"{counted(len(checked.errors), 'file')} can't be imported"
    else:
        return Text.assemble(("✓ ", "bold green"), ("one writer on each stream", "bold"), _open(checked), f": {where}")
    return Text.assemble(("✗ ", "bold red"), (what, "bold"), f": {where}")


def _open(checked: CheckedDags) -> str:
    return "" if checked.is_known else ", as far as is known"


def _finding(finding: Finding, style: str) -> Iterator[RenderableType]:
    what = f"{finding.stream.kind.value} {finding.stream.name}" if finding.stream else "any stream"
    yield Text.assemble((f"  {what}", style), f": {finding.why}")
    yield Padding(_tasks(finding.writers), (0, 0, 0, 4), expand=False)
    yield Padding(Text(f"→ {finding.fix}"), (0, 0, 0, 4), expand=False)
    yield ""


def _tasks(writers: Sequence[Writer]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name in ("cyan", "", "", "dim"):
        table.add_column(style=name, overflow="fold")
    for writer in writers:
        table.add_row(writer.file, writer.dag_id, writer.task_id, writer.pool)
    return table


def _writer_object(writer: Writer) -> dict[str, Any]:
    return {
        "file": writer.file,
        "dag_id": writer.dag_id,
        "task_id": writer.task_id,
        "pool": writer.pool,
        "pool_slots": writer.pool_slots,
        "one_at_a_time": writer.one_at_a_time,
        "streams": [stream.name for stream in writer.streams],
        "stream_kind": writer.kind.value,
    }


def _finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "stream": finding.stream.name if finding.stream else None,
        "stream_kind": finding.writers[0].kind.value,
        "why": finding.why,
        "fix": finding.fix,
        "tasks": [{"file": each.file, "dag_id": each.dag_id, "task_id": each.task_id} for each in finding.writers],
    }


def _last_line(error: str) -> str:
    return error.strip().splitlines()[-1] if error.strip() else "unknown error"
