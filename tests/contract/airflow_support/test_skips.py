"""A skipped task logs why, whatever skipped it."""

from __future__ import annotations

import pytest
from airflow.providers.common.compat.sdk import AirflowSkipException, task
from support.rows import bill_row
from support.tasks import context, send, send_telemetry
from support.waiting import DEFERRABLE, POKE, wait

from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

modes = pytest.mark.parametrize("mode", [POKE, DEFERRABLE])
RECORD = {"timestamp": "2026-03-01", "element_name": "shop", "value": 0}


@pytest.fixture(autouse=True)
def _same_settings_afterwards(sandbox):
    before = sandbox.current_settings()
    yield
    sandbox.settings(**before)


@pytest.fixture
def logged(caplog):
    caplog.set_level("INFO", "cloudzero_provider.airflow_support.skips")

    def lines():
        return [
            record.message for record in caplog.records if record.name == "cloudzero_provider.airflow_support.skips"
        ]

    return lines


def skipped_by_the_user():
    raise AirflowSkipException("the vendor has no bill for this month")


def no_rows():
    return []


def test_an_operator_without_rows(sandbox, logged):
    with pytest.raises(AirflowSkipException):
        send(records=[])
    assert logged() == ["Skipping the task: No rows for 2026-03 (on_empty='skip'). Nothing was sent."]


def test_an_operator_without_records(sandbox, logged):
    with pytest.raises(AirflowSkipException):
        send_telemetry(records=[])
    assert logged() == ["Skipping the task: No records for orders-per-team (on_empty='skip'). Nothing was sent."]


@pytest.mark.parametrize(
    ("flavour", "arguments"),
    [
        (task.cloudzero_billing_drop, {"month": "2026-03"}),
        (task.cloudzero_telemetry, {"stream_name": "orders", "stream_type": "metric"}),
    ],
)
class TestFunction:
    def run(self, flavour, function, arguments):
        operator = flavour(**arguments)(function)().operator
        with pytest.raises(AirflowSkipException):
            operator.execute(context(operator))

    def test_without_rows(self, sandbox, logged, flavour, arguments):
        self.run(flavour, no_rows, arguments)
        [line] = logged()
        assert line.startswith("Skipping the task: No r")
        assert line.endswith(" (on_empty='skip'). Nothing was sent.")

    def test_that_skips_itself(self, sandbox, logged, flavour, arguments):
        self.run(flavour, skipped_by_the_user, arguments)
        assert logged() == ["Skipping the task: the vendor has no bill for this month"]

    def test_that_gives_no_reason(self, sandbox, logged, flavour, arguments):
        def function():
            raise AirflowSkipException

        self.run(flavour, function, arguments)
        assert logged() == ["Skipping the task: AirflowSkipException was raised, without a reason"]


def test_a_transform_that_skips(sandbox, logged):
    with pytest.raises(AirflowSkipException):
        send(records=[bill_row(1, 13, "1.5")], transform=lambda _: skipped_by_the_user())
    assert logged() == ["Skipping the task: the vendor has no bill for this month"]


@modes
def test_a_sensor_with_nothing_to_wait_for(sandbox, logged, mode):
    bill = send(records=[bill_row(1, 13, "1.5")], check_only=True)
    with pytest.raises(AirflowSkipException):
        wait(AnyCostBillingDropSensor, mode, summary=bill)
    records = send_telemetry(records=[RECORD], on_zero="skip")
    with pytest.raises(AirflowSkipException):
        wait(CloudZeroStreamStatusSensor, mode, summary=records)
    assert [line.removesuffix(", so there is nothing to wait for.") for line in logged()] == [
        "Skipping the task: Nothing was sent (check_only)",
        "Skipping the task: All values of the batch were zero and were deleted or skipped",
    ]


@modes
@pytest.mark.parametrize("switch", ["soft_fail", "never_fail"])
def test_a_sensor_that_skips_instead_of_failing_names_the_error(sandbox, logged, mode, switch):
    summary = send(records=[bill_row(1, 13, "1.5")])
    sandbox.faults({"kind": "refuse", "status": 403, "method": "GET", "times": 100})
    with pytest.raises(AirflowSkipException):
        wait(AnyCostBillingDropSensor, mode, summary=summary, **{switch: True})
    [line] = logged()
    assert f"{switch} is set" in line
    assert line.count("CloudZero refuses the API key") == 1


@modes
def test_a_sensor_whose_time_is_up(sandbox, logged, mode):
    sandbox.settings(read_lag_seconds=60)
    summary = send(records=[bill_row(1, 13, "1.5")])
    with pytest.raises(AirflowSkipException):
        wait(AnyCostBillingDropSensor, mode, summary=summary, timeout=0.5, soft_fail=True)
    [line] = logged()
    assert line.startswith("Skipping the task: ")
    assert "Waited 0.5 s" in line or "timed out" in line


def test_a_sensor_whose_trigger_never_ended(sandbox, logged):
    sensor = AnyCostBillingDropSensor(task_id="wait", summary={}, deferrable=True, soft_fail=True)
    with pytest.raises(AirflowSkipException):
        sensor.resume_execution("__fail__", {"error": "TriggerTimeout"}, context(sensor))
    [line] = logged()
    assert "imed out" in line or "imeout" in line
