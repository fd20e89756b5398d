"""Runs the telemetry examples in Airflow and checks what CloudZero then holds."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from acme_usage import database_writes, days, orders
from airflow.providers.common.compat.sdk import AirflowFailException
from support.airflow_lines import PARTITIONS, SDK_TIMETABLES
from support.airflow_runs import backfill, close_backfills, run
from support.telemetry_streams import records, stream

from cloudzero_provider.exceptions import InvalidRowsError

MARCH = [date(2026, 3, day) for day in range(1, 32)]


def run_day(dag, day: date):
    """Run a DAG for a day, as scheduled at the end of that day."""
    due = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) + timedelta(days=1)
    return run(dag, logical_date=due)


def orders_held(sandbox) -> dict[tuple[str, str], int]:
    held = records(sandbox, "acme-orders")
    assert {(element, *keys) for _, element, keys, _ in held} == {(None, "custom:Team")}
    return {(day, keys["custom:Team"]): int(value) for day, _, keys, value in held}


def orders_of(days) -> dict[tuple[str, str], int]:
    return {(str(day), team): count for day in days for team, count in orders(day).items()}


class TestUsage:
    def test_is_plausible_and_repeatable(self):
        assert days("2026-03") == MARCH
        assert len(days("2024-02")) == 29
        assert orders(date(2026, 3, 4)) == orders(datetime(2026, 3, 4, 23, tzinfo=timezone.utc))
        for day in MARCH:
            assert 8_000 * 0.9 <= orders(day)["checkout"] <= 12_000
            assert (database_writes(day)["Reports"] == 0) == (day.weekday() == 6)
        assert len({orders(day)["checkout"] for day in MARCH}) > 25


@SDK_TIMETABLES
class TestCostPerOrder:
    DAG_ID = "telemetry_cost_per_order"

    def test_sends_the_records_of_the_day(self, dags, sandbox):
        outcome = run_day(dags[self.DAG_ID], date(2026, 3, 4))
        assert outcome.state == "success"
        assert orders_held(sandbox) == orders_of([date(2026, 3, 4)])
        held = stream(sandbox, "acme-orders")
        assert (held["kind"], held["granularity"], held["records"]) == ("metric", "DAILY", 3)
        summary = outcome.xcom("send_orders")
        assert summary["total"] == held["total"] == str(sum(orders(date(2026, 3, 4)).values()))
        assert (summary["first"], summary["month"], summary["requests"]) == ("2026-03-04T00:00:00Z", None, 1)

    def test_a_day_twice_is_once(self, dags, sandbox):
        first = run_day(dags[self.DAG_ID], date(2026, 3, 31)).xcom("send_orders")
        before = stream(sandbox, "acme-orders")["digest"]
        again = run_day(dags[self.DAG_ID], date(2026, 3, 31)).xcom("send_orders")
        assert stream(sandbox, "acme-orders")["digest"] == before
        assert again == first

    def test_several_days(self, dags, sandbox):
        for day in MARCH[:3]:
            run_day(dags[self.DAG_ID], day)
        assert orders_held(sandbox) == orders_of(MARCH[:3])


@SDK_TIMETABLES
class TestSplitDatabase:
    DAG_ID = "telemetry_split_database"

    def held(self, sandbox) -> dict[tuple[str, str | None], int]:
        held = records(sandbox, "acme-database-writes")
        assert all(keys == {"accounts": ["112233445566"]} for _, _, keys, _ in held)
        return {(day, element): int(value) for day, element, _, value in held}

    def test_splits_the_account_of_the_database(self, dags, sandbox):
        outcome = run_day(dags[self.DAG_ID], date(2026, 3, 4))
        assert outcome.state == "success"
        writes = database_writes(date(2026, 3, 4))
        assert self.held(sandbox) == {("2026-03-04", product): count for product, count in writes.items()}
        held = stream(sandbox, "acme-database-writes")
        assert (held["kind"], held["granularity"], int(held["total"])) == ("allocation", "DAILY", sum(writes.values()))
        assert outcome.xcom("send_writes")["zeros_deleted"] == 0

    def test_a_product_without_writes_is_deleted(self, dags, sandbox):
        saturday, sunday = date(2026, 3, 7), date(2026, 3, 8)
        outcomes = [run_day(dags[self.DAG_ID], day) for day in (saturday, sunday)]
        assert [outcome.xcom("send_writes")["zeros_deleted"] for outcome in outcomes] == [0, 1]
        assert self.held(sandbox) == {
            (str(day), product): count
            for day in (saturday, sunday)
            for product, count in database_writes(day).items()
            if (day, product) != (sunday, "Reports")
        }

    def test_the_first_day_may_have_a_product_without_writes(self, dags, sandbox):
        assert run_day(dags[self.DAG_ID], date(2026, 3, 8)).state == "success"

    def test_days_twice_are_once(self, dags, sandbox):
        def send() -> str:
            for day in MARCH[6:8]:
                assert run_day(dags[self.DAG_ID], day).state == "success"
            return stream(sandbox, "acme-database-writes")["digest"]

        assert send() == send()


class TestTaskflow:
    def test_sends_the_records_of_the_day_and_twice_is_once(self, dags, sandbox):
        saturday, sunday = date(2026, 3, 7), date(2026, 3, 8)
        expected = {
            (str(day), product, str(count))
            for day in (saturday, sunday)
            for product, count in database_writes(day).items()
            if count
        }
        for _ in range(2):
            outcomes = [run_day(dags["telemetry_taskflow"], day) for day in (saturday, sunday)]
            assert [outcome.xcom("send_writes")["zeros_deleted"] for outcome in outcomes] == [0, 1]
            held = records(sandbox, "acme-database-writes")
            assert {(day, element, value) for day, element, _, value in held} == expected
            assert all(keys == {"accounts": ["112233445566"]} for _, _, keys, _ in held)
            assert len(held) == len(expected) == 5


@PARTITIONS
class TestBackfillMonths:
    DAG_ID = "telemetry_backfill_months"

    def test_backfilled_months_and_twice_is_once(self, dags, sandbox):
        outcomes = backfill(dags[self.DAG_ID], "2026-01", "2026-03")
        summaries = [outcome.xcom("send_orders") for outcome in outcomes]
        assert [summary["month"] for summary in summaries] == ["2026-01", "2026-02", "2026-03"]
        assert [summary["records"] for summary in summaries] == [93, 84, 93]
        expected = orders_of(date(2026, 1, 1) + timedelta(days=number) for number in range(90))
        assert orders_held(sandbox) == expected
        before = stream(sandbox, "acme-orders")
        assert int(before["total"]) == sum(expected.values())

        close_backfills()
        again = backfill(dags[self.DAG_ID], "2026-01", "2026-03", again=True)
        assert [outcome.xcom("send_orders") for outcome in again] == summaries
        assert stream(sandbox, "acme-orders")["digest"] == before["digest"]

    def test_the_days_of_the_daily_dag_are_the_same_records(self, dags, sandbox):
        run_day(dags["telemetry_cost_per_order"], date(2025, 11, 30))
        backfill(dags[self.DAG_ID], "2025-11", "2025-11")
        assert orders_held(sandbox) == orders_of(date(2025, 11, day) for day in range(1, 31))

    def test_records_of_another_month_are_refused(self, dags, sandbox):
        [outcome] = backfill(dags["telemetry_wrong_month"], "2025-11", "2025-11")
        assert (outcome.state, outcome.tries["send"]) == ("failed", 1)
        [error] = outcome.errors["send"]
        assert isinstance(error, InvalidRowsError)
        assert isinstance(error, AirflowFailException)
        assert "row 2" in str(error)
        assert "not in 2025-11" in str(error)
        assert sandbox.requests() == []
