"""The faults that are armed, the form that arms others, and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.page.choice import BILLING, TELEMETRY
from cloudzero_provider.sandbox.page.tables import details, heads, table
from cloudzero_provider.sandbox.page.template import cell, section
from cloudzero_provider.sandbox.settings.all_settings import Settings, possible_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cloudzero_provider.sandbox.page.data import Snapshot

#: What happens under each kind of fault.
KINDS = {
    "refuse": "An error status; nothing is applied",
    "apply_then_lose_reply": "Applied, but the reply is lost",
    "lose_reply_then_apply": "The reply is lost; applied some seconds later",
    "lose_request": "The request is lost; nothing is applied",
    "slow": "Applied, and the reply comes some seconds later",
    "cut_reply": "Applied, but only half of the reply arrives",
}
OPERATIONS = ("replace_drop", "replace_hourly", "sum", "replace", "delete")
METHODS = ("POST", "GET", "PATCH", "DELETE", "HEAD")
# Shown in columns of their own.
_OWN_COLUMNS = ("kind", "skip", "times", "content_type", "method")


def render_faults(snapshot: Snapshot) -> str:
    """Render the armed faults and the form."""
    faults = snapshot.control.faults
    armed = _armed(faults) if faults else "<p>No fault is armed. Arm one, and see what a task does about it.</p>"
    command = f"""curl -d '{{"faults": [{{"kind": "apply_then_lose_reply"}}]}}' {snapshot.control.url}/sandbox/faults"""
    without_script = f'<p class="without-script">Without JavaScript: <code>{cell(command, 400)}</code></p>'
    return section("faults", "Faults", f"{armed}{without_script}{_form(snapshot)}")


def _armed(faults: Sequence[Mapping[str, object]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{cell(fault["kind"])}</th><td class="wrapped">{_matching(fault)}</td>'
        f'<td class="number">{cell(fault["skip"])}</td><td class="number">{cell(fault["times"])}</td></tr>'
        for fault in faults
    )
    caption = "Armed faults, in the order in which they are tried"
    columns = (("Fault", ""), ("Requests", ""), ("Skips", "number"), ("Times", "number"))
    button = '<button type="button" id="disarm" class="with-script">Disarm all</button>'
    return f"{table(caption, heads(*columns), rows)}{button}"


def _matching(fault: Mapping[str, object]) -> str:
    values = (f"{name}: {value}" for name, value in fault.items() if name not in _OWN_COLUMNS and value != "")
    return cell("; ".join([str(fault["method"]), *values]), 400)


def _form(snapshot: Snapshot) -> str:
    kinds = "".join(f'<option value="{kind}">{kind}: {text}</option>' for kind, text in KINDS.items())
    streams = "".join(
        f'<option value="{cell(value, 400)}">{cell(label)}</option>'
        for value, label in (
            *((f"{BILLING}{stream.id}", stream.name) for stream in snapshot.streams),
            *((f"{TELEMETRY}{one.stream.name}", f"{one.stream.name} (telemetry)") for one in snapshot.telemetry),
        )
    )
    operations = "".join(f'<option value="{name}">{name}</option>' for name in OPERATIONS)
    methods = "".join(f'<option value="{name}">{name}</option>' for name in METHODS)
    delayed = "slow lose_reply_then_apply"
    fields = (
        _field("kind", "Fault", f"<select $>{kinds}</select>", kind="whole"),
        _field("status", "Status", '<input type="number" min="400" max="599" value="503" required $>', kinds="refuse"),
        _field("retry_after", "Retry-After", '<input placeholder="seconds, or a date" $>', kinds="refuse"),
        _field("seconds", "Seconds", '<input type="number" min="0" step="any" value="5" required $>', kinds=delayed),
        _field("of", "Stream", f'<select $><option value="">any</option>{streams}</select>'),
        _field("operation", "Operation", f'<select $><option value="">any</option>{operations}</select>'),
        _field("month", "Month", '<input placeholder="any" pattern="[0-9]{4}-[0-9]{2}" $>'),
        _field("method", "Method", f"<select $>{methods}</select>"),
        _field("skip", "Requests to skip", '<input type="number" min="0" value="0" required $>'),
        _field("times", "Times", '<input type="number" min="1" value="1" required $>'),
    )
    return (
        f'<form id="arm" class="with-script">{"".join(fields)}'
        '<div class="actions"><button>Arm</button><span id="arm-result" role="status" data-keep></span></div></form>'
    )


def _field(name: str, label: str, control: str, *, kind: str = "", kinds: str = "") -> str:
    """
    Render a field of the form.

    :param name: of the fault's field.
    :param label: what a person reads.
    :param control: ``$`` stands for its name.
    :param kind: the class of the field.
    :param kinds: the kinds of faults that have it; all if it is blank.
    """
    needed = f' data-kinds="{kinds}"' if kinds else ""
    named = control.replace("$>", f'name="{name}" id="arm-{name}">')
    return f'<div class="field {kind}"{needed}><label for="arm-{name}">{label}</label>{named}</div>'


def render_settings(settings: Settings) -> str:
    """Render all settings; those that differ from the default are listed first."""
    values, defaults, possible = settings.as_json(), Settings().as_json(), possible_values()
    differing = [name for name, value in values.items() if value != defaults[name]]
    rows = "".join(
        f'<tr{" class=chosen" if name in differing else ""}><th scope="row"><code>{cell(name)}</code></th>'
        f"<td>{_value(values[name])}</td><td>{_value(defaults[name])}</td>"
        f'<td class="wrapped">{_possible(possible[name])}</td></tr>'
        for name in [*differing, *(name for name in values if name not in differing)]
    )
    caption = "What CloudZero has not published, and what the sandbox does about it"
    columns = (("Setting", ""), ("Value", ""), ("Default", ""), ("Possible", ""))
    changed = ", ".join(f"<code>{cell(name)}={_value(values[name])}</code>" for name in differing)
    said = f"Changed: {changed}" if differing else f"All {len(values)} settings have their defaults."
    folded = details("settings-table", f"All {len(values)} settings", table(caption, heads(*columns), rows))
    return section("settings", "Settings", f"<p>{said}</p>{folded}")


def _value(value: object) -> str:
    return cell("(blank)" if value == "" else value)


def _possible(possible: Sequence[str | int] | str) -> str:
    return cell(possible if isinstance(possible, str) else ", ".join(map(str, possible)), 300)
