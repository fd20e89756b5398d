"""What a visitor chose to see, as the page's address says."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Begin the value of ``requests``: the id of a billing stream follows, or the name of a telemetry stream.
BILLING, TELEMETRY = "billing/", "telemetry/"
#: The form to which every list of choices belongs, so that the page works without its script.
FORM = "view"


@dataclass(frozen=True)
class Choice:
    """A billing stream and its month, a telemetry stream and its period, and whose requests; None for the default."""

    stream: str | None = None
    month: str | None = None
    telemetry: str | None = None
    period: str | None = None
    requests: str | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Choice:
        return cls(**{item.name: query.get(item.name) for item in fields(cls)})

    def requests_of(self, beginning: str) -> str | None:
        """Return the stream whose requests are chosen, if it is one of those that ``beginning`` stands for."""
        chosen = self.requests or ""
        return chosen.removeprefix(beginning) if chosen.startswith(beginning) else None

    def link(self, **values: str) -> str:
        """Return the address of the page with these values, escaped."""
        chosen = {**asdict(self), **values}
        return escape("?" + urlencode({name: value for name, value in chosen.items() if value is not None}))


@dataclass(frozen=True)
class Option:
    """A value to choose, with its label, and the heading that it stands under, if any."""

    value: str
    label: str
    group: str = ""


def choice_list(name: str, label: str, options: Sequence[Option], chosen: str | None) -> str:
    """
    Render a list to choose from.

    :param name: of the value in the address.
    :param label: what a person reads.
    :param options: those of one group side by side.
    :param chosen: the value that is chosen.
    """
    groups = dict.fromkeys(option.group for option in options)
    listed = "".join(_group(group, [option for option in options if option.group == group], chosen) for group in groups)
    return (
        f'<div class="choice"><label for="choose-{name}">{escape(label)}</label> '
        f'<select name="{name}" form="{FORM}" id="choose-{name}">{listed}</select></div>'
    )


def show_button() -> str:
    """Render the button that takes the place of the script."""
    return f'<button form="{FORM}" class="without-script">Show</button>'


def _group(group: str, options: Sequence[Option], chosen: str | None) -> str:
    listed = "".join(
        f'<option value="{escape(option.value)}"{" selected" if option.value == chosen else ""}>'
        f"{escape(option.label)}</option>"
        for option in options
    )
    return f'<optgroup label="{escape(group)}">{listed}</optgroup>' if group else listed
