"""
A vendor's own CSV files: usage, commitments and discounts, each in its own columns.

The files are read as one table, and ten lines of polars convert it to the Common Bill Format. The files are like those
of CloudZero's own example of an AnyCost Stream.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from acme_bill import bill_folder
from airflow.sdk import Param, dag

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.transforms import decimals

if TYPE_CHECKING:
    import polars as pl


def to_cbf(lines: pl.DataFrame) -> pl.DataFrame:
    """Each file has its own id: a column is null in the rows of the files that do not have it."""
    import polars as pl  # here, so that parsing the DAG does not import it

    usage, commitment, discount = (
        pl.col(name).is_not_null() for name in ("instance_id", "commitment_id", "discount_id")
    )
    return lines.select(
        pl.when(usage).then(pl.lit("Usage")).when(commitment).then(pl.lit("CommittedUsePurchase"))
        .when(discount).then(pl.lit("Discount")).alias("lineitem/type"),
        pl.coalesce("sku", "discount_type", pl.lit("CommittedUse")).alias("resource/service"),
        pl.coalesce(pl.lit("instance-") + pl.col("instance_id"), pl.lit("commit-") + pl.col("commitment_id"),
                    pl.lit("discount-") + pl.col("discount_id")).alias("resource/id"),
        pl.coalesce("usage_date", "commitment_date").alias("time/usage_start"),
        pl.coalesce("cost", "discount").alias("cost/cost"),
        (pl.col("cost").fill_null(0) + pl.col("discount").fill_null(0)).alias("cost/discounted_cost"),
    )  # fmt: skip


@dag(
    dag_id="anycost_vendor_csv",
    schedule=None,
    params={
        "month": Param("2024-09", type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$"),
        "folder": Param(str(bill_folder() / "acme-cloud"), type="string", description="Where the vendor's files are."),
    },
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_vendor_csv():
    AnyCostBillingDropOperator(
        task_id="send_bill",
        month="{{ params.month }}",
        files=[
            "{{ params.folder }}/cloud_usage.csv",
            "{{ params.folder }}/cloud_purchase_commitments.csv",
            "{{ params.folder }}/cloud_discounts.csv",
        ],
        # Numbers of a CSV file are text, which can't be summed: convert them to exact decimals first.
        transform=[decimals("cost", "discount"), to_cbf],
    )


anycost_vendor_csv()
