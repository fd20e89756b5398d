"""
Kill a worker at random moments of a month of 20 requests, run its task again, and check every row.

    PYTHONPATH=tests python scripts/kill.py --times 200 --seed 7

``make kill`` runs it. ``--telemetry`` sends telemetry. The exit code is 1 if a month was not exact.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOME = tempfile.TemporaryDirectory(prefix="cloudzero-kill-")
os.environ.update(AIRFLOW_HOME=HOME.name, AIRFLOW__CORE__UNIT_TEST_MODE="True", AIRFLOW__CORE__LOAD_EXAMPLES="False")

import killed_sendings as sendings  # noqa: E402
from killed_worker import Worker  # noqa: E402
from support.sandbox_server import SandboxServer  # noqa: E402
from support.tasks import connection  # noqa: E402

import cloudzero_provider.operators.anycost  # noqa: E402, F401 - slow to import, so imported before workers are forked
import cloudzero_provider.operators.telemetry  # noqa: E402, F401

#: Instead of 60 s.
SETTLE_SECONDS = 1.5
#: Slows every request, so that some kills fall inside requests.
SLOW = {"kind": "slow", "seconds": 0.01, "times": 1000}
#: The share of rounds in which the request in flight is lost, and applied after its worker was killed.
LOST = 0.25

BEFORE, INSIDE, BETWEEN, SETTLING, AFTER = (
    "before the first request",
    "inside a request",
    "between requests",
    "in the settle wait",
    "after the end",
)


@dataclass(frozen=True)
class Moment:
    """When to kill: seconds after a request began. Request 0 is the start of the worker."""

    request: int
    seconds: float
    lost: bool


@dataclass(frozen=True)
class Round:
    """The result of a kill: where it happened, how the rerun ended, and what is wrong after it."""

    place: str
    request: int
    killed: bool
    lost: bool
    rerun_failed: bool
    wrong: str | None


class Killer:
    """
    Kills workers that run one kind of task.

    :param sandbox: the CloudZero they send to.
    :param sending: what they send.
    :param draw: chooses the moments.
    :param folder: for the files they write.
    """

    def __init__(self, sandbox: SandboxServer, sending: sendings.Sending, draw: random.Random, folder: Path) -> None:
        self.sandbox, self.sending, self.draw = sandbox, sending, draw
        self.folder = folder
        self.log = folder / "workers.log"
        #: The number of requests before those of the worker.
        self.prepared = 0
        self.begins, self.end = self._learn()
        self.digest = sending.digest()

    def _learn(self) -> tuple[list[float], float]:
        """Run a worker without a kill; return when it and its requests began, and when it ended."""
        self._empty()
        self.sandbox.faults(SLOW)
        worker = self._start(1)
        code, end = worker.wait(), time.time()
        begins = [write["started"] for write in self._writes()]
        wrong = self.sending.wrong()
        if code or len(begins) != sendings.REQUESTS or wrong:
            raise RuntimeError(f"Without a kill: exit code {code}, {len(begins)} requests, {wrong}; see {self.log}")
        return [worker.began, *begins], end

    def _empty(self) -> None:
        self.sandbox.clear_faults()
        self.sandbox.reset()
        self.prepared = 0
        for file in self.folder.glob("store.*"):
            file.unlink()

    def _start(self, number: int) -> Worker:
        return Worker(lambda: self.sending.run(number, self.folder), self.log)

    def _writes(self) -> list[dict[str, Any]]:
        return [request for request in self.sandbox.requests() if request["method"] == "POST"][self.prepared :]

    def _moment(self) -> Moment:
        """Choose a moment between the first request and the end, with a small margin on both sides."""
        margin = (self.end - self.begins[1]) * 0.03
        moment = self.draw.uniform(self.begins[1] - margin, self.end + margin)
        request = sum(begin <= moment for begin in self.begins[1:])
        if request and self.draw.random() < LOST:
            return Moment(request, self.draw.uniform(0, 0.5) * SETTLE_SECONDS, True)
        return Moment(request, moment - self.begins[request], False)

    def round(self) -> Round:
        """Kill a worker, run its task again, and compare what CloudZero holds."""
        moment = self._moment()
        self._prepare(moment)
        worker = self._start(1)
        killed_at, killed = self._kill(worker, moment)
        self.sandbox.clear_faults()
        again = self._start(2)
        failed = again.wait() != 0
        writes = [write for write in self._writes() if write["started"] < again.began]
        place, request = self._place(writes, killed_at if killed else None)
        wrong = self._wrong(failed=failed) or self._too_early(again.began, killed_at)
        return Round(place, request, killed, moment.lost, failed, wrong)

    def _wrong(self, *, failed: bool) -> str | None:
        wrong = self.sending.wrong()
        if wrong or (failed and self.sending.may_lack):
            return wrong
        if failed:
            return "the task failed when it ran again: " + self.log.read_text().splitlines()[-1]
        return None if self.sending.digest() == self.digest else "the sandbox's digest differs"

    def _too_early(self, again_began: float, killed_at: float) -> str | None:
        """Return a problem if the rerun did not wait until the killed worker's requests had settled."""
        early = [write for write in self._writes() if again_began < write["started"] < killed_at + SETTLE_SECONDS]
        if early or not self.sandbox.never_overlapped():
            return "a request was sent while one of the killed worker could still be applied"
        return None

    def _prepare(self, moment: Moment) -> None:
        self._empty()
        if self.draw.random() < 0.5:
            self.sending.prepare()
            self.prepared = len(self._writes())
        later = {"kind": "lose_reply_then_apply", "seconds": self.draw.uniform(0.5, 0.95) * SETTLE_SECONDS}
        lost = [{**later, "skip": moment.request - 1}] if moment.lost else []
        self.sandbox.faults(*lost, SLOW)

    def _kill(self, worker: Worker, moment: Moment) -> tuple[float, bool]:
        """Wait for the moment, counted from the start of its request, and kill."""
        begun = worker.began
        while moment.request and not worker.poll():
            writes = self._writes()
            if len(writes) >= moment.request:
                begun = writes[moment.request - 1]["started"]
                break
            time.sleep(0.003)
        time.sleep(max(0.0, begun + moment.seconds - time.time()))
        killed_at = time.time()
        return killed_at, worker.kill()

    def _place(self, writes: list[dict[str, Any]], killed_at: float | None) -> tuple[str, int]:
        """Return what the worker was doing, and how many requests it had begun."""
        number = len(writes)
        if killed_at is None:
            return AFTER, number
        if not writes:
            return BEFORE, 0
        last = writes[-1]
        if last["fault"] == "lose_reply_then_apply":
            return SETTLING, number
        if last["ended"] is None or last["ended"] >= killed_at:
            return INSIDE, number
        return (AFTER if number == sendings.REQUESTS else BETWEEN), number


