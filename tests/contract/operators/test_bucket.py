"""The operators of a bucket: what CloudZero would then take, read by the rules of its documentation."""

from __future__ import annotations

import gzip
import json
import logging
from decimal import Decimal
from types import SimpleNamespace

import polars as pl
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, task
from support.bucket_drops import MARCH_FOLDER, FolderReader, current_drop, drops, held_cost, held_rows
from support.charges import charge, frame_of
from support.rows import bill_row
from support.tasks import TaskInstance, context, write_drop

from cloudzero_provider import exceptions as errors
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.operators.bucket import (
    AnyCostBucketDropOperator,
    AnyCostBucketListOperator,
    AnyCostBucketRollbackOperator,
)

BILL = [bill_row(day, cost=f"{day}.25", **{"resource/id": f"vm-{day}"}) for day in range(1, 32)]
CSV = "\n".join(["time/usage_start,cost/cost,resource/id", *(",".join(row.values()) for row in BILL)]) + "\n"


@pytest.fixture
def bucket(tmp_path):
    return FolderReader(tmp_path / "anycost")


@pytest.fixture
def write(bucket):
    def write(**arguments):
        return write_drop(bucket_path=str(bucket.root), **arguments)

    return write


def changed(rows, **changes):
    return [{**row, **{name.replace("__", "/"): value for name, value in changes.items()}} for row in rows]


class TestSources:
    def test_records(self, bucket, write):
        summary = write(records=BILL)
        assert held_rows(bucket.files()) == BILL
        assert held_cost(bucket.files()) == Decimal(summary["total_cost"]) == Decimal("503.75")
        assert {name: summary[name] for name in ("month", "rows", "replaced_rows", "files", "hours", "check_only")} == {
            "month": "2026-03",
            "rows": 31,
            "replaced_rows": 0,
            "files": 1,
            "hours": 31,
            "check_only": False,
        }
        assert json.loads(json.dumps(summary)) == summary

    @pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "jsonl", "ndjson.gz"])
    def test_files(self, bucket, write, tmp_path, ending):
        path = tmp_path / f"march.{ending}"
        lines = "\n".join(map(json.dumps, BILL)) if "json" in ending else CSV
        if ending == "parquet":
            pl.DataFrame(BILL).write_parquet(path)
        else:
            path.write_bytes(gzip.compress(lines.encode()) if ending.endswith("gz") else lines.encode())
        write(files=str(path))
        assert held_rows(bucket.files()) == BILL

    def test_several_files_with_other_columns(self, bucket, write, tmp_path):
        (tmp_path / "a.csv").write_text(CSV)
        pl.DataFrame({"cost/cost": ["7"], "time/usage_start": ["2026-03-05"]}).write_parquet(tmp_path / "b.parquet")
        summary = write(files=[str(tmp_path / "a.csv"), str(tmp_path / "b.parquet")])
        assert held_rows(bucket.files()) == [*BILL, bill_row(5, cost="7")]
        assert (summary["files"], summary["total_cost"]) == (2, "510.75")

    def test_a_transform_sees_all_rows(self, bucket, write, tmp_path):
        (tmp_path / "a.csv").write_text(CSV)
        (tmp_path / "b.csv").write_text(CSV.replace(".25", ".5"))

        def first_of_each_day(frame):
            return frame.unique("time/usage_start", keep="first", maintain_order=True)

        write(files=str(tmp_path / "?.csv"), transform=first_of_each_day)
        assert held_rows(bucket.files()) == BILL

    def test_a_transform_of_batches(self, bucket, write, tmp_path):
        (tmp_path / "a.csv").write_text(CSV)
        (tmp_path / "b.csv").write_text(CSV.replace(".25", ".5"))
        heights = []

        def seen(frame):
            heights.append(frame.height)
            return frame

        write(files=str(tmp_path / "?.csv"), transform=seen, transform_batches=True)
        assert heights == [31, 31]
        assert len(held_rows(bucket.files())) == 62

    @pytest.mark.parametrize("transform_batches", [False, True])
    def test_a_transform_that_skips(self, bucket, write, tmp_path, transform_batches):
        (tmp_path / "a.csv").write_text(CSV)

        def nothing_new(frame):
            raise AirflowSkipException("nothing new")

        with pytest.raises(AirflowSkipException, match="nothing new"):
            write(files=str(tmp_path / "a.csv"), transform=nothing_new, transform_batches=transform_batches)
        assert bucket.files() == {}

    def test_focus(self, bucket, write, tmp_path):
        times = [f"2026-03-0{day} 00:00:00" for day in (1, 2, 3)]
        charges = [charge(BilledCost="2.5", BillingPeriodStart=times[0], ChargePeriodStart=time) for time in times]
        frame_of(*charges).write_parquet(tmp_path / "focus.parquet")
        made = []
        for in_batches in (False, "true"):
            summary = write(files=str(tmp_path / "focus.parquet"), transform=to_cbf, transform_batches=in_batches)
            made.append((held_rows(bucket.files()), summary["total_cost"]))
        assert made[0] == made[1]
        assert made[0][1] == "7.5"


