"""
What a reply means: the table that decides whether a request is sent again.

A request is *repeatable* when applying it twice leaves the same state as once. The documented statuses are in
https://docs.cloudzero.com/reference/createoneanycoststreamconnectionbillingdrop and
https://docs.cloudzero.com/docs/send-via-api. Those for concurrent requests and overloaded gateways are not published,
so every status that may mean one of these is treated as such.
"""

from __future__ import annotations

from enum import Enum

from cloudzero_provider.client.transport import NoReply, Reply


class Effect(Enum):
    """What applying a request does."""

    REPEATABLE = "leaves the same state however often it is applied"
    ADDS_ROWS = "adds rows to a billing drop each time it is applied"
    ADDS_TELEMETRY = "adds to telemetry records each time it is applied"


class Outcome(Enum):
    """What happened to one request."""

    NOT_SENT = "not sent"
    DONE = "done"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    BUSY = "another request is running"
    UNCLEAR = "may or may not have been applied"
    DENIED = "denied"
    REJECTED = "rejected"


class Action(Enum):
    """What follows from an outcome."""

    FINISH = "finish"
    WAIT_AND_REPEAT = "wait, then send it again"
    SETTLE_AND_REPEAT = "wait until it has settled, then send it again"
    STOP_AMBIGUOUS = "stop: it may have been applied"
    STOP_REFUSED = "stop: it is refused"


#: Statuses with a meaning of their own.
_BY_STATUS = {
    401: Outcome.DENIED,
    403: Outcome.DENIED,
    408: Outcome.UNCLEAR,
    409: Outcome.BUSY,
    423: Outcome.BUSY,
    425: Outcome.BUSY,
    429: Outcome.THROTTLED,
    503: Outcome.UNAVAILABLE,
}

_REPEATABLE = {
    Outcome.NOT_SENT: Action.WAIT_AND_REPEAT,
    Outcome.DONE: Action.FINISH,
    Outcome.THROTTLED: Action.WAIT_AND_REPEAT,
    Outcome.UNAVAILABLE: Action.WAIT_AND_REPEAT,
    Outcome.BUSY: Action.WAIT_AND_REPEAT,
    Outcome.UNCLEAR: Action.SETTLE_AND_REPEAT,
    Outcome.DENIED: Action.STOP_REFUSED,
    Outcome.REJECTED: Action.STOP_REFUSED,
}

_ADDS_ROWS = _REPEATABLE | {
    Outcome.UNAVAILABLE: Action.STOP_AMBIGUOUS,
    Outcome.BUSY: Action.STOP_AMBIGUOUS,
    Outcome.UNCLEAR: Action.STOP_AMBIGUOUS,
}

# For telemetry, 503 is documented as "slow down and retry": it was not applied.
_ADDS_TELEMETRY = _ADDS_ROWS | {Outcome.UNAVAILABLE: Action.WAIT_AND_REPEAT}

_ACTIONS = {
    Effect.REPEATABLE: _REPEATABLE,
    Effect.ADDS_ROWS: _ADDS_ROWS,
    Effect.ADDS_TELEMETRY: _ADDS_TELEMETRY,
}


#: Whether a request was certainly not applied. Whether part of a rejected one is stored is not published.
_NOT_APPLIED = {
    Outcome.NOT_SENT: True,
    Outcome.DONE: False,
    Outcome.THROTTLED: True,
    Outcome.UNAVAILABLE: False,
    Outcome.BUSY: False,
    Outcome.UNCLEAR: False,
    Outcome.DENIED: True,
    Outcome.REJECTED: False,
}


def outcome_of(result: Reply | NoReply) -> Outcome:
    """Return what happened to a request."""
    if isinstance(result, NoReply):
        return Outcome.UNCLEAR if result.sent else Outcome.NOT_SENT
    if result.ok:
        return Outcome.DONE
    is_rejected = 200 <= result.status < 500
    return _BY_STATUS.get(result.status, Outcome.REJECTED if is_rejected else Outcome.UNCLEAR)


def certainly_not_applied(outcome: Outcome, effect: Effect) -> bool:
    """Whether a request with that effect was certainly not applied."""
    documented_as_retry = outcome is Outcome.UNAVAILABLE and effect is Effect.ADDS_TELEMETRY
    return documented_as_retry or _NOT_APPLIED[outcome]


def action_for(outcome: Outcome, effect: Effect) -> Action:
    """Return what follows from an outcome, for a request with that effect."""
    return _ACTIONS[effect][outcome]
