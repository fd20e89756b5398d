"""``problems_file`` in Airflow: templated, of mapped tasks and of functions."""

from __future__ import annotations

import csv
import json
import os

from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_runs import run

from cloudzero_provider.exceptions import ConfigurationError, InvalidRowsError


def test_each_mapped_month_has_its_own_list(dags, sandbox, tmp_path):
    conf = {"folder": str(tmp_path / "lists"), "costs": {"2026-01": "1", "2026-02": "$2", "2026-03": "$3"}}
    outcome = run(dags["problems_of_mapped_months"], run_conf=conf)
    assert outcome.states["send"] == ["success", "failed", "failed"]
    assert list(sandbox.months()) == ["2026-01"]
    assert sorted(os.listdir(tmp_path / "lists")) == ["2026-02.csv", "2026-03.csv"]
    for month, cost in (("2026-02", "'$2'"), ("2026-03", "'$3'")):
        with (tmp_path / "lists" / f"{month}.csv").open(newline="") as file:
            assert [line["value"] for line in csv.DictReader(file)] == [cost] * 7

    outcome = run(dags["problems_of_mapped_months"], run_conf={**conf, "costs": {"2026-02": "2", "2026-03": "$3"}})
    assert outcome.states["send"] == ["success", "failed"]
    assert os.listdir(tmp_path / "lists") == ["2026-03.csv"]


def test_the_error_of_a_function_names_the_file(dags, sandbox, tmp_path):
    conf = {"folder": f"file://{tmp_path}", "name": "problems.jsonl", "cost": "1,5"}
    outcome = run(dags["problems_of_function"], run_conf=conf)
    [error] = outcome.errors["send"]
    assert isinstance(error, InvalidRowsError)
    assert isinstance(error, AirflowFailException)
    assert str(error).endswith(f"\n  and 2 more\nfile://{tmp_path}/problems.jsonl lists every problem.")
    lines = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
    assert [line["where"] for line in lines] == [f"row {number}" for number in range(1, 8)]
    assert run(dags["problems_of_function"], run_conf={**conf, "cost": "1.5"}).state == "success"
    assert os.listdir(tmp_path) == []
    assert sandbox.month("2026-03")["rows"] == 7


def test_another_ending(dags, sandbox, tmp_path):
    conf = {"folder": str(tmp_path), "name": "problems.xlsx", "cost": "1.5"}
    [error] = run(dags["problems_of_function"], run_conf=conf).errors["send"]
    assert isinstance(error, ConfigurationError)
    assert "problems.xlsx': expected a file that ends in .csv, .jsonl, .ndjson." in str(error)
    assert sandbox.requests() == []
