"""Bucket connections: their months, the drop that each holds, and why others were refused."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.tables import details, exact, heads, table
from cloudzero_provider.sandbox.page.template import cell, section

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.buckets.state import BucketMonth, BucketState
    from cloudzero_provider.sandbox.buckets.store import Ingestion
    from cloudzero_provider.sandbox.page.data import ShownMonth, Snapshot

_MONTHS = (
    ("Month", ""), ("Rows", "number"), ("Cost", "exact"), ("Current drop", "operation"), ("Ingested", ""),
    ("Problem", "outcome"),
)  # fmt: skip
_HISTORY = (
    ("Time", ""), ("Folder", "optional"), ("Drop", "operation"), ("Files", "number optional"), ("Rows", "number"),
    ("Cost", "exact"), ("Outcome", "outcome"),
)  # fmt: skip
_MAX_WORDS = 1_000
_MAX_LISTED = 50


def render_buckets(snapshot: Snapshot) -> str:
    """Render every bucket connection; nothing without one."""
    if not snapshot.buckets:
        return ""
    return section("buckets", "AnyCost buckets", "".join(_bucket(snapshot, bucket) for bucket in snapshot.buckets))


def _bucket(snapshot: Snapshot, bucket: BucketState) -> str:
    name = bucket.connection.id
    unpolled = "" if bucket.is_polled else " (not polled: the sandbox was started without it)"
    words = [f"<h3>{cell(bucket.connection.name)}</h3><p><code>{cell(bucket.root, 300)}</code>{unpolled}</p>"]
    words += [_problem("error", bucket.error)] if bucket.error else []
    words += [_problem("refused", error) for _, error in sorted(bucket.refused_folders.items())]
    if bucket.months:
        words += [_months(snapshot, bucket), _history(bucket)]
    else:
        words.append("<p>No month yet: no folder has a manifest that names a drop.</p>")
    return f'<div id="bucket-{cell(name)}">{"".join(words)}</div>'


def _problem(kind: str, words: str) -> str:
    return f'<p><span class="badge bad">{kind}</span> <span class="words">{cell(words, _MAX_WORDS)}</span></p>'


def _months(snapshot: Snapshot, bucket: BucketState) -> str:
    shown = {one.version.month: one for one in snapshot.months if one.version.stream == bucket.connection.id}
    rows = "".join(_row(snapshot, bucket, month, shown.get(month.month)) for month in reversed(bucket.months))
    return table(f"Months of the bucket {bucket.connection.name}", heads(*_MONTHS), rows)


def _row(snapshot: Snapshot, bucket: BucketState, month: BucketMonth, shown: ShownMonth | None) -> str:
    name = cell(month.month)
    is_chosen = shown is not None and shown is snapshot.month
    if shown is not None:
        link = snapshot.choice.link(stream=bucket.connection.id, month=month.month)
        name = f'<a href="{link}"{" aria-current=true" if is_chosen else ""}>{name}</a>'
    rows, cost = (shown.state.rows, shown.state.total_cost) if shown else (0, "0")
    current = month.current
    words = f'<span class="words">{cell(month.last_error, _MAX_WORDS)}</span>' if month.last_error else ""
    return (
        f'<tr id="bucket-{cell(bucket.connection.id)}-{cell(month.month)}"{" class=chosen" if is_chosen else ""}>'
        f'<th scope="row">{name}</th><td class="number">{rows:,}</td><td class="exact">{exact(cost)}</td>'
        f'<td class="operation">{_drop(current)}</td><td>{_time(current.ended_at) if current else ""}</td>'
        f'<td class="outcome">{words}</td></tr>'
    )


def _history(bucket: BucketState) -> str:
    ended = sorted((one for month in bucket.months for one in month.history), key=lambda one: one.ended_at)
    rows = "".join(_ended(one) for one in ended[: -_MAX_LISTED - 1 : -1])
    caption = f"What became of the drops of {bucket.connection.name}, the last first, times in UTC"
    more = f"<p>And {len(ended) - _MAX_LISTED:,} before.</p>" if len(ended) > _MAX_LISTED else ""
    key = f"bucket-{cell(bucket.connection.id)}-history"
    return details(key, f"History: {len(ended):,}", table(caption, heads(*_HISTORY), rows) + more)


def _ended(one: Ingestion) -> str:
    is_good = one.error is None
    badge = f'<span class="badge {"good" if is_good else "bad"}">{"ingested" if is_good else "refused"}</span>'
    words = "" if is_good else f'<span class="words">{cell(one.error, _MAX_WORDS)}</span>'
    return (
        f'<tr><td>{_time(one.ended_at)}</td><td class="optional">{cell(one.folder)}</td>'
        f'<td class="operation">{_drop(one)}</td><td class="number optional">{one.files:,}</td>'
        f'<td class="number">{one.rows:,}</td><td class="exact">{exact(one.total_cost)}</td>'
        f'<td class="outcome">{badge}{words}</td></tr>'
    )


def _drop(one: Ingestion | None) -> str:
    return f"<code>{cell(one.drop_id)}</code>" if one and one.drop_id else ""


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M:%S}"
