"""Sensor for telemetry streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from cloudzero_provider.exceptions import ConfigurationError, InputError
from cloudzero_provider.links import TelemetryStreamsLink
from cloudzero_provider.sensors._base import NOT_GIVEN, CloudZeroBaseSensor, NotGiven, given_summary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from cloudzero_provider.status import WantedBatch
    from cloudzero_provider.triggers.telemetry import CloudZeroStreamStatusTrigger


class CloudZeroStreamStatusSensor(CloudZeroBaseSensor):
    """
    Wait until a batch of telemetry has a status: until CloudZero shows *its* records, not some of the stream.

    CloudZero publishes no endpoint for the status of a stream, so it is derived: ``Pending`` until CloudZero shows the
    batch's records among those submitted, which takes minutes; ``Loading`` until it shows them among those processed,
    which takes hours; then ``Available``. ``Invalid`` is recognised where a reply says so, and ends the wait. A stream
    that is not known yet and an empty reply mean "not yet"; so does an outage. A refused key ends the wait.

    Only the newest 1,000 records of a stream can be read. The summary holds hashes of up to 500 records of the batch.
    When CloudZero shows fewer than 1,000 records, all of them must be there; when it shows 1,000, one of them is
    enough, and no proof for the rest. Records sent with ``sum`` are looked for without their value, so records of the
    same period that were there before are taken for them.

    .. seealso:: https://docs.cloudzero.com/docs/manage-streams

    :param summary: what :class:`~cloudzero_provider.operators.telemetry.TelemetrySendOperator` returned. (templated)
    :param stream_name: instead of a summary, with ``records``: the stream. (templated)
    :param records: instead of a summary: up to 500 records, as the operator takes them; without values, any value
        will do. (templated)
    :param granularity: of ``records`` that do not say theirs; ``DAILY`` without it. (templated)
    :param status: to wait for, in CloudZero's words. ``Available`` is also more than ``Loading``. (templated)
    :param match: ``all`` records must be seen, or ``any``: use it where a later run may replace some of them before
        they are processed. (templated)
    :return: stream_name, status, looked_for, submitted, processed (how many of the records are among those).
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
        self._has_summary = summary is not NOT_GIVEN

    def wanted(self, context: Context) -> WantedBatch:  # noqa: ARG002 - a sibling needs it
        """Say which records to look for, and which status they should have."""
        from cloudzero_provider.status import Match, StreamStatus, WantedBatch

        status, match = StreamStatus.parse(self.status, "status"), Match.parse(self.match, "match")
        by_hand = self.records is not None
        stream_name, granularity, hashes = self._by_hand() if by_hand else self._of_summary()
        return WantedBatch(
            stream_name=stream_name,
            granularity=granularity,
            record_hashes=tuple(hashes),
            status=status.value,
            match=match.value,
        )

    def trigger_class(self) -> type[CloudZeroStreamStatusTrigger]:
        """Name the trigger that waits for it."""
        from cloudzero_provider.triggers.telemetry import CloudZeroStreamStatusTrigger

        return CloudZeroStreamStatusTrigger

    def _of_summary(self) -> tuple[str, str, Sequence[str]]:
        if not self._has_summary and self.stream_name is not None:
            raise ConfigurationError(
                f"What should be looked for in {self.stream_name!r}? Give the summary that the sending task returned, "
                "or records by hand."
            )
        expected = ("stream_name", "granularity", "record_hashes", "operation", "check_only")
        summary = given_summary(self.summary, "TelemetrySendOperator", *expected)
        if summary["check_only"]:
            raise AirflowSkipException("Nothing was sent (check_only), so there is nothing to wait for.")
        if summary["operation"] == "delete":
            raise ConfigurationError("What was deleted can't be waited for: CloudZero does not show it.")
        if not isinstance(summary["record_hashes"], (list, tuple)):
            raise InputError("summary has no list of record_hashes: expected what one TelemetrySendOperator returned.")
        if not summary["record_hashes"]:
            raise AirflowSkipException(
                "All records of the batch were zeros, which were deleted or skipped, so there is nothing to wait for."
            )
        return summary["stream_name"], summary["granularity"], summary["record_hashes"]

    def _by_hand(self) -> tuple[str, str, Sequence[str]]:
        """Take records as the operator takes them, so that their hashes are those of what it sends."""
        from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
        from cloudzero_provider.sources import from_records
        from cloudzero_provider.telemetry.batches import SAMPLED_RECORDS, sampled_hashes
        from cloudzero_provider.telemetry.checks import RecordRules, check_records
        from cloudzero_provider.telemetry.record_kinds import KINDS

        if self.stream_name is None or self._has_summary:
            raise ConfigurationError("records go with a stream_name, and instead of a summary.")
        rows = from_records(self.records)
        if not 1 <= rows.count <= SAMPLED_RECORDS:
            raise InputError(f"{rows.count:,} records to look for: expected 1 to {SAMPLED_RECORDS}.")
        values = rows.columns.get("value", [None] * rows.count)
        without = sum(value is None for value in values)
        if 0 < without < rows.count:
            raise InputError(f"{without:,} of {rows.count:,} records to look for have no value: give all or none.")
        of_allocation = not rows.columns.keys().isdisjoint(("element_name", "filter"))
        rules = RecordRules(
            kind=KINDS[StreamType.ALLOCATION if of_allocation else StreamType.METRIC],
            # What is deleted has no value.
            operation=TelemetryOperation.DELETE if without else TelemetryOperation.REPLACE,
            granularity=self.granularity or "DAILY",
        )
        checked = check_records(rows, rules)
        return self.stream_name, checked.granularity, sampled_hashes(checked)
