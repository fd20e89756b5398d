"""
The demo: three months of a vendor's bill and a day of telemetry, from DAGs into CloudZero, twice.

It starts a CloudZero on this machine (the sandbox) and a real Airflow, both in ``.demo/`` and on free ports. Airflow
backfills the last three months with its own command, and sends the month so far and yesterday's orders with daily
DAGs. Then it sends the same months and orders again: what CloudZero holds must not change. It leaves no process behind,
and touches nothing outside ``.demo/``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import secrets
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from demo_airflow import Airflow, DemoError, Run, airflow_settings, clean_environment, free_port
from demo_processes import Processes, Started, Stopped, StopSignals, adopt_orphans

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
DAGS = ROOT / "dags_examples"
MONTHLY = "anycost_monthly_partitioned"
DAILY = "anycost_daily_month_to_date"
TELEMETRY = "telemetry_cost_per_order"
STREAM = "acme-cloud"
SHOWN_LINES = 25
BEGAN = time.monotonic()
#: In what the sandbox prints when it starts.
_ADDRESS = re.compile(r" at (http://\S+)\n")


@dataclass(frozen=True)
class Held:
    """What CloudZero holds for one month of a stream."""

    stream: str
    month: str
    rows: int
    total_cost: str
    hours: int
    digest: str


@dataclass(frozen=True)
class HeldTelemetry:
    """What CloudZero holds of one telemetry stream."""

    stream: str
    kind: str
    status: str = field(compare=False)  # in CloudZero's words
    records: int
    total: str
    digest: str


def main() -> int:
    """Run the demo; return the exit status."""
    signals = StopSignals()
    adopt_orphans()
    with _only_one():
        processes = Processes(signals, FOLDER / "logs")
        # Only letters and digits: one that began with a hyphen would be read as another option.
        key = secrets.token_hex(24)
        try:
            try:
                status = _guarded(processes, key)
            finally:
                signals.ignore()
        finally:
            left = _end(processes)
    return status or int(bool(left))


def _guarded(processes: Processes, key: str) -> int:
    try:
        _demo(processes, key)
    except DemoError as failure:
        _explain(failure, key)
        return 1
    except requests.RequestException as error:
        _explain(DemoError(f"{error}", [process.log for process in processes.started]), key)
        return 1
    except Stopped as stopped:
        say(f"\nStopped ({stopped}).")
        return 128 + stopped.number
    return 0


def _demo(processes: Processes, key: str) -> None:
    months = last_complete_months(datetime.now(timezone.utc).date(), 3)
    say("A vendor without a CloudZero integration sends a bill each month, and Airflow sends it on to CloudZero: first")
    say(f"{', '.join(months)}, then the month so far, and yesterday's orders, for the cost per order. Then the same")
    say("again, which must not change what CloudZero holds. Everything runs on this machine, in .demo/, and nothing is")
    say("left running.")

    step("Start the sandbox, a CloudZero on this machine")
    sandbox_process, sandbox = _start_sandbox(processes, key)

    step("Start Airflow, with the example DAGs and a connection to the sandbox")
    airflow = _start_airflow(processes, sandbox, key)
    airflow.components.append(sandbox_process)

    step(f"Back-fill {len(months)} months of {MONTHLY}, one run per month")
    airflow.command("dags", "unpause", MONTHLY)
    _backfill(airflow, months, known=set())

    step(f"Let {DAILY} send the month so far, and {TELEMETRY} the orders of a day")
    airflow.command("dags", "unpause", DAILY)
    airflow.command("dags", "unpause", TELEMETRY)
    # A DAG without catch-up runs for the newest complete day as soon as it is unpaused.
    daily, orders = (_wait_for_runs(airflow, dag_id, set(), None)[-1] for dag_id in (DAILY, TELEMETRY))

    step("What CloudZero holds now")
    first, first_telemetry = _held(sandbox), _held_telemetry(sandbox)
    _show(first)
    _compare_with_bill(first, months, daily)
    _show_telemetry(first_telemetry)
    _compare_with_orders(first_telemetry, orders)

    step(f"Send the same orders again ({TELEMETRY}), and the same months ({MONTHLY})")
    # A run by hand is for the newest day that was complete by then.
    airflow.command("dags", "trigger", TELEMETRY, "--logical-date", f"{_interval_end(orders) + timedelta(seconds=1)}")
    _wait_for_runs(airflow, TELEMETRY, {orders.run_id}, None)
    say(f"  (before the next back-fill of {MONTHLY}, Airflow closes the one before; it looks every half minute)")
    airflow.wait("Airflow to close the back-fill", lambda: airflow.backfills_complete(MONTHLY), limit=90)
    known = {run.run_id for run in airflow.runs(MONTHLY)}
    _backfill(airflow, months, "--reprocess-behavior", "completed", known=known)

    step("What CloudZero holds now")
    second, second_telemetry = _held(sandbox), _held_telemetry(sandbox)
    _show(second)
    _show_telemetry(second_telemetry)
    if _of(months, first) != _of(months, second):
        raise DemoError(f"The second back-fill of {MONTHLY} changed what CloudZero holds.")
    if first_telemetry != second_telemetry:
        raise DemoError(f"{TELEMETRY} changed what CloudZero holds, though it sent the same orders again.")
    _check_sent_twice(sandbox, first_telemetry)
    say(f"Equal: the same rows, records, totals and digests. {MONTHLY} sent its months twice, {TELEMETRY}")
    say("its orders, and all of them count once.")

    if sys.stdin.isatty() and sys.stdout.isatty():
        _stay(airflow, sandbox)


def last_complete_months(today: date, count: int) -> list[str]:
    """Return the months before this one, oldest first."""
    first = today.replace(day=1)
    months: list[str] = []
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        months.insert(0, f"{first:%Y-%m}")
    return months


def _start_sandbox(processes: Processes, key: str) -> tuple[Started, str]:
    command = [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", FOLDER / "sandbox"]
    say(f"  $ python -m cloudzero_provider.sandbox --port 0 --data .demo/sandbox --connection {STREAM} --api-key ...")
    environment = clean_environment(FOLDER / "home") | {"PYTHONUNBUFFERED": "1"}
    sandbox = processes.start("sandbox", [*command, "--connection", STREAM, "--api-key", key], environment)
    deadline = time.monotonic() + 30
    while not (found := _ADDRESS.search(sandbox.log.read_text())):
        if sandbox.popen.poll() is not None or time.monotonic() > deadline:
            raise DemoError("The sandbox did not start.", [sandbox.log])
        time.sleep(0.1)
    url = found[1]
    done(f"running at {url}")
    return sandbox, url


def _start_airflow(processes: Processes, sandbox: str, key: str) -> Airflow:
    connection = {
        "conn_type": "cloudzero",
        "host": sandbox,
        "password": key,
        "extra": {"anycost_connection_id": STREAM},
    }
    url = f"http://127.0.0.1:{free_port()}"
    environment = (
        clean_environment(FOLDER / "home")
        | airflow_settings(FOLDER / "airflow", DAGS, url, connection)
        | {"ACME_BILL_FOLDER": str(FOLDER / "bills")}
    )
    airflow = Airflow(FOLDER / "airflow", environment, url, processes, say)
    airflow.command("db", "migrate")
    airflow.start()
    airflow.wait("Airflow", lambda: airflow.is_up([MONTHLY, DAILY, TELEMETRY]), limit=120)
    if errors := airflow.import_errors():
        raise DemoError("Airflow can't import:\n" + "\n".join(errors))
    done(f"running at {url}")
    return airflow


def _backfill(airflow: Airflow, months: list[str], *more: str, known: set[str]) -> None:
    first, last = f"{months[0]}-01", f"{months[-1]}-28"
    airflow.command("backfill", "create", "--dag-id", MONTHLY, "--from-date", first, "--to-date", last, *more)
    runs = _wait_for_runs(airflow, MONTHLY, known, months)
    done(f"{MONTHLY}: all {len(runs)} runs succeeded")


def _wait_for_runs(airflow: Airflow, dag_id: str, known: set[str], months: list[str] | None) -> list[Run]:
    """Wait until all months have new runs that succeeded."""
    succeeded: dict[str, Run] = {}

    def all_succeeded() -> bool:
        # On the days just after the 3rd, unpausing starts the newest month's run at once: it counts as well.
        runs = [run for run in airflow.runs(dag_id) if run.run_id not in known]
        for run in runs:
            if run.state == "failed":
                raise DemoError(f"The run {run.run_id} of {dag_id} failed.", airflow.task_logs(dag_id, run))
            if run.state == "success" and run.run_id not in succeeded:
                succeeded[run.run_id] = run
                done(f"{dag_id}: {_what_of(run)}, succeeded")
        keys = {run.partition_key for run in runs}
        return bool(runs) and keys >= set(months or ()) and len(succeeded) == len(runs)

    airflow.wait(f"the runs of {dag_id}", all_succeeded, limit=150)
    return list(succeeded.values())


def _what_of(run: Run) -> str:
    """Name a run by what it sends: its month, or the day before the end of its data interval."""
    if run.partition_key:
        return f"month {run.partition_key}"
    return f"day {_interval_end(run) - timedelta(days=1):%Y-%m-%d}" if run.interval_end else f"run {run.run_id}"


def _held(sandbox: str) -> list[Held]:
    return [
        Held(stream["name"], month, held["rows"], held["total_cost"], held["hours"], held["digest"])
        for stream in _ask(sandbox, "state")["streams"].values()
        for month, held in sorted(stream["months"].items())
    ]


def _held_telemetry(sandbox: str) -> list[HeldTelemetry]:
    return [
        HeldTelemetry(name, held["kind"], held["status"], held["records"], held["total"], held["digest"])
        for name, held in sorted(_ask(sandbox, "state")["telemetry"].items())
    ]


def _ask(sandbox: str, what: str) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        answer: dict[str, Any] = session.get(f"{sandbox}/sandbox/{what}", timeout=30).json()
    return answer


def _compare_with_bill(held: list[Held], months: list[str], daily: Run) -> None:
    """Sum the vendor's bill here and compare it with what arrived."""
    sys.path.insert(0, str(DAGS))
    from acme_bill import month_rows

    until = _interval_end(daily)
    bills = {month: month_rows(month) for month in months}
    so_far = f"{until - timedelta(seconds=1):%Y-%m}"
    bills[so_far] = month_rows(so_far, until)
    exact = Context(prec=60)
    expected: dict[str, tuple[int, Decimal]] = {}
    for month, rows in bills.items():
        total = Decimal(0)
        for row in rows:
            total = exact.add(total, Decimal(row["cost/cost"]))
        expected[month] = (len(rows), total)
    found = {month.month: (month.rows, Decimal(month.total_cost)) for month in held}
    if found != expected:
        raise DemoError(f"CloudZero holds {found}, but the bill says {expected}.")
    say(f"Rows and totals equal those of the vendor's bill, to the last digit ({MONTHLY}, {DAILY}).")


