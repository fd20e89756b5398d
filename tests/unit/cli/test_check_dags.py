"""``cloudzero-provider check-dags`` imports DAG files and finds the tasks that can write one stream at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.command_line import run, run_json

HEAD = """
from airflow.providers.common.compat.sdk import DAG, TaskGroup, dag, task
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator
from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

"""
POOLS = {"default_pool": 128, "one": 1, "four": 4}


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check DAG files: each is named after its DAG, and has the given lines inside of it."""
    extra = {"anycost_connection_id": "acme"}
    for name, host in (("default", "https://api.cloudzero.com"), ("sandbox", "http://127.0.0.1:1")):
        connection = {"conn_type": "cloudzero", "host": host, "password": "secret-key", "extra": extra}
        monkeypatch.setenv(f"AIRFLOW_CONN_CLOUDZERO_{name.upper()}", json.dumps(connection))
    monkeypatch.chdir(tmp_path)
    pools = tmp_path / "pools.json"
    pools.write_text(json.dumps({name: {"slots": slots, "description": ""} for name, slots in POOLS.items()}))
    folder = tmp_path / "dags"
    folder.mkdir()

    def check_dags(*options, code=None, as_text=False, **dags):
        for dag_id, lines in dags.items():
            body = "\n".join(f"    {line}" for line in lines.strip().splitlines())
            (folder / f"{dag_id}.py").write_text(f"{HEAD}with DAG({dag_id!r}, schedule=None):\n{body}\n")
        code = code if code is not None else 1
        return (run if as_text else run_json)("check-dags", folder, "--pools", pools, *options, code=code)

    return check_dags


def tasks(finding) -> list[str]:
    return [f"{each['dag_id']}.{each['task_id']}" for each in finding["tasks"]]


def conflicts(checked) -> list[tuple[str, list[str]]]:
    return [(finding["stream"], tasks(finding)) for finding in checked["conflicts"]]


def unknown(checked) -> list[tuple[str, str]]:
    return [(each, finding["why"]) for finding in checked["unknown"] for each in tasks(finding)]


SEND = "AnyCostBillingDropOperator(task_id={!r}, month='2026-03', files='a.csv'{})"


def send(task_id: str = "send", more: str = "") -> str:
    return SEND.format(task_id, f", {more}" if more else "")


def test_two_dags_that_send_to_the_stream_of_one_connection(check):
    checked = check(a=send(), b=send())
    assert conflicts(checked) == [("acme", ["a.send", "b.send"])]
    assert checked["conflicts"][0]["tasks"][0]["file"] == "dags/a.py"
    assert (checked["ok"], checked["dags"], checked["unknown"], checked["errors"]) == (False, 2, [], {})


def test_a_pool_of_one_slot_makes_it_good(check):
    checked = check(a=send(more="pool='one'"), b=send(more="pool='one'"), code=0)
    assert (checked["ok"], checked["conflicts"], checked["unknown"]) == (True, [], [])
    assert {(each["pool"], each["one_at_a_time"]) for each in checked["writers"]} == {("one", True)}


def test_default_args_count(check):
    lines = "with TaskGroup('g', default_args={'pool': 'one'}):\n    " + send()
    assert conflicts(check(a=lines, b=send(more="pool='one'"), code=0)) == []


def test_the_id_and_the_default_of_the_connection_are_one_stream(check):
    checked = check(a=send(), b=send(more="anycost_connection_id='acme'"), c=send(more="anycost_connection_id='b'"))
    assert conflicts(checked) == [("acme", ["a.send", "b.send"])]


def test_another_cloudzero_is_another_stream(check):
    assert conflicts(check(a=send(), b=send(more="cloudzero_conn_id='cloudzero_sandbox'"), code=0)) == []


def test_two_tasks_of_one_dag(check):
    assert conflicts(check(a=f"{send('x')} >> {send('y')}")) == [("acme", ["a.x", "a.y"])]


def test_one_task_alone_may_be_mapped(check):
    lines = "AnyCostBillingDropOperator.partial(task_id='send', files='a').expand(month=['2026-01', '2026-02'])"
    assert conflicts(check(a=lines, code=0)) == []


