"""Claims of the tasks of a run: which of them count, what is refused, and that doubt refuses."""

from __future__ import annotations

import logging
import threading

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.clients import client_of
from support.dag_run import DagRun, RunInstance, Turns, context_of, orders
from support.sandbox_server import STREAM

from cloudzero_provider import exceptions as errors
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

MONTH = "2026-03"
STREAM_OF = {"stream_name": "orders", "stream_type": "allocation", "granularity": "DAILY"}


def drop(task_id, costs, **arguments):
    rows = [{"time/usage_start": f"{MONTH}-{day:02d}", "cost/cost": cost} for day, cost in costs.items()]
    return AnyCostBillingDropOperator(task_id=task_id, month=MONTH, records=rows, **arguments)


def telemetry(task_id, records, **arguments):
    return TelemetrySendOperator(task_id=task_id, records=records, **{**STREAM_OF, **arguments})


class Run:
    """A DAG run, task by task."""

    def __init__(self, *tasks):
        self.run, self.tasks = DagRun(), tasks

    def execute(self, task, map_index=-1, *, state="success", try_number=1):
        instance = RunInstance(self.run, task.task_id, map_index, try_number=try_number)
        try:
            summary = task.execute(context_of(instance, self.tasks, task))
        except errors.CloudZeroError:
            self.run.states[task.task_id, map_index] = "failed"
            raise
        self.run.states[task.task_id, map_index] = state
        return summary

    def claim(self, task):
        return self.run.xcoms.get((task.task_id, -1, "cloudzero_claim"))


def held(sandbox):
    return {int(row["time/usage_start"][8:10]): row["cost/cost"] for row in sandbox.held()}


@pytest.fixture
def first():
    return drop("first", {1: "1", 2: "1.5"})


@pytest.fixture
def second():
    return drop("second", {1: "2", 3: "2.5"})


@pytest.mark.parametrize("state", ["success", "failed", "running", "restarting", "up_for_retry", "deferred", "of 3.9"])
def test_a_claim_counts_while_its_instance_may_have_written(sandbox, first, second, state):
    run = Run(first, second)
    run.execute(first, state=state)
    with pytest.raises(errors.ReplacesSameRunError) as refused:
        run.execute(second)
    verb = {"success": "has sent", "running": "is sending", "restarting": "is sending"}.get(state, "may have sent")
    assert f"Task 'first' of this DAG run {verb} 2 rows of 2026-03 to AnyCost stream {STREAM}" in str(refused.value)
    assert isinstance(refused.value, AirflowFailException)
    assert held(sandbox) == {1: "1", 2: "1.5"}


@pytest.mark.parametrize("state", [None, "scheduled", "queued", "removed", "skipped", "upstream_failed"])
def test_a_claim_of_an_instance_that_starts_again_or_is_gone_does_not_count(sandbox, first, second, state):
    run = Run(first, second)
    run.execute(first, state=state)
    run.execute(second)
    assert held(sandbox) == {1: "2", 3: "2.5"}
    # It starts again, and finds what the other one has sent meanwhile.
    with pytest.raises(errors.ReplacesSameRunError, match="'second' of this DAG run has sent 2 rows"):
        run.execute(first)
    assert held(sandbox) == {1: "2", 3: "2.5"}


def test_a_claim_of_a_task_that_is_not_in_the_dag_any_more_does_not_count(sandbox, first, second):
    run = Run(first, second)
    run.execute(first)
    run.tasks = (second,)
    run.execute(second)
    assert held(sandbox) == {1: "2", 3: "2.5"}


def test_instances_of_a_task_that_is_not_mapped_any_more_all_send_the_same(sandbox):
    """Airflow runs them all where a DAG is changed from a mapped task to one, and the run is cleared."""
    task = drop("send", {1: "1", 2: "2"})
    run = Run(task)
    run.execute(task, 0)
    run.execute(task, 1)
    assert held(sandbox) == {1: "1", 2: "2"}


def test_a_refused_claim_does_not_count(sandbox, first, second):
    run = Run(first, second)
    run.execute(first)
    with pytest.raises(errors.ReplacesSameRunError):
        run.execute(second)
    assert run.claim(second)["write"] is None
    run.execute(first, try_number=2)


@pytest.mark.parametrize("operation", ["sum", "replace_hourly"])
def test_replacing_the_month_conflicts_with_anything_another_task_sent(sandbox, operation, second):
    other = drop("first", {4: "1"}, operation=operation)
    run = Run(other, second)
    run.execute(other)
    with pytest.raises(errors.ReplacesSameRunError, match="replace_drop replaces the whole month"):
        run.execute(second)
    assert held(sandbox) == {4: "1"}