class TestBadInput:
    @pytest.mark.parametrize("ending", ["csv", "parquet", "records"])
    def test_nothing_is_written(self, bucket, write, tmp_path, ending):
        rows = [*BILL[:30], bill_row(31, cost="$5", **{"resource/id": "vm-31"})]
        source = {"records": rows}
        if ending != "records":
            path = tmp_path / f"march.{ending}"
            frame = pl.DataFrame(rows)
            frame.write_csv(path) if ending == "csv" else frame.write_parquet(path)
            source = {"files": str(path)}
        with pytest.raises(
            errors.InvalidRowsError, match=r"(line 32|row 31), column 'cost/cost', value '\$5'"
        ) as error:
            write(**source)
        assert isinstance(error.value, AirflowFailException)
        assert bucket.files() == {}

    @pytest.mark.parametrize("source", ["files", "records"])
    def test_text_that_csv_can_not_hold(self, bucket, write, tmp_path, source):
        rows = [*BILL[:30], bill_row(31, **{"resource/id": "vm\0"})]
        pl.DataFrame(rows).write_parquet(tmp_path / "march.parquet")
        given = {"files": str(tmp_path / "march.parquet")} if source == "files" else {"records": rows}
        with pytest.raises(errors.InvalidRowsError, match=r"row 31, column 'resource/id', .* has a NUL character"):
            write(**given)
        assert bucket.files() == {}

    @pytest.mark.parametrize("name", [" ", "a\0b"])
    def test_names_that_csv_can_not_hold(self, bucket, write, name):
        rows = [{**row, name: "x"} for row in BILL]
        with pytest.raises(errors.InvalidRowsError, match="the header of a CSV file needs a name for each column"):
            write(records=rows, allow_unknown_columns=True)
        assert bucket.files() == {}

    @pytest.mark.parametrize("parameter", ["files", "problems_file"])
    def test_credentials_in_a_path(self, write, parameter):
        with pytest.raises(Exception, match="what is before the @ is not the id of an Airflow connection") as error:
            write(
                **{"records": BILL, parameter: "s3://AKIA7:planted-secret/9@bucket/march.csv"}
                | ({"records": None} if parameter == "files" else {})
            )
        assert "planted-secret" not in str(error.value)

    def test_another_month(self, bucket, write):
        with pytest.raises(errors.InvalidRowsError, match=r"not in 2026-04 \(UTC\)"):
            write(records=BILL, month="2026-04")
        assert bucket.files() == {}

    def test_every_problem_is_listed(self, write, tmp_path):
        (tmp_path / "march.csv").write_text(CSV.replace(".25,", ".25 EUR,"))
        with pytest.raises(errors.InvalidRowsError) as error:
            write(files=str(tmp_path / "march.csv"), problems_file=str(tmp_path / "problems.jsonl"))
        listed = [json.loads(line) for line in (tmp_path / "problems.jsonl").read_text().splitlines()]
        assert [problem["value"] for problem in listed] == [f"'{day}.25 EUR'" for day in range(1, 32)]
        assert str(error.value).endswith("problems.jsonl lists every problem.")

    def test_without_a_source(self, bucket, write):
        with pytest.raises(errors.InputError, match="None of records, files and sql has a value"):
            write()
        with pytest.raises(errors.ConfigurationError, match="records and files are set"):
            write(records=BILL, files="x.csv")
        assert bucket.files() == {}

    def test_a_file_that_is_not_there_yet(self, bucket, write, tmp_path):
        with pytest.raises(errors.MissingFileError) as error:
            write(files=str(tmp_path / "none.csv"))
        assert not isinstance(error.value, AirflowFailException)

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ({"keep_drops": 0}, "keep_drops is 0"),
            ({"keep_drops": "many"}, "keep_drops is 'many'"),
            ({"rows_per_file": 1_000_001}, "rows_per_file is 1000001"),
            ({"transform_batches": "perhaps"}, "transform_batches is 'perhaps'"),
            ({"on_empty": "drop"}, "on_empty is 'drop'"),
            ({"max_cost_change": "a lot"}, "max_cost_change is 'a lot'"),
            ({"required_days": "some"}, "required_days is 'some'"),
            ({"skip_unchanged": 1}, "skip_unchanged is 1"),
            ({"month": "None"}, "'None' is not a valid month"),
        ],
    )
    def test_parameters_are_read_before_any_row(self, bucket, write, arguments, match):
        with pytest.raises(errors.ConfigurationError, match=match):
            write(**{"files": "no-such-file.csv", **arguments})
        assert bucket.files() == {}


