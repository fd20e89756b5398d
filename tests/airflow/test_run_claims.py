"""Tasks of one DAG run that send to one month: none silently replaces what another one sent."""

from __future__ import annotations

from decimal import Decimal

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException
from support.airflow_runs import clear_and_run, run
from support.sandbox_server import STREAM
from support.telemetry_streams import records

from cloudzero_provider.exceptions import ReplacesSameRunError
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

MONTH = "2024-09"
BILLS = {"acct1": ["1", "1.5"], "acct2": ["2", "2.5"]}


def held(sandbox, month=MONTH) -> Decimal:
    return sandbox.total_cost(month)


def write_bill(folder, account, costs, month=MONTH) -> str:
    path = folder / f"{account}.csv"
    lines = [f"{month}-{day:02d},{cost}\n" for day, cost in enumerate(costs, start=1)]
    path.write_text("time/usage_start,cost/cost\n" + "".join(lines))
    return str(path)


@pytest.fixture
def bills(tmp_path) -> list[str]:
    """Two accounts of one month."""
    return [write_bill(tmp_path, account, costs) for account, costs in BILLS.items()]


def refusal(error) -> str:
    assert isinstance(error, ReplacesSameRunError)
    assert isinstance(error, AirflowFailException)
    return str(error)


def one_success(states) -> int:
    """Return the map index of the instance that succeeded: dag.test runs them in any order."""
    assert sorted(states) == ["failed"] * (len(states) - 1) + ["success"]
    return states.index("success")


class TestPartsOfAMonth:
    @pytest.mark.parametrize("dag_id", ["mapped_files", "mapped_function", "mapped_group"])
    def test_the_second_instance_refuses_to_replace_the_first(self, dags, sandbox, bills, dag_id, capfd):
        outcome = run(dags[dag_id], run_conf={"given": bills, "month": MONTH})
        task_id = "each.send" if dag_id == "mapped_group" else "send"
        first = one_success(outcome.states[task_id])
        assert held(sandbox) == [Decimal("2.5"), Decimal("4.5")][first]
        assert len(sandbox.writes()) == 1
        output = "".join(capfd.readouterr())
        assert (
            f"Task '{task_id}', map index {first}, of this DAG run has sent 2 rows of 2024-09 to AnyCost stream {STREAM} "
            "(replace_drop), and replace_drop replaces the whole month. Nothing was sent. Send all of it in one "
            "task (files=[...]"
        ) in output

    def test_the_second_task_refuses_to_replace_the_first(self, dags, sandbox):
        outcome = run(dags["two_tasks"])
        assert outcome.states == {"estimates.send": ["success"], "final": ["failed"]}
        assert outcome.tries["final"] == 1
        [error] = outcome.errors["final"]
        assert "Task 'estimates.send' of this DAG run has sent 2 rows of 2024-09" in refusal(error)
        assert "replace_in_same_run=True" in refusal(error)
        assert held(sandbox) == Decimal("2.5")

    def test_emptying_the_month_is_refused(self, dags, sandbox):
        outcome = run(dags["send_then_empty"])
        assert outcome.states == {"send": ["success"], "empty": ["failed"]}
        assert held(sandbox) == 1

    def test_only_the_same_hours_are_refused(self, dags, sandbox):
        outcome = run(dags["hours"])
        assert outcome.states == {"morning": ["success"], "noon": ["success"], "more": ["success"], "again": ["failed"]}
        [error] = outcome.errors["again"]
        assert "'morning' of this DAG run has sent 2 rows" in refusal(error)
        assert "2 hours that both have (2024-09-01T08:00:00Z, 2024-09-02T08:00:00Z)" in refusal(error)
        assert held(sandbox) == Decimal("7.5")


