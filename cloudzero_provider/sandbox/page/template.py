"""The page's HTML template and table cells. The page loads no other files."""

from __future__ import annotations

from html import escape
from string import Template

_MAX_CELL_LENGTH = 120

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>CloudZero sandbox</title>
<style>
:root { --page: #f6f7f9; --card: #fff; --ink: #1b2330; --soft: #5d6877; --line: #e1e5ea; --bar: #2f6fde;
  --minus: #c2571a; --good: #1c7c43; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #11151b; --card: #1a2029; --ink: #e6eaf0; --soft: #98a4b3; --line: #2c3541; --bar: #6ea1ff;
    --minus: #f0a06a; --good: #6fcf97; --bad: #ff8a80; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 24px; margin: 0; }
h2 { font-size: 17px; margin: 0 0 4px; }
p { margin: 0; color: var(--soft); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 20px;
  margin-top: 20px; overflow-x: auto; }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, monospace; color: var(--soft); }
table { width: 100%; border-collapse: collapse; margin-top: 12px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px 7px 0; text-align: left; border-top: 1px solid var(--line); vertical-align: top; }
th, td { white-space: nowrap; }
th { border-top: 0; color: var(--soft); font-weight: 500; font-size: 13px; }
.number { text-align: right; }
.exact { text-align: right; overflow-wrap: anywhere; white-space: normal; min-width: 160px; }
td code { white-space: normal; overflow-wrap: anywhere; }
td a { color: var(--bar); font-weight: 600; text-decoration: none; }
td a:hover { text-decoration: underline; }
tr.chosen td { background: color-mix(in srgb, var(--bar) 9%, transparent); }
tr.chosen td:first-child { padding-left: 8px; border-radius: 6px 0 0 6px; }
.good { color: var(--good); } .bad { color: var(--bad); }
svg { display: block; width: 100%; height: auto; margin-top: 16px; }
svg text { fill: var(--soft); font-size: 11px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(300px, 1fr)); gap: 20px; }
figure { margin: 20px 0 0; } figcaption { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
figure svg { margin-top: 6px; } figure svg text { display: none; }
.zero { stroke: var(--line); } .bar { fill: var(--bar); } .minus { fill: var(--minus); }
</style>
</head>
<body>
<main>
<h1>CloudZero sandbox</h1>
<p>Data sent to this machine instead of CloudZero.</p>
$streams
$chart
<section>
<h2>Telemetry</h2>
$telemetry
</section>
<section>
<h2>Last requests</h2>
<p>Newest first, times in UTC.</p>
$requests
</section>
</main>
</body>
</html>
""")


def cell(value: object) -> str:
    """Escape a value for HTML and shorten it; None is blank."""
    text = "" if value is None else str(value)
    return escape(text if len(text) <= _MAX_CELL_LENGTH else f"{text[:_MAX_CELL_LENGTH]}…")
