"""A local file that is missing: where tasks run on several machines, the error says that another one may have it."""

from __future__ import annotations

import pickle

import pytest
from support.tasks import connect, context

from cloudzero_provider import exceptions as errors
from cloudzero_provider.airflow_support.local_files import local_files_explained
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator
from cloudzero_provider.operators.plan import AnyCostBillingDropPlanOperator, TelemetryPlanOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

STREAM = {"stream_name": "orders", "stream_type": "metric"}
OPERATORS = {
    "send": lambda **given: AnyCostBillingDropOperator(task_id="t", month="2026-03", **given),
    "plan": lambda **given: AnyCostBillingDropPlanOperator(task_id="t", month="2026-03", **given),
    "bucket": lambda **given: AnyCostBucketDropOperator(
        task_id="t", month="2026-03", bucket_path="file:///tmp/acme", **given
    ),
    "telemetry": lambda **given: TelemetrySendOperator(task_id="t", **STREAM, **given),
    "telemetry plan": lambda **given: TelemetryPlanOperator(task_id="t", **STREAM, **given),
}
ELSEWHERE = (
    "tasks run on several machines, each with files of its own: if another task writes this one, have it write to "
    "storage that all of them read, like s3:// or a shared volume."
)


@pytest.fixture
def message(monkeypatch, sandbox, tmp_path):
    """Run a task without its file, and return the message of its error."""

    def run(configured, *, kind="send", files="bill.csv", in_pod=False, **options):
        connect(monkeypatch, sandbox)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", configured)
        if in_pod:
            monkeypatch.setenv("AIRFLOW_IS_K8S_EXECUTOR_POD", "True")
        task = OPERATORS[kind](files=files, **options)
        with pytest.raises(errors.MissingFileError) as failed:
            task.execute(context(task))
        # As Airflow passes errors between processes.
        assert str(pickle.loads(pickle.dumps(failed.value))) == str(failed.value)
        return str(failed.value)

    return run


@pytest.mark.parametrize("kind", OPERATORS)
def test_every_operator_says_that_the_file_may_be_elsewhere(message, kind):
    said = message("CeleryExecutor", kind=kind)
    assert said.startswith("bill.csv: there is no such file, so nothing was sent.")
    assert said.endswith(f" With CeleryExecutor, {ELSEWHERE}")


@pytest.mark.parametrize("executor", ["LocalExecutor", "SequentialExecutor", "LocalExecutor,CeleryExecutor"])
def test_on_one_machine_it_does_not(message, executor):
    assert message(executor).endswith("or set retries.")


@pytest.mark.parametrize(
    ("executor", "named"),
    [
        ("KubernetesExecutor", "KubernetesExecutor"),
        ("CeleryExecutor,LocalExecutor", "CeleryExecutor"),
        ("airflow.providers.edge3.executors.EdgeExecutor", "EdgeExecutor"),
        ("far:airflow.providers.celery.executors.celery_executor.CeleryExecutor, LocalExecutor", "CeleryExecutor"),
        ("our.own.Executor", "Executor"),
    ],
)
def test_other_executors(message, executor, named):
    assert f"With {named}, tasks run on several machines" in message(executor)


@pytest.mark.parametrize(
    ("executor", "of_task", "named"),
    [
        ("LocalExecutor,CeleryExecutor", "CeleryExecutor", "CeleryExecutor"),
        ("LocalExecutor,far:a.b.EdgeExecutor", "far", "EdgeExecutor"),
        ("CeleryExecutor,LocalExecutor", "LocalExecutor", None),
    ],
)
def test_the_executor_of_the_task_counts(message, executor, of_task, named):
    said = message(executor, executor=of_task)
    assert (f"With {named}, " in said) if named else said.endswith("or set retries.")


def test_a_pod_of_kubernetes_has_its_own_files_whatever_is_configured(message):
    assert "With KubernetesExecutor, " in message("LocalExecutor", in_pod=True)


@pytest.mark.parametrize("files", ["*.csv", "file:///tmp/no-such-folder/bill.csv"])
def test_patterns_and_file_uris_are_local_too(message, files):
    assert ELSEWHERE in message("CeleryExecutor", files=files)


def test_a_file_that_all_workers_see_is_just_missing(monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    with pytest.raises(errors.MissingFileError) as failed, local_files_explained(OPERATORS["send"](files="a.csv")):
        raise errors.MissingFileError("s3://bucket/bill.csv")
    assert str(failed.value).endswith("or set retries.")
