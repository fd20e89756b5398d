"""Files from upstream tasks: as lists, as lists of mapped tasks, and as the string that a template renders to."""

from __future__ import annotations

from decimal import Decimal

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_lines import LINE
from support.airflow_runs import run

from cloudzero_provider.exceptions import ConfigurationError, InputError

MONTH = "2026-03"


@pytest.fixture
def bills(tmp_path) -> list[str]:
    """Four files that cost 1, 2, 4 and 8, so that the total shows which were sent."""
    paths = []
    for number in range(4):
        path = tmp_path / f"it's bill {number}.csv"
        path.write_text(f"time/usage_start,cost/cost\n2026-03-0{number + 1},{2**number}\n")
        paths.append(str(path))
    return paths


def held(sandbox) -> Decimal:
    return sandbox.total_cost(MONTH)


def error_of(outcome) -> str:
    assert outcome.states["send"] == ["failed"]
    assert outcome.tries["send"] == 1
    [error] = outcome.errors["send"]
    assert isinstance(error, AirflowFailException)
    assert isinstance(error, (InputError, ConfigurationError))
    return str(error)


class TestLists:
    @pytest.mark.parametrize(
        "dag_id",
        ["files_from_task", "files_from_template", "files_from_template_as_json", "files_from_native_template"],
    )
    def test_of_a_task(self, dags, sandbox, bills, dag_id):
        assert run(dags[dag_id], run_conf={"given": bills[:3]}).state == "success"
        assert held(sandbox) == 7

    @pytest.mark.parametrize("dag_id", ["files_from_mapped_task", "files_from_native_template_of_mapped_task"])
    def test_of_a_mapped_task_are_concatenated(self, dags, sandbox, bills, dag_id):
        assert dags[dag_id].get_task("send").upstream_task_ids == {"each"}
        outcome = run(dags[dag_id], run_conf={"given": [bills[:2], [], [[bills[2]], bills[3]]]})
        assert (outcome.state, outcome.states["each"]) == ("success", ["success"] * 3)
        assert held(sandbox) == 15

    def test_of_a_mapped_task_may_be_paths(self, dags, sandbox, bills):
        assert run(dags["files_from_mapped_task"], run_conf={"given": bills}).state == "success"
        assert held(sandbox) == 15

    def test_of_several_tasks(self, dags, sandbox, bills):
        dag = dags["files_from_several_tasks"]
        assert dag.get_task("send").upstream_task_ids == {"first", "paths__1"}
        # Both tasks return the same files.
        outcome = run(dag, run_conf={"given": [bills[:1], bills[1:3]], "more": bills[3]})
        assert "is the same file as" in error_of(outcome)
        assert sandbox.requests() == []


class TestTemplates:
    def test_of_a_mapped_task(self, dags, sandbox, bills):
        outcome = run(dags["files_from_template_of_mapped_task"], run_conf={"given": [bills[:2], bills[2:]]})
        if LINE >= (3, 0):
            assert outcome.state == "success"
            assert held(sandbox) == 15
        else:  # The template renders to the repr of a lazy object.
            assert "pass the task's output itself (files=task.output" in error_of(outcome)
            assert sandbox.requests() == []

    def test_of_a_task_that_returned_nothing(self, dags, sandbox):
        outcome = run(dags["files_from_template"], run_conf={"given": None})
        assert error_of(outcome).startswith("None: expected a file that ends in .csv")
        assert "If a template rendered it, pass the task's output itself" in error_of(outcome)

    def test_of_an_empty_list(self, dags, sandbox):
        for dag_id in ("files_from_template", "files_from_native_template", "files_from_task"):
            assert error_of(run(dags[dag_id], run_conf={"given": []})) == (
                "files is an empty list: name at least one file."
            )
        assert sandbox.requests() == []


class TestEqualFiles:
    @pytest.fixture
    def equal(self, bills, tmp_path) -> list[str]:
        (tmp_path / "again.csv").write_text((tmp_path / "it's bill 3.csv").read_text())
        return [bills[3], str(tmp_path / "again.csv")]

    @pytest.mark.parametrize("allow", [False, "false"])
    def test_are_refused(self, dags, sandbox, equal, allow):
        outcome = run(dags["files_that_may_be_equal"], run_conf={"given": equal, "allow": allow})
        assert "again.csv holds the same row as" in error_of(outcome)
        assert sandbox.requests() == []

    @pytest.mark.parametrize("allow", [True, "TRUE"])
    def test_may_be_allowed_by_a_template(self, dags, sandbox, equal, allow):
        outcome = run(dags["files_that_may_be_equal"], run_conf={"given": equal, "allow": allow})
        assert outcome.state == "success"
        assert held(sandbox) == 16

    def test_are_not_allowed_by_any_other_value(self, dags, sandbox, equal):
        outcome = run(dags["files_that_may_be_equal"], run_conf={"given": equal, "allow": "yes"})
        assert error_of(outcome).startswith("allow_equal_files is 'yes': expected True or False, or a template")
        assert sandbox.requests() == []
