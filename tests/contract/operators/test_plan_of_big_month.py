"""The plan of 200,000 rows, of which 300 changed, 40 are gone and 20 are new, against a calculation of its own."""

from __future__ import annotations

import csv
import random
import time
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from support.months import Month
from support.tasks import context, send

CHANGED, GONE, NEW = 300, 40, 20
Row = dict[str, str]


def new_version(month: Month, path: Path) -> tuple[list[Row], list[Row]]:
    """Write another version of a month in another order; return its rows and those before."""
    draw = random.Random(7)
    before = month.read()
    after = [dict(row) for row in before]
    draw.shuffle(after)
    for row in after[:CHANGED]:
        row["cost/cost"] = f"{Decimal(row['cost/cost']) * 3 + 1:f}"
    del after[CHANGED : CHANGED + GONE]
    after += [{**row, "lineitem/id": f"new-{number}"} for number, row in enumerate(after[-NEW:])]
    names = list(dict.fromkeys(name for row in after for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(after)
    return before, after


def costs_by(rows: list[Row], *names: str) -> dict[Any, Decimal]:
    totals: defaultdict[Any, Decimal] = defaultdict(Decimal)
    for row in rows:
        totals[tuple(row[name][:10] if name == "time/usage_start" else row[name] for name in names)] += Decimal(
            row["cost/cost"]
        )
    return totals


def test_its_figures_are_those_of_an_independent_calculation(sandbox, big_month, tmp_path):
    from cloudzero_provider.operators.plan import AnyCostBillingDropPlanOperator

    path = tmp_path / "new.csv"
    before, after = new_version(big_month, path)
    send(files=str(big_month.path))
    task = AnyCostBillingDropPlanOperator(task_id="plan", month="2026-03", files=str(path))
    started = time.perf_counter()
    report = task.execute(context(task))
    planned = time.perf_counter() - started
    assert len(sandbox.writes()) == len(sandbox.posts())

    changes = report["changes"]
    assert (changes["changed"], changes["removed"], changes["added"]) == (CHANGED, GONE, NEW)
    assert changes["unchanged"] == big_month.rows - CHANGED - GONE
    same = Counter(frozenset(row.items()) for row in before) & Counter(frozenset(row.items()) for row in after)
    assert changes["unchanged"] == same.total()
    assert Decimal(changes["cost_before"]) == sum(costs_by(before, "lineitem/type").values())
    assert Decimal(changes["cost_after"]) == sum(costs_by(after, "lineitem/type").values())
    for name, column in (("by_day", "time/usage_start"), ("by_value", "resource/service")):
        found = {one[name.removeprefix("by_")]: one for one in changes[name]}
        old, new = costs_by(before, column), costs_by(after, column)
        assert {key: Decimal(one["cost_before"]) for key, one in found.items()} == {key: old[key,] for key in found}
        assert {key: Decimal(one["cost_after"]) for key, one in found.items()} == {key: new[key,] for key in found}
        assert len(found) == len(new)
    old, new = (costs_by(rows, "time/usage_start", "resource/service") for rows in (before, after))
    moves = sorted((abs(new[key] - old[key]) for key in old.keys() | new.keys()), reverse=True)
    assert [abs(Decimal(one["cost_change"])) for one in changes["movers"]] == moves[:10]

    started = time.perf_counter()
    summary = send(files=str(path), plan=report)
    print(f"plan {planned:.1f} s, sending {time.perf_counter() - started:.1f} s")
    assert (summary["rows"], Decimal(summary["replaced_cost"])) == (len(after), Decimal(changes["cost_before"]))
    assert sandbox.month("2026-03")["rows"] == len(after)
    assert sandbox.total_cost() == Decimal(changes["cost_after"])
