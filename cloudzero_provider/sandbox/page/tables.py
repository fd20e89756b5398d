"""Tables of exact figures, and the legend of a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import as_text, with_thousands_separators
from cloudzero_provider.sandbox.page.chart import color_class
from cloudzero_provider.sandbox.page.template import cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from decimal import Decimal

    from cloudzero_provider.sandbox.page.breakdown import Breakdown

_MAX_NAMES = 200


def exact(amount: Decimal | str) -> str:
    """Return all digits of an amount with thousands separators, shortened only if they don't fit into a cell."""
    return cell(with_thousands_separators(amount if isinstance(amount, str) else as_text(amount)))


def heads(*names: tuple[str, str]) -> str:
    """Render the first row: each heading with its class."""
    listed = "".join(f'<th scope="col" class="{kind}">{name}</th>' for name, kind in names)
    return f"<thead><tr>{listed}</tr></thead>"


def table(caption: str, head: str, rows: str, foot: str = "", kind: str = "") -> str:
    """
    Render a table in a box that scrolls, by keyboard as well.

    :param caption: of the table, and the name of the box.
    :param head: made by ``heads``.
    :param rows: of its body.
    :param foot: its last row.
    :param kind: another class of the box.
    """
    inside = f"<table><caption>{cell(caption)}</caption>{head}<tbody>{rows}</tbody>{foot}</table>"
    return f'<div class="scroll {kind}" tabindex="0" role="region" aria-label="{cell(caption)}">{inside}</div>'


def details(key: str, summary: str, inside: str) -> str:
    """Fold something up; the page's updates leave it open or closed."""
    return f'<details id="{key}"><summary>{summary}</summary>{inside}</details>'


def legend(breakdown: Breakdown, label: str) -> str:
    """Render the colors with the names and exact totals that they stand for."""
    items = "".join(
        f'<li><svg class="swatch" width="12" height="12" aria-hidden="true"><rect class="{color_class(index)}"'
        f' width="12" height="12" rx="3"/></svg> <span class="name">{cell(series.name)}</span>'
        f' <span class="figure">{exact(series.total)}</span></li>'
        for index, series in enumerate(breakdown.series)
    )
    return f'<ul class="legend" aria-label="{cell(label)}">{items}</ul>'


def breakdown_table(breakdown: Breakdown, caption: str, period: str) -> str:
    """
    Render what a chart shows as exact figures.

    :param breakdown: of the chart.
    :param caption: of the table.
    :param period: what a row is, such as a day.
    """
    names = [(cell(series.name), "exact") for series in breakdown.series]
    rows = "".join(_row(breakdown, one) for one in breakdown.periods)
    totals = "".join(f'<td class="exact">{exact(series.total)}</td>' for series in breakdown.series)
    foot = f'<tfoot><tr><th scope="row">Total</th>{totals}<td class="exact">{exact(breakdown.total)}</td></tr></tfoot>'
    return table(caption, heads((period, ""), *names, ("Total", "exact")), rows, foot)


def _row(breakdown: Breakdown, period: str) -> str:
    cells = "".join(f'<td class="exact">{_or_blank(series.amounts, period)}</td>' for series in breakdown.series)
    total = _or_blank(breakdown.totals, period)
    return f'<tr><th scope="row">{cell(period)}</th>{cells}<td class="exact">{total}</td></tr>'


def _or_blank(amounts: Mapping[str, Decimal], period: str) -> str:
    return exact(amounts[period]) if period in amounts else ""


def names_table(breakdown: Breakdown, key: str, caption: str, name: str, unit: str, what: str) -> str:
    """
    Render the exact total of every name, if the chart shows only the largest.

    :param breakdown: of the chart.
    :param key: the id of what it is folded up in.
    :param caption: of the table.
    :param name: what a name is.
    :param unit: the same in the plural.
    :param what: what the amounts are.
    """
    listed = list(breakdown.by_name.items())
    if len(listed) == len(breakdown.series):
        return ""
    rows = _named(listed[:_MAX_NAMES])
    more = f"<p>And {len(listed) - _MAX_NAMES:,} more.</p>" if len(listed) > _MAX_NAMES else ""
    inside = table(caption, heads((name, ""), (what, "exact")), rows) + more
    return details(key, f"All {len(listed):,} {unit} as a table", inside)


def _named(listed: Sequence[tuple[str, Decimal]]) -> str:
    rows: Iterable[str] = (
        f'<tr><th scope="row">{cell(name)}</th><td class="exact">{exact(amount)}</td></tr>' for name, amount in listed
    )
    return "".join(rows)