def test_runs_and_instances_at_once(check):
    lines = (
        send("plain", "anycost_connection_id='a', max_active_tis_per_dag=None")
        + "\nAnyCostBillingDropOperator.partial(task_id='mapped', anycost_connection_id='b', max_active_tis_per_dag=4)"
        + ".expand(month=['2026-01'])"
    )
    checked = check(a=lines)
    assert conflicts(checked) == [("b", ["a.mapped"]), ("a", ["a.plain"])]
    assert checked["conflicts"][0]["why"] == "max_active_tis_per_dag is not 1 in default_pool, which has 128 slots"


MAPPED = "AnyCostBillingDropOperator.partial(task_id='send'{}).{}"


@pytest.mark.parametrize(
    "mapped",
    [
        MAPPED.format("", "expand(anycost_connection_id=['x', 'acme'])"),
        MAPPED.format("", "expand_kwargs([{'anycost_connection_id': 'x'}, {'month': '2026-01'}])"),
        MAPPED.format(", anycost_connection_id='acme'", "expand(month=['2026-01'])"),
        "task.cloudzero_billing_drop(task_id='send')(lambda of: []).expand(of=[1, 2])",
        "task.cloudzero_billing_drop(task_id='send', anycost_connection_id='acme')(lambda: [])()",
    ],
)
def test_mapped_tasks_and_decorated_functions(check, mapped):
    assert conflicts(check(a=mapped, b=send())) == [("acme", ["a.send", "b.send"])]


def test_a_subclass_with_other_defaults(check):
    lines = """
class Ours(AnyCostBillingDropOperator):
    def __init__(self, *, anycost_connection_id='ours', **kwargs):
        super().__init__(anycost_connection_id=anycost_connection_id, **kwargs)
Ours.partial(task_id='mapped').expand(month=['2026-01'])
Ours(task_id='plain')
"""
    assert conflicts(check(a=lines)) == [("ours", ["a.mapped", "a.plain"])]


METRIC = "TelemetrySendOperator(task_id='metric', stream_name={!r}, stream_type={!r})"


def test_telemetry_streams(check):
    decorated = "task.cloudzero_telemetry(task_id='f', stream_name='orders', stream_type='metric')(lambda: [])()"
    checked = check(
        a=METRIC.format("orders", "metric"),
        b=decorated,
        c=METRIC.format("orders", "allocation"),
        d=METRIC.format("other", "metric"),
    )
    assert conflicts(checked) == [("metric orders", ["a.metric", "b.f"])]
    assert 'pool="cloudzero_orders"' in checked["conflicts"][0]["fix"]


def test_what_writes_no_stream_does_not_matter(check):
    lines = [
        send(more="check_only=True"),
        send("text", more="check_only='True'"),
        "AnyCostBillingDropReadOperator(task_id='read', month='2026-03', path='a.csv')",
        "AnyCostBucketDropOperator(task_id='bucket', bucket_path='s3://b/acme', month='2026-03', files='a.csv')",
    ]
    checked = check(a="\n".join(lines), b=send(), code=0)
    assert [each["dag_id"] for each in checked["writers"]] == ["b"]


UPSTREAM = "task(task_id='up')(lambda: [])()"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (send(more="anycost_connection_id='{{ params.x }}'"), "the template '{{ params.x }}'"),
        (send(more="cloudzero_conn_id='{{ params.x }}'"), "cloudzero_conn_id is the template '{{ params.x }}'"),
        (send(more=f"anycost_connection_id={UPSTREAM}"), "anycost_connection_id may come from an upstream task"),
        (MAPPED.format("", f"expand(anycost_connection_id={UPSTREAM})"), "may come from an upstream task"),
        (MAPPED.format("", f"expand_kwargs({UPSTREAM})"), "may come from an upstream task"),
        (send(more="anycost_connection_id=7"), "anycost_connection_id is of type int"),
    ],
)
def test_what_only_a_run_can_know_is_said_to_be_unknown(check, lines, why):
    checked = check(a=lines, b=send(), code=0)
    assert checked["conflicts"] == []
    [(name, said)] = unknown(checked)
    assert name == "a.send"
    assert why in said
    check("--strict", code=1)


