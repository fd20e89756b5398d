"""A bar chart of a month's amounts by day, in SVG."""

from __future__ import annotations

import calendar
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.common.exact_sums import abbreviated, difference, ratio, with_thousands_separators
from cloudzero_provider.sandbox.page.template import cell

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH, _HEIGHT, _FOOT, _TOP = 1000, 260, 24, 18
_MAX_LABEL_LENGTH = 24
_ZERO = Decimal(0)


def draw_days(month: str, cost_by_day: Mapping[str, str], what: str = "Cost") -> str:
    """Draw one bar per day of the month: upwards for amounts above zero, downwards for credits."""
    year, number = map(int, month.split("-"))
    days = [f"{month}-{day:02}" for day in range(1, calendar.monthrange(year, number)[1] + 1)]
    costs = [Decimal(cost_by_day.get(day, "0")) for day in days]
    highest, lowest = max(_ZERO, *costs), min(_ZERO, *costs)
    span = difference(highest, lowest) or Decimal(1)
    room = _HEIGHT - _FOOT - _TOP
    zero = _TOP + room * ratio(highest, span)
    step = _WIDTH / len(days)
    bars = "".join(
        _bar(
            index * step,
            step,
            zero,
            room * ratio(cost, span),
            f"{day}: {with_thousands_separators(cost_by_day.get(day, '0'))}",
        )
        for index, (day, cost) in enumerate(zip(days, costs, strict=True))
    )
    labels = "".join(
        f"<text x='{(index + 0.5) * step:.1f}' y='{_HEIGHT - 6}' text-anchor='middle'>{index + 1}</text>"
        for index in range(len(days))
    )
    top = f"<text x='0' y='11'>{escape(abbreviated(highest, _MAX_LABEL_LENGTH))}</text>" if highest else ""
    line = f"<line class=zero x1='0' x2='{_WIDTH}' y1='{zero:.1f}' y2='{zero:.1f}'/>"
    title = f"{escape(what)} by day in {escape(month)}"
    frame = f"viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{title}'"
    return f"<svg {frame}>{top}{line}{bars}{labels}</svg>"


def _bar(left: float, step: float, zero: float, height: float, label: str) -> str:
    kind = "minus" if height < 0 else "bar"
    top = zero - max(height, 0.0)
    return (
        f"<rect class={kind} x='{left + step * 0.12:.1f}' y='{top:.1f}' width='{step * 0.76:.1f}'"
        f" height='{abs(height):.1f}' rx='2'><title>{cell(label)}</title></rect>"
    )