def _compare_with_orders(held: list[HeldTelemetry], run: Run) -> None:
    """Count the orders here and compare them with what arrived."""
    from acme_usage import orders

    day = _interval_end(run) - timedelta(days=1)
    expected = orders(day)
    found = [(stream.records, Decimal(stream.total)) for stream in held]
    if found != [(len(expected), Decimal(sum(expected.values())))]:
        raise DemoError(f"CloudZero holds {held}, but the orders of {day:%Y-%m-%d} are {expected}.")
    say(f"The records equal the orders of {day:%Y-%m-%d}, one per team ({TELEMETRY}).")


def _interval_end(run: Run) -> datetime:
    return datetime.fromisoformat(str(run.interval_end).replace("Z", "+00:00"))


def _check_sent_twice(sandbox: str, streams: list[HeldTelemetry]) -> None:
    paths = [request["path"] for request in _ask(sandbox, "requests")["requests"]]
    for stream in streams:
        sent = sum(path.endswith(f"/{stream.stream}/replace") for path in paths)
        if sent != 2:
            raise DemoError(f"{stream.stream} was sent {sent} times instead of twice.")


def _of(months: list[str], held: list[Held]) -> list[Held]:
    return [month for month in held if month.month in months]


def _show(held: list[Held]) -> None:
    say(f"  {'stream':<12} {'month':<8} {'rows':>6} {'total cost':>14} {'hours':>6}  digest of the rows")
    for month in held:
        say(
            f"  {month.stream:<12} {month.month:<8} {month.rows:>6,} {month.total_cost:>14} {month.hours:>6}"
            f"  {month.digest[:12]}"
        )


