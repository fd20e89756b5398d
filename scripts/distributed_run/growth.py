"""Throughput by the number of streams and of workers, as JSON, as a table and as a drawing."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from svg import Drawing

from distributed_run.outcome import Figures, Size
from distributed_run.run import Plan, run, say

if TYPE_CHECKING:
    from pathlib import Path

    from demo_processes import StopSignals

    from distributed_run.outcome import Outcome

#: Streams → months of each, enough for a steady state in a few minutes.
MONTHS = {1: 6, 4: 4, 16: 2}
#: Each has one slot, so that their number is that of the tasks that run at once.
WORKERS = (1, 4)
LIMIT_OF_POINT = 1500.0
_CORE = ("airflow-scheduler", "airflow-api-server", "airflow-dag-processor", "airflow-triggerer", "PostgreSQL")
_TOP, _LEFT, _WIDTH, _HEIGHT = 60.0, 60.0, 300.0, 200.0
#: One for each number of workers.
_COLORS = ("a", "b")


@dataclass(frozen=True)
class Point:
    """
    A measurement.

    :param streams: half of them AnyCost streams, half telemetry.
    :param workers: each runs one task at a time.
    :param cpus: of the machine.
    """

    streams: int
    workers: int
    cpus: int
    figures: Figures

    @property
    def cores(self) -> float:
        """Cores that all parts of the run used together."""
        return sum(self.figures.cpu.values()) / self.figures.seconds

    @property
    def busy_cores(self) -> float:
        """Cores of the machine that were busy, with whatever runs on it."""
        return self.figures.machine_cpu / self.figures.seconds

    def cpu_per_month(self, *names: str) -> float:
        """Seconds of CPU time that parts used for a month of a stream."""
        return sum(self.figures.cpu.get(name, 0.0) for name in names) / self.figures.stream_months


def measure(folder: Path, signals: StopSignals, cpus: int) -> list[Point]:
    """
    Measure all points, without faults.

    :param folder: for the results and the output of all processes.
    :param signals: Ctrl-C and the like, which end it.
    :param cpus: of the machine.
    :raises RuntimeError: when a run was not right.
    """
    points = []
    for streams, months in MONTHS.items():
        for workers in WORKERS:
            say(f"\n{streams} streams, {workers} workers")
            logs = folder / f"logs-{streams}-{workers}"
            shutil.rmtree(logs, ignore_errors=True)
            logs.mkdir(parents=True)
            size = Size((streams + 1) // 2, streams // 2, months, workers, 1)
            outcome = run(Plan(size, kills=0, seed=0, limit=LIMIT_OF_POINT), signals, logs)
            _require_right(outcome)
            points.append(Point(streams, workers, cpus, outcome.figures))
            write(points, folder)
    return points


def _require_right(outcome: Outcome) -> None:
    if not outcome.is_right:
        raise RuntimeError(f"a run was not right: {outcome.problems}")


def write(points: list[Point], folder: Path) -> None:
    """
    Write ``growth.json``, ``growth.md`` and ``growth.svg``.

    :param points: what was measured.
    :param folder: where to.
    """
    content = [
        {
            **asdict(point),
            "months_per_minute": round(point.figures.months_per_minute, 2),
            "cores": round(point.cores, 2),
        }
        for point in points
    ]
    (folder / "growth.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / "growth.md").write_text(table(points), encoding="utf-8")
    draw(points, folder / "growth.svg")


def table(points: list[Point]) -> str:
    """
    Write the points as Markdown.

    :param points: what was measured.
    """
    names = (
        "streams",
        "workers",
        "months/min",
        "requests/s",
        "s per month of a stream",
        "cores used",
        "cores busy, all",
        "CPU s/month",
        "of which workers",
        "of which Airflow's core",
    )
    lines = [f"| {' | '.join(names)} |", f"|{'---:|' * len(names)}"]
    for point in points:
        figures = point.figures
        cells = (
            f"{point.streams}",
            f"{point.workers}",
            f"{figures.months_per_minute:.1f}",
            f"{figures.requests_per_second:.2f}",
            f"{figures.seconds * point.streams / figures.stream_months:.1f}",
            f"{point.cores:.2f} of {point.cpus}",
            f"{point.busy_cores:.2f}",
            f"{point.cpu_per_month(*figures.cpu):.1f}",
            f"{point.cpu_per_month(*(name for name in figures.cpu if name.startswith('airflow-worker'))):.1f}",
            f"{point.cpu_per_month(*_CORE):.1f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(points: list[Point], path: Path) -> None:
    """
    Draw months per minute, and the cores that were used, against streams: bars for each number of workers.

    :param points: what was measured.
    :param path: of the SVG file.
    """
    width = int(2 * (_LEFT + _WIDTH) + 40)
    drawing = Drawing(width, 330, "Months per minute and cores used, against the number of streams and workers")
    drawing.text(16, 26, "What more streams and more workers bring", "bold")
    months = [(point, point.figures.months_per_minute) for point in points]
    cores = [(point, point.cores) for point in points]
    _panel(drawing, _LEFT, "months of streams per minute", months)
    _panel(drawing, 2 * _LEFT + _WIDTH, "cores used, of those that the machine has", cores)
    for number, workers in enumerate(WORKERS):
        drawing.rectangle(_LEFT + 120 * number, 300, 12, 12, _COLORS[number])
        drawing.text(_LEFT + 120 * number + 18, 311, f"{workers} worker{'s' if workers > 1 else ''}", "small")
    drawing.write(path)


def _panel(drawing: Drawing, left: float, title: str, values: list[tuple[Point, float]]) -> None:
    drawing.text(left, _TOP - 8, title, "small quiet")
    bottom = _TOP + _HEIGHT
    drawing.line([(left, bottom), (left + _WIDTH, bottom)])
    highest = max(value for _, value in values) or 1.0
    wide = _WIDTH / len(MONTHS)
    for place, streams in enumerate(MONTHS):
        start = left + place * wide
        drawing.text(start + wide / 2, bottom + 18, f"{streams} stream{'s' if streams > 1 else ''}", "small middle")
        for point, value in values:
            if point.streams == streams:
                place_of_bar = start + 14 + WORKERS.index(point.workers) * 36
                _bar(drawing, place_of_bar, bottom, value / highest, f"{value:.1f}", point)


def _bar(drawing: Drawing, left: float, bottom: float, part: float, text: str, point: Point) -> None:
    height = max(1.0, part * (_HEIGHT - 20))
    drawing.rectangle(left, bottom - height, 32, height, _COLORS[WORKERS.index(point.workers)])
    drawing.text(left + 16, bottom - height - 5, text, "small middle")
