"""Runs the AnyCost examples in Airflow and checks what CloudZero then holds."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

import acme_bill
import pytest
from acme_bill import COLUMNS, DAY, month_rows
from support.airflow_lines import AIRFLOW_SDK, PARTITIONS, SDK_TIMETABLES, dag_bag, too_new
from support.airflow_runs import backfill, close_backfills, run
from support.example_bills import as_set, assert_holds, digests, total
from support.paths import environment

EXAMPLES = Path(acme_bill.__file__).parent
EXAMPLE_DAGS = {
    "anycost_monthly_interval",
    "anycost_monthly_partitioned",
    "anycost_daily_month_to_date",
    "anycost_backfill_months",
    "anycost_bucket_backfill",
    "anycost_bucket_monthly",
    "anycost_bucket_roll_back",
    "anycost_from_task",
    "anycost_last_months",
    "anycost_plan_approve_send",
    "anycost_report_what_was_sent",
    "anycost_retry_policy",
    "anycost_send_and_wait",
    "anycost_streams_and_months",
    "anycost_taskflow",
    "anycost_vendor_csv",
    "anycost_focus",
    # These need S3 and a warehouse: tests/e2e runs them.
    "anycost_s3_parquet",
    "anycost_sql",
    "telemetry_sql",
    "telemetry_cost_per_order",
    "telemetry_split_database",
    "telemetry_backfill_months",
    "telemetry_send_and_wait",
    "telemetry_taskflow",
} - {Path(name).stem for name in too_new(EXAMPLES)}
HELPERS = {"acme_api.py", "acme_bill.py", "acme_usage.py"}


class TestFolder:
    def test_imports_without_error_or_warning(self):
        bag = dag_bag(EXAMPLES, safe_mode=False)
        assert set(bag.dags) == EXAMPLE_DAGS
        assert {Path(path).name for path in bag.import_errors} == too_new(EXAMPLES)
        assert bag.captured_warnings == {}
        assert not HELPERS & {Path(stat.file).name for stat in bag.dagbag_stats}

    def test_parsing_loads_nothing_heavy(self):
        script = (
            "import sys; from pathlib import Path; from support.airflow_lines import dag_bag;"
            " before = set(sys.modules); bag = dag_bag(Path(sys.argv[1]));"
            f" assert len(bag.dags) == {len(EXAMPLE_DAGS)};"
            " print(sorted({'polars', 'ijson', 'pandas', 'aiohttp'} & (set(sys.modules) - before)))"
        )
        command = [sys.executable, "-c", script, str(EXAMPLES)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment())
        assert done.stdout.splitlines()[-1] == "[]"


class TestBill:
    def test_is_plausible(self):
        rows = month_rows("2026-03")
        assert 2_000 < len(rows) < 5_000
        assert len(as_set(rows)) == len(rows)
        assert {row["lineitem/type"] for row in rows} == {"Usage", "Discount", "Credit", "Tax"}
        assert set().union(*rows) == set(COLUMNS)
        assert rows == month_rows("2026-03")
        assert all(row["time/usage_start"].startswith("2026-03-") for row in rows)

    def test_a_month_to_date_is_the_beginning_of_the_month(self):
        until = datetime(2026, 3, 11, tzinfo=timezone.utc)
        assert month_rows("2026-03", until) == [
            row for row in month_rows("2026-03")[:-1] if row["time/usage_start"] < "2026-03-11"
        ]
        assert month_rows("2026-03", until + 40 * DAY) == month_rows("2026-03")


@PARTITIONS
class TestMonthlyPartitioned:
    DAG_ID = "anycost_monthly_partitioned"

    def test_backfilled_months(self, dags, sandbox):
        dag, months = dags[self.DAG_ID], ["2026-01", "2026-02", "2026-03"]
        outcomes = backfill(dag, "2026-01", "2026-03")
        assert [(outcome.state, outcome.partition_key) for outcome in outcomes] == [("success", key) for key in months]
        assert list(sandbox.months()) == months
        for month in months:
            assert_holds(sandbox, month, month_rows(month))
        before = digests(sandbox)

        close_backfills()
        outcomes = backfill(dag, "2026-01", "2026-03", again=True)
        assert [outcome.partition_key for outcome in outcomes] == months
        assert [outcome.xcom("send_bill")["replaced_rows"] for outcome in outcomes] == [
            len(month_rows(month)) for month in months
        ]
        assert digests(sandbox) == before

    def test_summary(self, dags, sandbox):
        [outcome] = backfill(dags[self.DAG_ID], "2025-12", "2025-12")
        rows = month_rows("2025-12")
        summary = outcome.xcom("send_bill")
        [write] = sandbox.writes()
        assert {name: summary[name] for name in summary if name not in {"total_cost", "sha256"}} == {
            "month": "2025-12",
            "anycost_connection_id": "1234abcd-1234-abcd-1234-abcd1234efgh",
            "operation": "replace_drop",
            "rows": len(rows),
            "replaced_rows": 0,
            "requests": 1,
            "bytes": write["bytes"],
            "hours": 31 * 4,
            "drop_ids": sandbox.month("2025-12")["drop_ids"],
            "row_count": len(rows),
            "check_only": False,
            "replaced_cost": None,
            "unchanged": False,
        }
        assert isinstance(summary["total_cost"], str)
        assert Fraction(summary["total_cost"]) == total(rows)
        assert len(bytes.fromhex(summary["sha256"])) == 32


@PARTITIONS
class TestTaskflow:
    DAG_ID = "anycost_taskflow"

    def test_sends_every_page_and_twice_is_once(self, dags, sandbox):
        months = ["2026-01", "2026-02"]
        outcomes = backfill(dags[self.DAG_ID], *months)
        assert [outcome.xcom("send_bill")["month"] for outcome in outcomes] == months
        for month in months:
            assert_holds(sandbox, month, month_rows(month))
        before = digests(sandbox)
        close_backfills()
        assert [outcome.state for outcome in backfill(dags[self.DAG_ID], *months, again=True)] == ["success"] * 2
        assert digests(sandbox) == before

    def test_only_the_summary_is_kept(self, dags):
        [outcome] = backfill(dags[self.DAG_ID], "2025-12", "2025-12")
        assert sum(map(len, outcome.xcoms().values())) < 1_000
        assert outcome.states == {"send_bill": ["success"]}


@SDK_TIMETABLES
class TestDailyMonthToDate:
    DAG_ID = "anycost_daily_month_to_date"

    @pytest.mark.parametrize(
        ("logical_date", "rows"),
        [
            pytest.param(datetime(2026, 3, 2), month_rows("2026-03", datetime(2026, 3, 2, tzinfo=timezone.utc))),
            pytest.param(datetime(2026, 3, 21), month_rows("2026-03", datetime(2026, 3, 21, tzinfo=timezone.utc))),
            pytest.param(datetime(2026, 4, 1), month_rows("2026-03")),
        ],
        ids=["first day", "in the month", "last day"],
    )
    def test_sends_the_month_so_far(self, dags, sandbox, logical_date, rows):
        outcome = run(dags[self.DAG_ID], logical_date=logical_date.replace(tzinfo=timezone.utc))
        assert outcome.state == "success"
        assert set(sandbox.months()) == {"2026-03"}
        assert_holds(sandbox, "2026-03", rows)

    def test_day_after_day_and_a_day_twice(self, dags, sandbox):
        for day in (20, 21, 21):
            run(dags[self.DAG_ID], logical_date=datetime(2026, 3, day, tzinfo=timezone.utc))
        assert_holds(sandbox, "2026-03", month_rows("2026-03", datetime(2026, 3, 21, tzinfo=timezone.utc)))


@AIRFLOW_SDK
class TestBackfillMonths:
    def test_sends_each_month_and_twice_is_once(self, dags, sandbox):
        months = {"months": ["2025-11", "2025-12"]}
        outcome = run(dags["anycost_backfill_months"], run_conf=months)
        assert outcome.states["send_bill"] == ["success"] * 2
        assert set(sandbox.months()) == {"2025-11", "2025-12"}
        for month in sandbox.months():
            assert_holds(sandbox, month, month_rows(month))
        before = digests(sandbox)
        assert run(dags["anycost_backfill_months"], run_conf=months).state == "success"
        assert digests(sandbox) == before
        assert sandbox.never_overlapped()

    def test_one_instance_at_a_time(self, dags):
        assert dags["anycost_backfill_months"].get_task("send_bill").max_active_tis_per_dag == 1


@AIRFLOW_SDK
class TestFromTask:
    def test_sends_rows_and_reads_them_back(self, dags, sandbox):
        outcome = run(dags["anycost_from_task"], run_conf={"month": "2026-02"})
        assert outcome.state == "success"
        held = sandbox.month("2026-02")
        assert (held["rows"], Fraction(held["total_cost"])) == (3, Fraction("6745.833333"))
        read = outcome.xcom("read_back")
        assert (read["month"], read["rows"], read["total_cost"], read["hours"]) == ("2026-02", 3, "6745.833333", 1)
        with open(read["path"], newline="", encoding="utf-8") as stream:
            assert as_set(csv.DictReader(stream)) == as_set(sandbox.rows("2026-02"))
        before = digests(sandbox)
        assert run(dags["anycost_from_task"], run_conf={"month": "2026-02"}).state == "success"
        assert digests(sandbox) == before


@AIRFLOW_SDK
class TestLastMonths:
    DAG_ID = "anycost_last_months"

    def test_by_hand_without_a_logical_date(self, dags, sandbox):
        now = datetime.now(timezone.utc)
        outcome = run(dags[self.DAG_ID], logical_date=None)
        months = outcome.xcom("months")
        assert (outcome.state, len(months)) == ("success", 3)
        assert months[-1] == f"{now - DAY:%Y-%m}"
        assert list(sandbox.months()) == months
        for month in months[:2]:
            assert_holds(sandbox, month, month_rows(month))

    @pytest.mark.parametrize(
        ("due", "months"),
        [
            pytest.param(datetime(2026, 3, 16, 6), ["2026-01", "2026-02", "2026-03"], id="in the month"),
            pytest.param(datetime(2026, 3, 1, 6), ["2025-12", "2026-01", "2026-02"], id="the first has no rows yet"),
            pytest.param(datetime(2026, 3, 2, 6), ["2026-01", "2026-02", "2026-03"], id="the second"),
        ],
    )
    def test_sends_each_month_as_far_as_it_is_and_names_it(self, dags, sandbox, due, months):
        due = due.replace(tzinfo=timezone.utc)
        outcome = run(dags[self.DAG_ID], logical_date=due)
        assert outcome.states["send_bill"] == ["success"] * 3
        assert outcome.xcom("months") == list(sandbox.months()) == months
        for month in months:
            assert_holds(sandbox, month, month_rows(month, until=due))
        names = outcome.names()
        assert names["make_bill"] == months
        assert [name.split(":")[0] for name in names["send_bill"]] == months
        assert all(" rows, total cost " in name for name in names["send_bill"])

    def test_sends_again_only_what_changed(self, dags, sandbox):
        for day in (16, 17):
            due = datetime(2026, 3, day, 6, tzinfo=timezone.utc)
            outcome = run(dags[self.DAG_ID], logical_date=due)
        sent = outcome.xcom("send_bill")
        assert [(one["month"], one["unchanged"]) for one in sent] == [
            ("2026-01", True),
            ("2026-02", True),
            ("2026-03", False),
        ]
        assert len(sandbox.writes()) == 4
        assert_holds(sandbox, "2026-03", month_rows("2026-03", until=due))
        assert sandbox.never_overlapped()

    def test_the_next_morning_and_twice_is_once(self, dags, sandbox):
        dues = [datetime(2026, 3, day, 6, tzinfo=timezone.utc) for day in (16, 17, 17)]
        found = []
        for due in dues:
            assert run(dags[self.DAG_ID], logical_date=due).state == "success"
            found.append(digests(sandbox))
        assert found[0] != found[1] == found[2]
        assert_holds(sandbox, "2026-03", month_rows("2026-03", until=dues[-1]))

    def test_one_instance_at_a_time(self, dags):
        assert dags[self.DAG_ID].get_task("send_bill").max_active_tis_per_dag == 1


@SDK_TIMETABLES
class TestPlanApproveSend:
    """tests/e2e has people approve and reject."""

    DAG_ID = "anycost_plan_approve_send"

    def test_a_new_month_and_the_same_again_need_no_approval(self, dags, sandbox):
        for held in (None, len(month_rows("2026-02"))):
            outcome = run(dags[self.DAG_ID], run_conf={"month": "2026-02"})
            assert (outcome.state, outcome.states["approve_bill"]) == ("success", ["skipped"])
            plan = outcome.xcom("plan_bill")
            assert (plan["held"] and plan["held"]["rows"]) == held
            assert_holds(sandbox, "2026-02", month_rows("2026-02"))

    @pytest.mark.parametrize(
        ("changes", "is_large"),
        [
            pytest.param(["5", "-4.99"], False, id="small"),
            pytest.param(["5", "5.01"], True, id="more"),
            pytest.param(["-5", "-5.01"], True, id="less"),
            pytest.param(["300", "-300"], True, id="from one service to another"),
        ],
    )
    def test_what_is_large(self, changes, is_large):
        from anycost_plan_approve_send import is_large as found

        plan = {
            "month": "2026-02",
            "held": {"rows": 3},
            "changes": {
                "cost_before": "1000",
                "by_value": [{"cost_change": changes[0]}],
                "others": {"cost_change": changes[1]},
            },
        }
        assert found(plan) is is_large
        assert not found({**plan, "month": "2099-02"})
        assert not found({**plan, "held": None})
        assert not found({**plan, "changes": {**plan["changes"], "others": None, "cost_before": "30000"}})
