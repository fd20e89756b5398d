"""Log why a task is skipped."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowSkipException

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger(__name__)


@contextmanager
def skips_logged() -> Iterator[None]:
    """
    Log why a task is skipped, whoever skips it: this package, a sensor of Airflow, or the user's function.

    Airflow's own line is in the folded group "Post Execute" of the log, and names neither the error behind a
    ``soft_fail`` nor a skip without words.
    """
    try:
        yield
    except AirflowSkipException as skip:
        log.info("Skipping the task: %s", _reason(skip))
        raise


def _reason(skip: AirflowSkipException) -> str:
    reason = str(skip) or f"{type(skip).__name__} was raised, without a reason"
    cause = skip.__cause__
    if cause is None or str(cause) in reason:
        return reason
    return f"{reason} ({type(cause).__name__}: {cause})"
