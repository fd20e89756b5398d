"""
The journal of a task that adds: what it was about to send, and what was acknowledged.

A ``sum`` must not be sent twice. So what is about to be sent is stored before each request, and its acknowledgement
after it. A retry then leaves out what was acknowledged; when a request was open, or the input is another one, nobody
can know.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cloudzero_provider.exceptions import AmbiguousWriteError, CloudZeroError

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_KEY = "cloudzero_sum"


class Store(Protocol):
    """Where a journal is kept over the tries of a task, like Airflow's task state store."""

    def get(self, key: str) -> Any:
        """Return what was stored, ``None`` when nothing was."""

    def set(self, key: str, value: Any) -> None:
        """Store a JSON value."""


class SumJournal:
    """
    Keeps track of the requests of a ``sum``.

    :param store: where it is kept; without one, nothing is, and a retry can't be told what was acknowledged.
    :param target: what is added to. A retry that would add to something else can't go on.
    :param is_retry: whether this is a retry, and not a first try or a cleared task.
    :param max_tries: of the task. Airflow raises it when a task is cleared, and only then, so a journal with the same
        one was written by a try before this one, whatever was made of the DAG's ``retries`` in between. One with
        another is from before the task was cleared: no try since then got as far as adding anything.
    :raises AmbiguousWriteError: for a retry that can't know what the try before it added.
    """

    def __init__(self, store: Store | None, target: str, *, is_retry: bool, max_tries: int) -> None:
        self._store = store
        self._target = hashlib.sha256(target.encode()).hexdigest()
        self._max_tries = max_tries
        self._chain = hashlib.sha256()
        self._number = 0
        #: As this journal read or wrote it last.
        self._known = self._read()
        before = self._known or {}
        is_retry = before.get("max_tries", max_tries) == max_tries if before else is_retry
        self._before: dict[str, Any] = before if is_retry else {}
        if is_retry and not before:
            raise AmbiguousWriteError(
                "operation='sum' adds, and the try before this one may have added some: a retry could count it twice. "
                "(From Airflow 3.3 on, what was acknowledged is kept over retries.) See what CloudZero holds, then "
                "clear the task to send all of it again, or use an operation that replaces, which can be repeated."
            )
        if before and is_retry and before.get("target") != self._target:
            raise AmbiguousWriteError(
                "The try before this one added to another stream. See what both hold, mend it, then clear the task."
            )
        if not is_retry:
            self._write(intent=None)

    def add_once(self, sha256: str, send: Callable[[], _T]) -> _T | None:
        """
        Send a request, unless the try before this one did.

        :param sha256: of the request; requests come in the same order in each try.
        :param send: sends it.
        :return: what ``send`` returns; ``None`` when the try before this one had it acknowledged.
        :raises AmbiguousWriteError: when that try left this request open, or had sent another one here; when another
            try of the task lives and adds, too.
        """
        if self._was_acknowledged(sha256):
            log.info("Request %d was acknowledged in the try before this one and is left out", self._number)
            return None
        if self._read() != self._known:
            raise _another_try_adds()
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
        Note that everything is sent.

        What was acknowledged stays stored: the try may still die before Airflow notes its success, and is retried then.

        :raises AmbiguousWriteError: when the try before this one had sent, or begun to send, more than there is now.
        """
        if self._number < self._acknowledged_before:
            raise _input_changed(self._acknowledged_before)
        if self._number == self._acknowledged_before and self._before.get("intent"):
            raise _was_open(self._number + 1, "which there is no more")
        self._write(intent=None)

    @property
    def _acknowledged_before(self) -> int:
        return int(self._before.get("acknowledged", 0))

    def _was_acknowledged(self, sha256: str) -> bool:
        number, done = self._number + 1, self._acknowledged_before
        if number <= done:
            self._advance(sha256)
            if number == done and self._chain.hexdigest() != self._before.get("chain"):
                raise _input_changed(done)
            return True
        if number == done + 1 and self._before.get("intent"):
            raise _was_open(number, "the same as now" if self._before["intent"] == sha256 else "another one than now")
        return False

    def _advance(self, sha256: str) -> None:
        self._chain.update(sha256.encode())
        self._number += 1

    def _read(self) -> dict[str, Any] | None:
        return self._store.get(_KEY) if self._store is not None else None

    def _write(self, *, intent: str | None) -> None:
        if self._store is not None:
            self._known = {
                "target": self._target,
                "max_tries": self._max_tries,
                "acknowledged": self._number,
                "chain": self._chain.hexdigest(),
                "intent": intent,
            }
            self._store.set(_KEY, self._known)


def _was_open(number: int, which: str) -> AmbiguousWriteError:
    return AmbiguousWriteError(
        f"The try before this one ended while request {number} ({which}) was under way: it may or may not have been "
        "added. See what CloudZero holds, mend it, then clear the task to send all of it again."
    )


def _another_try_adds() -> AmbiguousWriteError:
    return AmbiguousWriteError(
        "Another try of this task is adding, or has added, since this one began: one of them was taken for dead, and "
        "lives. This one stops, so that nothing is added twice. When the other one has ended, see what CloudZero holds."
    )


def _input_changed(done: int) -> AmbiguousWriteError:
    return AmbiguousWriteError(
        f"The try before this one added {done} requests, of other rows than these: the input has changed in between. "
        "See what CloudZero holds, mend it, then clear the task."
    )
