"""The outcome of a distributed run, as JSON and as tables."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from distributed_run.settings import CHANGED

if TYPE_CHECKING:
    from pathlib import Path

    from distributed_run.faults import Event

#: Name of a check → what it says.
CHECKS = {
    "months_exact": "every row and total of every month and stream is exact",
    "one_request_at_a_time": "never two requests on one stream at a time, reads included",
    "all_succeeded": "every run and task succeeded within the limit, and no wait is left in the triggerer",
    "all_slots_open": "every slot of every pool is open",
    "no_message_left": "no message is left in the broker",
    "faults_happened": "every fault happened, and workers died with tasks and requests under way",
}


@dataclass(frozen=True)
class Size:
    """How large a run is."""

    anycost_streams: int
    telemetry_streams: int
    months: int
    workers: int
    slots_per_worker: int


@dataclass(frozen=True)
class Figures:
    """
    What happened.

    :param seconds: from the backfill to the end of the last task.
    :param whole_seconds: from the start of the first server until everything has ended.
    :param executions: attempts of tasks; a wait that was deferred counts once.
    :param retries: attempts that are not the first.
    :param requests: on CloudZero's paths.
    :param writes: of them, those that write.
    :param retries_by_heartbeat: attempts that ended with their worker.
    :param requeued: tasks whose message was lost.
    :param cpu: part of the whole → seconds of CPU time, without those of killed processes.
    :param machine_cpu: seconds of CPU time of the whole machine, meanwhile.
    """

    seconds: float
    whole_seconds: float
    stream_months: int
    rows: int
    executions: int
    retries: int
    requests: int
    writes: int
    retries_by_heartbeat: int
    requeued: int
    cpu: dict[str, float]
    machine_cpu: float

    @property
    def months_per_minute(self) -> float:
        """How many months of streams were sent and seen in a minute."""
        return self.stream_months / self.seconds * 60

    @property
    def requests_per_second(self) -> float:
        """How many requests CloudZero got in a second."""
        return self.requests / self.seconds


@dataclass(frozen=True)
class Outcome:
    """
    The outcome.

    :param problems: name of a check → what is wrong.
    :param events: what went wrong on purpose.
    :param restarts: component → how often it ended by itself, and was started again.
    """

    seed: int
    size: Size
    figures: Figures
    problems: dict[str, list[str]]
    events: tuple[Event, ...] = ()
    restarts: dict[str, int] = field(default_factory=dict)

    @property
    def is_right(self) -> bool:
        """Whether all checks passed."""
        return not any(self.problems.values())

    def as_json(self) -> str:
        """Everything, and the settings that were changed."""
        content = asdict(self)
        content["figures"]["months_per_minute"] = round(self.figures.months_per_minute, 2)
        content["figures"]["requests_per_second"] = round(self.figures.requests_per_second, 2)
        content["is_right"] = self.is_right
        content["settings"] = [{**asdict(changed), "where": changed.where.value} for changed in CHANGED]
        return json.dumps(content, indent=2) + "\n"


def write(outcome: Outcome, folder: Path) -> None:
    """
    Write ``results.json`` and ``results.md``.

    :param outcome: what to write.
    :param folder: created if it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(outcome.as_json(), encoding="utf-8")
    (folder / "results.md").write_text(markdown(outcome), encoding="utf-8")


def markdown(outcome: Outcome) -> str:
    """
    Write the outcome as tables.

    :param outcome: what to write.
    """
    figures = outcome.figures
    lines = [
        "# Distributed run",
        "",
        f"{_size(outcome.size)}; seed {outcome.seed}.",
        "",
        "| check | |",
        "|---|---|",
        *(f"| {what} | {_verdict(outcome.problems.get(name))} |" for name, what in CHECKS.items()),
        "",
        "| | |",
        "|---|---:|",
        f"| months of streams | {figures.stream_months:,} |",
        f"| rows and records | {figures.rows:,} |",
        f"| from the backfill to the last task, s | {figures.seconds:,.0f} |",
        f"| with the checks, and with starting and ending everything, s | {figures.whole_seconds:,.0f} |",
        f"| months per minute | {figures.months_per_minute:.1f} |",
        f"| requests to CloudZero | {figures.requests:,} |",
        f"| of which write | {figures.writes:,} |",
        f"| requests per second | {figures.requests_per_second:.1f} |",
        f"| attempts of tasks | {figures.executions:,} |",
        f"| of which retries | {figures.retries:,} |",
        f"| attempts that ended with their worker | {figures.retries_by_heartbeat:,} |",
        f"| tasks queued again because their message was lost | {figures.requeued:,} |",
        *(f"| {name} ended by itself and was started again | {count} |" for name, count in outcome.restarts.items()),
        "",
        *_events(outcome.events),
        *_settings_table(),
    ]
    return "\n".join(lines) + "\n"


def _size(size: Size) -> str:
    return (
        f"{size.anycost_streams} AnyCost and {size.telemetry_streams} telemetry streams, {size.months} months each;"
        f" {size.workers} workers with {size.slots_per_worker} slots each"
    )


def _verdict(problems: list[str] | None) -> str:
    if problems is None:
        return "not checked"
    if not problems:
        return "yes"
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return f"**no**: {'; '.join(problems[:5])}{more}"


def _events(events: tuple[Event, ...]) -> list[str]:
    if not events:
        return []
    lines = ["| after, s | what | with tasks | sending on |", "|---:|---|---|---|"]
    cells = ((f"{each.at:.0f}", each.what, ", ".join(each.tasks), ", ".join(each.sending)) for each in events)
    return [*lines, *(f"| {' | '.join(row)} |" for row in cells), ""]


def _settings_table() -> list[str]:
    """Write the settings that were changed."""
    lines = ["| setting | where | here | production | what depends on it |", "|---|---|---:|---:|---|"]
    for changed in CHANGED:
        name = f"`{changed.shown_name}`"
        lines.append(f"| {name} | {changed.where.value} | {changed.here:g} | {changed.production:g} | {changed.why} |")
    return lines
