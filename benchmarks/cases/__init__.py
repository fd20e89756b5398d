"""All cases, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import billing, growth, start_up, telemetry, whole_task

if TYPE_CHECKING:
    from benchmarks.model import Case

ALL: tuple[Case, ...] = (
    *billing.CASES,
    *telemetry.CASES,
    *growth.CASES,
    *start_up.CASES,
    *whole_task.CASES,
)
