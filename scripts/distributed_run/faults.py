"""What goes wrong during a distributed run: workers die, and the broker and the database restart."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from distributed_run.cluster import name_of

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from support.postgres_server import PostgresServer
    from support.redis_server import RedisServer

    from distributed_run.cluster import Cluster
    from distributed_run.watch import Running, Watch

#: Seconds until a killed worker comes back.
BACK_AFTER = (2.0, 10.0)
#: Seconds that the broker and the database are down.
DOWN = 5.0
#: The parts of the months that are complete when the broker and the database restart.
BROKER_AT, DATABASE_AT = 0.3, 0.6
#: Workers are killed between these parts: near the end, few tasks are left to be killed.
FIRST_KILL, LAST_KILL = 0.02, 0.9
#: Seconds to look for a victim before any worker is taken.
PATIENCE = 20.0


class Moment(Enum):
    """When a worker is killed."""

    ANY = "at any moment"
    TASK = "while a task runs on it"
    REQUEST = "while it sends a request"


#: Requests take a small part of a task's time, so kills at any moment would seldom hit one.
_MOMENTS = (Moment.REQUEST, Moment.TASK, Moment.REQUEST, Moment.ANY)


@dataclass(frozen=True)
class Event:
    """
    Something that went wrong on purpose.

    :param at: seconds after the start of the run.
    :param what: shown to people.
    :param tasks: those that were running on a killed worker.
    :param sending: streams on which a request was running.
    """

    at: float
    what: str
    tasks: tuple[str, ...] = ()
    sending: tuple[str, ...] = ()


@dataclass
class Faults:
    """
    Lets things go wrong.

    :param cluster: the Airflow.
    :param database: its database.
    :param broker: its broker.
    :param watch: what is known of the work.
    :param draw: chooses the moments and the workers.
    :param kills: how often a worker is killed.
    :param say: prints what happens.
    """

    cluster: Cluster
    database: PostgresServer
    broker: RedisServer
    watch: Watch
    draw: random.Random
    kills: int
    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    events: list[Event] = field(default_factory=list)
    _due: list[tuple[float, Moment]] = field(default_factory=list)
    _back: dict[str, float] = field(default_factory=dict)
    _broker_is_due: bool = True
    _database_is_due: bool = True

    def __post_init__(self) -> None:
        places = sorted(self.draw.uniform(FIRST_KILL, LAST_KILL) for _ in range(self.kills))
        moments = [_MOMENTS[number % len(_MOMENTS)] for number in range(self.kills)]
        self.draw.shuffle(moments)
        self._due = list(zip(places, moments, strict=True))

    def step(self, done: float) -> None:
        """
        Let happen what is due.

        :param done: the part of the months that is complete.
        """
        now = time.monotonic()
        for name in [name for name, at in self._back.items() if at <= now]:
            del self._back[name]
            self.cluster.start([name])
            self._note(f"{name} is back")
        # One worker at least goes on, so that there is progress to wait for.
        if self._due and done >= self._due[0][0] and not self._back:
            self._kill(self._due.pop(0)[1])
        if self._broker_is_due and done >= BROKER_AT:
            self._broker_is_due = False
            self._restart("Redis, which forgets all messages,", self.broker.halt, self.broker.start)
        if self._database_is_due and done >= DATABASE_AT:
            self._database_is_due = False
            self._restart("PostgreSQL", self.database.halt, self.database.start)

    @property
    def all_happened(self) -> bool:
        """Whether workers were killed, both servers restarted, and all workers are back."""
        return not (self._due or self._broker_is_due or self._database_is_due or self._back)

    def _kill(self, moment: Moment) -> None:
        victim, running = self._victim(moment)
        sending = self.watch.sending()
        lost = [each for each in running if self._worker_of(each) == victim]
        self.cluster.kill(victim)
        self._back[victim] = time.monotonic() + self.draw.uniform(*BACK_AFTER)
        self._note(f"{victim} was killed", lost, [each for each in sending if any(each in one.pool for one in lost)])

    def _victim(self, moment: Moment) -> tuple[str, list[Running]]:
        """Choose a worker that does what it is to be killed in, or any worker if none does so for a while."""
        deadline = time.monotonic() + PATIENCE
        while moment is not Moment.ANY and time.monotonic() < deadline:
            sending = set(self.watch.sending()) if moment is Moment.REQUEST else set()
            running = self.watch.running()
            hit = [each for each in running if moment is Moment.TASK or any(each.pool.endswith(one) for one in sending)]
            found = sorted({worker for each in hit if (worker := self._worker_of(each))})
            if found:
                return self.draw.choice(found), running
            time.sleep(0.02)
        return self.draw.choice(self.cluster.running()), self.watch.running()

    def _worker_of(self, running: Running) -> str | None:
        """Return the worker on which a task runs: all processes of a worker are in its session."""
        try:
            session = os.getsid(running.pid)
        except ProcessLookupError:
            return None
        names = {process.popen.pid: name_of(process) for process in self.cluster.components}
        return names.get(session)

    def _restart(self, what: str, halt: Callable[[], None], start: Callable[[], None]) -> None:
        sending = self.watch.sending()
        halt()
        try:
            self._note(f"{what} was killed", (), sending)
            time.sleep(DOWN)
        finally:
            start()
        self._note(f"{what} is back")

    def _note(self, what: str, tasks: list[Running] | tuple[()] = (), sending: list[str] | tuple[()] = ()) -> None:
        names = tuple(sorted(f"{each.task_id} of {each.month}" for each in tasks))
        event = Event(round(time.monotonic() - self.began, 1), what, names, tuple(sending))
        self.events.append(event)
        more = f", with {', '.join(names)}" if names else ""
        more += f"; sending on {', '.join(sending)}" if sending else ""
        self.say(f"  [{event.at:5.0f} s] {what}{more}")