class TestEmpty:
    def test_the_task_is_skipped(self, bucket, write):
        with pytest.raises(AirflowSkipException, match=r"No rows for 2026-03 \(on_empty='skip'\)"):
            write(records=[])
        assert bucket.files() == {}

    def test_the_task_fails(self, bucket, write):
        with pytest.raises(errors.InputError, match="on_empty='fail'"):
            write(records=[], on_empty="fail")
        assert bucket.files() == {}

    def test_the_month_is_emptied(self, bucket, write, tmp_path):
        write(records=BILL)
        (tmp_path / "empty.csv").write_text(CSV.splitlines()[0] + "\n")
        summary = write(files=str(tmp_path / "empty.csv"), on_empty="clear")
        assert held_rows(bucket.files()) == []
        assert (summary["rows"], summary["replaced_rows"], summary["total_cost"]) == (0, 31, "0")


class TestAttempts:
    def test_a_retry_of_what_is_there_changes_nothing(self, bucket, write):
        write(records=BILL, retries=2)
        before = bucket.files()
        summary = write(records=BILL, retries=2, try_number=2)
        assert (summary["unchanged"], summary["drop_id"]) == (True, current_drop(before))
        assert bucket.files() == before

    def test_a_retry_of_other_rows_writes_them(self, bucket, write):
        write(records=BILL, retries=2)
        assert not write(records=BILL[:30], retries=2, try_number=2)["unchanged"]
        assert held_rows(bucket.files()) == BILL[:30]

    def test_a_cleared_task_writes_a_new_drop(self, bucket, write):
        first = write(records=BILL, retries=2)
        second = write(records=BILL, retries=2, try_number=2, max_tries=3)
        assert second["previous_drop_id"] == first["drop_id"] != second["drop_id"]
        assert held_rows(bucket.files()) == BILL

    def test_an_unchanged_month_is_left(self, bucket, write):
        write(records=BILL)
        assert write(records=BILL, skip_unchanged="True")["unchanged"]
        assert not write(records=BILL[::-1], skip_unchanged=True)["unchanged"]

    @pytest.mark.parametrize(
        ("arguments", "error"),
        [
            ({"records": BILL[:15]}, errors.MonthWouldShrinkError),
            ({"records": BILL * 3, "max_rows_ratio": "2"}, errors.MonthWouldGrowError),
            ({"records": changed(BILL, cost__cost="99"), "max_cost_change": "30%"}, errors.CostWouldChangeError),
            ({"records": BILL[:30], "required_days": "all"}, errors.MissingDaysError),
        ],
    )
    def test_guards(self, bucket, write, arguments, error):
        write(records=BILL)
        before = bucket.files()
        with pytest.raises(error) as refused:
            write(**arguments)
        assert isinstance(refused.value, errors.GuardError)
        assert isinstance(refused.value, AirflowFailException)
        assert bucket.files() == before

    def test_a_manifest_that_is_not_one(self, bucket, write):
        bucket.put(f"{MARCH_FOLDER}/manifest.json", b"[]")
        with pytest.raises(errors.ManifestError) as error:
            write(records=BILL)
        assert isinstance(error.value, AirflowFailException)

    def test_old_drops_are_removed(self, bucket, write):
        for number in range(4):
            write(records=changed(BILL, cost__cost=str(number + 1)), keep_drops="2")
        assert len(drops(bucket.files())) == 3


