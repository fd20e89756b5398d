"""The result of a check as one JSON object. Its keys are documented in docs/cli.md, and are always all there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloudzero_provider.cli.problem_list import by_rule

if TYPE_CHECKING:
    from collections.abc import Sequence
    from logging import LogRecord

    from cloudzero_provider.cli.bill import CheckedBill
    from cloudzero_provider.cli.problem_list import BrokenRule


def as_object(bill: CheckedBill, notes: Sequence[LogRecord]) -> dict[str, Any]:
    """
    Describe what a check found.

    :param bill: what was found.
    :param notes: what was logged meanwhile.
    """
    options, limits = bill.options, bill.options.limits
    return {
        "ok": bill.error is None,
        "month": str(options.month),
        "operation": options.operation.value,
        "files": list(options.files),
        "rows": bill.rows,
        "hours": bill.hours,
        "requests": None if bill.plan is None else len(bill.requests),
        "bytes": None if bill.plan is None else bill.plan.size,
        "largest_request_bytes": None if bill.plan is None else max(request.size for request in bill.requests),
        "limits": {
            "max_body_bytes": limits.max_body_bytes,
            "max_month_bytes": limits.max_month_bytes,
            "max_month_rows": limits.max_month_rows,
        },
        "totals": bill.totals,
        "cost_by_day": bill.cost_by_day(),
        "error": None if bill.error is None else {"type": type(bill.error).__name__, "message": str(bill.error)},
        "problem_count": len(bill.problems),
        "problems": [_rule(rule) for rule in by_rule(bill.problems)],
        "notes": [{"level": note.levelname.lower(), "message": note.getMessage()} for note in notes],
    }


def _rule(rule: BrokenRule) -> dict[str, Any]:
    return {
        "column": rule.column,
        "rule": rule.rule,
        "count": rule.count,
        "examples": [{"where": problem.where, "value": problem.value} for problem in rule.examples],
    }
