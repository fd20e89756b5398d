"""Claims in Airflow: an XCom of each task instance, valid as long as that instance may have written."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NoReturn

from cloudzero_provider.airflow_support.compat import instance_states, is_mapped, operator_class, pull_all
from cloudzero_provider.exceptions import ClaimError, ReplacesSameRunError
from cloudzero_provider.values.limits import CLAIMED_RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cloudzero_provider.claims import Write

log = logging.getLogger(__name__)

#: The key of the XCom that holds a claim.
CLAIM_KEY = "cloudzero_claim"

#: States of an instance that won't start, or that starts again and then finds our claim; its stored claim is from
#: before it was cleared. All other states count, including those of later versions of Airflow.
_NOT_STARTED = frozenset({None, "removed", "scheduled", "queued", "skipped", "upstream_failed"})
_MAY_BE_WRITING = frozenset({"running", "restarting"})
_VERBS = {"success": "has sent", "running": "is sending", "restarting": "is sending"}

_REMEDY = (
    "Send all of it in one task (files=[...] for several files; records of a mapped upstream task, whose lists are "
    "concatenated), or set replace_in_same_run=True on the task that should replace what the other one sent."
)


class RunClaims:
    """
    The claims of the tasks of a DAG run.

    :param context: the task's context.
    :param sender: base class of the operators that make claims.
    :param is_retry: whether a previous attempt of this instance may have written something.
    :param may_replace: whether this task may replace what other tasks of the run sent.
    """

    def __init__(self, context: Mapping[str, Any], *, sender: type[Any], is_retry: bool, may_replace: bool) -> None:
        self._context = context
        self._ti = context["ti"]
        self._sender = sender
        self._is_retry = is_retry
        self._may_replace = may_replace

    def claim(self, write: Write) -> None:
        """
        Publish what is about to be written; refuse to replace what another task of the run wrote.

        :param write: what is about to be written.
        :raises ReplacesSameRunError: when it would replace it. The claim is withdrawn then.
        :raises ClaimError: when Airflow can't store or return claims.
        """
        content = write.as_claim()
        try:
            self._publish(content)
            if not self._may_replace:
                self._refuse_to_replace(write)
        except ReplacesSameRunError:
            self._withdraw()
            raise
        except Exception as error:
            self.nothing_written()
            if isinstance(error, ClaimError):
                raise
            raise ClaimError(
                "What other tasks of this DAG run have sent could not be looked up in Airflow "
                f"({type(error).__name__}: {str(error)[:200]}), so this task might replace it. Nothing was sent."
            ) from error

    def nothing_written(self) -> None:
        """Withdraw the claim, unless a previous attempt may have written something."""
        if not self._is_retry:
            self._withdraw()

    def _publish(self, content: Mapping[str, Any] | None) -> None:
        # A dict, since Airflow 3 does not return a single list as it was stored.
        value = {"task_id": self._ti.task_id, "map_index": self._ti.map_index, "write": content}
        self._ti.xcom_push(key=CLAIM_KEY, value=value)

    def _withdraw(self) -> None:
        try:
            self._publish(None)
        except Exception as error:
            log.warning("The claim could not be withdrawn, so other tasks may refuse to send: %s", error)

    def _refuse_to_replace(self, write: Write) -> None:
        task_ids = self._senders()
        if write.uncompared and (len(task_ids) > 1 or is_mapped(self._task(self._ti.task_id))):
            _warn_of_uncompared(write.uncompared, write.description)
        for claim in self._others(task_ids):
            other = write.read_claim(claim["write"])
            if other is None:
                continue
            if other.uncompared:
                _warn_of_uncompared(other.uncompared, f"{other.description} by {_name(claim)}")
            ours, theirs = write.replaces(other), other.replaces(write)
            state = self._state(claim) if ours or theirs else None
            if state in _NOT_STARTED:
                continue
            if ours:
                _refuse(claim, state, other, ours)
            if theirs and state in _MAY_BE_WRITING:
                _refuse(claim, state, other, f"it may replace what this task sends: {theirs}")

    def _others(self, task_ids: list[str]) -> Iterator[Mapping[str, Any]]:
        claims = [claim for claim in pull_all(self._ti, task_ids, CLAIM_KEY) if claim is not None]
        own = (self._ti.task_id, self._ti.map_index)
        if own not in [(claim["task_id"], claim["map_index"]) for claim in claims]:
            raise ClaimError("Airflow does not return the claim that this task has just stored. Nothing was sent.")
        for claim in claims:
            if claim["write"] is not None and not self._is_of_same_sender(claim):
                yield claim

    def _is_of_same_sender(self, claim: Mapping[str, Any]) -> bool:
        """Whether a claim is of a previous attempt, or of an old instance of a task that is no longer mapped."""
        if claim["task_id"] != self._ti.task_id:
            return False
        return claim["map_index"] == self._ti.map_index or not is_mapped(self._task(self._ti.task_id))

    def _senders(self) -> list[str]:
        found = [task.task_id for task in self._context["dag"].tasks if issubclass(operator_class(task), self._sender)]
        # An operator that another operator runs stores its claims in that task.
        return found if self._ti.task_id in found else [*found, self._ti.task_id]

    def _task(self, task_id: str) -> Any:
        return self._context["dag"].get_task(task_id)

    def _state(self, claim: Mapping[str, Any]) -> str | None:
        """Return the state of the instance that made a claim; ``None`` also when it no longer exists."""
        own = instance_states(self._ti, self._ti.task_id)
        if self._ti.map_index not in own:
            raise ClaimError("Airflow does not return the state of this task. Nothing was sent.")
        states = own if claim["task_id"] == self._ti.task_id else instance_states(self._ti, claim["task_id"])
        return states.get(claim["map_index"])


def _refuse(claim: Mapping[str, Any], state: str | None, other: Write, why: str) -> NoReturn:
    verb = _VERBS.get(str(state), "may have sent")
    raise ReplacesSameRunError(
        f"{_name(claim)} of this DAG run {verb} {other.description}, and {why}. Nothing was sent. {_REMEDY}"
    )


def _name(claim: Mapping[str, Any]) -> str:
    instance = f", map index {claim['map_index']}," if claim["map_index"] >= 0 else ""
    return f"Task {claim['task_id']!r}{instance}"


def _warn_of_uncompared(count: int, description: str) -> None:
    log.warning(
        "%s of %s are not compared with other tasks of this DAG run, which only compare their first %s records, so "
        "they may replace what another task sent, or be replaced by it",
        f"{count:,}",
        description,
        f"{CLAIMED_RECORDS:,}",
    )
