"""The page: what the sandbox holds and what it was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.buckets import render_buckets
from cloudzero_provider.sandbox.page.controls import render_faults, render_settings
from cloudzero_provider.sandbox.page.costs import render_costs
from cloudzero_provider.sandbox.page.first_steps import render_first_steps
from cloudzero_provider.sandbox.page.requests import render_requests
from cloudzero_provider.sandbox.page.telemetry import render_telemetry
from cloudzero_provider.sandbox.page.template import PAGE

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.page.data import Snapshot


def render_page(snapshot: Snapshot) -> str:
    """Render the whole document."""
    return PAGE.substitute(content=render_content(snapshot))


def render_content(snapshot: Snapshot) -> str:
    """Render what changes while requests arrive, as the script fetches it."""
    parts = (
        render_first_steps(snapshot) if snapshot.is_empty else _summary(snapshot),
        render_costs(snapshot),
        render_buckets(snapshot),
        render_telemetry(snapshot),
        render_requests(snapshot),
        render_faults(snapshot),
        render_settings(snapshot.control.settings),
    )
    return "".join(parts)


def _summary(snapshot: Snapshot) -> str:
    figures = (
        ("Months", len(snapshot.months)),
        ("Rows", sum(month.state.rows for month in snapshot.months)),
        ("Telemetry records", sum(one.state.records for one in snapshot.telemetry)),
        ("Requests", snapshot.requests.total),
        ("Armed faults", len(snapshot.control.faults)),
    )
    listed = "".join(f"<div><dt>{name}</dt><dd>{figure:,}</dd></div>" for name, figure in figures)
    return f'<dl class="summary" id="summary">{listed}</dl>'
