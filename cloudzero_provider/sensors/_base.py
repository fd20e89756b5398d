"""What the sensors share: look once, or again and again, or hand over to a trigger."""

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
from cloudzero_provider.exceptions import CloudZeroError, InputError, UnexpectedReplyError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.links import show_links
from cloudzero_provider.values.parameters import read_bool

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from cloudzero_provider.status import Reading, Wanted
    from cloudzero_provider.triggers._base import CloudZeroTrigger


class NotGiven(Enum):
    """Tells a parameter that nobody gave from one that turned out to be ``None``, also in a mapped task."""

    NOT_GIVEN = "not given"


NOT_GIVEN = NotGiven.NOT_GIVEN

#: The trigger keeps the deadline; Airflow's own limit is for a triggerer that has been away for so long.
_TRIGGERER_MAY_BE_AWAY = timedelta(days=1)


class CloudZeroBaseSensor(BaseSensorOperator):
    """
    Base of the sensors of this provider.

    :param cloudzero_conn_id: the Airflow connection. (templated)
    :param deferrable: wait in the triggerer, without a worker. The default is Airflow's ``[operators]
        default_deferrable``.
    :param mode: without a triggerer: ``reschedule`` frees the worker between two looks, ``poke`` keeps it.
    :param poke_interval: seconds between two looks. CloudZero takes hours.
    :param timeout: seconds to wait in all; Airflow's ``[sensors] default_timeout``, seven days, without it.
    """

    template_fields: Sequence[str] = ("cloudzero_conn_id",)

    def __init__(
        self,
        *,
        cloudzero_conn_id: str = CloudZeroHook.default_conn_name,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        mode: str = "reschedule",
        poke_interval: timedelta | float = 300,
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
        """Say what to wait for; a subclass knows."""
        raise NotImplementedError

    def trigger_class(self) -> type[CloudZeroTrigger]:
        """Name the trigger that waits for it; a subclass knows."""
        raise NotImplementedError

    def execute(self, context: Context) -> Any:
        """Wait; return what was seen: ids, states and counts."""
        show_links(self, context)
        with airflow_failures():
            deferrable = self._read_switches()
        if not deferrable:
            return super().execute(context)
        with self._soft_failures():
            return self._look_or_defer(context, time.time() + self.timeout)

    def _read_switches(self) -> bool:
        """Read the switches of every sensor, Airflow's own as well; say whether this one is deferrable."""
        for name in ("soft_fail", "silent_fail", "never_fail"):
            read_bool(name, getattr(self, name))
        return read_bool("deferrable", self.deferrable)

    def poke(self, context: Context) -> PokeReturnValue:
        """
        Look once.

        :raises CloudZeroError: when CloudZero refuses; an outage only means that it is looked at again.
        """
        reading = self._look(context)
        if reading is None:
            return PokeReturnValue(is_done=False)
        return PokeReturnValue(is_done=reading.is_done, xcom_value=reading.as_dict())

    def execute_complete(self, context: Context, event: Any) -> Any:
        """
        Take over from the trigger.

        :param event: of the trigger; any other is an error.
        """
        from cloudzero_provider.triggers._base import WaitOutcome

        with self._soft_failures():
            outcome = event.get("outcome") if isinstance(event, Mapping) else None
            self.log.info("The trigger ended: %s", event)
            if outcome == WaitOutcome.DONE.value and isinstance(event.get("reading"), Mapping):
                return dict(event["reading"])
            if outcome == WaitOutcome.TIMED_OUT.value:
                raise AirflowSensorTimeout(f"Waited {self.timeout:g} s. What was seen last: {event.get('reading')}")
            if outcome == WaitOutcome.REFUSED.value and isinstance(event.get("deadline"), (int, float)):
                # Looking again here shows the error in full; when there is none any more, the wait goes on.
                return self._look_or_defer(context, event["deadline"], event)
            with airflow_failures():
                raise UnexpectedReplyError(f"The trigger ended with an event that it can't have made: {event!r}")

    def _look_or_defer(self, context: Context, deadline: float, event: Any = None) -> Any:
        reading = self._look(context)
        if reading is not None and reading.is_done:
            return reading.as_dict()
        if event is not None and time.time() >= deadline:
            raise AirflowSensorTimeout(f"Waited {self.timeout:g} s. The trigger, not the worker, ended with: {event}")
        # _look has just asked for the same, so this raises nothing.
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
            timeout=timedelta(seconds=max(deadline - time.time(), 0)) + _TRIGGERER_MAY_BE_AWAY,
        )

    def _look(self, context: Context) -> Reading | None:
        with airflow_failures():
            wanted = self.wanted(context)
            client = self.cloudzero_hook.make_client(max_retry_seconds=0)
            try:
                reading = wanted.look(client)
            except CloudZeroError as error:
                if not error.retry_can_help:
                    raise
                self.log.warning("No look at CloudZero this time; waiting goes on. %s", error)
                return None
            finally:
                client.close()
        self.log.info("Seen at CloudZero: %s", reading.as_dict())
        return reading

    @contextmanager
    def _soft_failures(self) -> Iterator[None]:
        """Do what Airflow does with the failures of a sensor that pokes."""
        try:
            yield
        except (AirflowFailException, AirflowSensorTimeout) as error:
            if self.soft_fail:
                raise AirflowSkipException(f"Skipped, since soft_fail is set: {error}") from error
            if self.never_fail and isinstance(error, AirflowFailException):
                raise AirflowSkipException(f"Skipped, since never_fail is set: {error}") from error
            raise


def given_summary(summary: Any, made_by: str, *expected: str) -> Mapping[str, Any]:
    """
    Check that a summary is one.

    :param summary: what the user gave, resolved.
    :param made_by: the operator that returns it.
    :param expected: keys that it must have.
    :raises InputError: when it is something else.
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
