"""Faults on request: what can happen to a request between a client and CloudZero."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.http.replies import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping


class FaultKind(Enum):
    """What happens to a request on which the fault fires."""

    REFUSE = "refuse"
    APPLY_THEN_LOSE_REPLY = "apply_then_lose_reply"
    LOSE_REPLY_THEN_APPLY = "lose_reply_then_apply"
    LOSE_REQUEST = "lose_request"
    SLOW = "slow"
    CUT_REPLY = "cut_reply"


@dataclass(frozen=True)
class Fault:
    """
    An armed fault.

    * ``refuse``: replies ``status`` with ``body``, and ``Retry-After`` if ``retry_after`` is set;
      nothing is applied.
    * ``apply_then_lose_reply``: applies, then aborts the connection.
    * ``lose_reply_then_apply``: aborts the connection and applies ``seconds`` later, to what is stored
      by then. The request counts as running until then. If the sandbox ends or is reset before, it is never applied.
    * ``lose_request``: aborts the connection after reading the body; nothing is applied.
    * ``slow``: applies, then replies ``seconds`` later.
    * ``cut_reply``: applies, announces the whole reply and sends half of it.

    It fires ``times`` times, after ``skip`` requests, on requests that match all given values of ``method``,
    ``path_contains``, ``operation``, ``month``, ``connection_id`` and ``stream`` (a telemetry stream). Requests
    refused for their key, size or encoding do not count; replays of an idempotency key do.
    """

    kind: FaultKind
    method: str = "POST"
    path_contains: str | None = None
    operation: str | None = None
    month: str | None = None
    connection_id: str | None = None
    stream: str | None = None
    skip: int = 0
    times: int = 1
    seconds: float = 0.0
    status: int = 503
    retry_after: str | None = None
    body: bytes = b""
    content_type: str = JSON

    def as_json(self) -> dict[str, object]:
        shown = {**asdict(self), "kind": self.kind.value, "body": self.body.decode("utf-8", "replace")}
        unused = _FIELDS_OF_ALL_KINDS - _FIELDS_BY_KIND[self.kind]
        return {name: value for name, value in shown.items() if name not in unused and value is not None}


@dataclass(frozen=True)
class FaultTarget:
    """The values of a request that faults are matched against."""

    method: str
    path: str
    operation: str | None
    month: str | None
    connection_id: str | None
    stream: str | None


class InvalidFaultError(ValueError):
    """An invalid fault; the message gives the reason."""


_MATCHING = frozenset(
    ("kind", "method", "path_contains", "operation", "month", "connection_id", "stream", "skip", "times")
)
_FIELDS_BY_KIND: Mapping[FaultKind, frozenset[str]] = {
    FaultKind.REFUSE: frozenset(("status", "retry_after", "body", "content_type")),
    FaultKind.APPLY_THEN_LOSE_REPLY: frozenset(),
    FaultKind.LOSE_REPLY_THEN_APPLY: frozenset(("seconds",)),
    FaultKind.LOSE_REQUEST: frozenset(),
    FaultKind.SLOW: frozenset(("seconds",)),
    FaultKind.CUT_REPLY: frozenset(),
}
_FIELDS_OF_ALL_KINDS = frozenset().union(*_FIELDS_BY_KIND.values())
_METHODS = ("POST", "GET", "DELETE", "PATCH", "HEAD")
_OPERATIONS = ("replace_drop", "replace_hourly", "sum", "replace", "delete")


def parse_fault(value: object) -> Fault:
    """Parse a fault from JSON."""
    if not isinstance(value, dict):
        raise InvalidFaultError("a fault must be a JSON object")
    kind = _kind(value.get("kind"))
    allowed = _MATCHING | _FIELDS_BY_KIND[kind]
    unknown = sorted(set(value) - allowed)
    if unknown:
        raise InvalidFaultError(
            f"{kind.value} does not have the fields {', '.join(unknown)}; allowed: {', '.join(sorted(allowed))}"
        )
    fault = _matching(Fault(kind), value)
    if kind is FaultKind.REFUSE:
        return _refusing(fault, value)
    if "seconds" in _FIELDS_BY_KIND[kind]:
        return replace(fault, seconds=_seconds(value))
    return fault


def _kind(value: object) -> FaultKind:
    try:
        return FaultKind(value)
    except ValueError:
        raise InvalidFaultError(f"kind must be one of {', '.join(kind.value for kind in FaultKind)}") from None


def _matching(fault: Fault, value: Mapping[str, object]) -> Fault:
    method = value.get("method", "POST")
    if method not in _METHODS:
        raise InvalidFaultError(f"method must be one of {', '.join(_METHODS)}")
    operation = _text(value, "operation")
    if operation is not None and operation not in _OPERATIONS:
        raise InvalidFaultError(f"operation must be one of {', '.join(_OPERATIONS)}")
    return replace(
        fault,
        method=str(method),
        path_contains=_text(value, "path_contains"),
        operation=operation,
        month=_text(value, "month"),
        connection_id=_text(value, "connection_id"),
        stream=_text(value, "stream"),
        skip=_whole_number(value, "skip", 0, 0),
        times=_whole_number(value, "times", 1, 1),
    )


def _refusing(fault: Fault, value: Mapping[str, object]) -> Fault:
    if "status" not in value:
        raise InvalidFaultError("refuse requires a status")
    status = _whole_number(value, "status", 503, 400)
    if status > 599:
        raise InvalidFaultError("status must be between 400 and 599")
    body = value.get("body", {"message": "Refused by a fault of the sandbox"})
    content = body if isinstance(body, str) else json.dumps(body)
    default_type = "text/plain" if isinstance(body, str) else JSON
    return replace(
        fault,
        status=status,
        retry_after=_retry_after(value.get("retry_after")),
        body=content.encode("utf-8", "replace"),
        content_type=_text(value, "content_type") or default_type,
    )


def _retry_after(value: object) -> str | None:
    if value is None or (isinstance(value, str) and _is_header_value(value)):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return str(value)
    raise InvalidFaultError("retry_after must be a number of seconds or a string such as an HTTP date")


def _text(value: Mapping[str, object], name: str) -> str | None:
    found = value.get(name)
    if found is None or (isinstance(found, str) and _is_header_value(found)):
        return found
    raise InvalidFaultError(f"{name} must be a string of printable ASCII characters")


def _is_header_value(text: str) -> bool:
    return text.isprintable() and text.isascii()


def _whole_number(value: Mapping[str, object], name: str, default: int, minimum: int) -> int:
    found = value.get(name, default)
    if not isinstance(found, int) or isinstance(found, bool) or found < minimum:
        raise InvalidFaultError(f"{name} must be a whole number of at least {minimum}")
    return found


def _seconds(value: Mapping[str, object]) -> float:
    found = value.get("seconds")
    if not isinstance(found, (int, float)) or isinstance(found, bool) or not 0 <= found < math.inf:
        raise InvalidFaultError("seconds must be a number of at least 0")
    return float(found)


class FaultQueue:
    """The armed faults in the order given. They are kept in memory, so a restart disarms them."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []

    @property
    def armed(self) -> tuple[Fault, ...]:
        return tuple(self._armed)

    def arm(self, faults: list[Fault]) -> None:
        self._armed.extend(faults)

    def clear(self) -> None:
        self._armed.clear()

    def fire(self, target: FaultTarget) -> Fault | None:
        """Return the fault for this request; every matching fault with ``skip`` left counts the request."""
        fired: Fault | None = None
        kept: list[Fault] = []
        for fault in self._armed:
            if not _matches(fault, target):
                kept.append(fault)
            elif fault.skip:
                kept.append(replace(fault, skip=fault.skip - 1))
            elif fired is None:
                fired = fault
                kept.extend([replace(fault, times=fault.times - 1)] if fault.times > 1 else [])
            else:
                kept.append(fault)
        self._armed = kept
        return fired


def _matches(fault: Fault, target: FaultTarget) -> bool:
    wanted = (
        (fault.operation, target.operation),
        (fault.month, target.month),
        (fault.connection_id, target.connection_id),
        (fault.stream, target.stream),
    )
    path_matches = fault.path_contains is None or fault.path_contains in target.path
    return fault.method == target.method and path_matches and all(want in (None, found) for want, found in wanted)
