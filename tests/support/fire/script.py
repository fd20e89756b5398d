"""What happens to the requests of a task, and when its worker is killed."""

from __future__ import annotations

import email.utils
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from support.fire.clock import START

SETTLE_SECONDS = 60
#: The latest time after its start when a lost request is applied: later is outside the promise.
LATEST = 59.0

STATUSES = (400, 401, 403, 404, 408, 409, 413, 423, 425, 429, 500, 502, 503, 504, 520)
RETRY_AFTERS = (None, "0", "7", "30.5", "soon", "-3", "999999999999999", "Sun, 29 Mar 2026 12:01:30 GMT", "Mon, 32 Foo")


class Killed(BaseException):
    """The worker was killed, as by SIGKILL."""


class Interrupted(BaseException):
    """Airflow's timeout of the task, or its SIGTERM: the client may still clean up."""


@dataclass(frozen=True)
class Fate:
    """
    What happens to one request.

    :param kind: a fault of the sandbox, ``no_connection``, or ``fine``.
    :param noticed_after: seconds until the client notices that there is no reply; its timeout may be shorter.
    """

    kind: str = "fine"
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0.0
    noticed_after: float = 0.0

    def fault(self, method: str) -> dict[str, Any] | None:
        """The sandbox's fault, as JSON."""
        if self.kind in ("fine", "no_connection"):
            return None
        fault: dict[str, Any] = {"kind": self.kind, "method": method}
        if self.kind == "refuse":
            fault |= {"status": self.status, "retry_after": self.retry_after}
        if self.kind in ("slow", "lose_reply_then_apply"):
            fault["seconds"] = self.seconds
        return fault

    @property
    def name(self) -> str:
        return f"refuse {self.status}" if self.kind == "refuse" else self.kind


FINE = Fate()


@dataclass(frozen=True)
class Stop:
    """
    When the worker stops: at the ``at``-th step of a kind (a request, a sleep, or a write of the task's store).

    :param when: ``before``, ``during`` (half of a sleep; a request is then lost as its fate says) or ``after`` the step.
    :param kill: stop at once; otherwise raise an exception, after which the client may clean up.
    """

    step: str
    at: int
    when: str = "after"
    kill: bool = True


@dataclass(frozen=True)
class Script:
    """
    What happens during one attempt of a task.

    :param fates: of its requests, in order; all later ones are fine.
    :param pause: seconds since the previous attempt.
    :param cleared: whether the task was cleared, rather than retried by Airflow.
    """

    fates: Sequence[Fate] = ()
    stop: Stop | None = None
    pause: float = 0.0
    cleared: bool = False

    def fate(self, number: int) -> Fate:
        return self.fates[number] if number < len(self.fates) else FINE


_REFUSED = st.builds(
    Fate, kind=st.just("refuse"), status=st.sampled_from(STATUSES), retry_after=st.sampled_from(RETRY_AFTERS)
)
_SECONDS = st.sampled_from((0.0, 1.0, 10.0, 30.0, 55.0, LATEST))
_LOST = st.builds(
    Fate,
    kind=st.sampled_from(("apply_then_lose_reply", "lose_reply_then_apply", "lose_request", "cut_reply")),
    seconds=_SECONDS,
    noticed_after=st.sampled_from((0.0, 0.0, 5.0, 1000.0)),
)
_SLOW = st.builds(Fate, kind=st.just("slow"), seconds=_SECONDS)
FATES = st.one_of(_LOST, st.just(FINE), _REFUSED, _LOST, _REFUSED, _SLOW, _LOST, st.just(Fate("no_connection")))


@st.composite
def fate_lists(draw: st.DrawFn, most: int = 6) -> list[Fate]:
    """Mostly fine, so that faults also happen late; or one fault repeatedly."""
    fine = [FINE] * draw(st.integers(0, most))
    if draw(st.integers(0, 4)) == 4:
        return fine + [draw(FATES)] * draw(st.integers(2, 8))
    return fine + draw(st.lists(FATES, min_size=1, max_size=5))


STOPS = st.builds(
    Stop,
    step=st.sampled_from(("request", "request", "request", "request", "sleep", "store")),
    at=st.sampled_from((1, 0, 2, 3, 1, 4, 2, 6, 9)),
    when=st.sampled_from(("after", "before", "during")),
    kill=st.sampled_from((True, True, True, False)),
)
SCRIPTS = st.builds(
    Script,
    fates=fate_lists(),
    stop=st.one_of(st.none(), STOPS, STOPS),
    pause=st.sampled_from((0.0, 1.0, 20.0, 59.0, 60.0, 120.0)),
)

assert email.utils.parsedate_to_datetime(RETRY_AFTERS[7] or "").timestamp() == START + 90