class TestAllowed:
    def test_one_instance_per_month(self, dags, sandbox, tmp_path):
        months = ["2024-07", "2024-08", "2024-09"]
        given = [{"month": month, "files": write_bill(tmp_path, month, ["1", "2"], month)} for month in months]
        outcome = run(dags["mapped_months"], run_conf={"given": given})
        assert (outcome.state, outcome.states["send"]) == ("success", ["success"] * 3)
        assert [held(sandbox, month) for month in months] == [3, 3, 3]

    def test_a_retry(self, dags, sandbox):
        """The first attempt may have written: its claim does not stop its own retry, and stops the other task."""
        sandbox.faults({"kind": "apply_then_lose_reply"})
        outcome = run(dags["two_tasks"])
        assert outcome.states == {"estimates.send": ["success"], "final": ["failed"]}
        assert outcome.tries["estimates.send"] == 2
        assert held(sandbox) == Decimal("2.5")

    def test_after_a_first_task_that_wrote_nothing(self, dags, sandbox):
        sandbox.faults({"kind": "refuse", "status": 403})
        outcome = run(dags["two_tasks"])
        assert outcome.states == {"estimates.send": ["failed"], "final": ["success"]}
        assert held(sandbox) == Decimal("4.5")

    def test_not_after_a_first_task_that_may_have_written(self, dags, sandbox):
        sandbox.faults({"kind": "apply_then_lose_reply", "times": 2})
        outcome = run(dags["two_tasks"])
        assert outcome.states == {"estimates.send": ["failed"], "final": ["failed"]}
        assert "'estimates.send' of this DAG run may have sent 2 rows" in refusal(outcome.errors["final"][0])
        assert held(sandbox) == Decimal("2.5")

    def test_a_clear_of_the_instance_that_sent(self, dags, sandbox, bills, tmp_path):
        first = run(dags["mapped_files"], run_conf={"given": bills[:1], "month": MONTH})
        assert held(sandbox) == Decimal("2.5")
        write_bill(tmp_path, "acct1", ["1", "1.75"])
        again = clear_and_run(dags["mapped_files"], first, "send")
        assert (again.state, again.tries["send"]) == ("success", 2)
        assert held(sandbox) == Decimal("2.75")

    def test_a_clear_of_the_task_that_sent_while_the_other_was_refused(self, dags, sandbox):
        first = run(dags["two_tasks"])
        again = clear_and_run(dags["two_tasks"], first, "estimates.send")
        assert again.states["estimates.send"] == ["success"]
        assert again.tries["estimates.send"] == 2
        assert held(sandbox) == Decimal("2.5")

    def test_after_a_check(self, dags, sandbox):
        assert run(dags["check_then_send"]).state == "success"
        assert held(sandbox) == 2

    @pytest.mark.parametrize("final", [True, "True", "true"])
    def test_where_it_is_allowed(self, dags, sandbox, final):
        outcome = run(dags["two_tasks"], run_conf={"final": final})
        assert outcome.states == {"estimates.send": ["success"], "final": ["success"]}
        assert held(sandbox) == Decimal("4.5")
        again = clear_and_run(dags["two_tasks"], outcome, "final")
        assert again.state == "success"
        assert held(sandbox) == Decimal("4.5")

    def test_an_allowed_replacement_is_claimed_too(self, dags, sandbox):
        """The estimate, cleared after the final bill was sent, would replace the final bill."""
        dag = dags["two_tasks"]
        outcome = run(dag, run_conf={"final": True})
        again = clear_and_run(dag, outcome, "estimates.send")
        assert again.states["estimates.send"] == ["failed"]
        assert "Task 'final' of this DAG run has sent" in refusal(again.errors["estimates.send"][0])
        assert held(sandbox) == Decimal("4.5")

    def test_an_invalid_switch_is_refused(self, dags, sandbox):
        outcome = run(dags["two_tasks"], run_conf={"final": "perhaps"})
        assert "replace_in_same_run is 'perhaps'" in str(outcome.errors["final"][0])
        assert held(sandbox) == Decimal("2.5")


class TestFixedDag:
    """A refused run whose DAG is then changed to one task that sends everything, and cleared."""

    def fixed(self, dag, files):
        with DAG(dag.dag_id, schedule=None) as fixed:
            AnyCostBillingDropOperator(task_id="send", month=MONTH, files=files)
        fixed.fileloc = dag.fileloc
        return fixed

    def test_two_tasks(self, dags, sandbox, bills):
        refused = run(dags["two_files"], run_conf={"given": bills})
        assert refused.states == {"first": ["success"], "send": ["failed"]}
        ended = clear_and_run(self.fixed(dags["two_files"], bills), refused, "send")
        assert (ended.state, ended.states["send"]) == ("success", ["success"])
        assert held(sandbox) == 7

    def test_mapped(self, dags, sandbox, bills):
        refused = run(dags["mapped_files"], run_conf={"given": bills, "month": MONTH})
        one_success(refused.states["send"])
        ended = clear_and_run(self.fixed(dags["mapped_files"], bills), refused, "send")
        # Airflow runs each of the former instances again: each now sends everything.
        assert ended.state == "success"
        assert set(ended.states["send"]) <= {"success", "removed"}
        assert held(sandbox) == 7

    def test_mapped_over_fewer(self, dags, sandbox, bills):
        with DAG("mapped_files", schedule=None) as fixed:
            AnyCostBillingDropOperator.partial(task_id="send", month=MONTH).expand(files=[bills])
        fixed.fileloc = dags["mapped_files"].fileloc
        refused = run(dags["mapped_files"], run_conf={"given": bills, "month": MONTH})
        one_success(refused.states["send"])
        ended = clear_and_run(fixed, refused, "send")
        assert (ended.state, ended.states["send"]) == ("success", ["success", "removed"])
        assert held(sandbox) == 7


