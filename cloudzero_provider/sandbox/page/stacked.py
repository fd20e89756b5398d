"""A stacked chart with what belongs to it: its legend, and tables of the same figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.chart import Look, day_label, draw_stacked, month_label
from cloudzero_provider.sandbox.page.tables import breakdown_table, details, legend, names_table

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.page.breakdown import Breakdown

_LABELS = {"day": day_label, "month": month_label}


@dataclass(frozen=True)
class Amounts:
    """
    What a chart draws.

    :param key: begins the id of its table.
    :param what: what the amounts are, like ``Cost``.
    :param name: what they are stacked by, like ``service``.
    :param height: of the chart, in pixels.
    """

    key: str
    what: str
    name: str
    height: int


def render_stacked(breakdown: Breakdown, amounts: Amounts, when: str, unit: str, captions: tuple[str, str]) -> str:
    """
    Render a chart, its legend and its tables.

    :param breakdown: the figures.
    :param amounts: what they are.
    :param when: the time that all bars cover.
    :param unit: the time of one bar: ``day`` or ``month``.
    :param captions: of the table by time and name, and of that by name.
    """
    what, name, names = amounts.what, amounts.name, f"{amounts.name}s"
    by_time, by_name = captions
    title = f"{what} by {unit} in {when}, stacked by {name}. The same figures are in the table below."
    look = Look(f"{what.lower()}-bar", title, amounts.height, _LABELS[unit])
    tables = details(
        f"{amounts.key}-table",
        f"{what} by {unit} as a table",
        breakdown_table(breakdown, by_time, unit.capitalize()),
    )
    tables += names_table(breakdown, f"{names}-table", by_name, name.capitalize(), names, what)
    return f"{draw_stacked(breakdown, look)}{legend(breakdown, names.capitalize())}{tables}"
