"""Runs the examples of a monthly interval, of sensors, and of a retry policy."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta, timezone

import pytest
from acme_bill import month_rows
from acme_usage import orders
from airflow.models import DagRun
from airflow.utils.session import create_session
from support.airflow_lines import SDK_TIMETABLES, TASK_STATE_STORE, backfill as create_runs, run_task
from support.airflow_runs import backfill, close_backfills, run, run_existing
from support.example_bills import assert_holds, digests
from support.telemetry_streams import stream

APRIL = datetime(2026, 4, 1, tzinfo=timezone.utc)
RETRY_POLICIES = TASK_STATE_STORE


@pytest.fixture
def processed_after(sandbox):
    """Set how many seconds the sandbox takes to process records, for this test only."""
    before = sandbox.current_settings()["processed_after_seconds"]
    yield lambda seconds: sandbox.settings(processed_after_seconds=seconds)
    sandbox.settings(processed_after_seconds=before)


class TestMonthlyInterval:
    """Runs on every line of Airflow: it needs no partitions."""

    DAG_ID = "anycost_monthly_interval"

    def test_backfilled_months_and_twice_is_once(self, dags, sandbox):
        outcomes = backfill(dags[self.DAG_ID], "2024-01", "2024-02")
        assert [outcome.xcom("send_bill")["month"] for outcome in outcomes] == ["2024-01", "2024-02"]
        for month in ("2024-01", "2024-02"):
            assert_holds(sandbox, month, month_rows(month))
        before = digests(sandbox)

        close_backfills()
        [again] = backfill(dags[self.DAG_ID], "2024-02", "2024-02", again=True)
        assert again.xcom("send_bill")["replaced_rows"] == len(month_rows("2024-02"))
        assert digests(sandbox) == before


@SDK_TIMETABLES
class TestSendAndWait:
    REPORT = "anycost_report_what_was_sent"

    @pytest.fixture
    def unpaused(self, dags):
        """Airflow queues an asset event only for DAGs that are not paused."""
        from airflow.models.dag import DagModel

        with create_session() as session:
            session.query(DagModel).filter_by(dag_id=self.REPORT).update({"is_paused": False})

    def test_waits_for_the_bill_and_triggers_the_dag_scheduled_on_it(self, dags, sandbox, unpaused):
        outcome = run(dags["anycost_send_and_wait"], logical_date=APRIL)
        sent = outcome.xcom("send_bill")
        assert outcome.xcom("wait_for_bill") == {
            "anycost_connection_id": sent["anycost_connection_id"],
            "month": "2026-03",
            "listed": True,
            "drop_id": sent["drop_ids"][0],
            "rows": len(month_rows("2026-03")),
        }
        report = run_existing(dags[self.REPORT], self.run_of_asset(self.REPORT))
        assert report.xcom("report") == [f"2026-03: {sent['rows']} rows, {sent['total_cost']}, {sent['sha256'][:8]}"]

    @staticmethod
    def run_of_asset(dag_id: str) -> DagRun:
        """Return the run that the scheduler creates for an asset event."""
        from airflow.jobs.job import Job
        from airflow.jobs.scheduler_job_runner import SchedulerJobRunner
        from airflow.utils.sqlalchemy import prohibit_commit

        with create_session() as session, prohibit_commit(session) as guard:
            SchedulerJobRunner(Job())._create_dagruns_for_dags(guard, session)
        with create_session() as session:
            [made] = session.query(DagRun).filter_by(dag_id=dag_id).all()
            session.expunge_all()
        return made

    def test_waiting_again_sends_nothing(self, dags, sandbox):
        from support.airflow_runs import clear_and_run

        dag = dags["anycost_send_and_wait"]
        outcome = run(dag, logical_date=datetime(2026, 3, 1, tzinfo=timezone.utc))
        again = clear_and_run(dag, outcome, "wait_for_bill")
        assert (again.tries["wait_for_bill"], again.tries["send_bill"]) == (2, 1)
        assert len(sandbox.writes()) == 1


@SDK_TIMETABLES
class TestTelemetrySendAndWait:
    def test_waits_for_its_records(self, dags, sandbox, processed_after):
        processed_after(0)
        outcome = run(dags["telemetry_send_and_wait"], logical_date=datetime(2026, 3, 5, tzinfo=timezone.utc))
        assert outcome.state == "success"
        assert outcome.xcom("wait_for_orders")["status"] == "Available"
        assert int(stream(sandbox, "acme-orders-awaited")["total"]) == sum(orders(date(2026, 3, 4)).values())


@RETRY_POLICIES
class TestRetryPolicy:
    DAG_ID = "anycost_retry_policy"

    @pytest.mark.parametrize(
        ("fault", "delay"),
        [
            pytest.param({"status": 429, "retry_after": 7}, timedelta(minutes=5), id="throttled"),
            pytest.param({"status": 503}, timedelta(minutes=30), id="down"),
            pytest.param({"status": 401}, None, id="refused"),
        ],
    )
    def test_the_error_decides_the_retry(self, dags, sandbox, monkeypatch, fault, delay):
        # One request per attempt: otherwise the client itself retries for minutes.
        monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", os.environ["AIRFLOW_CONN_CLOUDZERO_IMPATIENT"])
        sandbox.faults({"kind": "refuse", "method": "POST", **fault})
        ti = self.first_attempt(dags[self.DAG_ID])
        if delay is None:
            assert ti.state == "failed"
        else:
            assert ti.state == "up_for_retry"
            assert ti.next_retry_datetime() - ti.end_date == delay
        assert sandbox.months() == {}

    def test_without_an_error_it_sends_the_month(self, dags, sandbox):
        [outcome] = backfill(dags[self.DAG_ID], "2025-06", "2025-06")
        assert outcome.xcom("send_bill")["month"] == "2025-06"
        assert_holds(sandbox, "2025-06", month_rows("2025-06"))

    @staticmethod
    def first_attempt(dag):
        """Run each task once, without retries."""
        [dag_run] = create_runs(dag, "2025-05", "2025-05", again=True)
        with create_session() as session:
            dag_run = session.merge(dag_run)
            instances = {ti.task_id: ti for ti in dag_run.get_task_instances(session=session)}
            for task_id in ("make_bill", "send_bill"):
                instances[task_id].try_number, instances[task_id].state = 1, "scheduled"
                session.commit()
                run_task(instances[task_id], dag, session)
        with create_session() as session:
            # A DAG can't have two open backfills, and an open run keeps its backfill open.
            dag_run = session.merge(dag_run)
            dag_run.state = "failed"
            session.commit()
            [send_bill] = [ti for ti in dag_run.get_task_instances(session=session) if ti.task_id == "send_bill"]
            session.expunge_all()
        return send_bill