def test_hours_of_another_task_are_not_replaced(sandbox, first):
    hourly = {"operation": "replace_hourly"}
    third, fourth = drop("third", {3: "3"}, **hourly), drop("fourth", {2: "4", 4: "4"}, **hourly)
    run = Run(first, third, fourth)
    run.execute(first)
    run.execute(third)
    with pytest.raises(errors.ReplacesSameRunError, match=r"1 hour that both have \(2026-03-02T00:00:00Z\)"):
        run.execute(fourth)
    assert held(sandbox) == {1: "1", 2: "1.5", 3: "3"}


def test_nothing_is_added_while_another_task_replaces(sandbox, first):
    adds = drop("adds", {3: "3"}, operation="sum")
    run = Run(first, adds)
    run.execute(first, state="running")
    with pytest.raises(errors.ReplacesSameRunError, match=r"is sending .* it may replace what this task sends"):
        run.execute(adds)
    run.run.states["first", -1] = "success"
    run.execute(adds)
    assert held(sandbox) == {1: "1", 2: "1.5", 3: "3"}


def test_other_streams_months_and_runs_are_others(sandbox, first, second):
    streams = [telemetry("t", [{"timestamp": "2026-03-01", "element_name": "a", "value": 1}])]
    april = AnyCostBillingDropOperator(
        task_id="april", month="2026-04", records=[{"time/usage_start": "2026-04-01", "cost/cost": 1}]
    )
    run = Run(first, april, *streams)
    for task in run.tasks:
        run.execute(task)
    Run(second).execute(second)
    assert held(sandbox) == {1: "2", 3: "2.5"}


def test_a_check_claims_nothing(sandbox, second):
    check = drop("check", {1: "1"}, check_only=True)
    run = Run(check, second)
    run.execute(check)
    assert run.claim(check) is None
    run.execute(second)


@pytest.mark.parametrize(
    ("fault", "withdrawn"),
    [
        ({"kind": "refuse", "status": 403}, True),
        ({"kind": "refuse", "status": 400}, False),  # whether a part is stored is not published
        ({"kind": "apply_then_lose_reply", "times": 100}, False),
    ],
)
def test_a_claim_is_withdrawn_when_nothing_was_written(sandbox, monkeypatch, first, fault, withdrawn):
    from support.tasks import connect

    connect(monkeypatch, sandbox, settle_seconds=0.1, max_retry_seconds=0)
    sandbox.faults({**fault, "method": "POST"})
    for task in (first, telemetry("t", [{"timestamp": "2026-03-01", "element_name": "a", "value": 1}])):
        sandbox.clear_faults()
        sandbox.faults({**fault, "method": "POST"})
        run = Run(task)
        with pytest.raises(errors.CloudZeroError):
            run.execute(task)
        assert (run.claim(task)["write"] is None) is withdrawn


def test_a_claim_of_a_retry_counts_since_its_previous_attempt_may_have_written(sandbox, monkeypatch):
    from support.tasks import connect

    connect(monkeypatch, sandbox, settle_seconds=0.1, max_retry_seconds=0)
    task = drop("first", {1: "1"}, retries=3)
    run = Run(task)
    sandbox.faults({"kind": "refuse", "status": 429, "method": "POST"})
    with pytest.raises(errors.RateLimitError):
        run.execute(task, try_number=2)
    assert run.claim(task)["write"]["month"] == MONTH


@pytest.mark.parametrize("what", ["push", "pull", "states"])
def test_an_error_of_airflow_is_an_error_and_nothing_is_sent(sandbox, first, second, what):
    run = Run(first, second)
    run.execute(first)

    def fail(_, asked):
        if asked == what:
            raise RuntimeError("the API server is away")

    run.run.before = fail
    with pytest.raises(errors.ClaimError, match=r"RuntimeError: the API server is away.*Nothing was sent") as refused:
        run.execute(second)
    assert not isinstance(refused.value, AirflowFailException)
    assert held(sandbox) == {1: "1", 2: "1.5"}
    run.run.before = lambda *_: None
    assert what == "push" or run.claim(second)["write"] is None


@pytest.mark.parametrize("missing", ["claims", "states"])
def test_task_states_without_the_task_itself_are_an_error(sandbox, monkeypatch, first, second, missing):
    run = Run(first, second)
    run.execute(first)
    name = {"claims": "xcom_pull", "states": "get_task_states"}[missing]
    monkeypatch.setattr(RunInstance, name, lambda *_, **__: {"claims": [], "states": {}}[missing])
    with pytest.raises(errors.ClaimError, match=r"Airflow does not return the (claim|state)"):
        run.execute(second)
    assert held(sandbox) == {1: "1", 2: "1.5"}


