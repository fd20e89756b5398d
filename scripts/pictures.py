"""Draw the pictures of the documentation: ``make pictures`` writes them to docs/images."""

from __future__ import annotations

import argparse
from configparser import ConfigParser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from svg import Drawing

from cloudzero_provider import sources
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan
from cloudzero_provider.months import Month

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"


def layers() -> Drawing:
    """The layers of .importlinter: the package on the left, the sandbox on the right."""
    file = ConfigParser()
    file.read(ROOT / ".importlinter", encoding="utf-8")
    package, sandbox = (
        file[f"importlinter:contract:{name}"]["layers"].strip().splitlines() for name in ("layers", "sandbox-layers")
    )
    # The command line, above Airflow's side, is neither.
    airflow, core = package.index("decorators"), package.index("status")
    # The layer that speaks HTTP is beside the one that it speaks to.
    down = package.index("sources | client") - sandbox.index("http")
    top, step = 58, 36
    drawing = Drawing(760, top + step * len(package) + 26, "The layers of the package and of the sandbox")
    drawing.text(205, 30, "cloudzero_provider", "middle bold")
    drawing.text(610, 30, "cloudzero_provider.sandbox", "middle bold")
    for number, names in enumerate(package):
        kind = "none" if number < airflow else "a" if number < core else "b"
        drawing.rectangle(60, top + step * number, 290, step - 6, kind, 5)
        drawing.text(205, top + step * number + 20, names.replace(" | ", "   ·   "), "middle code")
    for number, names in enumerate(sandbox):
        drawing.rectangle(500, top + step * (number + down), 220, step - 6, "c", 5)
        drawing.text(610, top + step * (number + down) + 20, names.replace(" | ", "   ·   "), "middle code")
    for text, first, last in (("Airflow's side", airflow, core), ("the core: no Airflow", core, len(package))):
        y = top + step * (first + last) / 2 - 3
        drawing.shapes.append(
            f'<text class="middle small quiet" transform="translate(36 {y:g}) rotate(-90)">{text}</text>'
        )
    middle = top + step * package.index("sources | client") + 15
    drawing.arrow([(350, middle), (500, middle)])
    drawing.text(425, middle - 9, "HTTP", "middle bold")
    drawing.text(425, middle + 20, "no shared code", "middle small quiet")
    return drawing


#: Rows of each hour of the month that is drawn; one hour has more than fit into a request.
ROWS_OF_HOURS = (9, 7, 11, 8, 6, 12, 10, 8, 9, 85, 11, 9, 7, 8, 10, 6, 9, 12, 8, 7)
BODY = 5_000