def record(value, element="a", day=1, **keys):
    scoped = {"filter": {f"custom:{key}": [text] for key, text in keys.items()}} if keys else {}
    return {"timestamp": f"{MONTH}-{day:02d}", "element_name": element, "value": value, **scoped}


def parts(*lists, **options):
    return [{"records": each, **options} for each in lists]


def telemetry_held(sandbox) -> list[tuple[str, str | None, str]]:
    return sorted((day[8:], element, value) for day, element, _, value in records(sandbox, "orders"))


class TestTelemetry:
    def test_an_identity_with_another_value_is_refused(self, dags, sandbox, capfd):
        given = parts([record(3), record(1, "b")], [record(4), record(1, "b"), record(1, "c")])
        outcome = run(dags["telemetry_in_order"], run_conf={"given": given})
        assert (outcome.states["first"], outcome.states["second"]) == (["success"], ["failed"])
        assert telemetry_held(sandbox) == [("01", "a", "3"), ("01", "b", "1")]
        output = "".join(capfd.readouterr())
        assert (
            "'first', map index 0, of this DAG run has sent 2 records to allocation stream orders (replace)" in output
        )
        assert "replaces 1 record of the same identity with another value, like 2024-09-01T00:00:00Z, 'a'" in output

    def test_of_decorated_functions(self, dags, sandbox):
        outcome = run(dags["telemetry_function"], run_conf={"given": [[3], [4]]})
        first = one_success(outcome.states["send"])
        assert telemetry_held(sandbox) == [("01", "a", ["3", "4"][first])]

    def test_equal_records_are_allowed(self, dags, sandbox):
        assert run(dags["telemetry_function"], run_conf={"given": [[3, 1], [3, 1], [3]]}).state == "success"
        assert telemetry_held(sandbox) == [("01", "a", "3"), ("02", "a", "1")]

    def test_where_it_is_allowed(self, dags, sandbox):
        given = parts([record(3)], [record(4)], replace_in_same_run=True)
        assert run(dags["telemetry_in_order"], run_conf={"given": given}).state == "success"
        assert telemetry_held(sandbox) == [("01", "a", "4")]

    def test_other_identities_are_allowed(self, dags, sandbox):
        given = parts([record(3)], [record(4, "b")], [record(5, day=2)], [record(6, day=3, team="x")], [record(3)])
        assert run(dags["telemetry_mapped"], run_conf={"given": given}).state == "success"
        assert telemetry_held(sandbox) == [("01", "a", "3"), ("01", "b", "4"), ("02", "a", "5"), ("03", "a", "6")]

    def test_sums_are_allowed(self, dags, sandbox):
        given = parts([record(3)], [record(4)], operation="sum")
        assert run(dags["telemetry_mapped"], run_conf={"given": given}).state == "success"
        assert telemetry_held(sandbox) == [("01", "a", "7")]

    @pytest.mark.parametrize(
        ("second", "why"),
        [
            ({"records": [record(3)], "operation": "replace"}, "replace replaces 1 record"),
            ({"records": [record(3)], "operation": "delete"}, "delete replaces 1 record"),
            ({"records": [record(0)], "on_zero": "delete"}, "replace replaces 1 record"),
            ({"records": [record(9, "b")], "clear_periods": True}, "periods that both have (2024-09-01T00:00:00Z)"),
        ],
    )
    def test_what_was_summed_is_not_replaced(self, dags, sandbox, second, why, capfd):
        given = [{"records": [record(3)], "operation": "sum"}, second]
        outcome = run(dags["telemetry_in_order"], run_conf={"given": given})
        assert (outcome.states["first"], outcome.states["second"]) == (["success"], ["failed"])
        assert telemetry_held(sandbox) == [("01", "a", "3")]
        assert why in "".join(capfd.readouterr())

    def test_periods_of_others_are_not_cleared(self, dags, sandbox):
        given = parts([record(3)], [record(4, "b", day=2)], [record(5, "c")], clear_periods=True)
        assert run(dags["telemetry_in_order"], run_conf={"given": given[:2]}).state == "success"
        outcome = run(dags["telemetry_in_order"], run_conf={"given": [given[0], given[2]]})
        assert (outcome.states["first"], outcome.states["second"]) == (["success"], ["failed"])
        assert telemetry_held(sandbox) == [("01", "a", "3"), ("02", "b", "4")]
