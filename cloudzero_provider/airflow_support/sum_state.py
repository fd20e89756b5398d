"""What a task knows of its previous attempts: whether it is a retry, and the journal of a ``sum``."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cloudzero_provider.anycost.send_options import SendOptions
    from cloudzero_provider.journal import SumJournal
    from cloudzero_provider.telemetry.send import TelemetryOptions

_Options = TypeVar("_Options", "SendOptions", "TelemetryOptions")


def with_attempts(options: _Options, context: Mapping[str, Any], target: str, *, adds: bool) -> _Options:
    """
    Add what is known of previous attempts to the options of sending.

    :param options: as the user set them.
    :param context: of the task.
    :param target: what is sent to, as for :func:`sum_journal`.
    :param adds: whether the operation is ``sum``. It has a journal, unless the task only checks.
    :raises AmbiguousWriteError: for a retry of a ``sum`` on an Airflow without a task state store.
    """
    journal = sum_journal(context, target) if adds and not options.check_only else options.journal
    return replace(options, settle_from=settle_from(context), journal=journal)


def settle_from(context: Mapping[str, Any]) -> float | None:
    """
    Return the time from which a previous attempt's in-flight request must settle.

    :param context: of the task.
    :return: ``time.monotonic()``; ``None`` on the first attempt.
    """
    return time.monotonic() if context["ti"].try_number > 1 else None


def sum_journal(context: Mapping[str, Any], target: str) -> SumJournal:
    """
    Open the journal of a ``sum``, kept in Airflow's task state store (Airflow 3.3 and later).

    :param context: of the task.
    :param target: what is added to: a server, a stream and, for AnyCost, a month.
    :raises AmbiguousWriteError: for a retry on an Airflow without a task state store.
    """
    from cloudzero_provider.journal import SumJournal

    return SumJournal(
        context.get("task_state_store"), target, is_retry=is_retry(context), max_tries=context["ti"].max_tries
    )


def is_retry(context: Mapping[str, Any]) -> bool:
    """
    Distinguish a retry from a first attempt and from a cleared task, which sends everything again.

    Airflow raises ``max_tries`` when a task is cleared. If ``retries`` of the DAG changed since the previous attempt,
    the two can't be distinguished, and the attempt counts as a retry.

    :param context: of the task.
    """
    ti, task = context["ti"], context["task"]
    return ti.try_number not in (1, ti.max_tries - (task.retries or 0) + 1)
