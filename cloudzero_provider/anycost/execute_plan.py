"""Run a plan: send its requests one at a time, each until its outcome is known."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import BUCKET_PAGE, SEND_PAGE
from cloudzero_provider.anycost.plan import DropRequest, Operation, Plan, Unit
from cloudzero_provider.client import DropReceipt
from cloudzero_provider.exceptions import (
    CHECK_THEN_CLEAR,
    AmbiguousWriteError,
    CloudZeroError,
    HourIncompleteError,
    PayloadTooLargeError,
    RequestRejectedError,
)
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from cloudzero_provider.client import Client
    from cloudzero_provider.journal import Journal

log = logging.getLogger(__name__)

HOUR_RESTARTS = 3
_OF_MONTH = re.compile(r"\bmonth: ")


@dataclass
class Sent:
    """Replies to the requests sent so far, and the hash of all bodies."""

    receipts: list[DropReceipt] = field(default_factory=list)
    digest: str = ""

    @property
    def drop_ids(self) -> list[str]:
        """Ids of the drops in the replies, each once."""
        return list(dict.fromkeys(receipt.drop_id for receipt in self.receipts if receipt.drop_id))


def execute_plan(plan: Plan, client: Client, anycost_connection_id: str, journal: Journal) -> Sent:
    """
    Send a plan.

    :param plan: the requests.
    :param client: the client to send with.
    :param anycost_connection_id: the AnyCost stream.
    :param journal: of a ``sum``; :class:`~cloudzero_provider.journal.NoJournal` for other operations.
    :raises CloudZeroError: stating which part of the month was applied.
    """
    return _Run(plan, client, anycost_connection_id, journal).run()


class _Run:
    def __init__(self, plan: Plan, client: Client, anycost_connection_id: str, journal: Journal) -> None:
        self.plan = plan
        self.journal = journal
        self.client = client
        self.anycost_connection_id = anycost_connection_id
        self.sent = Sent()
        self.total = len(plan.requests)
        self.rows_done = 0
        self.sha256 = hashlib.sha256()

    def run(self) -> Sent:
        for unit in self.plan.units:
            try:
                self._send_unit(unit)
            except CloudZeroError as error:
                self._explain(error)
                error.nothing_written = self._nothing_written(unit, error)
                error.recovery = self._recovery(unit, error)
                raise
            self.rows_done += sum(request.rows for request in unit.requests)
        self.journal.finish()
        self.sent.digest = self.sha256.hexdigest()
        return self.sent

    def _explain(self, error: CloudZeroError) -> None:
        """Add to the message of a refusal what the user can do."""
        if isinstance(error, PayloadTooLargeError):
            error.message = f"{error.message.removesuffix('.')}. Make requests smaller with max_body_bytes."
        elif isinstance(error, RequestRejectedError) and _OF_MONTH.search(error.message):
            error.message = (
                f"{error.message.removesuffix('.')}. The month is sent as {str(self.plan.month)!r}, as in CloudZero's "
                f"guide ({SEND_PAGE}), however the parameter spells it."
            )

    def _send_unit(self, unit: Unit) -> None:
        restarts = recounts = 0
        while True:
            try:
                receipts, sha256 = self._send_requests(unit)
            except AmbiguousWriteError as error:
                if unit.requests[0].operation is Operation.SUM:
                    raise
                if restarts == HOUR_RESTARTS:
                    raise _hour_incomplete(unit, error) from error
                restarts += 1
                log.warning("%s Hour %s is sent again (%d of %d).", error, _hours(unit), restarts, HOUR_RESTARTS)
                continue
            # What the counts mean is not published, so they cause one repetition at most, never a failure.
            if recounts or _counts_fit(unit, receipts):
                self.sent.receipts += receipts
                self.sha256 = sha256
                return
            recounts += 1
            log.warning(
                "CloudZero's row counts differ from what was sent: something else may have written to %s in the "
                "meantime. Hour %s is sent again, once.",
                self.plan.month,
                _hours(unit),
            )

    def _send_requests(self, unit: Unit) -> tuple[list[DropReceipt], hashlib._Hash]:
        receipts, sha256 = [], self.sha256.copy()
        for number, request in enumerate(unit.requests, start=len(self.sent.receipts) + 1):
            body = self.plan.body(request)
            receipts.append(self._send(request, body, number))
            sha256.update(body)
        return receipts, sha256

    def _send(self, request: DropRequest, body: bytes, number: int) -> DropReceipt:
        receipt = self._send_once(request, body)
        log.info(
            "%s: sent request %d of %d: %s, %s bytes; %s of %s so far (%s, hours %s to %s)",
            self.plan.month,
            number,
            self.total,
            counted(request.rows, "row"),
            f"{len(body):,}",
            f"{request.start + request.rows:,}",
            counted(self.plan.rows, "row"),
            request.operation.value,
            request.first_hour,
            request.last_hour,
        )
        return receipt

    def _send_once(self, request: DropRequest, body: bytes) -> DropReceipt:
        def send() -> DropReceipt:
            return self.client.send_drop(self.anycost_connection_id, body, effect=request.operation.effect)

        return self.journal.send_once(hashlib.sha256(body).hexdigest(), send) or DropReceipt(None, None)

    def _nothing_written(self, unit: Unit, error: CloudZeroError) -> bool:
        return not self.sent.receipts and _not_applied(unit, error)

    def _recovery(self, unit: Unit, error: CloudZeroError) -> str:
        """Describe which part of the month was applied, and how to complete it."""
        plan, done = self.plan, len(self.sent.receipts)
        not_applied = _not_applied(unit, error)
        if error.nothing_written:
            return f"No request for {plan.month} was applied, so CloudZero holds the month as before."
        applied = (
            f"CloudZero has applied {done} of {counted(self.total, 'request')} for {plan.month}: {self.rows_done:,} of "
            f"{counted(plan.rows, 'row')}, the hours before {unit.requests[0].first_hour}."
            if done
            else f"No request for {plan.month} is known to have been applied."
        )
        failed = f"The request for hours {_hours(unit)} failed"
        if not not_applied:
            failed += "; it is not known whether CloudZero stored all or part of it"
        if plan.operation is Operation.SUM:
            return f"{applied} {failed}. Sending again would add these rows a second time. {CHECK_THEN_CLEAR}"
        when = "Running" if error.retry_can_help else "Once the cause is fixed, running"
        return f"{applied} {failed}. {when} the task again sends the whole month again, which completes it."


def _not_applied(unit: Unit, error: CloudZeroError) -> bool:
    """Whether nothing of a unit was applied; of several requests, those before the failed one may have been."""
    return not error.maybe_applied and len(unit.requests) == 1


def _counts_fit(unit: Unit, receipts: list[DropReceipt]) -> bool:
    """
    Whether the counts of an hour's requests show that nothing else wrote in between.

    When an attempt presumed dead is still running, the rows of a ``sum`` would be stored twice.
    """
    if unit.requests[0].operation is Operation.SUM:
        return True
    counts = [receipt.row_count for receipt in receipts if receipt.row_count is not None]
    of_requests = [request.rows for request in unit.requests]
    grown = [after - before for before, after in pairwise(counts)]
    return len(counts) < len(receipts) or counts == of_requests or grown == of_requests[1:]


def _hours(unit: Unit) -> str:
    first, last = unit.requests[0].first_hour, unit.requests[-1].last_hour
    return first if first == last else f"{first} to {last}"


def _hour_incomplete(unit: Unit, error: AmbiguousWriteError) -> HourIncompleteError:
    rows = sum(request.rows for request in unit.requests)
    return HourIncompleteError(
        f"Hour {unit.requests[0].first_hour} has {rows:,} rows, more than fit into one request, and a reply to its "
        f"{len(unit.requests)} requests was lost {HOUR_RESTARTS + 1} times in a row. {error.message} Options: fewer "
        'rows in that hour, with transform=aggregate(by=[...], period="hour") of cloudzero_provider.anycost (by: the '
        'columns to keep; period="day" would put a whole day into one hour); a more reliable connection; or '
        f"AnyCostBucketDropOperator, for CloudZero's AnyCost Bucket connection ({BUCKET_PAGE}).",
        error.status,
    )
