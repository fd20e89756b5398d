"""
CloudZero's endpoints that the sandbox knows.

https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop and its siblings,
https://docs.cloudzero.com/reference/summetrictelemetry and its siblings
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cloudzero_provider.sandbox.server.keys import Scope
from cloudzero_provider.sandbox.telemetry.model import StreamKind, TelemetryOperation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Action(Enum):
    """What an endpoint does."""

    LIST_CONNECTIONS = auto()
    CREATE_CONNECTION = auto()
    READ_CONNECTION = auto()
    UPDATE_CONNECTION = auto()
    DELETE_CONNECTION = auto()
    LIST_DROPS = auto()
    CREATE_DROP = auto()
    READ_DROP = auto()
    VALIDATE_DROP = auto()
    SEND_RECORDS = auto()
    READ_SUBMITTED = auto()
    READ_PROCESSED = auto()
    DELETE_STREAM = auto()
    NOT_IMPLEMENTED = auto()


@dataclass(frozen=True)
class Endpoint:
    """A method and path of CloudZero's API, and the scope that a key needs; None if any key is allowed."""

    method: str
    path: re.Pattern[str]
    action: Action
    scope: Scope | None = None

    @property
    def has_drop_body(self) -> bool:
        return self.action in (Action.CREATE_DROP, Action.VALIDATE_DROP)

    @property
    def is_telemetry(self) -> bool:
        return self.action in _TELEMETRY

    @property
    def may_have_body(self) -> bool:
        return self.requires_body or self.action is Action.DELETE_STREAM

    @property
    def requires_body(self) -> bool:
        return self.method in ("POST", "PATCH") and self.action is not Action.NOT_IMPLEMENTED


_TELEMETRY = (Action.SEND_RECORDS, Action.READ_SUBMITTED, Action.READ_PROCESSED, Action.DELETE_STREAM)


@dataclass(frozen=True)
class TelemetryTarget:
    """The stream and operation in a telemetry path. Without an operation it is a sum, as in older API versions."""

    name: str
    kind: StreamKind
    operation: TelemetryOperation


@dataclass(frozen=True)
class Target:
    """An endpoint with the values in the path."""

    endpoint: Endpoint
    connection_id: str | None
    month: str | None
    telemetry: TelemetryTarget | None

    @property
    def stream(self) -> str | None:
        """The AnyCost stream of the request, if it has one."""
        on_a_stream = self.endpoint.action in (Action.LIST_DROPS, Action.CREATE_DROP, Action.READ_DROP)
        return self.connection_id if on_a_stream else None

    @property
    def concurrency_key(self) -> str | None:
        """The AnyCost or telemetry stream on which requests count as concurrent."""
        return f"telemetry/{self.telemetry.name}" if self.telemetry else self.stream


def _path(template: str) -> re.Pattern[str]:
    with_choices = re.sub(r"\{(\w+):([\w|]+)\}", r"(?P<\1>\2)", template)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", with_choices))


_CONNECTIONS = "/v2/connections/billing"
_DROPS = f"{_CONNECTIONS}/anycost/{{connection_id}}/billing_drops"
_TELEMETRY_STREAMS = "/unit-cost/v1/telemetry"
_RECORDS = f"{_TELEMETRY_STREAMS}/{{kind:metric|allocation}}/{{name}}"
# The first match wins: a fixed word precedes a name, so .../metric/records is a stream named "records".
ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", _path(_CONNECTIONS), Action.LIST_CONNECTIONS, Scope.READ_CONNECTIONS),
    Endpoint("POST", _path(_CONNECTIONS), Action.CREATE_CONNECTION, Scope.CREATE_CONNECTION),
    Endpoint("GET", _path(f"{_CONNECTIONS}/{{connection_id}}"), Action.READ_CONNECTION, Scope.READ_CONNECTION),
    Endpoint(
        "PATCH",
        _path(f"{_CONNECTIONS}/{{connection_id}}"),
        Action.UPDATE_CONNECTION,
        Scope.UPDATE_CONNECTION,
    ),
    Endpoint(
        "DELETE",
        _path(f"{_CONNECTIONS}/{{connection_id}}"),
        Action.DELETE_CONNECTION,
        Scope.DELETE_CONNECTION,
    ),
    Endpoint(
        "POST",
        _path(f"{_CONNECTIONS}/anycost/validate_billing_drop"),
        Action.VALIDATE_DROP,
        Scope.VALIDATE_DROP,
    ),
    Endpoint("GET", _path(_DROPS), Action.LIST_DROPS, Scope.READ_DROPS),
    Endpoint("POST", _path(_DROPS), Action.CREATE_DROP, Scope.CREATE_DROP),
    Endpoint("GET", _path(f"{_DROPS}/{{month}}"), Action.READ_DROP, Scope.READ_DROP),
    Endpoint(
        "POST",
        _path(f"{_RECORDS}/{{operation:sum|replace|delete}}"),
        Action.SEND_RECORDS,
        Scope.MANAGE_TELEMETRY,
    ),
    Endpoint("POST", _path(_RECORDS), Action.SEND_RECORDS, Scope.MANAGE_TELEMETRY),
    Endpoint("GET", _path(f"{_TELEMETRY_STREAMS}/metric/{{name}}"), Action.READ_SUBMITTED, Scope.READ_TELEMETRY),
    Endpoint("GET", _path(f"{_TELEMETRY_STREAMS}/{{name}}/records"), Action.READ_PROCESSED, Scope.READ_TELEMETRY),
    Endpoint(
        "DELETE",
        _path(f"{_TELEMETRY_STREAMS}/{{name}}"),
        Action.DELETE_STREAM,
        Scope.DELETE_TELEMETRY_STREAM,
    ),
    # Endpoints of CloudZero that the sandbox does not implement, with all methods that they have or may have.
    Endpoint("POST", _path(_TELEMETRY_STREAMS), Action.NOT_IMPLEMENTED),
    Endpoint("GET", re.compile("/v2/billing/(costs|dimensions)(/.*)?"), Action.NOT_IMPLEMENTED),
    *(
        Endpoint(method, re.compile(path), Action.NOT_IMPLEMENTED)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        for path in (
            "/v2/(budgets|costformation|insights|optimize|views)(/.*)?",
            "(/unit-cost)?/v1/(container-metrics|events)(/.*)?",
        )
    ),
)


def find_target(method: str, raw_path: str) -> Target | None:
    """
    Find the endpoint of a request by its path as sent (percent-encoded).

    HEAD is GET without the reply's content: https://www.rfc-editor.org/rfc/rfc9110#name-head
    """
    wanted = "GET" if method == "HEAD" else method
    for endpoint in ENDPOINTS:
        match = endpoint.path.fullmatch(raw_path)
        if match and endpoint.method == wanted:
            values = {name: unquote(value) for name, value in match.groupdict().items()}
            telemetry = _telemetry_target(values) if endpoint.is_telemetry else None
            return Target(endpoint, values.get("connection_id"), values.get("month"), telemetry)
    return None


def _telemetry_target(values: Mapping[str, str]) -> TelemetryTarget:
    kind = StreamKind(values.get("kind", StreamKind.METRIC.value))
    operation = TelemetryOperation(values.get("operation", TelemetryOperation.SUM.value))
    return TelemetryTarget(values["name"], kind, operation)


def allowed_methods(raw_path: str) -> tuple[str, ...]:
    """Return the methods that CloudZero allows on a path; empty for an unknown path."""
    found = dict.fromkeys(endpoint.method for endpoint in ENDPOINTS if endpoint.path.fullmatch(raw_path))
    return (*found, *(("HEAD",) if "GET" in found else ()))
