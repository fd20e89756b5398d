from __future__ import annotations

import hashlib
from decimal import Decimal

from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.comparison.sums import RowsAndCost
from cloudzero_provider.anycost.execute_plan import Sent
from cloudzero_provider.anycost.guards.contents import Compared
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan
from cloudzero_provider.anycost.send_summary import summarize, summarize_cleared, summarize_unchanged
from cloudzero_provider.client.replies import DropReceipt

PLAN = make_plan(checked([bill_row(1, hour, "1.5") for hour in range(3)]), Operation.REPLACE_HOURLY, Limits(200))
COMPARED = Compared(RowsAndCost(7, Decimal("70.10")), RowsAndCost(5, Decimal("50.10")), is_equal=True)
PLANNED = {
    "month": "2026-03",
    "anycost_connection_id": "stream-1",
    "operation": "replace_hourly",
    "rows": 3,
    "replaced_rows": None,
    "requests": 2,
    "bytes": PLAN.size,
    "total_cost": "4.5",
    "hours": 3,
    "sha256": "hash",
    "drop_ids": [],
    "row_count": None,
    "check_only": False,
    "replaced_cost": None,
    "unchanged": False,
}


def test_what_was_sent():
    sent = Sent([DropReceipt("a", 1), DropReceipt("b", 2), DropReceipt("a", 3)])
    summary = summarize(PLAN, "stream-1", "hash", replaced_rows=5, compared=COMPARED, sent=sent)
    assert summary.as_dict() == PLANNED | {
        "replaced_rows": 5,
        "replaced_cost": "50.1",
        "drop_ids": ["a", "b"],
        "row_count": 3,
    }
    assert str(summary) == "2026-03: 3 rows, total cost 4.5"


def test_what_was_only_checked():
    summary = summarize(PLAN, "stream-1", "hash", check_only=True)
    assert summary.as_dict() == PLANNED | {"check_only": True}
    assert str(summary) == "2026-03: 3 rows, total cost 4.5, only checked"
    assert not summarize(PLAN, "stream-1", "hash").check_only


def test_what_was_not_sent_as_it_is_held_already():
    summary = summarize_unchanged(PLAN, "stream-1", "hash", COMPARED)
    assert summary.as_dict() == PLANNED | {
        "requests": 0,
        "bytes": 0,
        "replaced_rows": 7,
        "replaced_cost": "50.1",
        "unchanged": True,
    }
    assert str(summary) == "2026-03: 3 rows, total cost 4.5, unchanged"


def test_what_was_emptied():
    cleared = PLANNED | {
        "operation": "replace_drop",
        "rows": 0,
        "requests": 1,
        "bytes": 4,
        "total_cost": "0",
        "hours": 0,
        "sha256": hashlib.sha256(b"body").hexdigest(),
    }
    assert summarize_cleared("stream-1", MARCH, b"body").as_dict() == cleared
    summary = summarize_cleared("stream-1", MARCH, b"body", replaced_rows=7, compared=COMPARED, check_only=True)
    assert summary.as_dict() == cleared | {"replaced_rows": 7, "replaced_cost": "50.1", "check_only": True}