def test_a_claim_that_can_not_be_read_is_an_error(sandbox, first, second):
    run = Run(first, second)
    run.execute(first)
    del run.claim(first)["write"]["hours"]
    with pytest.raises(errors.ClaimError, match="KeyError"):
        run.execute(second)
    assert held(sandbox) == {1: "1", 2: "1.5"}


@pytest.mark.parametrize(
    "pair",
    [
        (drop("a", {1: "1"}), drop("b", {1: "2"})),
        (drop("a", {1: "1"}), drop("b", {1: "2"}, operation="sum")),
        (drop("a", {1: "1"}), drop("b", {1: "2"}, operation="replace_hourly")),
        (drop("a", {1: "1"}, operation="replace_hourly"), drop("b", {1: "2"}, operation="replace_hourly")),
    ],
)
def test_of_two_concurrent_tasks_at_most_one_continues(sandbox, pair):
    """In every order in which their requests can reach Airflow."""
    from cloudzero_provider.airflow_support.run_claims import RunClaims
    from cloudzero_provider.anycost.claim import MonthWrite
    from cloudzero_provider.anycost.plan import Operation
    from cloudzero_provider.operators._send import CloudZeroSendOperator

    seen = set()
    for order in orders(4):
        run, turns, gone_on = DagRun(), Turns(order), []
        run.before = lambda who, _, turns=turns: turns.take(who[0])

        def claim(task, run=run, turns=turns, gone_on=gone_on):
            write = MonthWrite(
                "https://x", STREAM, MONTH, Operation(task.operation), 1, frozenset({f"{MONTH}-01T00:00:00Z"})
            )
            context = context_of(RunInstance(run, task.task_id), pair, task)
            try:
                claims = RunClaims(context, sender=CloudZeroSendOperator, is_retry=False, may_replace=False)
                claims.claim(write)
                gone_on.append(task.task_id)
            except errors.ReplacesSameRunError:
                pass
            finally:
                turns.end(task.task_id)

        threads = [threading.Thread(target=claim, args=(task,)) for task in pair]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(gone_on) <= 1, order
        seen.add(tuple(gone_on))
    assert {("a",), ("b",)} & seen


