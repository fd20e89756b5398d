"""Sensor for AnyCost billing drops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from cloudzero_provider.airflow_support.run_month import resolve_month
from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.links import AnyCostConnectionLink
from cloudzero_provider.sensors._base import NOT_GIVEN, CloudZeroBaseSensor, NotGiven, checked_summary
from cloudzero_provider.values.parameters import read_whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from airflow.sdk import Context

    from cloudzero_provider.status import WantedDrop
    from cloudzero_provider.triggers.anycost import AnyCostBillingDropTrigger


class AnyCostBillingDropSensor(CloudZeroBaseSensor):
    """
    Wait until CloudZero lists a month of an AnyCost stream, with the drop and the rows that were sent.

    This does not show that CloudZero has ingested them: it does so every few hours, and only the connection's page
    shows the result. While the month is not listed, the stream is unknown, or CloudZero is down, the wait continues. A
    refused key ends it.

    .. seealso:: https://docs.cloudzero.com/reference/getanycoststreamconnectionbillingdrops

    :param summary: what :class:`~cloudzero_provider.operators.anycost.AnyCostBillingDropOperator` returned. (templated)
    :param anycost_connection_id: instead of a summary: the AnyCost stream; without it, ``anycost_connection_id`` of the
        connection's extra. (templated)
    :param month: instead of a summary: as for the operator. (templated)
    :param drop_id: instead of a summary: the month must be listed with this drop. (templated)
    :param rows: instead of a summary: the month must be listed with this number of rows. (templated)
    :return: anycost_connection_id, month, listed, drop_id, rows.
    :raises AuthenticationError: when the key is wrong, or lacks ``connections:read_billing_anycost_billing_drops``.
    :raises AirflowSensorTimeout: when ``timeout`` has passed.
    """

    template_fields: Sequence[str] = (
        "cloudzero_conn_id",
        "summary",
        "anycost_connection_id",
        "month",
        "drop_id",
        "rows",
    )
    operator_extra_links = (AnyCostConnectionLink(),)
    ui_color = "#e3f0ff"

    def __init__(
        self,
        *,
        summary: Mapping[str, Any] | NotGiven | None = NOT_GIVEN,
        anycost_connection_id: str | None = None,
        month: str | date | None = None,
        drop_id: str | None = None,
        rows: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.summary = None if summary is NOT_GIVEN else summary
        self.anycost_connection_id = anycost_connection_id
        self.month = month
        self.drop_id = drop_id
        self.rows = rows
        # When an upstream task returns None, this must not become a wait for anything in the month.
        self._is_summary_set = summary is not NOT_GIVEN
        self._set_by_user = [name for name, value in (("drop_id", drop_id), ("rows", rows)) if value is not None]

    def wanted(self, context: Context) -> WantedDrop:
        """Return the month to wait for, and the drops and rows it should be listed with."""
        from cloudzero_provider.status import WantedDrop

        if self._is_summary_set:
            return self._wanted_by_summary()
        if missing := [name for name in self._set_by_user if getattr(self, name) is None]:
            raise InputError(f"{' and '.join(missing)} resolved to None: did the upstream task return nothing?")
        row_counts = () if self.rows is None else (read_whole_number("rows", self.rows, least=0, templated=True),)
        return WantedDrop(
            anycost_connection_id=self.cloudzero_hook.anycost_connection_id(self.anycost_connection_id),
            month=str(resolve_month(self.month, context)),
            drop_ids=(self.drop_id,) if self.drop_id is not None else (),
            row_counts=row_counts,
        )

    def trigger_class(self) -> type[AnyCostBillingDropTrigger]:
        """Return the class of the trigger."""
        from cloudzero_provider.triggers.anycost import AnyCostBillingDropTrigger

        return AnyCostBillingDropTrigger

    def _wanted_by_summary(self) -> WantedDrop:
        from cloudzero_provider.status import WantedDrop

        others = {
            "anycost_connection_id": self.anycost_connection_id,
            "month": self.month,
            "drop_id": self.drop_id,
            "rows": self.rows,
        }
        if also := [name for name, value in others.items() if value is not None]:
            raise ConfigurationError(f"summary already says {', '.join(also)}: set one or the other, not both.")
        expected = ("anycost_connection_id", "month", "rows", "row_count", "drop_ids", "operation", "check_only")
        summary = checked_summary(self.summary, "AnyCostBillingDropOperator", *expected)
        if summary["check_only"]:
            raise AirflowSkipException("Nothing was sent (check_only), so there is nothing to wait for.")
        # Whether row_count is of the month or of the last request is not published, so either count will do.
        row_counts = {summary["rows"], summary["row_count"] or summary["rows"]}
        return WantedDrop(
            anycost_connection_id=summary["anycost_connection_id"],
            month=summary["month"],
            drop_ids=tuple(summary["drop_ids"]),
            row_counts=tuple(sorted(row_counts)),
            or_more=summary["operation"] != "replace_drop",
        )
