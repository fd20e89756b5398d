"""All cases, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.cases import billing, growth, telemetry

if TYPE_CHECKING:
    from benchmarks.model import Case

ALL: tuple[Case, ...] = (*billing.CASES, *telemetry.CASES, *growth.CASES)