class TestTelemetry:
    def record(self, value, element="a", day=1, **keys):
        scoped = {"filter": {f"custom:{key}": [text] for key, text in keys.items()}} if keys else {}
        return {"timestamp": f"2026-03-{day:02d}", "element_name": element, "value": value, **scoped}

    def refused(self, sandbox, ours, theirs):
        """Have one task send after another; return why it was refused."""
        first, second = telemetry("first", **theirs), telemetry("second", **ours)
        run = Run(first, second)
        run.execute(first)
        before = len(sandbox.requests())
        try:
            run.execute(second)
        except errors.ReplacesSameRunError as error:
            assert len(sandbox.requests()) == before
            return str(error)
        return None

    def both(self, **ours):
        theirs = {"records": [self.record(3), self.record(4, "b", team="x", env="y")]}
        return {"theirs": theirs, "ours": {**ours}}

    def test_three_and_four_of_one_identity(self, sandbox):
        why = self.refused(sandbox, **self.both(records=[self.record(4), self.record(1, "c")]))
        assert "Task 'first' of this DAG run has sent 2 records to allocation stream orders (replace), and" in why
        assert "replace replaces 1 record of the same identity with another value" in why
        assert "like 2026-03-01T00:00:00Z, 'a'. Nothing was sent" in why

    def test_equal_values_however_they_are_written(self, sandbox):
        assert self.refused(sandbox, **self.both(records=[self.record("3.0")])) is None

    def test_a_value_that_was_added_is_not_the_value_that_is_held(self, sandbox):
        same = [self.record(3)]
        theirs = {"records": same, "operation": "sum"}
        assert "replace replaces 1 record" in self.refused(sandbox, ours={"records": same}, theirs=theirs)
        assert self.refused(sandbox, ours=theirs, theirs=theirs) is None
        assert self.refused(sandbox, ours=theirs, theirs={"records": same}) is None

    def test_deletions(self, sandbox):
        delete = {"operation": "delete"}
        assert "delete replaces 1 record" in self.refused(sandbox, **self.both(records=[self.record(3)], **delete))
        assert self.refused(sandbox, **self.both(records=[self.record(3, day=2)], **delete)) is None

    @pytest.mark.parametrize("keys", [{}, {"team": "x"}, {"env": "y"}])
    def test_a_deletion_hides_records_with_more_properties(self, sandbox, keys):
        ours = {"records": [self.record(0, "b", **keys)], "on_zero": "delete"}
        assert "hides every record that has its properties and more" in self.refused(sandbox, **self.both(**ours))
        everything = {"records": [{"timestamp": "2026-03-01"}], "operation": "delete"}
        assert "hides every record" in self.refused(sandbox, **self.both(**everything))

    @pytest.mark.parametrize("keys", [{"team": "z"}, {"team": "x", "env": "z"}, {"team": "x", "env": "y", "of": "w"}])
    def test_a_deletion_of_other_properties(self, sandbox, keys):
        ours = {"records": [self.record(0, "b", **keys)], "on_zero": "delete"}
        assert self.refused(sandbox, **self.both(**ours)) is None

    def test_a_deletion_of_what_was_deleted(self, sandbox):
        first = {"records": [self.record(3)]}
        self.refused(sandbox, ours=first, theirs=first)
        deletion = {"records": [self.record(3)], "operation": "delete"}
        assert self.refused(sandbox, ours=deletion, theirs=deletion) is None

    def test_what_was_deleted_does_not_come_back(self, sandbox):
        first = {"records": [self.record(3)]}
        self.refused(sandbox, ours=first, theirs=first)
        deletion = {"records": [self.record(3)], "operation": "delete"}
        assert "replace replaces 1 record" in self.refused(sandbox, ours=first, theirs=deletion)

    def test_fewer_filter_keys_come_first(self, sandbox):
        fewer = {"records": [self.record(5, "b", team="x")]}
        assert "may also replace records with more filter keys" in self.refused(sandbox, **self.both(**fewer))
        assert self.refused(sandbox, theirs=fewer, ours=self.both()["theirs"]) is None

    def test_clearing_periods(self, sandbox):
        clears = {"clear_periods": True}
        why = self.refused(sandbox, **self.both(records=[self.record(9, "c")], **clears))
        assert "clear_periods=True deletes all records of periods that both have (2026-03-01T00:00:00Z)" in why
        assert self.refused(sandbox, **self.both(records=[self.record(9, day=2)], **clears)) is None

    def test_another_stream(self, sandbox):
        assert self.refused(sandbox, **self.both(records=[self.record(4)], stream_name="others")) is None

    def test_the_claim_shows_no_names(self, sandbox):
        task = telemetry("first", [self.record(7, "Customer-X", team="Team-Y")])
        run = Run(task)
        run.execute(task)
        assert "Customer-X" not in str(run.claim(task))
        assert "Team-Y" not in str(run.claim(task))

    def test_the_first_10_000_are_compared(self, sandbox, caplog):
        many = [self.record(1, f"e{number}") for number in range(10_002)]
        first, second = telemetry("first", many), telemetry("second", [{**many[9_999], "value": 2}])
        third = telemetry("third", [{**many[10_000], "value": 2}])
        run = Run(first, second, third)
        with caplog.at_level(logging.WARNING):
            run.execute(first)
        assert "2 of 10,002 records to allocation stream orders (replace) are not compared" in caplog.text
        assert len(run.claim(first)["write"]["entries"]) < 250_000
        with pytest.raises(errors.ReplacesSameRunError):
            run.execute(second)
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            run.execute(third)
        assert (
            "2 of 10,002 records to allocation stream orders (replace) by Task 'first' are not compared" in caplog.text
        )

    def test_a_task_that_is_alone_has_nothing_to_compare(self, sandbox, caplog):
        task = telemetry("first", [self.record(1, f"e{number}") for number in range(10_001)])
        with caplog.at_level(logging.WARNING):
            Run(task).execute(task)
        assert "not compared" not in caplog.text


def test_the_same_server_in_two_spellings(sandbox):
    from cloudzero_provider.anycost.claim import MonthWrite
    from cloudzero_provider.months import Month

    plain = client_of("https://api.cloudzero.com")
    with_port = client_of("https://api.cloudzero.com:443")
    claim = MonthWrite.of_nothing(plain, STREAM, Month.parse(MONTH)).as_claim()
    assert MonthWrite.of_nothing(with_port, STREAM, Month.parse(MONTH)).read_claim(claim) is not None
    other = client_of("https://api.cloudzero.com:4443")
    assert MonthWrite.of_nothing(other, STREAM, Month.parse(MONTH)).read_claim(claim) is None
