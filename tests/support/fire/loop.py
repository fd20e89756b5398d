"""An event loop without worker threads: switching threads is slow for many small requests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class AtOnce(ThreadPoolExecutor):
    """Runs work at once in the caller's thread, which is faster than switching between three."""

    def submit(self, work: Callable[..., Any], /, *given: Any, **options: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*given, **options))
        except BaseException as error:
            done.set_exception(error)
        return done


class Loop(asyncio.SelectorEventLoop):
    """Does not wake itself for callbacks from its own thread, as nearly all are."""

    def call_soon_threadsafe(self, callback: Callable[..., Any], *given: Any, context: Any = None) -> asyncio.Handle:
        here = threading.get_ident() == self._thread_id  # type: ignore[attr-defined]
        soon = self.call_soon if here else super().call_soon_threadsafe
        return soon(callback, *given, context=context)