def test_what_partial_says_can_not_be_replaced_by_an_upstream_task(check):
    fixed = ", cloudzero_conn_id='cloudzero_default', anycost_connection_id='x'"
    checked = check(a=MAPPED.format(fixed, f"expand_kwargs({UPSTREAM})"), b=send(), code=0)
    assert (unknown(checked), [each["streams"] for each in checked["writers"]]) == ([], [["x"], ["acme"]])


def test_a_connection_without_a_stream(check, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_PLAIN", json.dumps({"conn_type": "cloudzero"}))
    checked = check(a=send(more="cloudzero_conn_id='cloudzero_plain'"), b=send(), code=0)
    why = "connection cloudzero_plain names no AnyCost stream in its extra, nor does the task"
    assert unknown(checked) == [("a.send", why)]


def test_a_connection_that_is_not_here(check):
    gone = "cloudzero_conn_id='cloudzero_elsewhere'"
    checked = check(a=send(more=gone), b=send(more=gone), c=send())
    assert conflicts(checked) == [("of connection cloudzero_elsewhere", ["a.send", "b.send"])]
    [note] = checked["notes"]
    assert "cloudzero_elsewhere" in note
    why = "connection cloudzero_elsewhere can't be looked up here, so this may be a stream that other tasks write"
    assert unknown(checked) == [("a.send", why), ("b.send", why)]
    assert "AIRFLOW_CONN_CLOUDZERO_ELSEWHERE" in checked["unknown"][0]["fix"]


def test_two_connections_that_are_not_here_are_unknown(check):
    lines = {name: send(more=f"cloudzero_conn_id='gone_{name}'") for name in "ab"}
    checked = check("--strict", **lines)
    assert (checked["conflicts"], [task for task, _ in unknown(checked)]) == ([], ["a.send", "b.send"])
    assert "as far as is known" in check(code=0, as_text=True).stdout


def test_a_connection_that_is_not_here_is_no_matter_where_nothing_depends_on_it(check):
    gone = "cloudzero_conn_id='gone'"
    assert check("--strict", a=send(more=gone), code=0)["unknown"] == []
    named = send(more=f"{gone}, anycost_connection_id='x'")
    assert check("--strict", a=named, b=send(), code=0)["unknown"] == []
    in_one_pool = check("--strict", a=send(more=f"{gone}, pool='one'"), b=send(more="pool='one'"), code=0)
    assert in_one_pool["unknown"] == []


def test_a_file_that_can_not_be_imported_is_an_error(check):
    checked = check(a=send(), b="import no_such_module_of_ours")
    [(file, error)] = checked["errors"].items()
    assert file.endswith("dags/b.py")
    assert "no_such_module_of_ours" in error
    shown = check(as_text=True).stdout
    assert "1 file can't be imported" in shown
    assert "ModuleNotFoundError: No module named 'no_such_module_of_ours'" in shown


def test_the_report_says_which_task_and_what_to_do(check):
    shown = check(a=send(), b=send(more="pool='four'"), as_text=True).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == (
        "✗ 1 stream can be written by several task instances at once: 2 tasks in 2 DAGs send to CloudZero"
    )
    assert "AnyCost stream acme: 2 tasks in 2 pools: default_pool, four" in lines
    assert "dags/b.py b send four" in lines
    assert '→ set pool="cloudzero_acme" on each; to create it: cloudzero-provider create-pools acme' in lines
    assert "secret-key" not in shown


def test_a_good_report(check):
    assert check(a=send(), code=0, as_text=True).stdout.startswith("✓ one writer on each stream: 1 task in 1 DAG ")
    unknown_one = send(more="anycost_connection_id='{{ params.x }}'")
    assert "as far as is known" in check(b=unknown_one, code=0, as_text=True).stdout


def test_what_a_file_prints_is_not_in_the_report(check):
    checked = check(a=f"print('from a DAG file')\n{send()}", code=0)
    assert checked["ok"] is True


def test_what_a_program_prints_that_a_file_starts_is_not_either(check, tmp_path):
    check(a=f"import subprocess; subprocess.run(['echo', 'from a program'])\n{send()}", code=0)
    options = ["check-dags", "dags", "--pools", "pools.json", "--json"]
    ran = subprocess.run(
        [sys.executable, "-m", "cloudzero_provider.cli", *options], cwd=tmp_path, capture_output=True, check=True
    )
    assert json.loads(ran.stdout)["ok"] is True
    assert b"from a program" in ran.stderr


def test_a_single_file(check, tmp_path):
    check(a=send(), b=send())
    found = run_json("check-dags", tmp_path / "dags" / "a.py", "--pools", tmp_path / "pools.json")
    assert (found["dags"], found["conflicts"]) == (1, [])


def test_a_folder_without_a_dag_is_not_called_good(check, tmp_path):
    (tmp_path / "dags" / "notes.txt").write_text("no DAG")
    checked = check(code=0)
    assert "No DAG was found in" in checked["notes"][0]
    assert "as far as is known" in check(code=0, as_text=True).stdout
    check("--strict", code=1)


def test_each_folder_has_its_own_helper_modules(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        folder = tmp_path / name
        folder.mkdir()
        (folder / "streams_of_ours.py").write_text(f"STREAM = 'acme-{name}'")
        body = send(more="anycost_connection_id=STREAM")
        lines = f"from streams_of_ours import STREAM\nwith DAG('of_{name}', schedule=None):\n    {body}\n"
        (folder / "dag.py").write_text(f"{HEAD}{lines}")
    found = run_json("check-dags", "a", "b")
    assert [each["streams"] for each in found["writers"]] == [["acme-a"], ["acme-b"]]


@pytest.fixture
def bundles(tmp_path, monkeypatch):
    """Configure Airflow with bundles of DAGs: name → class and folder."""
    pytest.importorskip("airflow.dag_processing.bundles.manager", reason="Airflow 2.11 has no bundles")
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"

    def configure(*folders, classpath=local):
        monkeypatch.setenv(
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST",
            json.dumps(
                [{"name": each.name, "classpath": classpath, "kwargs": {"path": str(each)}} for each in folders]
            ),
        )

    return configure


def test_two_bundles_with_one_dag_id_are_an_error(bundles, tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").write_text(f"{HEAD}with DAG('same', schedule=None):\n    {send()}\n")
    bundles(tmp_path / "a", tmp_path / "b")
    [(file, error)] = run_json("check-dags", code=1)["errors"].items()
    assert file == str(tmp_path / "b" / "x.py")
    assert error == f"{tmp_path / 'a' / 'x.py'} has a DAG 'same', too"


def test_a_bundle_that_can_not_be_read_is_wrong_usage(bundles, tmp_path, monkeypatch):
    bundles(tmp_path, classpath="no_such_module_of_ours.Bundle")
    assert "No module named 'no_such_module_of_ours'" in run("check-dags", code=2).stderr
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "bundle_of_ours.py").write_text(
        "from airflow.dag_processing.bundles.local import LocalDagBundle\n\n\n"
        "class Bundle(LocalDagBundle):\n"
        "    def initialize(self):\n"
        "        raise RuntimeError('https://user:the-token@git failed')\n"
    )
    bundles(tmp_path, classpath="bundle_of_ours.Bundle")
    refused = run("check-dags", code=2)
    assert f"The DAG bundle {tmp_path.name!r} can't be read: RuntimeError" in refused.stderr
    assert "the-token" not in refused.output


def test_wrong_usage(tmp_path):
    assert "there is no such folder or file" in run("check-dags", tmp_path / "gone", code=2).stderr


def test_a_file_of_pools_that_is_none(check, tmp_path):
    (tmp_path / "other.json").write_text("[]")
    check(a=send(), code=0)
    folder, other = tmp_path / "dags", tmp_path / "other.json"
    assert "airflow pools export" in run("check-dags", folder, "--pools", other, code=2).stderr
