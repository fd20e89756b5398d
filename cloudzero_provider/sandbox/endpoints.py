"""
CloudZero's endpoints, as far as the sandbox knows them.

https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop and its siblings
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import unquote

from .keys import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence


class Action(Enum):
    """What an endpoint does."""

    LIST_CONNECTIONS = auto()
    CREATE_CONNECTION = auto()
    READ_CONNECTION = auto()
    LIST_DROPS = auto()
    CREATE_DROP = auto()
    READ_DROP = auto()
    VALIDATE_DROP = auto()
    NOT_IN_THE_SANDBOX = auto()


@dataclass(frozen=True)
class Endpoint:
    """A method and a path of CloudZero, and the scope that a key needs for them."""

    method: str
    path: re.Pattern[str]
    action: Action
    scope: Scope

    @property
    def takes_a_drop(self) -> bool:
        return self.action in (Action.CREATE_DROP, Action.VALIDATE_DROP)


@dataclass(frozen=True)
class Target:
    """An endpoint with the values that the path gives."""

    endpoint: Endpoint
    connection_id: str | None
    month: str | None

    @property
    def stream(self) -> str | None:
        """The stream this is a request on."""
        on_a_stream = self.endpoint.action in (Action.LIST_DROPS, Action.CREATE_DROP, Action.READ_DROP)
        return self.connection_id if on_a_stream else None


def _path(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


_CONNECTIONS = "/v2/connections/billing"
_DROPS = f"{_CONNECTIONS}/anycost/{{connection_id}}/billing_drops"
ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("GET", _path(_CONNECTIONS), Action.LIST_CONNECTIONS, Scope.READ_CONNECTIONS),
    Endpoint("POST", _path(_CONNECTIONS), Action.CREATE_CONNECTION, Scope.CREATE_CONNECTION),
    Endpoint("GET", _path(f"{_CONNECTIONS}/{{connection_id}}"), Action.READ_CONNECTION, Scope.READ_CONNECTION),
    Endpoint(
        "PATCH",
        _path(f"{_CONNECTIONS}/{{connection_id}}"),
        Action.NOT_IN_THE_SANDBOX,
        Scope.UPDATE_CONNECTION,
    ),
    Endpoint(
        "DELETE",
        _path(f"{_CONNECTIONS}/{{connection_id}}"),
        Action.NOT_IN_THE_SANDBOX,
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
)


def find_target(method: str, raw_path: str) -> Target | None:
    """The endpoint for a request, by its path as it was sent (still percent-encoded)."""
    for endpoint in ENDPOINTS:
        match = endpoint.path.fullmatch(raw_path)
        if match and endpoint.method == method:
            values = {name: unquote(value) for name, value in match.groupdict().items()}
            return Target(endpoint, values.get("connection_id"), values.get("month"))
    return None


def path_exists(raw_path: str) -> bool:
    """Whether CloudZero has the path, under whichever method."""
    return any(endpoint.path.fullmatch(raw_path) for endpoint in ENDPOINTS)
