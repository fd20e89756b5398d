"""Trigger for telemetry streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.triggers._base import CloudZeroTrigger

if TYPE_CHECKING:
    from cloudzero_provider.status import WantedBatch


class CloudZeroStreamStatusTrigger(CloudZeroTrigger):
    """
    Wait until a batch of telemetry has a status.

    :param cloudzero_conn_id: the Airflow connection.
    :param poll_interval: seconds between checks.
    :param deadline: when to give up, in seconds since 1970.
    :param fields: those of :class:`~cloudzero_provider.status.WantedBatch`.
    """

    def wanted(self) -> WantedBatch:
        """Return what to wait for."""
        from cloudzero_provider.status import WantedBatch

        return WantedBatch(**self.wanted_fields)
