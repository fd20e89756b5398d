"""Small drawings as SVG, legible on light and dark pages: they bring their own background."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STYLE = """
  .panel { fill: #ffffff; stroke: #d0d7de }
  text { fill: #1f2328; font: 14px system-ui, "Segoe UI", "Noto Sans", sans-serif }
  .small { font-size: 12px } .quiet { fill: #59636e } .bold { font-weight: 600 }
  .code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 12.5px }
  .middle { text-anchor: middle } .end { text-anchor: end }
  .box { stroke: #8c959f; fill: #f6f8fa } .line { stroke: #59636e; fill: none; stroke-width: 1.5 }
  .dashed { stroke-dasharray: 5 4 } .head { fill: #59636e }
  .a { fill: #b6d6fb } .b { fill: #aee3c3 } .c { fill: #f5d69a } .d { fill: #f3bcb5 } .none { fill: #eaeef2 }
  .a, .b, .c, .d, .none { stroke: #8c959f; stroke-width: .5 }
  @media (prefers-color-scheme: dark) {
    .panel { fill: #161b22; stroke: #3d444d }
    text { fill: #e6edf3 } .quiet { fill: #9198a1 }
    .box { fill: #21262d; stroke: #656c76 } .line { stroke: #9198a1 } .head { fill: #9198a1 }
    .a { fill: #1f4f86 } .b { fill: #1d6141 } .c { fill: #765510 } .d { fill: #83332b } .none { fill: #2d333b }
  }
"""


class Drawing:
    """
    A drawing that grows shape by shape.

    :param title: what it shows, for those who can't see it.
    """

    def __init__(self, width: int, height: int, title: str) -> None:
        self.head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
        )
        self.shapes = [f'<rect class="panel" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>']

    def text(self, x: float, y: float, text: str, kind: str = "") -> None:
        """Write a line; its baseline is at y."""
        self.shapes.append(f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>')

    def rectangle(self, x: float, y: float, width: float, height: float, kind: str = "box", radius: float = 2) -> None:
        """Draw a rectangle."""
        place = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        self.shapes.append(f'<rect class="{kind}" {place} rx="{radius:g}"/>')

    def box(self, x: float, y: float, width: float, height: float, lines: Sequence[str], kind: str = "box") -> None:
        """Draw a box with lines in its middle, the first of them bold."""
        self.rectangle(x, y, width, height, kind, 5)
        top = y + height / 2 - (len(lines) - 1) * 9 + 5
        for number, line in enumerate(lines):
            weight = "bold" if number == 0 else "small quiet"
            self.text(x + width / 2, top + 18 * number, line, f"middle {weight}")

    def line(self, points: Sequence[tuple[float, float]], kind: str = "line") -> None:
        """Draw a line through points."""
        self.shapes.append(f'<polyline class="{kind}" points="{" ".join(f"{x:g},{y:g}" for x, y in points)}"/>')

    def arrow(self, points: Sequence[tuple[float, float]]) -> None:
        """Draw a line with a head at its end; the last part is horizontal or vertical."""
        (x0, y0), (x, y) = points[-2:]
        dx, dy = (x > x0) - (x < x0), (y > y0) - (y < y0)
        self.line([*points[:-1], (x - 7 * dx, y - 7 * dy)])
        left, right = (x - 9 * dx - 5 * dy, y - 9 * dy - 5 * dx), (x - 9 * dx + 5 * dy, y - 9 * dy + 5 * dx)
        corners = " ".join(f"{px:g},{py:g}" for px, py in ((x, y), left, right))
        self.shapes.append(f'<polygon class="head" points="{corners}"/>')

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text(self.head + "\n".join(self.shapes) + "\n</svg>\n", encoding="utf-8")
