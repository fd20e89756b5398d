"""
An export in the columns of FOCUS, as cloud providers and many vendors write it, aggregated by day.

``to_cbf`` converts it to rows of the Common Bill Format and logs what has no place there. ``partial`` passes options;
``aggregate`` is for an export that has more rows than CloudZero accepts.

Needs Airflow 3.0 or later.
"""

from __future__ import annotations

from functools import partial

from acme_bill import bill_folder
from airflow.sdk import Param, dag

from cloudzero_provider.anycost import aggregate
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator


@dag(
    dag_id="anycost_focus",
    schedule=None,
    params={
        "month": Param("2024-09", type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$"),
        "files": Param(str(bill_folder() / "focus-*.csv.gz"), type="string", description="A path, URI or pattern."),
    },
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_focus():
    AnyCostBillingDropOperator(
        task_id="send_export",
        month="{{ params.month }}",
        files="{{ params.files }}",
        transform=[
            # Tags belong to a resource: a column that describes a resource can become one.
            partial(to_cbf, tag_columns=("SubAccountName",)),
            aggregate(by=["resource/service", "resource/account", "resource/tag:*"], period="day"),
        ],
    )


anycost_focus()