def main(arguments: list[str]) -> int:
    """Run the rounds and report; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--telemetry", action="store_true")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}", flush=True)
    draw, began = random.Random(options.seed), time.monotonic()
    folder = Path(HOME.name)
    sandbox = SandboxServer(folder / "sandbox")
    try:
        extra = {"settle_seconds": SETTLE_SECONDS, "timeout": 20, "max_retry_seconds": 60}
        os.environ["AIRFLOW_CONN_CLOUDZERO_DEFAULT"] = connection(sandbox, **extra)
        killers = [Killer(sandbox, sending, draw, folder) for sending in _sendings(sandbox, folder, draw, options)]
        rounds = []
        for number in range(options.times):
            killer = killers[number % len(killers)]
            rounds.append(_reported(number + 1, killer, killer.round()))
        print(_report(rounds, time.monotonic() - began))
        return 1 if any(done.wrong for done in rounds) else 0
    finally:
        sandbox.stop()


def _sendings(
    sandbox: SandboxServer, folder: Path, draw: random.Random, options: argparse.Namespace
) -> list[sendings.Sending]:
    if options.telemetry:
        return [sendings.telemetry(sandbox, draw, operation=operation) for operation in ("replace", "sum")]
    return [sendings.drops(sandbox, folder, draw, giant_hour=giant_hour) for giant_hour in (False, True)]


def _reported(number: int, killer: Killer, done: Round) -> Round:
    if done.wrong:
        print(f"round {number} ({killer.sending.name}), {done.place} ({done.request}): {done.wrong}", flush=True)
    elif number % 20 == 0:
        print(f"{number} rounds", flush=True)
    return done


def _report(rounds: list[Round], seconds: float) -> str:
    exact = sum(not done.wrong for done in rounds)
    places = Counter(done.place for done in rounds)
    stopped = sum(done.rerun_failed and not done.wrong for done in rounds)
    lines = [f"{len(rounds)} rounds in {seconds:,.0f} s, {sum(done.killed for done in rounds)} workers killed"]
    lines += [f"  {places[place]:4} {place}" for place in (BEFORE, INSIDE, BETWEEN, SETTLING, AFTER)]
    lines.append(f"  {sum(done.lost for done in rounds):4} with a lost request that is applied later")
    lines.append("kills by the number of the last request begun: " + _by_request(rounds))
    if stopped:
        lines.append(f"reruns that stopped, as a sum that may have been applied must: {stopped}")
    lines.append(f"exact (sum: nothing twice): {exact} of {len(rounds)}")
    return "\n".join(lines)


def _by_request(rounds: list[Round]) -> str:
    counts = Counter(done.request for done in rounds)
    return json.dumps({str(number): counts[number] for number in range(max(sendings.REQUESTS, *counts) + 1)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
