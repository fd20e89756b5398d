"""A task that sends a month of billing data, and what happens to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from support.fire import drops_truth as truth
from support.fire.script import SCRIPTS, Script

#: The bytes of a body besides its rows, with a margin.
_OVERHEAD = 80


@dataclass(frozen=True)
class Scenario:
    """
    A month and its attempts.

    :param old: what CloudZero held before; ``None`` for the same rows.
    :param bodies: the approximate number of requests of the month.
    :param tries: the attempts in order, whether earlier ones succeeded or not.
    :param world: the client's timeout, the latency, and the sandbox's settings.
    """

    rows: truth.Rows
    old: truth.Rows | None = field(default_factory=truth.Rows)
    operation: str = "replace_drop"
    on_empty: str = "skip"
    min_rows_ratio: float = 0.0
    verify: bool = False
    validate: bool = False
    has_store: bool = True
    bodies: int = 1
    tries: Sequence[Script] = (Script(),)
    world: dict[str, Any] = field(default_factory=dict)

    @property
    def adds(self) -> bool:
        return self.operation == "sum"

    @property
    def old_rows(self) -> truth.Rows:
        return self.rows if self.old is None else self.old

    @property
    def max_body_bytes(self) -> int:
        """A limit with which the month needs several bodies, and every row fits in one."""
        sizes = [truth.json_size([row]) for row in self.rows.truth()] or [0]
        return max(*sizes, 0, -(-sum(sizes) // self.bodies)) + _OVERHEAD

    @property
    def giant_hours(self) -> frozenset[str]:
        """Hours that need several requests, or are close to it."""
        hours: dict[str, list[dict[str, str]]] = {}
        for row in self.rows.truth():
            hours.setdefault(row["time/usage_start"], []).append(row)
        return frozenset(
            hour for hour, rows in hours.items() if truth.json_size(rows) + _OVERHEAD > self.max_body_bytes
        )

    def task(self) -> dict[str, Any]:
        """The operator's parameters."""
        return {
            "records": self.rows.given(),
            "operation": self.operation,
            "on_empty": self.on_empty,
            "min_rows_ratio": self.min_rows_ratio,
            "verify": self.verify and not self.adds,
            "validate_with_cloudzero": self.validate,
            "max_body_bytes": self.max_body_bytes,
        }


_WORLDS = st.fixed_dictionaries(
    {},
    optional={
        "timeout": st.sampled_from((60.0, 20.0, 5.0)),
        "latency": st.sampled_from((0.0, 0.5, 3.0)),
        "jitter": st.sampled_from((1.0, 0.0, 0.5)),
        "concurrent_status": st.sampled_from((409, 423, 425, 429, 503)),
        "success_body": st.sampled_from(("documented", "empty", "text")),
        "success_status": st.sampled_from((200, 201, 202, 204)),
        "row_count_means": st.sampled_from(("month", "request")),
    },
)


@st.composite
def scripts(draw: st.DrawFn) -> list[Script]:
    found = draw(st.lists(SCRIPTS, min_size=1, max_size=3))
    return [
        Script(script.fates, script.stop, script.pause, cleared=number > 0 and draw(st.integers(0, 3)) == 3)
        for number, script in enumerate(found)
    ]


_SENT = st.builds(
    Scenario,
    rows=truth.rows(may_be_bad=True),
    old=st.one_of(st.just(truth.Rows()), truth.rows(1), st.none()),
    operation=st.sampled_from(("replace_drop", "replace_hourly", "sum")),
    on_empty=st.sampled_from(("skip", "fail")),
    min_rows_ratio=st.sampled_from((0.0, 0.5, 1.0)),
    verify=st.booleans(),
    validate=st.sampled_from((False, False, False, True)),
    has_store=st.sampled_from((True, True, True, False)),
    bodies=st.sampled_from((1, 2, 3, 5, 8, 12)),
    tries=scripts(),
    world=_WORLDS,
)
_EMPTIED = st.builds(
    Scenario,
    rows=st.just(truth.Rows()),
    old=truth.rows(),
    on_empty=st.just("clear"),
    tries=scripts(),
    world=_WORLDS,
)
SCENARIOS = st.integers(0, 19).flatmap(lambda number: _EMPTIED if number == 19 else _SENT)
