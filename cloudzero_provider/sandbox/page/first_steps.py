"""What to do first, on the page of an empty sandbox."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.template import cell, section

if TYPE_CHECKING:
    from cloudzero_provider.sandbox.page.data import Snapshot

_LONGEST = 2_000
_TASK = 'AnyCostBillingDropOperator(task_id="send_bill", month="2026-03", files="march.csv")'


def render_first_steps(snapshot: Snapshot) -> str:
    """Render the connection to copy, and a first month to send."""
    stream = snapshot.stream if snapshot.stream and snapshot.stream.is_stream else None
    connection = f"export AIRFLOW_CONN_CLOUDZERO_DEFAULT={shlex.quote(snapshot.control.airflow_connection)}"
    steps = [
        f"<p>Connect Airflow, with the key that you gave with <code>--api-key</code>:</p>{_code(connection)}",
        f"<p>Send a month from a task, for example:</p>{_code(_TASK)}"
        + (f"<p>Or without Airflow:</p>{_code(send_command(snapshot.control.url, stream.id))}" if stream else ""),
        (
            "<p>See it arrive: this page updates by itself."
            ' Arm a <a href="#faults">fault</a>, and send the month again.</p>'
        ),
    ]
    listed = "".join(f"<li>{step}</li>" for step in steps)
    return section("first", "Nothing here yet. What to do first", f'<ol class="steps">{listed}</ol>')


def send_command(url: str, stream: str) -> str:
    """Return a command that sends a month of one row; ``$KEY`` is the API key."""
    row = {"time/usage_start": "2026-03-01T00:00:00Z", "cost/cost": "12.50", "resource/service": "Compute"}
    body = json.dumps({"month": "2026-03", "operation": "replace_drop", "data": [row]})
    return (
        f"curl {shlex.quote(f'{url}/v2/connections/billing/anycost/{stream}/billing_drops')}"
        f""" -H "Authorization: $KEY" -H 'Content-Type: application/json' -d {shlex.quote(body)}"""
    )


def _code(text: str) -> str:
    return f'<pre tabindex="0"><code>{cell(text, _LONGEST)}</code></pre>'
