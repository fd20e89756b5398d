"""A distributed run: start everything, backfill, let things go wrong, check, and leave nothing behind."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo_processes import Processes, StopSignals
from support.postgres_server import PostgresServer
from support.redis_server import RedisServer
from support.s3_server import ACCESS_KEY, REGION, SECRET_KEY, S3Server
from support.sandbox_server import KEY, SandboxServer

from distributed_run import checks
from distributed_run.cluster import CORE, Backends, Cluster, is_ready, make_cluster
from distributed_run.cpu import Cpu, read_cpu
from distributed_run.dags.distributed_streams import BUCKET, S3_CONNECTION, Given, Kind
from distributed_run.faults import Faults
from distributed_run.inputs import month_of
from distributed_run.outcome import CHECKS, Figures, Outcome, Size
from distributed_run.settings import Where, here, of
from distributed_run.watch import HEARTBEAT_TIMEOUT, REQUEUED, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A bill of a month fills three requests, and so do a month's records.
BODY_BYTES, BATCH_RECORDS = 50_000, 40
#: How long CloudZero takes to reply to a request that writes.
REPLY_SECONDS = 0.3
START_SECONDS = 240.0
#: For all components of Airflow and the results of Celery.
CONNECTIONS_OF_DATABASE = 200


@dataclass(frozen=True)
class Plan:
    """
    What to run.

    :param size: how large.
    :param kills: how often workers are killed; 0 for no faults at all.
    :param seed: of the faults.
    :param limit: seconds that the backfill may take.
    """

    size: Size
    kills: int
    seed: int
    limit: float


@dataclass
class Servers:
    """Everything that runs, except Airflow."""

    sandbox: SandboxServer
    s3: S3Server
    database: PostgresServer
    broker: RedisServer


def run(plan: Plan, signals: StopSignals, logs: Path) -> Outcome:
    """
    Run, and check.

    :param plan: what.
    :param signals: Ctrl-C and the like, which end it.
    :param logs: an empty folder for the output of all processes; it stays.
    """
    began = time.monotonic()
    given = _given(plan.size)
    with _servers(given, logs) as servers, _airflow(plan, given, servers, signals, logs) as cluster:
        watch = Watch(servers.database, servers.sandbox)
        say(f"Backfill of {given.months} months of {len(given.streams())} streams")
        started, cpu = time.time(), _cpu(cluster, servers)
        cluster.backfill(given)
        faults = _faults(plan, cluster, servers, watch)
        _wait(plan, cluster, watch, given, faults)
        used = _cpu(cluster, servers).since(cpu)
        say("Checks")
        problems = _problems(cluster, servers, watch, given, faults)
        figures = _figures(servers, watch, given, started, used)
        events = tuple(faults.events) if faults else ()
        outcome = Outcome(plan.seed, plan.size, figures, problems, events, dict(cluster.restarts))
    return replace(outcome, figures=replace(figures, whole_seconds=round(time.monotonic() - began, 1)))


def _given(size: Size) -> Given:
    return Given(
        bills=size.anycost_streams,
        telemetry=size.telemetry_streams,
        months=size.months,
        retries=int(here("retries")),
        retry_seconds=here("retry_delay"),
        poke_seconds=here("poke_interval"),
        body_bytes=BODY_BYTES,
        batch_records=BATCH_RECORDS,
    )


@contextmanager
def _servers(given: Given, logs: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cloudzero-distributed-")))
        say("PostgreSQL, Redis, S3 and the sandbox")
        database = PostgresServer(max_connections=CONNECTIONS_OF_DATABASE)
        stack.callback(database.stop)
        stack.callback(lambda: shutil.copy(database.log, logs / "postgresql.log"))
        broker = RedisServer(logs)
        stack.callback(broker.stop)
        s3 = S3Server(logs)
        stack.callback(s3.stop)
        bills = [stream for stream in given.streams() if stream.kind is Kind.BILL]
        names = [part for stream in bills for part in ("--connection", stream.name)]
        sandbox = SandboxServer(folder, *names)
        stack.callback(sandbox.stop)
        sandbox.settings(**of(Where.SANDBOX))
        sandbox.faults({"kind": "slow", "seconds": REPLY_SECONDS, "method": "POST", "times": 1_000_000})
        files = {s.key(month): month_of(s, month).csv() for s in given.streams() for month in given.month_names()}
        s3.bucket(BUCKET, dict(files))
        yield Servers(sandbox, s3, database, broker)


@contextmanager
def _airflow(plan: Plan, given: Given, servers: Servers, signals: StopSignals, logs: Path) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="cloudzero-airflow-") as home:
        processes = Processes(signals, logs)
        backends = Backends(servers.database.sqlalchemy_url(), servers.broker.url)
        sizes = {"workers": plan.size.workers, "slots": plan.size.slots_per_worker}
        cluster = make_cluster(Path(home), processes, backends, given, say=say, **sizes)
        try:
            cluster.command("db", "migrate")
            cluster.start(CORE)
            cluster.wait("Airflow", lambda: is_ready(cluster), START_SECONDS)
            cluster.set_up(given.streams(), _connections(servers))
            cluster.start(cluster.workers)
            cluster.wait("the workers", cluster.workers_ready, START_SECONDS)
            cluster.restarts_what_ends = True
            yield cluster
        finally:
            if left := processes.end_all():
                say(f"  processes that did not end: {left}")


def _connections(servers: Servers) -> list[dict[str, Any]]:
    cloudzero = {"connection_id": "cloudzero_default", "conn_type": "cloudzero", "host": servers.sandbox.url}
    s3 = {"connection_id": S3_CONNECTION, "conn_type": "aws", "login": ACCESS_KEY, "password": SECRET_KEY}
    return [
        {**cloudzero, "password": KEY, "extra": of(Where.CONNECTION)},
        {**s3, "extra": {"endpoint_url": servers.s3.url, "region_name": REGION}},
    ]


def _faults(plan: Plan, cluster: Cluster, servers: Servers, watch: Watch) -> Faults | None:
    if not plan.kills:
        return None
    draw = random.Random(plan.seed)
    return Faults(cluster, servers.database, servers.broker, watch, draw, plan.kills, say)


def _wait(plan: Plan, cluster: Cluster, watch: Watch, given: Given, faults: Faults | None) -> None:
    """Wait for the end of all runs, or of the time; the checks tell which."""
    count = given.months * len(given.streams())
    began = said = time.monotonic()
    while time.monotonic() < began + plan.limit:
        done = watch.months_done()
        if watch.runs_over() and (faults is None or faults.all_happened):
            return
        if faults and done >= 0:
            faults.step(done / count)
        cluster.check_alive()
        if time.monotonic() > said + 15:
            said = time.monotonic()
            say(f"  [{said - began:5.0f} s] {done} of {count} months")
        time.sleep(0.5)
    say(f"  not over after {plan.limit:.0f} s")


def _problems(
    cluster: Cluster, servers: Servers, watch: Watch, given: Given, faults: Faults | None
) -> dict[str, list[str]]:
    visibility = here("CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT")
    found: dict[str, Callable[[], list[str]]] = {
        "months_exact": lambda: checks.months_exact(servers.sandbox, given),
        "one_request_at_a_time": lambda: checks.one_request_at_a_time(servers.sandbox),
        "all_succeeded": lambda: checks.all_succeeded(watch, given),
        "all_slots_open": lambda: checks.all_slots_open(cluster, given),
        "no_message_left": lambda: checks.no_message_left(cluster, servers.broker, visibility),
    }
    if faults:
        found["faults_happened"] = lambda: checks.faults_happened(faults, watch)
    problems = {}
    for name, check in found.items():
        problems[name] = check()
        say(f"  {CHECKS[name]}: {'no' if problems[name] else 'yes'}")
        for problem in problems[name][:10]:
            say(f"    {problem}")
    return problems


def _figures(servers: Servers, watch: Watch, given: Given, started: float, used: Cpu) -> Figures:
    requests, instances, noted = servers.sandbox.requests(), watch.instances(), watch.noted()
    attempts = sum(each.tries for each in instances)
    months = [month_of(stream, month) for stream in given.streams() for month in given.month_names()]
    return Figures(
        seconds=round(watch.last_end() - started, 1),
        whole_seconds=0.0,
        stream_months=len(months),
        rows=sum(len(each.rows) for each in months),
        executions=attempts,
        retries=attempts - len(instances),
        requests=len(requests),
        writes=sum(request["method"] == "POST" for request in requests),
        retries_by_heartbeat=noted[HEARTBEAT_TIMEOUT],
        requeued=noted[REQUEUED],
        cpu=dict(used.seconds),
        machine_cpu=used.machine,
    )


def _cpu(cluster: Cluster, servers: Servers) -> Cpu:
    leaders = {process.name: process.popen.pid for process in cluster.components}
    leaders |= {"PostgreSQL": servers.database.pid, "Redis": servers.broker.process.pid}
    return read_cpu(leaders | {"S3": servers.s3.process.pid, "sandbox": servers.sandbox.process.pid})


def say(text: str) -> None:
    """Print without buffering."""
    print(text, flush=True)
