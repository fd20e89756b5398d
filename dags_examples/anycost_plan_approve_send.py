"""
A plan shows what would change in a month, a person approves it, and exactly that is sent.

Approval is needed only for a month that is over and changes by more than 1 % of its cost: a new month, the current one
and small corrections are sent at once. The person sees the plan in Airflow, and approves or rejects it:

- Approved: what was planned is sent. If the rows, or what CloudZero holds, are others by then, ``send_bill`` fails.
- Rejected: nothing is sent, and ``send_bill`` is skipped.
- No response in three days: nothing is sent, and ``approve_bill`` fails.

Trigger a new run to plan a month again. In a run that is cleared, Airflow would show the plan of the first attempt.

Needs Airflow 3.2 or later; on 3.1, ``response_timeout`` is called ``execution_timeout``.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal

from acme_bill import month_rows, write_bill
from airflow.providers.common.compat.sdk import AirflowFailException
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Param, dag, task

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.plan import AnyCostBillingDropPlanOperator

#: The share of a month's cost that may change, or move between services, without approval.
SMALL = Decimal("0.01")


def is_large(plan: dict) -> bool:
    is_over = plan["month"] < f"{datetime.now(timezone.utc):%Y-%m}"
    if not is_over or plan["held"] is None:
        return False
    changes = plan["changes"]
    services = [*changes["by_value"], changes["others"] or {"cost_change": "0"}]
    moved = sum(abs(Decimal(service["cost_change"])) for service in services)
    return moved > SMALL * abs(Decimal(changes["cost_before"]))


@dag(
    dag_id="anycost_plan_approve_send",
    schedule=None,
    params={"month": Param("2026-03", type="string", pattern="^[0-9]{4}-(0[1-9]|1[0-2])$")},
    tags=["cloudzero", "example"],
    doc_md=__doc__,
)
def anycost_plan_approve_send():
    @task
    def make_bill(params) -> str:
        month = params["month"]
        return write_bill(month_rows(month), f"acme-{month}.csv")

    @task.branch
    def needs_approval(plan: dict, ti) -> str:
        if plan["held_problem"]:
            raise AirflowFailException(plan["held_problem"])
        if not is_large(plan):
            return "send_bill"
        if ti.try_number > 1:
            raise AirflowFailException("Trigger a new run: this one would show the plan of its first attempt.")
        return "approve_bill"

    bill = {"files": make_bill(), "month": "{{ params.month }}"}
    plan_bill = AnyCostBillingDropPlanOperator(task_id="plan_bill", **bill)
    approve_bill = ApprovalOperator(
        task_id="approve_bill",
        subject="Replace {{ params.month }} in CloudZero?",
        # Not plan_bill.output["markdown"], which is an XCom of that name.
        body="{{ ti.xcom_pull('plan_bill')['markdown'] }}",
        response_timeout=timedelta(days=3),
        # So that a rejection skips send_bill even if there are tasks between the two.
        ignore_downstream_trigger_rules=True,
    )
    send_bill = AnyCostBillingDropOperator(
        task_id="send_bill",
        plan=plan_bill.output,
        # Also when approve_bill is skipped, because no approval is needed.
        trigger_rule="none_failed_min_one_success",
        **bill,
    )
    needs_approval(plan_bill.output) >> [approve_bill, send_bill]
    approve_bill >> send_bill


anycost_plan_approve_send()
