"""Sensor for telemetry streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.links import TelemetryStreamsLink
from cloudzero_provider.sensors._base import NOT_GIVEN, CloudZeroBaseSensor, NotGiven, checked_summary
from cloudzero_provider.values.counted import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from cloudzero_provider.status import WantedBatch
    from cloudzero_provider.triggers.telemetry import CloudZeroStreamStatusTrigger


class CloudZeroStreamStatusSensor(CloudZeroBaseSensor):
    """
    Wait until a batch of telemetry has a status, which is derived from its own records, not from the whole stream.

    CloudZero has no published endpoint for the status of a stream. It is ``Pending`` until the batch's records are
    among the submitted ones, which takes minutes; ``Loading`` until they are among the processed ones, which takes
    hours; then ``Available``. ``Invalid`` is recognized where a reply says so, and ends the wait. While the stream is
    unknown, a reply is empty, or CloudZero is down, the wait continues. A refused key ends it.

    Only the newest 1,000 records of a stream can be read. The summary holds hashes of up to 500 records of the batch.
    When CloudZero shows fewer than 1,000 records, all 500 must be among them. When it shows 1,000, one is enough, which
    does not prove the rest. Records sent with ``sum`` are compared without their values, so older records of the same
    periods count, too.

    .. seealso:: https://docs.cloudzero.com/docs/manage-streams

    :param summary: what :class:`~cloudzero_provider.operators.telemetry.TelemetrySendOperator` returned. (templated)
    :param stream_name: instead of a summary, with ``records``: the stream. (templated)
    :param records: instead of a summary: up to 500 records, as for the operator; without values, any value matches.
        (templated)
    :param granularity: of ``records`` without their own. Default: ``DAILY``. (templated)
    :param status: to wait for, in CloudZero's words: ``Pending``, ``Loading`` or ``Available``. A later one ends the
        wait, too. (templated)
    :param match: whether ``all`` records must be found, or ``any``, for example when a later run may replace some of
        them before they are processed. (templated)
    :return: stream_name, status, looked_for, submitted, processed (the last two: how many of the records were found).
    :raises StreamInvalidError: when CloudZero says that the stream is ``Invalid``.
    :raises AuthenticationError: when the key is wrong, or lacks ``unit-cost_v1:read_telemetry``.
    :raises AirflowSensorTimeout: when ``timeout`` has passed.
    """

    template_fields: Sequence[str] = (
        "cloudzero_conn_id",
        "summary",
        "stream_name",
        "records",
        "granularity",
        "status",
        "match",
    )
    operator_extra_links = (TelemetryStreamsLink(),)
    ui_color = "#e6f7ec"

    def __init__(
        self,
        *,
        summary: Mapping[str, Any] | NotGiven | None = NOT_GIVEN,
        stream_name: str | None = None,
        records: list[dict[str, Any]] | None = None,
        granularity: str | None = None,
        status: str = "Available",
        match: str = "all",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.summary = None if summary is NOT_GIVEN else summary
        self.stream_name = stream_name
        self.records = records
        self.granularity = granularity
        self.status = status
        self.match = match
        self._is_summary_set = summary is not NOT_GIVEN

    def wanted(self, context: Context) -> WantedBatch:  # noqa: ARG002 - the base class's signature
        """Return the records to wait for, and their status."""
        from cloudzero_provider.status import Match, StreamStatus, WantedBatch

        status, match = StreamStatus.parse(self.status, "status"), Match.parse(self.match, "match")
        has_records = self.records is not None
        stream_name, granularity, hashes = self._from_records() if has_records else self._from_summary()
        return WantedBatch(
            stream_name=stream_name,
            granularity=granularity,
            record_hashes=tuple(hashes),
            status=status.value,
            match=match.value,
        )

    def trigger_class(self) -> type[CloudZeroStreamStatusTrigger]:
        """Return the class of the trigger."""
        from cloudzero_provider.triggers.telemetry import CloudZeroStreamStatusTrigger

        return CloudZeroStreamStatusTrigger

    def _from_summary(self) -> tuple[str, str, Sequence[str]]:
        if not self._is_summary_set and self.stream_name is not None:
            raise ConfigurationError(
                f"stream_name is {self.stream_name!r}, but neither summary nor records is set: set summary to what the "
                "sending task returned, or set records."
            )
        expected = ("stream_name", "granularity", "record_hashes", "operation", "check_only")
        summary = checked_summary(self.summary, "TelemetrySendOperator", *expected)
        if summary["check_only"]:
            raise AirflowSkipException("Nothing was sent (check_only), so there is nothing to wait for.")
        if summary["operation"] == "delete":
            raise ConfigurationError("A delete can't be waited for: CloudZero does not show deleted records.")
        if not isinstance(summary["record_hashes"], (list, tuple)):
            raise InputError("summary has no list record_hashes: expected what one TelemetrySendOperator returned.")
        if not summary["record_hashes"]:
            raise AirflowSkipException(
                "All values of the batch were zero and were deleted or skipped, so there is nothing to wait for."
            )
        return summary["stream_name"], summary["granularity"], summary["record_hashes"]

    def _from_records(self) -> tuple[str, str, Sequence[str]]:
        """Check records as the operator does, so that their hashes match those it sends."""
        from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
        from cloudzero_provider.sources import from_records
        from cloudzero_provider.telemetry.batches import SAMPLED_RECORDS, sampled_hashes
        from cloudzero_provider.telemetry.checks import RecordRules, check_records
        from cloudzero_provider.telemetry.record_kinds import KINDS
        from cloudzero_provider.telemetry.table_records import as_records

        if self.stream_name is None or self._is_summary_set:
            raise ConfigurationError("records need a stream_name, and can't be combined with a summary.")
        rows = from_records(self.records)
        if not 1 <= rows.count <= SAMPLED_RECORDS:
            raise InputError(f"records has {counted(rows.count, 'record')}: expected 1 to {SAMPLED_RECORDS}.")
        values = rows.columns.get("value", [None] * rows.count)
        without = sum(value is None for value in values)
        if 0 < without < rows.count:
            raise InputError(f"{without:,} of {rows.count:,} records have no value: set it in all or none.")
        is_allocation = not rows.columns.keys().isdisjoint(("element_name", "filter"))
        rules = RecordRules(
            kind=KINDS[StreamType.ALLOCATION if is_allocation else StreamType.METRIC],
            # The rules of delete expect records without values.
            operation=TelemetryOperation.DELETE if without else TelemetryOperation.REPLACE,
            granularity=self.granularity or "DAILY",
        )
        checked = check_records(as_records(rows, rules.kind), rules)
        return self.stream_name, checked.granularity, sampled_hashes(checked)