def month_plan() -> Drawing:
    """The requests that the package really plans for a month with one hour that is larger than a request."""
    rows = [
        {"time/usage_start": f"2026-03-01T{hour:02}:00:00Z", "cost/cost": "1.25", "resource/service": "Storage"}
        for hour, count in enumerate(ROWS_OF_HOURS)
        for _ in range(count)
    ]
    checked = check_rows(sources.from_records(rows), Month.parse("2026-03"))
    plan = make_plan(checked, Operation.REPLACE_DROP, Limits(max_body_bytes=BODY))
    size = plan.requests[0].size / sum(ROWS_OF_HOURS[: int(plan.requests[0].last_hour[11:13]) + 1])
    kinds = "abcd"
    drawing = Drawing(760, 400, "A month cut along hours into requests")
    drawing.text(24, 30, "Rows of a month, hour by hour: the color is the request that sends them", "bold")
    base, scale, width = 220, 150 / (max(ROWS_OF_HOURS) * size), 33.0
    limit = base - BODY * scale
    drawing.line([(40, limit), (40 + width * len(ROWS_OF_HOURS), limit)], "line dashed")
    drawing.text(44, limit - 6, "max_body_bytes", "small quiet")
    left = list(ROWS_OF_HOURS)
    bottoms = [float(base)] * len(left)
    for number, request in enumerate(plan.requests):
        rest = request.rows
        for hour in range(int(request.first_hour[11:13]), int(request.last_hour[11:13]) + 1):
            taken = min(left[hour], rest)
            height = taken * size * scale
            drawing.rectangle(42 + width * hour, bottoms[hour] - height, width - 4, height, kinds[number % 4])
            bottoms[hour] -= height
            left[hour] -= taken
            rest -= taken
    for hour in range(len(ROWS_OF_HOURS)):
        drawing.text(40 + width * (hour + 0.5) - 1, base + 17, f"{hour:02}", "middle small quiet")
    drawing.text(24, 270, "Sent in this order, one after the other; each can be repeated, except a sum", "bold")
    step = 712 / len(plan.requests)
    for number, request in enumerate(plan.requests):
        x = 24 + step * number
        hours = sorted({request.first_hour[11:13], request.last_hour[11:13]})
        drawing.rectangle(x, 286, step - 8, 46, kinds[number % 4], 5)
        drawing.text(x + step / 2 - 4, 306, request.operation.value, "middle small bold")
        drawing.text(x + step / 2 - 4, 323, "–".join(hours), "middle small")
    for number, unit in enumerate(plan.units):
        if len(unit.requests) > 1:
            before = sum(len(earlier.requests) for earlier in plan.units[:number])
            x0, x1 = 24 + step * before, 16 + step * (before + len(unit.requests))
            drawing.line([(x0, 340), (x0, 348), (x1, 348), (x1, 340)])
            drawing.text(
                (x0 + x1) / 2, 366, "an hour larger than a request: if a reply to a sum is lost,", "middle small"
            )
            drawing.text((x0 + x1) / 2, 383, "the hour starts over with its replace_hourly", "middle small")
    return drawing


@dataclass(frozen=True)
class Attempt:
    """A task of a run, drawn from one time to another."""

    kind: str
    start: float
    end: float
    text: str = ""


def backfill() -> Drawing:
    """A backfill with --max-active-runs 4: bills are fetched side by side, sent one after the other; one fails."""
    months = [f"2025-{month:02}" for month in range(1, 9)]
    fetch, send = 58.0, 44.0
    drawing = Drawing(760, 396, "A backfill of eight months, four runs at a time")
    drawing.text(24, 30, "airflow backfill create … --max-active-runs 4", "code bold")
    free = [0.0] * 4
    sent = 0.0
    rows: list[list[Attempt]] = []
    for number in range(len(months)):
        start = min(free)
        ready = start + fetch + 6 * (number % 3)
        begin = max(ready, sent)
        sent = begin + send
        free[free.index(start)] = sent
        failed = number == 4
        attempts = [Attempt("a", start, ready, "fetch_bill"), Attempt("none", ready, begin)]
        attempts.append(Attempt("d" if failed else "b", begin, sent, "failed" if failed else "sent"))
        rows.append(attempts)
    again = sent + 26
    rows[4] += [
        Attempt("a", again, again + fetch, "fetch_bill"),
        Attempt("b", again + fetch, again + fetch + send, "sent"),
    ]
    scale = 640 / (again + fetch + send)
    for number, (month, attempts) in enumerate(zip(months, rows, strict=True)):
        y = 52 + 33 * number
        drawing.text(84, y + 18, month, "end code")
        for attempt in attempts:
            width = (attempt.end - attempt.start) * scale
            if width > 0:
                drawing.rectangle(96 + attempt.start * scale, y, width - 1, 26, attempt.kind)
                drawing.text(96 + attempt.start * scale + width / 2, y + 17, attempt.text, "middle small")
    x = 96 + (again - 13) * scale
    drawing.line([(x, 46), (x, 318)], "line dashed")
    drawing.text(x - 6, 336, "airflow dags clear … --partition-key 2025-05", "end small code")
    legend = (
        ("a", "fetched side by side"),
        ("none", "waits for its turn"),
        ("b", "sent, one at a time"),
        ("d", "failed"),
    )
    for number, (kind, text) in enumerate(legend):
        drawing.rectangle(96 + 160 * number, 356, 16, 16, kind)
        drawing.text(118 + 160 * number, 369, text, "small")
    return drawing


