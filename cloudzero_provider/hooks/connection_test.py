"""Test a connection with requests that change nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudzero_provider.client import anycost, telemetry
from cloudzero_provider.exceptions import AuthenticationError, CloudZeroConnectionError, RequestRejectedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cloudzero_provider.client import Client

_ONE_ROW = (
    b'{"month":"2024-08","operation":"replace_drop",'
    b'"data":[{"time/usage_start":"2024-08-16T13:00:00Z","cost/cost":"12"}]}'
)
#: A stream that nobody has; whatever CloudZero replies about it, only a key without the scope gets a 403.
_NO_STREAM = "cloudzero-provider-connection-test"
_SENDING = f"{anycost.SCOPE_SEND_DROP} for billing drops, {telemetry.SCOPE_MANAGE_RECORDS} for telemetry"
_NOT_CHECKED = f"Sending is not checked, since this test writes nothing: it needs {_SENDING}."
_UNAUTHORIZED = 401
_UNKNOWN_STREAM = (400, 404)


@dataclass
class _Findings:
    allowed: list[str] = field(default_factory=list)
    denied: dict[str, int | None] = field(default_factory=dict)
    knows_stream: bool = False


def verdict_of(client: Client, anycost_connection_id: str | None) -> tuple[bool, str]:
    """
    Test a connection: it works, it is refused, or the test can't tell.

    CloudZero replies 403 both to a wrong key and to a missing scope, so several requests are compared. None of them
    writes, so whether the key may send is never tested.

    :param client: with the connection's key; makes one attempt per request.
    :param anycost_connection_id: the connection's AnyCost stream, if it names one.
    :return: whether the connection works, and the verdict.
    """
    try:
        findings = _probe(client, anycost_connection_id)
    except CloudZeroConnectionError as error:
        return False, f"Can't tell: CloudZero can't be reached. {error}"
    if anycost.SCOPE_LIST_DROPS in findings.allowed and not findings.knows_stream:
        return False, (
            "Refused: CloudZero accepts the API key, but does not know the AnyCost stream "
            f"{anycost_connection_id}. Its id is in the address of its page, under Settings > Billing Connections."
        )
    return _verdict(findings, anycost_connection_id)


def _probe(client: Client, stream: str | None) -> _Findings:
    findings = _Findings()
    probes: dict[str, Callable[[], object]] = {
        anycost.SCOPE_LIST_CONNECTIONS: lambda: client.list_connections(limit=1),
        anycost.SCOPE_VALIDATE_DROP: lambda: client.validate_drop(_ONE_ROW),
        telemetry.SCOPE_READ_TELEMETRY: lambda: client.submitted_records(_NO_STREAM, limit=1),
    }
    if stream:
        probes = {anycost.SCOPE_LIST_DROPS: lambda: client.list_drops(stream)} | probes
    for scope, probe in probes.items():
        try:
            probe()
        except AuthenticationError as error:
            findings.denied[scope] = error.status
            continue
        except RequestRejectedError as error:
            # The key has the scope; what CloudZero rejects is a stream that it does not know.
            names_stream = scope in (anycost.SCOPE_LIST_DROPS, telemetry.SCOPE_READ_TELEMETRY)
            if not names_stream or error.status not in _UNKNOWN_STREAM:
                raise
        else:
            findings.knows_stream |= scope == anycost.SCOPE_LIST_DROPS
        findings.allowed.append(scope)
    return findings


def _verdict(findings: _Findings, stream: str | None) -> tuple[bool, str]:
    denied = ", ".join(findings.denied)
    if not findings.allowed and set(findings.denied.values()) == {_UNAUTHORIZED}:
        return False, "Refused: CloudZero does not accept the API key (HTTP 401)."
    if not findings.allowed:
        return False, (
            "Can't tell: CloudZero replies 403 to every check, as it does to a key that is wrong or disabled, and to "
            f"one without their scopes ({denied}). Sending is not checked, since this test writes nothing: a key with "
            f"only the scopes for that ({_SENDING}) can be right."
        )
    accepts = f"CloudZero accepts the API key{f', and knows the AnyCost stream {stream}' * findings.knows_stream}"
    lacks = f" It lacks {denied}, which some features need." if denied else ""
    if {anycost.SCOPE_VALIDATE_DROP, telemetry.SCOPE_READ_TELEMETRY}.isdisjoint(findings.allowed):
        return False, f"Can't tell: {accepts}, but it may be a key that only reads.{lacks} {_NOT_CHECKED}"
    return True, f"Works: {accepts}.{lacks} {_NOT_CHECKED}"
