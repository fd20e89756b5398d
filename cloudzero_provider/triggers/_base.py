"""Base of the triggers: check CloudZero at intervals, until it shows what was sent or the deadline has passed."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.triggers.base import BaseTrigger, TriggerEvent

from cloudzero_provider.exceptions import CloudZeroError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.values.parameters import Choice, read_number

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from cloudzero_provider.client import Client
    from cloudzero_provider.status import Reading, Wanted

_T = TypeVar("_T")
#: Concurrent checks per connection in a triggerer. Each takes one or two requests.
_CONCURRENT_CHECKS = 8
#: Seconds that a check may take beyond the deadline.
_GRACE = 30


class WaitOutcome(Choice):
    """How a wait ended."""

    DONE = "done"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"


class CloudZeroTrigger(BaseTrigger):
    """
    Base of the triggers of this provider.

    A trigger only reads. Its deadline is a point in time, so the wait does not start over when the triggerer does. Its
    arguments and events hold only ids, states, counts, times and hashes, since Airflow logs both.

    :param cloudzero_conn_id: the Airflow connection.
    :param poll_interval: seconds between checks.
    :param deadline: when to give up, in seconds since 1970.
    :param fields: what to wait for, as JSON values; a subclass lists them.
    """

    def __init__(self, *, cloudzero_conn_id: str, poll_interval: float, deadline: float, **fields: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cloudzero_conn_id = cloudzero_conn_id
        self.poll_interval = read_number("poll_interval", poll_interval, least=0)
        self.deadline = read_number("deadline", deadline)
        self.fields = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments, as JSON values, from which Airflow creates the trigger again."""
        arguments = {
            "cloudzero_conn_id": self.cloudzero_conn_id,
            "poll_interval": self.poll_interval,
            "deadline": self.deadline,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments | self.fields

    def wanted(self) -> Wanted:
        """Return what to wait for. Subclasses import it late, since Airflow imports this module when it parses DAGs."""
        raise NotImplementedError

    @property
    def wanted_fields(self) -> dict[str, Any]:
        """``fields``, with tuples where JSON has lists."""
        return {name: tuple(value) if isinstance(value, list) else value for name, value in self.fields.items()}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """
        Check until CloudZero shows what was sent, CloudZero refuses, or the deadline has passed.

        The worker has just checked, so this begins with a pause. The event only names an error; the worker then checks
        again and shows it in full.
        """
        await self._pause()
        try:
            hook = CloudZeroHook(self.cloudzero_conn_id)
            await hook.look_up_connection()
            wanted = await self._in_thread(self.wanted)
            client = await self._in_thread(lambda: hook.make_client(max_retry_seconds=0))
        except Exception as error:
            yield self._refused(error)
            return
        try:
            yield await self._wait(wanted, client)
        finally:
            client.close()

    async def _wait(self, wanted: Wanted, client: Client) -> TriggerEvent:
        while True:
            reading: Reading | None = None
            try:
                reading = await self._check(wanted, client)
            except Exception as error:
                if not (isinstance(error, CloudZeroError) and error.retry_can_help):
                    return self._refused(error)
                self.log.warning("CloudZero could not be checked (%s); waiting continues", _name_of(error))
            if reading is not None and reading.is_done:
                return _event(WaitOutcome.DONE, reading=reading.as_dict())
            if self._seconds_left() <= 0:
                return _event(WaitOutcome.TIMED_OUT, reading=reading.as_dict() if reading else None)
            await self._pause()

    async def _check(self, wanted: Wanted, client: Client) -> Reading | None:
        """Check once, in a thread; ``None`` without a reply, or a free thread, shortly after the deadline."""
        try:
            return await asyncio.wait_for(self._in_thread(lambda: wanted.check(client)), self._seconds_left() + _GRACE)
        except asyncio.TimeoutError:
            return None

    async def _in_thread(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(_threads(self.cloudzero_conn_id), function)

    async def _pause(self) -> None:
        await asyncio.sleep(min(self.poll_interval, self._seconds_left()))

    def _seconds_left(self) -> float:
        return max(self.deadline - time.time(), 0)

    def _refused(self, error: Exception) -> TriggerEvent:
        return _event(WaitOutcome.REFUSED, error=_name_of(error), deadline=self.deadline)


@cache
def _threads(conn_id: str) -> ThreadPoolExecutor:  # noqa: ARG001 - the key of the cache
    """Separate threads per connection, so that one can't block the others or the event loop's few threads."""
    return ThreadPoolExecutor(_CONCURRENT_CHECKS, thread_name_prefix="cloudzero")


def _event(outcome: WaitOutcome, **more: Any) -> TriggerEvent:
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return TriggerEvent({"outcome": outcome.value, "at": at, **more})  # type: ignore[no-untyped-call]


def _name_of(error: Exception) -> str:
    """Name an error by its class and HTTP status, without its message, since Airflow logs events."""
    status = getattr(error, "status", None)
    return f"{type(error).__name__}, HTTP {status}" if status else type(error).__name__