def file_to_wire() -> Drawing:
    """What happens to rows on their way to CloudZero."""
    steps = (
        ("files, records, sql", "", ""),
        ("Rows", "sources/", "values unchanged"),
        ("Rows", "transforms.py", "transform, if there is one"),
        ("CheckedRows", "anycost/checks.py", "names, values, month, tags; exact totals"),
        ("Plan", "anycost/plan.py", "JSON, split at hours, ordered requests"),
        ("first write", "anycost/guards.py, claims.py", "compare with what CloudZero holds, publish a claim"),
        ("CloudZero", "anycost/execute_plan.py, client/", "one request at a time"),
        ("SendSummary", "anycost/readback.py", "verify; the task's XCom"),
    )
    drawing = Drawing(760, 20 + 62 * len(steps), "From a file to the wire")
    for number, (name, module, text) in enumerate(steps):
        y = 16 + 62 * number
        kind = "c" if name == "CloudZero" else "none" if number == 0 else "b"
        drawing.box(40, y, 200, 36, [name], kind)
        if module:
            drawing.arrow([(140, y - 26), (140, y)])
            drawing.text(270, y - 2, module, "code bold")
            drawing.text(270, y + 16, text, "small quiet")
    return drawing


def request() -> Drawing:
    """The life of a request."""
    drawing = Drawing(760, 340, "The life of a request: attempt, outcome, and pause, settle, done or error")
    drawing.box(40, 130, 120, 50, ["attempt"], "a")
    drawing.box(260, 130, 120, 50, ["outcome"], "a")
    drawing.box(260, 24, 120, 50, ["pause"], "c")
    drawing.box(260, 242, 120, 50, ["settle"], "c")
    drawing.box(610, 24, 110, 50, ["error"], "d")
    drawing.box(610, 130, 110, 50, ["done"], "b")
    drawing.box(610, 242, 110, 50, ["settle, last"], "c")
    drawing.arrow([(160, 155), (260, 155)])
    drawing.text(210, 147, "a reply, or none", "middle small quiet")
    drawing.arrow([(380, 155), (610, 155)])
    drawing.text(495, 147, "FINISH", "middle code")
    drawing.arrow([(320, 130), (320, 74)])
    drawing.text(312, 106, "WAIT_AND_REPEAT", "end code")
    drawing.arrow([(320, 180), (320, 242)])
    drawing.text(312, 216, "SETTLE_AND_REPEAT", "end code")
    drawing.arrow([(260, 49), (100, 49), (100, 130)])
    drawing.arrow([(260, 267), (100, 267), (100, 180)])
    drawing.arrow([(380, 49), (610, 49)])
    drawing.text(495, 41, "max_retry_seconds", "middle small quiet")
    drawing.arrow([(380, 267), (610, 267)])
    drawing.text(495, 285, "max_retry_seconds", "middle small quiet")
    drawing.arrow([(380, 140), (440, 140), (440, 100), (640, 100), (640, 74)])
    drawing.text(540, 92, "STOP_REFUSED", "middle code")
    drawing.arrow([(380, 170), (440, 170), (440, 214), (640, 214), (640, 242)])
    drawing.text(540, 206, "STOP_AMBIGUOUS", "middle code")
    drawing.arrow([(720, 267), (740, 267), (740, 49), (720, 49)])
    return drawing


PICTURES: dict[str, Callable[[], Drawing]] = {
    "backfill": backfill,
    "file-to-wire": file_to_wire,
    "layers": layers,
    "month-plan": month_plan,
    "request": request,
}


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=IMAGES)
    folder = parser.parse_args().folder
    for name, draw in PICTURES.items():
        draw().write(folder / f"{name}.svg")


if __name__ == "__main__":
    main()
