"""
Journal of a ``sum``: the requests that were acknowledged, and the one that was in flight.

A ``sum`` must not be sent twice. Its hash is stored before each request, and its acknowledgement after it. A retry
skips what was acknowledged, and stops when a request was in flight or the input has changed.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cloudzero_provider.exceptions import CHECK_THEN_CLEAR, AmbiguousWriteError, CloudZeroError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_KEY = "cloudzero_sum"


class Store(Protocol):
    """Where a journal is kept between attempts of a task. Airflow's task state store is one."""

    def get(self, key: str) -> Any:
        """Return what was stored, or ``None``."""

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value."""


class Journal(Protocol):
    """Sends each request, unless a previous attempt did."""

    @property
    def acknowledged_before(self) -> int:
        """How many requests a previous attempt had acknowledged."""

    def send_once(self, sha256: str, send: Callable[[], _T]) -> _T | None:
        """
        Send a request, unless it was acknowledged in a previous attempt.

        :param sha256: hash of the request; each attempt sends its requests in the same order.
        :param send: sends it.
        :return: what ``send`` returns; ``None`` when a previous attempt had it acknowledged.
        """

    def finish(self) -> None:
        """Record that everything was sent."""


class NoJournal:
    """The journal of a repeatable operation: keeps nothing and sends everything."""

    @property
    def acknowledged_before(self) -> int:
        """Always 0: nothing is kept."""
        return 0

    def send_once(self, sha256: str, send: Callable[[], _T]) -> _T | None:  # noqa: ARG002
        """
        Send a request.

        :param sha256: not used.
        :param send: sends it.
        """
        return send()

    def finish(self) -> None:
        """Do nothing."""


class SumJournal:
    """
    Keeps track of the requests of a ``sum``.

    :param store: where it is kept. Without one, a retry is refused.
    :param target: what is added to. A retry with another target is refused.
    :param is_retry: whether this attempt is a retry, and not a first attempt or one of a cleared task.
    :param max_tries: of the task. Airflow raises it when a task is cleared, and only then. So a stored journal with the
        same ``max_tries`` is a previous attempt's, even if the DAG's ``retries`` changed; one with another was written
        before the task was cleared, and no attempt since then has added anything.
    :raises AmbiguousWriteError: when a retry can't know what a previous attempt added.
    """

    def __init__(self, store: Store | None, target: str, *, is_retry: bool, max_tries: int) -> None:
        self._store = store
        self._target = hashlib.sha256(target.encode()).hexdigest()
        self._max_tries = max_tries
        self._chain = hashlib.sha256()
        self._number = 0
        #: The journal as this attempt last read or wrote it.
        self._last_known = self._read()
        stored = self._last_known or {}
        is_retry = stored.get("max_tries", max_tries) == max_tries if stored else is_retry
        self._previous_attempt: dict[str, Any] = stored if is_retry else {}
        if is_retry and not stored:
            raise AmbiguousWriteError(
                "The previous attempt may have added some of the rows or records, and repeating operation='sum' could "
                f"count them twice (Airflow 3.3 and later remember what was acknowledged). {CHECK_THEN_CLEAR} Or use "
                "an operation that replaces, which can be repeated."
            )
        if stored and is_retry and stored.get("target") != self._target:
            raise AmbiguousWriteError(f"The previous attempt added to another stream. {CHECK_THEN_CLEAR}")
        if not is_retry:
            self._write(intent=None)

    def send_once(self, sha256: str, send: Callable[[], _T]) -> _T | None:
        """
        Send a request, unless it was acknowledged in a previous attempt.

        :param sha256: hash of the request; each attempt sends its requests in the same order.
        :param send: sends it.
        :return: what ``send`` returns; ``None`` when a previous attempt had it acknowledged.
        :raises AmbiguousWriteError: when that attempt left this request in flight or sent another one in its place, or
            when another attempt of the task is still running.
        """
        if self._was_acknowledged(sha256):
            log.info("Request %d was acknowledged in a previous attempt; skipping it", self._number)
            return None
        if self._read() != self._last_known:
            raise _other_attempt_is_running()
        self._write(intent=sha256)
        try:
            result = send()
        except CloudZeroError as error:
            if not error.maybe_applied:
                self._write(intent=None)
            raise
        self._advance(sha256)
        self._write(intent=None)
        return result

    def finish(self) -> None:
        """
        Record that everything was sent.

        The journal stays stored: Airflow retries an attempt that dies before its success is recorded.

        :raises AmbiguousWriteError: when a previous attempt sent, or began to send, more requests than this one has.
        """
        if self._number < self.acknowledged_before:
            raise _input_changed(self.acknowledged_before)
        if self._number == self.acknowledged_before and self._previous_attempt.get("intent"):
            raise _was_in_flight(self._number + 1, "missing in this attempt")
        self._write(intent=None)

    @property
    def acknowledged_before(self) -> int:
        """How many requests a previous attempt had acknowledged."""
        return int(self._previous_attempt.get("acknowledged", 0))

    def _was_acknowledged(self, sha256: str) -> bool:
        number, done = self._number + 1, self.acknowledged_before
        if number <= done:
            self._advance(sha256)
            if number == done and self._chain.hexdigest() != self._previous_attempt.get("chain"):
                raise _input_changed(done)
            return True
        intent = self._previous_attempt.get("intent")
        if number == done + 1 and intent:
            raise _was_in_flight(
                number, "the same in this attempt" if intent == sha256 else "different in this attempt"
            )
        return False

    def _advance(self, sha256: str) -> None:
        self._chain.update(sha256.encode())
        self._number += 1

    def _read(self) -> dict[str, Any] | None:
        return self._store.get(_KEY) if self._store is not None else None

    def _write(self, *, intent: str | None) -> None:
        if self._store is not None:
            self._last_known = {
                "target": self._target,
                "max_tries": self._max_tries,
                "acknowledged": self._number,
                "chain": self._chain.hexdigest(),
                "intent": intent,
            }
            self._store.set(_KEY, self._last_known)


def _was_in_flight(number: int, which: str) -> AmbiguousWriteError:
    return AmbiguousWriteError(
        f"The previous attempt ended while request {number} ({which}) was in flight: it may or may not have been "
        f"applied. {CHECK_THEN_CLEAR}"
    )


def _other_attempt_is_running() -> AmbiguousWriteError:
    return AmbiguousWriteError(
        "Another attempt of this task has sent requests since this one began: an attempt presumed dead is still "
        "running. This attempt stops, so that nothing is counted twice. Wait until the other one has ended. "
        f"{CHECK_THEN_CLEAR}"
    )


def _input_changed(done: int) -> AmbiguousWriteError:
    return AmbiguousWriteError(
        f"The previous attempt sent {done} requests, and this attempt has different rows or records for them: the "
        f"input has changed. {CHECK_THEN_CLEAR}"
    )
