"""What must be true after a distributed run. Each check returns what is wrong, in a line each."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING

import requests
from demo_airflow import DemoError

from distributed_run.dags.distributed_streams import Given, Kind, Stream
from distributed_run.inputs import Month, differences, held_bill, held_usage, month_of
from distributed_run.watch import HEARTBEAT_TIMEOUT

if TYPE_CHECKING:
    from support.redis_server import RedisServer
    from support.sandbox_server import SandboxServer

    from distributed_run.cluster import Cluster
    from distributed_run.faults import Faults
    from distributed_run.watch import Watch

#: Seconds that the broker has for messages of killed workers, beside the visibility time-out.
MESSAGES_END_WITHIN = 60.0
#: The sets of messages that Celery keeps in Redis: those to be delivered, and those not yet acknowledged.
_QUEUE, _UNACKNOWLEDGED = "default", "unacked"


def months_exact(sandbox: SandboxServer, given: Given) -> list[str]:
    """
    Compare every row and total of every month with the files.

    :param sandbox: what CloudZero holds.
    :param given: the streams and months.
    """
    problems: list[str] = []
    for stream in given.streams():
        months = [month_of(stream, month) for month in given.month_names()]
        compare = _bill_problems if stream.kind is Kind.BILL else _usage_problems
        problems += compare(sandbox, stream, months)
    return problems


def _bill_problems(sandbox: SandboxServer, stream: Stream, months: list[Month]) -> list[str]:
    held = sandbox.months(stream.name)
    problems = [] if sorted(held) == [each.month for each in months] else [f"{stream.name} holds {sorted(held)}"]
    for each in months:
        figures = held.get(each.month, {"rows": 0, "total_cost": "0"})
        url = f"{sandbox.url}/sandbox/streams/{stream.name}/{each.month}/rows"
        rows = requests.get(url, timeout=60).json()
        problems += differences(each, held_bill(rows), int(figures["rows"]), Fraction(figures["total_cost"]))
    return problems


def _usage_problems(sandbox: SandboxServer, stream: Stream, months: list[Month]) -> list[str]:
    records = sandbox.records(stream.name)
    figures = sandbox.telemetry(stream.name) or {"records": 0, "total": "0"}
    total = sum((each.total for each in months), Fraction(0))
    problems = []
    if Fraction(figures["total"]) != total:
        problems.append(f"{stream.name}: the total is {figures['total']} instead of {float(total)}")
    if len(records) != sum(len(each.rows) for each in months):
        problems.append(f"{stream.name}: {len(records)} records")
    for each in months:
        held = held_usage(stream, records, each.month)
        amounts = sum((Fraction(row[-1]) * count for row, count in held.items()), Fraction(0))
        problems += differences(each, held, held.total(), amounts)
    return problems


def one_request_at_a_time(sandbox: SandboxServer) -> list[str]:
    """
    Find requests, also those that only read, that began while another one ran on their stream.

    :param sandbox: its log of requests.
    """
    return [
        f"request {request['number']}: {request['method']} {request['path']} at {request['started']:.3f}"
        for request in sandbox.requests()
        if request["overlapped"]
    ]


def all_succeeded(watch: Watch, given: Given) -> list[str]:
    """
    Find runs and tasks that did not succeed, and waits that are left in the triggerer.

    :param watch: Airflow's database.
    :param given: the streams and months.
    """
    runs = watch.runs()
    problems = [
        f"the run of {month} is {runs.get(month)}" for month in given.month_names() if runs.get(month) != "success"
    ]
    if len(runs) != given.months:
        problems.append(f"{len(runs)} runs instead of {given.months}")
    instances = watch.instances()
    problems += [f"{each.task_id} is {each.state}" for each in instances if each.state != "success"]
    expected = 2 * len(given.streams()) * given.months
    if len(instances) != expected:
        problems.append(f"{len(instances)} task instances instead of {expected}")
    if left := watch.triggers_left():
        problems.append(f"{left} triggers are left")
    return problems


def all_slots_open(cluster: Cluster, given: Given) -> list[str]:
    """
    Find pools with a slot that is not free.

    :param cluster: the Airflow.
    :param given: the streams.
    """
    pools = {pool["name"]: pool for pool in cluster.call("GET", "pools?limit=1000")["pools"]}
    problems = []
    for stream in given.streams():
        pool = pools[stream.pool]
        if (pool["slots"], pool["open_slots"], pool["occupied_slots"]) != (1, 1, 0):
            problems.append(f"{stream.pool}: {pool['open_slots']} of {pool['slots']} slots are open")
    return problems


def faults_happened(faults: Faults, watch: Watch) -> list[str]:
    """
    Find faults that did not happen, or hit nothing.

    :param faults: those that were planned.
    :param watch: Airflow's database.
    """
    problems = [] if faults.all_happened else ["the backfill ended before every fault had happened"]
    if not any(event.sending for event in faults.events if event.tasks):
        problems.append("no worker was killed while it sent a request")
    if not watch.noted()[HEARTBEAT_TIMEOUT]:
        problems.append("no task ended with its worker")
    return problems


def no_message_left(cluster: Cluster, broker: RedisServer, visibility_seconds: float) -> list[str]:
    """
    Wait until the messages of killed workers have been delivered again, and discarded since their tasks have ended.

    :param cluster: the Airflow, whose workers do that.
    :param broker: its broker.
    :param visibility_seconds: when the broker delivers a message again.
    """

    def left() -> int:
        return int(broker.client.llen(_QUEUE)) + int(broker.client.hlen(_UNACKNOWLEDGED))

    began = time.monotonic()
    limit = visibility_seconds + MESSAGES_END_WITHIN
    try:
        cluster.wait("the broker to have no message", lambda: left() == 0, limit, pause=1)
    except DemoError:
        return [f"{left()} messages are left in Redis {time.monotonic() - began:.0f} s after the last run"]
    return []
