"""Base of the sensors: they poke, reschedule or defer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from cloudzero_provider.airflow_support.errors import airflow_failures
from cloudzero_provider.airflow_support.skips import skips_logged
from cloudzero_provider.exceptions import CloudZeroError, InputError, UnexpectedReplyError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.links import show_links
from cloudzero_provider.values.limits import POKE_INTERVAL
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from cloudzero_provider.status import Reading, Wanted
    from cloudzero_provider.triggers._base import CloudZeroTrigger


class NotGiven(Enum):
    """Distinguishes a parameter that is not set from one that an upstream task resolved to ``None``."""

    NOT_GIVEN = "not given"


NOT_GIVEN = NotGiven.NOT_GIVEN

#: The trigger keeps the deadline. Airflow's own limit only applies when the triggerer was down that long.
_TRIGGERER_DOWNTIME = timedelta(days=1)


class CloudZeroBaseSensor(BaseSensorOperator):
    """
    Base of the sensors of this provider.

    :param cloudzero_conn_id: the Airflow connection. (templated)
    :param deferrable: wait in the triggerer, without a worker slot. Default: Airflow's ``[operators]
        default_deferrable``.
    :param mode: when not deferrable: ``reschedule`` frees the worker slot between checks, ``poke`` keeps it.
    :param poke_interval: seconds between checks. CloudZero takes hours to process what was sent.
    :param timeout: seconds to wait in total. Default: Airflow's ``[sensors] default_timeout``, seven days.
    """

    template_fields: Sequence[str] = ("cloudzero_conn_id",)

    def __init__(
        self,
        *,
        cloudzero_conn_id: str = CloudZeroHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        mode: str = "reschedule",
        poke_interval: timedelta | float = POKE_INTERVAL,
        **kwargs: Any,
    ) -> None:
        super().__init__(mode=mode, poke_interval=poke_interval, **kwargs)
        self.cloudzero_conn_id = cloudzero_conn_id
        self.deferrable = deferrable

    @cached_property
    def cloudzero_hook(self) -> CloudZeroHook:
        """The hook of this task."""
        return CloudZeroHook(self.cloudzero_conn_id)

    def wanted(self, context: Context) -> Wanted:
        """Return what to wait for. Implemented by subclasses."""
        raise NotImplementedError

    def trigger_class(self) -> type[CloudZeroTrigger]:
        """Return the class of the trigger that waits for it. Implemented by subclasses."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Wait; return what CloudZero shows: ids, states and counts."""
        show_links(self, context)
        with airflow_failures():
            deferrable = self._read_switches()
        with skips_logged():
            if not deferrable:
                return super().execute(context)
            with self._soft_failures():
                return self._check_or_defer(context, time.time() + self.timeout)

    def _read_switches(self) -> bool:
        """Check Airflow's switches; return ``deferrable``."""
        for name in ("soft_fail", "silent_fail", "never_fail"):
            read_bool(name, getattr(self, name))
        return read_bool("deferrable", self.deferrable)

    def poke(self, context: Context) -> PokeReturnValue:
        """
        Check once.

        :param context: the task's context.
        :raises CloudZeroError: when CloudZero refuses the request. In an outage, waiting continues.
        """
        reading = self._check(context)
        if reading is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=reading.is_done, xcom_value=reading.as_dict())

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """
        Continue after the trigger, or after Airflow's own limit.

        :param next_method: the method that continues.
        :param next_kwargs: its arguments.
        :param context: the task's context.
        """
        with skips_logged():
            return super().resume_execution(next_method, next_kwargs, context)

    def execute_complete(self, context: Context, event: Any) -> Any:
        """
        Continue after the trigger.

        :param context: the task's context.
        :param event: the trigger's event.
        """
        from cloudzero_provider.triggers._base import WaitOutcome

        with self._soft_failures():
            outcome = event.get("outcome") if isinstance(event, Mapping) else None
            self.log.info("The trigger ended: %s", event)
            if outcome == WaitOutcome.DONE.value and isinstance(event.get("reading"), Mapping):
                return dict(event["reading"])
            if outcome == WaitOutcome.TIMED_OUT.value:
                raise AirflowSensorTimeout(f"Waited {self.timeout:g} s. CloudZero last showed: {event.get('reading')}")
            if outcome == WaitOutcome.REFUSED.value and isinstance(event.get("deadline"), (int, float)):
                # Checking again here shows the full error. If it is gone, waiting continues.
                return self._check_or_defer(context, event["deadline"], event)
            with airflow_failures():
                raise UnexpectedReplyError(f"The trigger ended with an unexpected event: {event!r}")

    def _check_or_defer(self, context: Context, deadline: float, event: Any = None) -> Any:
        reading = self._check(context)
        if reading is not None and reading.is_done:
            return reading.as_dict()
        if event is not None and time.time() >= deadline:
            raise AirflowSensorTimeout(f"Waited {self.timeout:g} s. The trigger, but not the worker, failed: {event}")
        # _check has just called wanted, so this does not raise.
        return self._defer(self.wanted(context), deadline)

    def _defer(self, wanted: Any, deadline: float) -> NoReturn:
        trigger = self.trigger_class()(
            cloudzero_conn_id=self.cloudzero_conn_id,
            poll_interval=self.poke_interval,
            deadline=deadline,
            **asdict(wanted),
        )
        self.defer(
            trigger=trigger,
            method_name="execute_complete",
            timeout=timedelta(seconds=max(deadline - time.time(), 0)) + _TRIGGERER_DOWNTIME,
        )

    def _check(self, context: Context) -> Reading | None:
        with airflow_failures():
            wanted = self.wanted(context)
            client = self.cloudzero_hook.make_client(max_retry_seconds=0)
            try:
                reading = wanted.check(client)
            except CloudZeroError as error:
                if not error.retry_can_help:
                    raise
                self.log.warning("CloudZero could not be checked; waiting continues. %s", error)
                return None
            finally:
                client.close()
        self.log.info("CloudZero shows: %s%s", reading, "" if reading.is_done else f". Waiting for {wanted}")
        return reading

    @contextmanager
    def _soft_failures(self) -> Iterator[None]:
        """Apply ``soft_fail`` and ``never_fail`` as Airflow does when a sensor pokes."""
        try:
            yield
        except (AirflowFailException, AirflowSensorTimeout) as error:
            if self.soft_fail:
                raise AirflowSkipException(f"Skipped because soft_fail is set: {error}") from error
            if self.never_fail and isinstance(error, AirflowFailException):
                raise AirflowSkipException(f"Skipped because never_fail is set: {error}") from error
            raise


def checked_summary(summary: Any, made_by: str, *expected: str) -> Mapping[str, Any]:
    """
    Check a summary.

    :param summary: as passed by the user, resolved.
    :param made_by: the operator that returns such summaries.
    :param expected: keys that it must have.
    :raises InputError: when it is not a summary of that operator.
    """
    if isinstance(summary, Mapping) and all(key in summary for key in expected):
        return summary
    what = "None" if summary is None else f"a {type(summary).__name__}"
    hint = ""
    if summary is None:
        hint = " (was that task skipped, or does it have do_xcom_push=False?)"
    elif isinstance(summary, Sequence) and not isinstance(summary, str):
        hint = "; for a mapped task, map this one as well: .expand(summary=send.output)"
    raise InputError(f"summary is {what}: expected what one {made_by} returned{hint}.")
