"""
Stacked bars in SVG.

Widths are in percent and heights in pixels, so that a chart fits any window and its letters keep their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import add, as_text, with_thousands_separators
from cloudzero_provider.sandbox.page.breakdown import MAX_NAMED
from cloudzero_provider.sandbox.page.scale import make_scale
from cloudzero_provider.sandbox.page.template import cell

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cloudzero_provider.sandbox.page.breakdown import Breakdown
    from cloudzero_provider.sandbox.page.scale import Scale

_TOP, _FOOT = 8, 26
_LETTER = 7
_PIXELS_PER_FIGURE = 50
_ZERO = Decimal(0)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Look:
    """
    How a chart is drawn.

    :param key: begins the ids of its bars, by which an update finds them again.
    :param title: read by a screen reader.
    :param height: in pixels.
    :param label: what stands below a period.
    :param wide: how many labels fit into a wide window.
    :param narrow: how many fit on a phone.
    """

    key: str
    title: str
    height: int
    label: Callable[[str], str]
    wide: int = 31
    narrow: int = 8

    @property
    def top(self) -> int:
        """Where the highest figure is, so that its letters have room."""
        return _TOP

    @property
    def intervals(self) -> int:
        """How many figures there is room for."""
        return self.height // _PIXELS_PER_FIGURE

    @property
    def room(self) -> int:
        """The height that bars may have."""
        return self.height - _TOP - _FOOT


def day_label(period: str) -> str:
    """Return the day of ``2024-09-01``."""
    return str(int(period[-2:]))


def month_label(period: str) -> str:
    """Return the name of ``2024-09``."""
    return _MONTHS[int(period[-2:]) - 1]


def color_class(index: int) -> str:
    """Return the class with the color of a series."""
    return f"s{index + 1}" if index < MAX_NAMED else "rest"


def draw_stacked(breakdown: Breakdown, look: Look) -> str:
    """Draw one bar per period: costs above zero, credits below."""
    stacks = [_stack(breakdown, period) for period in breakdown.periods]
    lowest = min((low for low, _ in stacks), default=_ZERO)
    highest = max((high for _, high in stacks), default=_ZERO)
    scale = make_scale(lowest, highest, look.intervals)
    step = 100 / max(len(breakdown.periods), 1)
    bars = "".join(
        _bar(breakdown, period, scale, look, index * step, step) for index, period in enumerate(breakdown.periods)
    )
    return frame(look, scale, bars + x_labels([look.label(period) for period in breakdown.periods], look))


def frame(look: Look, scale: Scale, inside: str) -> str:
    """Draw the axis with its figures, and lines behind what is inside."""
    heights = [look.top + look.room * (scale.zero - scale.height(tick)) for tick in scale.ticks]
    width = max(map(len, scale.labels)) * _LETTER + 8
    figures = "".join(
        f'<text x="{width - 8}" y="{height + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        for height, label in zip(heights, scale.labels, strict=True)
    )
    lines = "".join(
        f'<line class="{"grid" if tick else "zero"}" x1="0" x2="100%" y1="{height:.1f}" y2="{height:.1f}"/>'
        for height, tick in zip(heights, scale.ticks, strict=True)
    )
    axis = f'<svg class="axis" width="{width}" height="{look.height}" aria-hidden="true">{figures}</svg>'
    plot = f'<svg class="plot" width="100%" height="{look.height}" role="img" aria-label="{escape(look.title)}">'
    return f'<div class="chart">{axis}{plot}{lines}{inside}</svg></div>'


def x_labels(labels: Sequence[str], look: Look) -> str:
    """Write as many labels as fit, below the bars."""
    step = 100 / max(len(labels), 1)
    on_wide, on_narrow = _every(len(labels), look.wide), _every(len(labels), look.narrow)
    return "".join(
        f'<text x="{(index + 0.5) * step:.2f}%" y="{look.height - 8}" text-anchor="middle"'
        f"{_visibility(index % on_wide == 0, index % on_narrow == 0)}>{escape(label)}</text>"
        for index, label in enumerate(labels)
        if index % on_wide == 0 or index % on_narrow == 0
    )


def bar(key: str, left: float, step: float, top: float, height: float, kind: str, title: str) -> str:
    """Draw a part of a bar; what it stands for is shown under the pointer."""
    return (
        f'<rect id="{key}" class="{kind}" x="{left + step * 0.1:.2f}%" width="{step * 0.8:.2f}%"'
        f' y="{top:.1f}" height="{height:.1f}"><title>{cell(title)}</title></rect>'
    )


def _stack(breakdown: Breakdown, period: str) -> tuple[Decimal, Decimal]:
    """Return the depth and the height of a bar."""
    low = high = _ZERO
    for series in breakdown.series:
        amount = series.amounts.get(period, _ZERO)
        low, high = (add(low, amount), high) if amount < 0 else (low, add(high, amount))
    return low, high


def _bar(breakdown: Breakdown, period: str, scale: Scale, look: Look, left: float, step: float) -> str:
    zero = look.top + look.room * scale.zero
    above = below = zero
    drawn = []
    for index, series in enumerate(breakdown.series):
        amount = series.amounts.get(period)
        if not amount:
            continue
        height = look.room * abs(scale.height(amount))
        top = below if amount < 0 else above - height
        above, below = (above, below + height) if amount < 0 else (top, below)
        title = f"{period}: {with_thousands_separators(as_text(amount))}, {series.name}"
        key = f"{look.key}-{look.label(period)}-{index}"
        drawn.append(bar(key, left, step, top, height, color_class(index), title))
    return "".join(drawn)


def _every(count: int, most: int) -> int:
    return max(1, -(-count // most))


def _visibility(on_wide: object, on_narrow: object) -> str:
    if on_wide and on_narrow:
        return ""
    return ' class="wide"' if on_wide else ' class="narrow"'
