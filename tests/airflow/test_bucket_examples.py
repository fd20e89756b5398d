"""Runs the examples of a bucket in Airflow and reads what CloudZero would then take."""

from __future__ import annotations

import pytest
from acme_bill import month_rows
from support.airflow_lines import AIRFLOW_SDK, PARTITIONS
from support.airflow_runs import backfill, close_backfills, run
from support.bucket_drops import FolderReader, current_drop, drops, held_rows
from support.example_bills import as_set

from cloudzero_provider.anycost.bucket.layout import MonthFolder
from cloudzero_provider.months import Month, months_to_send

MONTHS = {"newest": "2025-12", "months": 3}


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRFLOW_VAR_ACME_BUCKET_PATH", str(tmp_path / "acme"))
    return FolderReader(tmp_path / "acme")


def folder(month):
    return MonthFolder(Month.parse(month)).name


def assert_held(bucket, months):
    files = bucket.files()
    for month in months:
        assert as_set(held_rows(files, folder(month))) == as_set(month_rows(month))


@PARTITIONS
def test_backfilled_months_and_again(dags, bucket):
    dag, months = dags["anycost_bucket_monthly"], ["2026-01", "2026-02"]
    outcomes = backfill(dag, *months)
    assert [(outcome.state, outcome.partition_key) for outcome in outcomes] == [("success", key) for key in months]
    assert_held(bucket, months)
    close_backfills()
    again = backfill(dag, *months, again=True)
    assert [outcome.xcom("write_bill")["replaced_rows"] for outcome in again] == [
        len(month_rows(key)) for key in months
    ]
    assert_held(bucket, months)


@AIRFLOW_SDK
def test_months_in_one_run_and_again(dags, bucket):
    outcome = run(dags["anycost_bucket_backfill"], run_conf=MONTHS)
    assert outcome.states["write_bill"] == ["success"] * 3
    assert_held(bucket, months_to_send("2025-12", back=2))
    before = bucket.files()
    assert run(dags["anycost_bucket_backfill"], run_conf=MONTHS).state == "success"
    assert bucket.files() == before


@AIRFLOW_SDK
def test_two_years_of_months_by_default(dags):
    assert dags["anycost_bucket_backfill"].params.dump()["months"] == 24


@AIRFLOW_SDK
def test_going_back(dags, bucket):
    for _ in range(2):
        run(dags["anycost_bucket_backfill"], run_conf={"newest": "2026-03", "months": 1})
        bucket.put(f"{folder('2026-03')}/{current_drop(bucket.files())}/part-00001.csv.gz", b"")
    made = drops(bucket.files())
    listing = run(dags["anycost_bucket_roll_back"], run_conf={"month": "2026-03"})
    assert listing.states["roll_back"] == ["skipped"]
    assert [drop["drop_id"] for drop in listing.xcom("list_drops")["drops"]] == made
    bucket.remove(f"{folder('2026-03')}/{made[0]}/part-00001.csv.gz")
    back = run(dags["anycost_bucket_roll_back"], run_conf={"month": "2026-03", "drop_id": made[0]})
    assert back.states["roll_back"] == ["success"]
    assert current_drop(bucket.files()) == made[0] != made[1]
    assert_held(bucket, ["2026-03"])
