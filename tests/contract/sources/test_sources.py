"""Where rows come from, and what is made of them before they are checked: what CloudZero then holds."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from functools import partial

import polars as pl
import pytest
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    BaseHook,
    ObjectStoragePath,
)
from airflow.providers.common.sql.hooks.sql import DbApiHook
from support.sandbox_server import STREAM
from support.tasks import context, send

from cloudzero_provider import exceptions as errors
from cloudzero_provider.anycost import focus
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.transforms import decimals

BILL = [
    {"day": "2026-03-01", "service": "DB", "cost": "0.10", "credit": "-0.01"},
    {"day": "2026-03-02", "service": "", "cost": "1e-9", "credit": None},
]


def to_cbf(bill):
    return bill.select(
        pl.col("day").alias("time/usage_start"),
        pl.col("service").alias("resource/service"),
        (pl.col("cost") + pl.col("credit").fill_null(0)).alias("cost/cost"),
    )


def held(sandbox):
    month = sandbox.month("2026-03")
    return month["rows"], month["total_cost"]


def written(tmp_path, ending):
    path = tmp_path / f"bill{ending}"
    if ending == ".csv":
        lines = [",".join(row[name] or "" for name in row) for row in BILL]
        path.write_text("\n".join([",".join(BILL[0]), *lines]))
    elif ending == ".json":
        path.write_text(json.dumps(BILL))
    elif ending == ".jsonl":
        path.write_text("\n".join(map(json.dumps, BILL)))
    else:
        pl.DataFrame(BILL).write_parquet(path)
    return str(path)


@pytest.mark.parametrize("ending", [".csv", ".json", ".jsonl", ".parquet"])
def test_a_transform_makes_the_same_month_of_any_file(sandbox, tmp_path, ending):
    summary = send(files=written(tmp_path, ending), transform=[decimals("cost", "credit"), to_cbf])
    assert held(sandbox) == (2, "0.090000001")
    records = send(records=BILL, transform=[decimals("cost", "credit"), to_cbf])
    assert (records["sha256"], records["total_cost"]) == (summary["sha256"], "0.090000001")


def test_a_file_of_airflows_object_storage(sandbox, tmp_path):
    path = ObjectStoragePath(f"file://{written(tmp_path, '.csv')}")
    for files in (path, [path], str(path), str(path).replace("bill", "b?ll")):
        send(files=files, transform=[decimals("cost", "credit"), to_cbf])
        assert held(sandbox) == (2, "0.090000001")


@pytest.mark.parametrize(
    ("uri", "kind", "words"),
    [
        ("file:///bill.pdf", errors.InputError, r"bill\.pdf: expected a file that ends in"),
        ("nonsense://a/b.csv", errors.ConfigurationError, "Airflow can't open it .*Is the provider for it installed"),
    ],
)
def test_a_file_that_airflow_can_not_open(sandbox, uri, kind, words):
    with pytest.raises(kind, match=words) as error:
        send(files=uri)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_file_that_is_not_written_yet_can_be_retried(sandbox, tmp_path, scheme):
    for name in ("bill.csv", "*.csv", "later/bill.csv"):
        with pytest.raises(errors.MissingFileError, match=r"^(file://)?/.*csv: .*, so nothing was sent\.") as error:
            send(files=f"{scheme}{tmp_path}/{name}")
        assert isinstance(error.value, AirflowException)
        assert not isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


def test_a_transform_that_fails_is_not_retried_and_names_its_file(sandbox, tmp_path):
    path = written(tmp_path, ".csv")
    with pytest.raises(
        errors.TransformError, match=rf"^transform: .* failed on the rows of {path}, so nothing"
    ) as error:
        send(files=path, transform=lambda frame: frame.select("no such column"))
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


@pytest.mark.parametrize("kind", [AirflowSkipException, AirflowException])
def test_a_transform_can_raise_airflows_own_errors(sandbox, tmp_path, kind):
    def stops(frame):
        raise kind("not today")

    with pytest.raises(kind, match=r"^not today$") as error:
        send(files=written(tmp_path, ".csv"), transform=stops)
    assert not isinstance(error.value, errors.CloudZeroError)
    assert sandbox.requests() == []


def test_a_folder_of_object_storage_is_not_an_empty_file(sandbox, tmp_path):
    (tmp_path / "bill.csv").mkdir()
    with pytest.raises(errors.InputError, match=r"bill\.csv: the file can't be read \(IsADirectoryError"):
        send(files=f"file://{tmp_path}/bill.csv")
    assert sandbox.requests() == []


def test_a_table_that_is_a_folder_is_not_left_out(sandbox, tmp_path):
    written(tmp_path, ".csv")
    (tmp_path / "spark.csv").mkdir()
    (tmp_path / "spark.csv" / "part.csv").write_text("day,cost,credit,service\n2026-03-03,5,,\n")
    with pytest.raises(errors.InputError, match=r"spark\.csv is a folder: name the files in it"):
        send(files=f"file://{tmp_path}/*.csv")
    assert sandbox.requests() == []
    send(files=f"file://{tmp_path}/**/*.csv", transform=[decimals("cost", "credit"), to_cbf])
    assert held(sandbox) == (3, "5.090000001")


def test_rows_removed_by_a_transform_are_not_sent(sandbox):
    none = {"records": BILL, "transform": lambda bill: bill.clear()}
    with pytest.raises(AirflowSkipException, match="No rows for 2026-03"):
        send(**none)
    with pytest.raises(errors.InputError, match="No rows for 2026-03"):
        send(**none, on_empty="fail")
    assert sandbox.requests() == []


def test_an_error_of_a_transform_is_named_and_nothing_was_sent(sandbox):
    with pytest.raises(errors.TransformError, match=r"^transform: to_cbf failed.* ColumnNotFoundError: .*\"day\""):
        send(records=[{"a": 1}], transform=to_cbf)
    with pytest.raises(errors.ConfigurationError, match="transform is 'to_cbf'"):
        send(records=BILL, transform="to_cbf")
    with pytest.raises(errors.InvalidRowsError, match=r"row 2, column 'cost/cost', value '1,5'"):
        send(records=BILL, transform=lambda bill: to_cbf(bill).with_columns(pl.Series("cost/cost", ["1", "1,5"])))
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"sql": "SELECT 1"}, errors.ConfigurationError, "sql and sql_conn_id go together"),
        ({"sql_conn_id": "x", "records": []}, errors.ConfigurationError, "sql and sql_conn_id go together"),
        (
            {"sql": "SELECT 1", "sql_conn_id": "cloudzero_default"},
            errors.ConfigurationError,
            "'cloudzero_default', whose hook, CloudZeroHook, does not run SQL",
        ),
        (
            {"sql": "SELECT 1", "sql_conn_id": "x", "files": "a.csv", "records": []},
            errors.ConfigurationError,
            "records and files and sql are set: set exactly one of records, files and sql",
        ),
        ({}, errors.InputError, "None of records, files and sql has a value"),
    ],
)
def test_invalid_combinations_of_sources(sandbox, arguments, kind, words):
    with pytest.raises(kind, match=words):
        send(**arguments)
    assert sandbox.requests() == []


class Warehouse(DbApiHook):
    """A hook that takes apart what a handler returns, as those of Databricks and ODBC do."""

    conn_name_attr = "warehouse_conn_id"

    def get_conn(self):
        return sqlite3.connect(":memory:")

    def _make_common_data_structure(self, result):
        if not isinstance(result, list):
            raise TypeError(f"Expected Sequence[Row] or Row, but got {type(result)}")
        return [tuple(row) for row in result]


class TestQuery:
    @pytest.fixture(autouse=True)
    def warehouse(self, monkeypatch):
        monkeypatch.setattr(BaseHook, "get_hook", lambda conn_id: Warehouse())

    def test_of_a_hook_that_knows_only_rows_of_its_own(self, sandbox):
        sql = """SELECT '2026-03-01' AS "time/usage_start", '0.10' AS "cost/cost" """
        send(sql=sql, sql_conn_id="warehouse")
        assert held(sandbox) == (1, "0.1")

    @pytest.mark.parametrize(("sql", "words"), [(" \n", "sql is empty"), ("CREATE TABLE a (b)", "sql is not a query")])
    def test_that_is_none(self, sandbox, sql, words):
        with pytest.raises(errors.InputError, match=words):
            send(sql=sql, sql_conn_id="warehouse")
        assert sandbox.requests() == []

    def test_an_error_of_the_database_reaches_airflow_unchanged(self, sandbox):
        with pytest.raises(sqlite3.OperationalError, match="no such table"):
            send(sql="SELECT * FROM bill", sql_conn_id="warehouse")
        assert sandbox.requests() == []


class TestTelemetry:
    def sent(self, sandbox, **arguments):
        task = TelemetrySendOperator(task_id="send", stream_name="orders", stream_type="metric", **arguments)
        summary = task.execute(context(task))
        held = sandbox.records("orders")
        return summary, [Decimal(str(record["value"])) for record in held]

    def test_a_frame_of_parquet_with_a_column_per_filter_key(self, sandbox, tmp_path):
        frame = pl.DataFrame(
            {"timestamp": ["2026-03-01"] * 2, "value": [Decimal("1.50"), Decimal(2)], "team": ["a", "b"]}
        )
        frame.write_parquet(tmp_path / "orders.parquet")
        summary, values = self.sent(sandbox, files=str(tmp_path / "orders.parquet"))
        assert (sorted(values), summary["total"], summary["key_sets"]) == ([Decimal("1.5"), 2], "3.5", 1)
        again, _ = self.sent(sandbox, records=frame)
        assert again["sha256"] == summary["sha256"]

    def test_a_transform_of_records_that_hold_dicts(self, sandbox):
        records = [{"timestamp": "2026-03-01", "value": 5, "associated_cost": {"team": "a"}}]
        plain, _ = self.sent(sandbox, records=records)
        passed_on, _ = self.sent(sandbox, records=records, transform=lambda frame: frame)
        assert passed_on["sha256"] == plain["sha256"]
        doubled, _ = self.sent(
            sandbox, records=records, transform=lambda frame: frame.with_columns(pl.col("value") * 2)
        )
        assert doubled["total"] == "10"


def test_the_stream_is_still_the_one_of_the_connection(sandbox):
    assert send(records=pl.DataFrame(BILL).select(to_cbf_names()))["anycost_connection_id"] == STREAM


def to_cbf_names():
    return [pl.col("day").alias("time/usage_start"), pl.col("cost").alias("cost/cost")]


CHARGE = {
    "BilledCost": "1.50",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-03-01",
    "ChargePeriodStart": "2026-03-05",
    "ChargeCategory": "Usage",
}
#: Billed in March, for what was used in February.
REFUND = CHARGE | {"BilledCost": "-0.25", "ChargePeriodStart": "2026-02-11"}


def to_cbf_in_a_function_of_ones_own(charges):
    return focus.to_cbf(charges).with_columns(pl.lit("team").alias("resource/service"))


@pytest.mark.parametrize("transform", [focus.to_cbf, [focus.to_cbf], to_cbf_in_a_function_of_ones_own])
def test_a_refund_of_an_earlier_month_is_an_error_that_names_the_way_out(sandbox, transform):
    with pytest.raises(errors.InvalidRowsError) as error:
        send(records=[CHARGE, REFUND], transform=transform)
    [problem] = error.value.problems
    assert (problem.where, problem.value) == ("row 2", "'2026-02-11T00:00:00Z'")
    assert problem.rule.endswith(
        "; 1 charge with a billing period of another month than the ChargePeriodStart: "
        "to_cbf(month_from='billing_period') sends them in the month of their billing period"
    )
    assert sandbox.writes() == []
    send(records=[CHARGE, REFUND], transform=partial(focus.to_cbf, month_from="billing_period"))
    assert held(sandbox) == (2, "1.25")


def test_rows_of_another_month_that_no_option_would_mend_say_nothing_of_it(sandbox):
    with pytest.raises(errors.InvalidRowsError) as error:
        send(records=[CHARGE, REFUND | {"BillingPeriodStart": "2026-02-01"}], transform=focus.to_cbf)
    assert "month_from" not in str(error.value)
    with pytest.raises(errors.InvalidRowsError, match="not in 2026-03") as error:
        send(records=[{"time/usage_start": "2026-02-11", "cost/cost": "1"}])
    assert "month_from" not in str(error.value)


def test_a_billing_month_east_of_utc_is_that_month(sandbox):
    beijing = CHARGE | {"BillingPeriodStart": "2026-02-28T16:00Z", "BillingPeriodEnd": "2026-03-31T16:00Z"}
    charges = [beijing | {"ChargePeriodStart": f"2026-{day}T16:00Z"} for day in ("02-28", "03-01", "03-30")]
    by_billing_period = partial(focus.to_cbf, month_from="billing_period")
    with pytest.raises(errors.InvalidRowsError, match=r"^3 problems .*nothing was sent"):
        send(month="2026-02", records=charges, transform=by_billing_period)
    send(records=charges, transform=by_billing_period)
    assert held(sandbox) == (3, "4.5")
    assert [row["time/usage_start"] for row in sandbox.rows("2026-03")] == [
        "2026-03-01T00:00:00Z",
        "2026-03-01T16:00:00Z",
        "2026-03-30T16:00:00Z",
    ]
