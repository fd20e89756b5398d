"""
A world in one process: the real client on one side, the real sandbox on the other, HTTP over loopback in between.

Only timers are replaced: where either side looks at a clock or waits, it finds the one of this world.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

import pytest
import requests
from aiohttp import web

from cloudzero_provider.airflow_support import sum_state
from cloudzero_provider.anycost import verification
from cloudzero_provider.client import request_progress, retry, transport
from cloudzero_provider.client.transport import NoReply, Reply, Transport
from cloudzero_provider.sandbox.server.faults import parse_fault
from cloudzero_provider.sandbox.server.keys import parse_key
from cloudzero_provider.sandbox.server.server import make_app
from cloudzero_provider.sandbox.server.state import Sandbox
from cloudzero_provider.sandbox.settings.all_settings import Settings, changed
from support.fire.clock import Clock, Flight, Jitter, VirtualPauses, VirtualRunning, datetime_by, threading_for
from support.fire.loop import AtOnce, Loop
from support.fire.script import FINE, SETTLE_SECONDS, Fate, Interrupted, Killed, Script, Stop
from support.sandbox_server import KEY, STREAM

CLIENT_MODULES = (retry, transport, verification, sum_state)
#: Nothing listens there.
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Ending:
    """How a try of a task ended: with a result, or with what was raised; and which requests it had sent."""

    result: Any
    raised: BaseException | None
    requests: tuple[dict[str, Any], ...]
    seconds: float
    fired: int

    @property
    def killed(self) -> bool:
        return isinstance(self.raised, Killed)


class World:
    """Use as a context manager; one at a time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.fired: Counter[str] = Counter()
        self._jitter = Jitter()
        self._latency = 0.0
        self._dead = False
        self._script = Script()
        self._steps: Counter[str] = Counter()
        self._fired_in_try = 0
        self._transports: set[Transport] = set()
        self._loop = Loop()
        self._loop.set_default_executor(AtOnce())

    def __enter__(self) -> World:
        self._folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.sandbox = Sandbox(Path(self._folder.name), [parse_key(KEY)], [(STREAM, "fire")], {})
        self.sandbox.database._writer = AtOnce()
        self.sandbox.delayed = self._pauses = VirtualPauses(self.clock)
        self.sandbox.running = VirtualRunning(self.clock)
        self._thread = threading.Thread(target=self._loop.run_forever, name="sandbox", daemon=True)
        self._thread.start()
        self.url = self.on_loop(self._serve())
        # Millions of lines that nobody reads.
        logging.disable(logging.CRITICAL)
        self._patches = pytest.MonkeyPatch()
        self._replace_timers(self._patches)
        self.client = requests.Session()
        self.client.headers["Authorization"] = KEY
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._patches.undo()
        logging.disable(logging.NOTSET)
        self.client.close()
        self.on_loop(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self.sandbox.close()
        self._folder.cleanup()

    async def _serve(self) -> str:
        app = make_app(self.sandbox)
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.05)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def on_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def _replace_timers(self, patches: pytest.MonkeyPatch) -> None:
        now = SimpleNamespace(monotonic=lambda: self.clock.now, time=lambda: self.clock.now, sleep=self._sleep)
        sandboxes = [module for name, module in sys.modules.items() if name.startswith("cloudzero_provider.sandbox")]
        for module in (*CLIENT_MODULES, *(module for module in sandboxes if hasattr(module, "time"))):
            patches.setattr(module, "time", now)
        patches.setattr(retry, "random", self._jitter)
        patches.setattr(retry, "datetime", datetime_by(self.clock))
        patches.setattr(request_progress, "threading", threading_for(self._pauses))
        real = Transport.exchange
        patches.setattr(Transport, "exchange", lambda *given, **options: self._exchange(real, *given, **options))

    def reset(self, *, latency: float = 0.0, jitter: float = 1.0, timeout: float = 60.0, **settings: object) -> None:
        """
        Forget everything.

        :param latency: seconds from a request to its answer.
        :param jitter: share of the longest pause that each random pause has.
        :param timeout: the client's, in seconds.
        :param settings: of the sandbox; all others go back to their defaults.
        """
        self.on_loop(self.sandbox.reset())
        self.sandbox.settings = changed(Settings(), settings)
        self.clock.__init__()  # type: ignore[misc]
        # Pauses of nothing would never end where only pauses move the clock.
        self._latency, self._jitter.share = latency, max(jitter, 0.05)
        extra = {"anycost_connection_id": STREAM, "settle_seconds": SETTLE_SECONDS, "timeout": timeout}
        connection = {"conn_type": "cloudzero", "host": self.url, "password": KEY, "extra": extra}
        self._patches.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", json.dumps(connection))

    def run(self, execute: Callable[[], Any], script: Script = Script()) -> Ending:  # noqa: B008 - it is frozen
        """Run one try of a task, and do to it what the script says. Its worker is gone afterwards."""
        before, began = len(self.requests()), self.clock.now
        self._script, self._steps, self._fired_in_try, self._dead = script, Counter(), 0, False
        result, raised = None, None
        try:
            result = execute()
        except (Exception, Killed, Interrupted) as error:
            raised = error
        finally:
            self._dead = True
            for used in self._transports:
                used.close()
            self._transports.clear()
            self.sandbox.faults.clear()
        sent = tuple(self.requests()[before:])
        return Ending(result, raised, sent, self.clock.now - began, self._fired_in_try)

    def store(self, inner: Any) -> Any:
        """Make a task's store that dies with the worker."""
        return SimpleNamespace(get=self._alive(inner.get), set=lambda *given: self._step("store", inner.set, *given))

    def wait(self, seconds: float) -> None:
        """Let time pass while no task runs."""
        self.on_loop(self.clock.advance(seconds))

    def settle(self) -> None:
        """Let everything happen that is held back."""
        self.wait(self.clock.last_due() - self.clock.now)
        assert not self.clock.holds_any

    def requests(self) -> list[dict[str, Any]]:
        """Every request since the reset, in order of arrival."""
        return self.on_loop(self.sandbox.log.since(0))  # type: ignore[no-any-return]

    def request(self, method: str, path: str, body: object = None) -> requests.Response:
        """Send a request of the test's own."""
        self.sandbox.faults.clear()
        return self.client.request(method, self.url + path, json=body, timeout=60)

    def _alive(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def checked(*given: Any) -> Any:
            self._die_if_dead()
            return call(*given)

        return checked

    def _die_if_dead(self) -> None:
        if self._dead:
            raise Killed

    def _stop_at(self, step: str) -> Stop | None:
        """The script's stop, when it is at this step of the kind; counts the step."""
        self._die_if_dead()
        number = self._steps[step]
        self._steps[step] += 1
        stop = self._script.stop
        return stop if stop is not None and (stop.step, stop.at) == (step, number) else None

    def _stop(self, stop: Stop | None, when: str) -> None:
        if stop is None or stop.when != when:
            return
        self.fired["killed" if stop.kill else "interrupted"] += 1
        self._dead = stop.kill
        raise Killed if stop.kill else Interrupted

    def _step(self, step: str, do: Callable[..., Any], *given: Any) -> Any:
        stop = self._stop_at(step)
        self._stop(stop, "before")
        done = do(*given)
        self._stop(stop, "after")
        self._stop(stop, "during")
        return done

    def _sleep(self, seconds: float) -> None:
        stop = self._stop_at("sleep")
        self._stop(stop, "before")
        if stop is not None and stop.when == "during":
            self.wait(seconds / 2)
            self._stop(stop, "during")
        self.wait(seconds)
        self._stop(stop, "after")

    def _exchange(
        self, real: Callable[..., Reply | NoReply], used: Transport, method: str, path: str, **options: Any
    ) -> Reply | NoReply:
        number = self._steps["request"]
        stop = self._stop_at("request")
        self._stop(stop, "before")
        self._transports.add(used)
        fate = self._script.fate(number)
        if stop is not None and stop.when == "during" and fate == FINE:
            fate = Fate("apply_then_lose_reply")
        result = self._under_fate(fate, real, used, method, path, **options)
        self._stop(stop, "during")
        self.wait(self._latency)
        if isinstance(result, NoReply) and result.sent:
            self.wait(min(fate.noticed_after, used._config.timeout))
        self._stop(stop, "after")
        return result

    def _under_fate(
        self, fate: Fate, real: Callable[..., Reply | NoReply], used: Transport, method: str, path: str, **options: Any
    ) -> Reply | NoReply:
        fault = fate.fault(method)
        if fault is not None:
            self.sandbox.faults.arm([parse_fault(fault)])
        self._pauses.flight = Flight(is_waited_for=fate.kind == "slow")
        config = used._config
        if fate.kind == "no_connection":
            object.__setattr__(config, "base_url", NOWHERE)
        try:
            return real(used, method, path, **options)
        finally:
            self._pauses.flight = None
            object.__setattr__(config, "base_url", self.url)
            fired = fate != FINE and not self.sandbox.faults.armed
            self.sandbox.faults.clear()
            self.fired[fate.name] += fired
            self._fired_in_try += fired
