"""Runs the examples that read a vendor's files in Airflow and checks what CloudZero then holds."""

from __future__ import annotations

import csv
import shutil
from collections import defaultdict
from fractions import Fraction

import pytest
from support.airflow_lines import AIRFLOW_SDK
from support.airflow_runs import run
from support.bills import focus_bill, read_focus
from support.example_bills import digests
from support.formats import write_csv
from support.real_data import real_data

VENDOR_FILES = {
    "cloud_usage.csv": """\
sku,instance_id,usage_date,cost,discount
Compute,0000,2024-09-16T13:00:00Z,12,-4
Compute,0001,2024-09-17T13:00:00Z,0.00000000000000000001,
"Storage, cold",0002,2024-09-30T23:00:00Z,15.3,-15.3
""",
    "cloud_purchase_commitments.csv": "commitment_id,commitment_date,cost\n111-222,2024-09-01T00:00:00Z,90.10\n",
    "cloud_discounts.csv": "discount_type,discount_id,usage_date,discount\nSpecial,01,2024-09-16T13:00:00Z,-12\n",
}
#: The expected bill, in the columns of CloudZero's own ``cloud_cbf.csv``.
VENDOR_CBF = """\
lineitem/type,resource/service,resource/id,time/usage_start,cost/cost,cost/discounted_cost
Usage,Compute,instance-0000,2024-09-16T13:00:00Z,12,8
Usage,Compute,instance-0001,2024-09-17T13:00:00Z,0.00000000000000000001,0.00000000000000000001
Usage,"Storage, cold",instance-0002,2024-09-30T23:00:00Z,15.3,0
CommittedUsePurchase,CommittedUse,commit-111-222,2024-09-01T00:00:00Z,90.1,90.1
Discount,Special,discount-01,2024-09-16T13:00:00Z,-12,-12
"""


@AIRFLOW_SDK
class TestVendorCsv:
    def run(self, dags, folder):
        return run(dags["anycost_vendor_csv"], run_conf={"month": "2024-09", "folder": str(folder)})

    def test_files_of_three_kinds_become_the_rows_of_a_bill(self, dags, sandbox, tmp_path):
        for name, text in VENDOR_FILES.items():
            (tmp_path / name).write_text(text)
        assert self.run(dags, tmp_path).state == "success"
        assert in_order(sandbox.rows("2024-09")) == in_order(csv.DictReader(VENDOR_CBF.splitlines()))
        before = digests(sandbox)
        assert self.run(dags, tmp_path).xcom("send_bill")["replaced_rows"] == 5
        assert digests(sandbox) == before

    def test_the_files_of_cloudzeros_example_become_its_bill(self, dags, sandbox, tmp_path):
        folder = real_data("cloudzero_anycost_example")
        for name in VENDOR_FILES:
            shutil.copy(folder / name, tmp_path)
        assert self.run(dags, tmp_path).state == "success"
        with (folder / "cloud_cbf.csv").open(newline="") as file:
            assert in_order(sandbox.rows("2024-09")) == in_order(csv.DictReader(file))

    def test_a_missing_file_is_an_error(self, dags, sandbox, tmp_path):
        for name, text in list(VENDOR_FILES.items())[:2]:
            (tmp_path / name).write_text(text)
        outcome = self.run(dags, tmp_path)
        assert outcome.state == "failed"
        assert f"{tmp_path}/cloud_discounts.csv" in str(outcome.errors["send_bill"][0])
        assert sandbox.writes() == []


def in_order(rows) -> list[list[tuple[str, str | Fraction]]]:
    """Sorted rows, with costs by value."""
    return sorted(
        sorted((name, Fraction(value) if name.startswith("cost/") else value) for name, value in row.items())
        for row in rows
    )


@AIRFLOW_SDK
class TestFocus:
    @pytest.fixture(params=["generated", "sample"])
    def export(self, request, tmp_path):
        if request.param == "sample":
            return real_data("focus_sample.csv")
        write_csv(focus_bill(), tmp_path / "focus-2024-09.csv.gz")
        return tmp_path / "focus-2024-09.csv.gz"

    def test_an_export_is_aggregated_by_day(self, dags, sandbox, export):
        lines = focus_bill() if export.suffix == ".gz" else read_focus(export)
        outcome = run(dags["anycost_focus"], run_conf={"month": "2024-09", "files": f"{export.parent}/{export.stem}*"})
        assert outcome.state == "success"
        rows = sandbox.rows("2024-09")
        assert len(rows) == outcome.xcom("send_export")["rows"] < len(lines)
        assert total_costs(
            ((row["time/usage_start"][:10], row.get("resource/service"), row.get("resource/account")), row["cost/cost"])
            for row in rows
        ) == total_costs(
            (
                (
                    f"{line['ChargePeriodStart']:%Y-%m-%d}",
                    line["ServiceName"],
                    line["SubAccountId"] or line["BillingAccountId"],
                ),
                line["BilledCost"],
            )
            for line in lines
        )
        assert {row["time/usage_start"][10:] for row in rows} == {"T00:00:00Z"}
        assert all(
            any(name in row for row in rows) for name in ("resource/tag:SubAccountName", "resource/tag:application")
        )


def total_costs(costs) -> dict[tuple[str | None, ...], Fraction]:
    total: dict[tuple[str | None, ...], Fraction] = defaultdict(Fraction)
    for key, cost in costs:
        total[key] += Fraction(cost)
    return dict(total)