class TestSameRun:
    """Two tasks of a run that would replace each other's month."""

    def run_both(self, bucket, months=("2026-03", "2026-03"), **second):
        tasks = [
            AnyCostBucketDropOperator(
                task_id=name, bucket_path=str(bucket.root), month=month, records=changed_month(month), **arguments
            )
            for name, month, arguments in zip("ab", months, ({}, second), strict=True)
        ]
        instances = [TaskInstance(task.task_id, try_number=1, max_tries=0) for task in tasks]
        by_id = dict(zip("ab", tasks, strict=True))
        dag = SimpleNamespace(tasks=tasks, get_task=by_id.get)
        for instance in instances:
            instance.xcom_pull = lambda *, task_ids, key: [each.xcoms[key] for each in instances if key in each.xcoms]
            instance.get_task_states = lambda *, task_ids, **_: {
                "run": {task_id: {"a": "success", "b": "running"}[task_id] for task_id in task_ids}
            }
        return [
            task.execute({"ti": instance, "task": task, "dag_run": None, "dag": dag})
            for task, instance in zip(tasks, instances, strict=True)
        ]

    def test_is_refused(self, bucket):
        with pytest.raises(
            errors.ReplacesSameRunError, match=r"Task 'a' .* 31 rows of 2026-03 to .*replaces the whole"
        ):
            self.run_both(bucket)
        assert len(drops(bucket.files())) == 1

    def test_may_be_allowed(self, bucket):
        self.run_both(bucket, replace_in_same_run=True)
        assert len(drops(bucket.files())) == 2

    def test_other_months_are_independent(self, bucket):
        self.run_both(bucket, months=("2026-03", "2026-04"))
        assert len(held_rows(bucket.files(), "20260401-20260501")) == 30


def changed_month(month):
    days = 31 if month == "2026-03" else 30
    return [{**row, "time/usage_start": row["time/usage_start"].replace("2026-03", month)} for row in BILL[:days]]


class TestDecorator:
    def test_rows_of_a_function(self, bucket):
        @task.cloudzero_bucket_drop(task_id="write", bucket_path=str(bucket.root), month="2026-03")
        def bill():
            yield from BILL

        made = bill().operator
        assert made.execute(context(made))["rows"] == 31
        assert held_rows(bucket.files()) == BILL

    def test_sources_are_refused(self, bucket):
        decorate = task.cloudzero_bucket_drop(bucket_path=str(bucket.root), files="x.csv")
        with pytest.raises(errors.ConfigurationError, match=r"AnyCostBucketDropOperator\(files="):
            decorate(lambda: BILL)


class TestDrops:
    def run(self, kind, bucket, **arguments):
        made = kind(task_id="t", bucket_path=str(bucket.root), month="2026-03", **arguments)
        return made.execute(context(made))

    def test_list_and_roll_back(self, bucket, write, caplog):
        made = [write(records=changed(BILL, cost__cost=cost))["drop_id"] for cost in "12"]
        with caplog.at_level(logging.INFO):
            listed = self.run(AnyCostBucketListOperator, bucket)
        assert [drop["drop_id"] for drop in listed["drops"]] == made
        assert json.loads(json.dumps(listed)) == listed
        summary = self.run(AnyCostBucketRollbackOperator, bucket, drop_id=made[0])
        assert (summary["drop_id"], summary["total_cost"], summary["unchanged"]) == (made[0], "31", False)
        assert held_cost(bucket.files()) == 31
        assert self.run(AnyCostBucketRollbackOperator, bucket, drop_id=made[0])["unchanged"]

    def test_a_drop_that_is_not_there(self, bucket, write):
        write(records=BILL)
        with pytest.raises(errors.DropNotFoundError) as error:
            self.run(AnyCostBucketRollbackOperator, bucket, drop_id="20260101T000000Z")
        assert isinstance(error.value, AirflowFailException)
