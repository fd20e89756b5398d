"""The last requests: what was sent, how large it was, how long it took, and what became of it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.choice import BILLING, TELEMETRY, Option, choice_list, show_button
from cloudzero_provider.sandbox.page.tables import heads, table
from cloudzero_provider.sandbox.page.template import cell, section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudzero_provider.sandbox.page.data import Snapshot

_COLUMNS = (
    ("No.", "number"), ("Time", ""), ("Operation", ""), ("Stream", ""), ("Month", ""), ("Rows", "number"),
    ("Size", "number"), ("Duration", "number"), ("Outcome", "outcome"),
)  # fmt: skip
_MAX_WORDS = 600
#: What each kind of fault did to a request.
FAULTS = {
    "refuse": "refused by a fault",
    "apply_then_lose_reply": "reply lost by a fault",
    "lose_reply_then_apply": "reply lost by a fault",
    "lose_request": "request lost by a fault",
    "slow": "slowed down by a fault",
    "cut_reply": "reply cut off by a fault",
}


def render_requests(snapshot: Snapshot) -> str:
    """Render the requests of all streams, or of the chosen one."""
    names = {stream.id: stream.name for stream in snapshot.streams}
    chosen = snapshot.choice.requests
    options = [
        Option("", "All requests"),
        *(Option(f"{BILLING}{stream.id}", stream.name, "AnyCost streams") for stream in snapshot.streams),
        *(Option(f"{TELEMETRY}{one.stream.name}", one.stream.name, "Telemetry streams") for one in snapshot.telemetry),
    ]
    choices = f'<div class="choices">{choice_list("requests", "Requests of", options, chosen)}{show_button()}</div>'
    requests = snapshot.requests
    if not requests.last:
        return section("requests", "Requests", f"{choices}<p>No requests yet.</p>")
    rows = "".join(_row(record, names) for record in requests.last)
    whose = next((f" of {option.label}" for option in options if option.value == chosen), "")
    count = "" if whose else f" {len(requests.last):,} of {requests.total:,}"
    caption = f"The last{count} requests{whose}, newest first, times in UTC"
    return section("requests", "Requests", f"{choices}{table(caption, heads(*_COLUMNS), rows, kind='cards')}")


def _row(record: Mapping[str, object], names: Mapping[str, str]) -> str:
    started = datetime.fromtimestamp(_number(record["started"]), timezone.utc)
    rows, size = record["rows"], record["bytes"]
    stream = record["stream"] or names.get(str(record["connection_id"])) or record["connection_id"]
    operation = record["operation"] or _READS.get(str(record["method"]), record["method"])
    cells = (
        ("No.", "number", cell(record["number"])),
        ("Time", "", f"{started:%H:%M:%S}"),
        ("Operation", "operation", f'<span class="name">{cell(operation)}</span> {_path(record)}'),
        ("Stream", "", cell(stream)),
        ("Month", "", cell(record["month"])),
        ("Rows", "number", f"{rows:,}" if isinstance(rows, int) else ""),
        ("Size", "number", format_size(size) if isinstance(size, int) else ""),
        ("Duration", "number", _duration(record)),
        ("Outcome", "outcome", _outcome(record)),
    )
    listed = "".join(f'<td class="{kind}" data-label="{label}">{text}</td>' for label, kind, text in cells)
    return f'<tr id="request-{cell(record["number"])}">{listed}</tr>'


def _path(record: Mapping[str, object]) -> str:
    """Render method and path; of the path, what the other columns do not say."""
    path = str(record["path"])
    beginning = next((text for text in (record["connection_id"], "/telemetry") if text and f"{text}/" in path), None)
    shown = f"…{path.split(str(beginning), 1)[1]}" if beginning else path
    return f'<code title="{cell(path, _MAX_WORDS)}">{cell(record["method"])} {cell(shown)}</code>'


_READS = {"GET": "read", "HEAD": "read"}


def _number(value: object) -> float:
    return float(str(value))


def _duration(record: Mapping[str, object]) -> str:
    if record["ended"] is None:
        return ""
    return format_seconds(_number(record["ended"]) - _number(record["started"]))


def format_size(count: int) -> str:
    """Format a number of bytes with three digits at most."""
    for unit, size in (("MB", 1_000_000), ("kB", 1_000)):
        if count >= size:
            shown = count / size
            return f"{shown:.0f} {unit}" if shown >= 100 else f"{shown:.1f} {unit}"
    return f"{count} B"


def format_seconds(seconds: float) -> str:
    """Format a duration."""
    if seconds < 1:
        return f"{max(seconds, 0) * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:,.0f} s"


def _outcome(record: Mapping[str, object]) -> str:
    status = record["status"]
    is_running = record["ended"] is None
    is_good = isinstance(status, int) and status < 400
    word = str(status) if status is not None else ("running" if is_running else "no reply")
    kind = "good" if is_good else "soft" if is_running else "bad"
    notes = [FAULTS.get(str(record["fault"]), ""), "replayed" if record["replayed"] else ""]
    if record["applied"] and not is_good:
        notes.append("applied later" if record["fault"] == "lose_reply_then_apply" else "applied")
    details = ", ".join(note for note in notes if note)
    # Requests that an earlier version logged have no words.
    words = cell(record.get("message"), _MAX_WORDS)
    shown = f'<span class="words">{words}</span>' if words else ""
    return f'<span class="badge {kind}">{cell(word)}</span> <span class="note">{cell(details)}</span>{shown}'
