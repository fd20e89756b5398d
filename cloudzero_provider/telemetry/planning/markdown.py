"""The plan of a telemetry stream in Markdown, for a person who approves it, a log or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.markdown_tables import amount, table
from cloudzero_provider.values.markdown_text import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cloudzero_provider.telemetry.planning.parts import Part, Parts
    from cloudzero_provider.telemetry.planning.periods import PeriodRange, Periods
    from cloudzero_provider.telemetry.planning.report import TelemetryPlanReport

NOT_COMPARED = "CloudZero returns only the newest 1,000 records of a stream, so nothing is compared with what it holds."

_WRITES = {
    TelemetryOperation.REPLACE.value: "writes",
    TelemetryOperation.SUM.value: "adds",
    TelemetryOperation.DELETE.value: "deletes",
}


def headline(report: TelemetryPlanReport) -> str:
    """
    Say in a sentence what would be sent.

    :param report: the report.
    """
    summary = report.summary
    where = f"{summary.stream_name}, {summary.month}" if summary.month else summary.stream_name
    total = "" if _is_deletion(report) else f", total {amount(summary.total)}"
    return f"{where}: {_WRITES[summary.operation]} {counted(summary.records, 'record')}{total}"


def report_markdown(report: TelemetryPlanReport) -> str:
    """
    Render a report. Values of records are escaped, and amounts are exact.

    :param report: the report.
    """
    return "\n".join(_blocks(report))


def _blocks(report: TelemetryPlanReport) -> Iterator[str]:
    parts = report.parts
    # The name of a stream has at most 256 characters.
    yield f"### {shown(headline(report), longest=1_000)}\n"
    yield from _introduction(report)
    yield from _records(report)
    yield f"#### By {shown(parts.by)}\n"
    missing = "(all)" if _is_deletion(report) else "(none)"
    yield from _parts(report, shown(parts.by), parts.by_value, missing, "value")
    yield f"#### By {parts.unit.value}\n"
    yield from _parts(report, parts.unit.value, parts.by_period, missing, parts.unit.value)
    if report.without_records is not None:
        yield f"#### {report.without_records.unit.value.capitalize()}s without records\n"
        yield f"{_listed(report.without_records)}\n"
    yield from _requests(report)


def _introduction(report: TelemetryPlanReport) -> Iterator[str]:
    summary = report.summary
    stream = f"{summary.stream_type} stream {shown(summary.stream_name, longest=1_000)}"
    yield f"A plan for {stream}, with `{summary.operation}`, {summary.granularity}. Nothing was sent. {NOT_COMPARED}\n"
    if report.cleared is not None:
        periods = counted(report.cleared.count, report.cleared.unit.value)
        yield f"**First deletes all records of {periods}:** {_listed(report.cleared)}\n"
    if summary.zeros_deleted:
        zeros = counted(summary.zeros_deleted, "record")
        yield f"**Deletes {zeros} whose value is zero,** and with each every record that has its properties and more.\n"


def _records(report: TelemetryPlanReport) -> Iterator[str]:
    summary = report.summary
    yield "#### Records\n"
    lines = [("records", f"{summary.records:,}")]
    lines += [] if _is_deletion(report) else [("total", amount(summary.total))]
    lines += [("first", summary.first), ("last", summary.last), ("sets of filter keys", f"{summary.key_sets:,}")]
    changed = {
        "duplicates summed": summary.duplicates_summed,
        "zeros deleted": summary.zeros_deleted,
        "zeros skipped": summary.zeros_skipped,
        "values rounded": summary.values_rounded,
    }
    lines += [(name, f"{count:,}") for name, count in changed.items() if count]
    yield from table(("", "planned"), lines)


def _parts(report: TelemetryPlanReport, heading: str, parts: Parts, missing: str, other: str) -> Iterator[str]:
    """List parts, with a line for the others together; a deletion has no values to sum."""
    lines = [(_name(one, missing), one.records, one.total) for one in parts.listed]
    if parts.others:
        lines.append((f"*{counted(parts.others, f'other {other}')}*", parts.other_records, parts.other_total))
    numbers = 1 if _is_deletion(report) else 2
    header = (heading, "records", "total")[: 1 + numbers]
    yield from table(header, ((name, f"{count:,}", amount(total))[: 1 + numbers] for name, count, total in lines))


def _name(part: Part, missing: str) -> str:
    return missing if part.name is None else shown(part.name)


def _requests(report: TelemetryPlanReport) -> Iterator[str]:
    summary, limits = report.summary, report.limits
    yield "#### Requests\n"
    lines: Sequence[Sequence[str]] = [
        ("requests", f"{summary.requests:,}", ""),
        ("bytes", f"{summary.bytes:,}", ""),
        ("bytes of the largest request", f"{report.largest_request_bytes:,}", f"{limits.max_body_bytes:,}"),
        ("records of the largest request", f"{report.largest_request_records:,}", f"{limits.max_batch_records:,}"),
    ]
    yield from table(("sends", "planned", "limit"), lines)


def _listed(periods: Periods) -> str:
    ranges = [_range(one, periods.unit.value) for one in periods.ranges]
    if periods.other_ranges:
        ranges.append(f"and {periods.other_ranges:,} more")
    return f"{', '.join(ranges) or 'None'}."


def _range(one: PeriodRange, unit: str) -> str:
    return one.first if one.periods == 1 else f"{one.first} to {one.last} ({counted(one.periods, unit)})"


def _is_deletion(report: TelemetryPlanReport) -> bool:
    return report.summary.operation == TelemetryOperation.DELETE.value
