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

    def delete(self, key: str) -> None:
        """Forget what was stored."""


class SumJournal:
    """
    Keeps track of the requests of a ``sum``.

    :param store: where it is kept; without one, nothing is, and a retry can't be told what was acknowledged.
    :param is_retry: whether this is a retry, and not a first try or a cleared task.
    :raises AmbiguousWriteError: for a retry without a store.
    """

    def __init__(self, store: Store | None, *, is_retry: bool) -> None:
        self._store = store
        self._chain = hashlib.sha256()
        self._number = 0
        if is_retry and store is None:
            raise AmbiguousWriteError(
                "operation='sum' adds, and the try before this one may have added some: a retry could count it twice. "
                "(From Airflow 3.3 on, what was acknowledged is kept over retries.) See what CloudZero holds, then "
                "clear the task to send all of it again, or use an operation that replaces, which can be repeated."
            )
        if store is not None and not is_retry:
            store.delete(_KEY)
        self._before = (store.get(_KEY) if store is not None and is_retry else None) or {}

    def add_once(self, sha256: str, send: Callable[[], _T]) -> _T | None:
        """
        Send a request, unless the try before this one did.

        :param sha256: of the request; requests come in the same order in each try.
        :param send: sends it.
        :return: what ``send`` returns; ``None`` when the try before this one had it acknowledged.
        :raises AmbiguousWriteError: when that try left this request open, or had sent another one here.
        """
        if self._was_acknowledged(sha256):
            log.info("Request %d was acknowledged in the try before this one and is left out", self._number)
            return None
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
        Forget everything: the task succeeds.

        :raises AmbiguousWriteError: when the try before this one had sent more than there is now.
        """
        if self._number < self._acknowledged_before:
            raise _input_changed(self._acknowledged_before)
        if self._store is not None:
            self._store.delete(_KEY)

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
            same = "the same" if self._before["intent"] == sha256 else "another one"
            raise AmbiguousWriteError(
                f"The try before this one ended while request {number} ({same} as now) was under way: it may or may "
                "not have been added. See what CloudZero holds, mend it, then clear the task to send all of it again."
            )
        return False

    def _advance(self, sha256: str) -> None:
        self._chain.update(sha256.encode())
        self._number += 1

    def _write(self, *, intent: str | None) -> None:
        if self._store is not None:
            state = {"acknowledged": self._number, "chain": self._chain.hexdigest(), "intent": intent}
            self._store.set(_KEY, state)


def _input_changed(done: int) -> AmbiguousWriteError:
    return AmbiguousWriteError(
        f"The try before this one added {done} requests, of other rows than these: the input has changed in between. "
        "See what CloudZero holds, mend it, then clear the task."
    )
