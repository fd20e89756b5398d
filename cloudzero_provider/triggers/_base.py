"""What the triggers share: look, sleep, look again, until it is there or the deadline has passed."""

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
#: Looks at a time, of all triggers in a triggerer with one connection. Each takes the time of one or two requests.
_LOOKS_AT_A_TIME = 8
#: Seconds that a look may end after the deadline.
_GRACE = 30


class WaitOutcome(Choice):
    """How a wait ended."""

    DONE = "done"
    TIMED_OUT = "timed_out"
    REFUSED = "refused"


class CloudZeroTrigger(BaseTrigger):
    """
    Base of the triggers of this provider.

    A trigger only reads. Its deadline is a moment, not a duration, so a triggerer that starts anew does not start the
    wait anew. Its arguments and its events hold ids, states, counts and times: Airflow writes both into logs.

    :param cloudzero_conn_id: the Airflow connection.
    :param poll_interval: seconds between two looks.
    :param deadline: when to give up, in seconds since 1970.
    :param fields: of what to wait for, as plain JSON values; a subclass names them.
    """

    def __init__(self, *, cloudzero_conn_id: str, poll_interval: float, deadline: float, **fields: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.cloudzero_conn_id = cloudzero_conn_id
        self.poll_interval = read_number("poll_interval", poll_interval, least=0)
        self.deadline = read_number("deadline", deadline)
        self.fields = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Give Airflow what it makes the trigger from again: plain JSON values."""
        arguments = {
            "cloudzero_conn_id": self.cloudzero_conn_id,
            "poll_interval": self.poll_interval,
            "deadline": self.deadline,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments | self.fields

    def wanted(self) -> Wanted:
        """Say what to wait for; a subclass knows. Airflow imports this module to parse DAGs, so it imports late."""
        raise NotImplementedError

    @property
    def wanted_fields(self) -> dict[str, Any]:
        """The fields of what to wait for, with tuples again where JSON made lists of them."""
        return {name: tuple(value) if isinstance(value, list) else value for name, value in self.fields.items()}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """
        Look until it is there, CloudZero refuses, or the deadline has passed.

        A worker has looked just before, so this begins with a pause. Whatever goes wrong here is named in the event;
        the worker then looks itself, and shows the error in full.
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
                reading = await self._look(wanted, client)
            except Exception as error:
                if not (isinstance(error, CloudZeroError) and error.retry_can_help):
                    return self._refused(error)
                self.log.warning("No look at CloudZero this time (%s); waiting goes on", _named(error))
            if reading is not None and reading.is_done:
                return _event(WaitOutcome.DONE, reading=reading.as_dict())
            if self._left() <= 0:
                return _event(WaitOutcome.TIMED_OUT, reading=reading.as_dict() if reading else None)
            await self._pause()

    async def _look(self, wanted: Wanted, client: Client) -> Reading | None:
        """Look once, in a thread; ``None`` when there is no answer, or no free thread, and the deadline has passed."""
        try:
            return await asyncio.wait_for(self._in_thread(lambda: wanted.look(client)), self._left() + _GRACE)
        except asyncio.TimeoutError:
            return None

    async def _in_thread(self, function: Callable[[], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(_threads(self.cloudzero_conn_id), function)

    async def _pause(self) -> None:
        await asyncio.sleep(min(self.poll_interval, self._left()))

    def _left(self) -> float:
        return max(self.deadline - time.time(), 0)

    def _refused(self, error: Exception) -> TriggerEvent:
        return _event(WaitOutcome.REFUSED, error=_named(error), deadline=self.deadline)


@cache
def _threads(conn_id: str) -> ThreadPoolExecutor:  # noqa: ARG001 - the key of the cache
    """Threads of our own: the event loop's are few, and no trigger shall wait for those of another connection."""
    return ThreadPoolExecutor(_LOOKS_AT_A_TIME, thread_name_prefix="cloudzero")


def _event(outcome: WaitOutcome, **more: Any) -> TriggerEvent:
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return TriggerEvent({"outcome": outcome.value, "at": at, **more})  # type: ignore[no-untyped-call]


def _named(error: Exception) -> str:
    """Name an error by its class and HTTP status, without its words: events are logged as they are."""
    status = getattr(error, "status", None)
    return f"{type(error).__name__}, HTTP {status}" if status else type(error).__name__