def _show_telemetry(held: list[HeldTelemetry]) -> None:
    say(f"  {'telemetry':<12} {'kind':<11} {'status':<10} {'records':>7} {'total':>11}  digest of the records")
    for stream in held:
        say(
            f"  {stream.stream:<12} {stream.kind:<11} {stream.status:<10} {stream.records:>7,} {stream.total:>11}"
            f"  {stream.digest[:12]}"
        )


def _stay(airflow: Airflow, sandbox: str) -> None:
    say("\nAll is up until you press Ctrl-C. Look around:")
    say(f"  Airflow  {airflow.url}/dags/{MONTHLY}   (no password; a task's link leads to the sandbox)")
    say(f"  sandbox  {sandbox}")
    with contextlib.suppress(Stopped):
        while True:
            airflow.check_alive()
            time.sleep(0.5)


def _explain(failure: DemoError, key: str) -> None:
    say(f"\nThe demo failed: {failure}")
    for log in failure.logs:
        say(f"\n--- end of {log.relative_to(ROOT)}")
        lines = log.read_text(errors="replace").replace(key, "***").splitlines()
        say("\n".join(map(_readable, lines[-SHOWN_LINES:])))


def _readable(line: str) -> str:
    """Format a JSON line of a task's log for reading."""
    try:
        event: dict[str, Any] = json.loads(line)
        errors = [f"\n  {error['exc_type']}: {error['exc_value']}" for error in event.get("error_detail") or ()]
        return f"{event['timestamp'][:19]} {event['level']:<8} {event['event']}{''.join(errors)}"
    except (ValueError, KeyError, TypeError):
        return line


def _end(processes: Processes) -> list[int]:
    if not processes.started:
        return []
    with contextlib.suppress(OSError):  # Stdout may be closed; the processes must still stop.
        step("Stop everything")
    left = processes.end_all()
    with contextlib.suppress(OSError):
        done(f"processes that did not stop: {left}" if left else "all processes stopped")
    return left


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Create an empty folder for the demo; fail if another demo uses it."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SystemExit(f"Another demo is running in {FOLDER}.") from None
        for entry in FOLDER.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry)
        for name in ("home", "logs", "airflow", "bills"):
            (FOLDER / name).mkdir()
        yield


def step(text: str) -> None:
    """Announce a step."""
    say(f"\n[{time.monotonic() - BEGAN:5.1f} s] {text}")


def done(text: str) -> None:
    """Report the result of a step."""
    say(f"[{time.monotonic() - BEGAN:5.1f} s] ... {text}")


def say(text: str) -> None:
    """Print without buffering."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
