"""What the operators of a bucket write, as the sandbox takes it: it polls the folder like CloudZero."""

from __future__ import annotations

from decimal import Decimal

import pytest
from support.bills import cbf_bill
from support.rows import bill_row
from support.sandbox_server import SandboxServer
from support.tasks import context, write_drop

from cloudzero_provider.operators.bucket import AnyCostBucketRollbackOperator

BILL = [bill_row(day, cost=f"{day}.25", **{"resource/id": f"vm-{day}"}) for day in range(1, 32)]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("buckets") / "acme"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def server(root, tmp_path_factory):
    arguments = ("--bucket", f"acme={root}", "--bucket-poll-seconds", "0")
    server = SandboxServer(tmp_path_factory.mktemp("sandbox"), *arguments)
    yield server
    server.stop()


class Taken:
    """What the sandbox took of a month."""

    def __init__(self, server, month):
        self.server, self.month = server, month

    def state(self):
        return self.server._call("POST", "buckets/poll")["buckets"]["acme"]["months"][self.month]

    def rows(self):
        return self.server._call("GET", f"buckets/acme/{self.month}/rows")


def test_a_history_of_a_month(server, root):
    taken = Taken(server, "2026-03")
    made = []
    for rows in (BILL, BILL[:20], [{**row, "cost/cost": "7"} for row in BILL]):
        made.append(write_drop(bucket_path=str(root), records=rows, rows_per_file=10)["drop_id"])
        state = taken.state()
        assert state["current_drop_id"] == made[-1]
        assert (state["rows"], taken.rows()) == (len(rows), rows)
        assert Decimal(state["total_cost"]) == sum(Decimal(row["cost/cost"]) for row in rows)
    back = AnyCostBucketRollbackOperator(task_id="b", bucket_path=str(root), month="2026-03", drop_id=made[1])
    back.execute(context(back))
    assert (taken.state()["current_drop_id"], taken.rows()) == (made[1], BILL[:20])
    write_drop(bucket_path=str(root), records=[], on_empty="clear")
    assert (taken.state()["rows"], taken.rows()) == (0, [])


def test_odd_values_arrive_as_they_are(server, root):
    odd = [*cbf_bill(300), {"time/usage_start": "2024-09-01T00:00:00Z", "cost/cost": "1", "resource/id": "x" * 200_000}]
    expected = write_drop(bucket_path=str(root), records=odd, month="2024-09")
    taken = Taken(server, "2024-09")
    state = taken.state()
    assert (state["rows"], state["last_error"]) == (301, None)
    assert Decimal(state["total_cost"]) == Decimal(expected["total_cost"])
    descriptions = sorted(row["lineitem/description"] for row in odd if row.get("lineitem/description"))
    found = [row["lineitem/description"] for row in taken.rows() if "lineitem/description" in row]
    assert sorted(found) == descriptions
