"""Trigger for AnyCost billing drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudzero_provider.triggers._base import CloudZeroTrigger

if TYPE_CHECKING:
    from cloudzero_provider.status import WantedDrop


class AnyCostBillingDropTrigger(CloudZeroTrigger):
    """
    Wait until CloudZero lists a month, with its drop and its rows.

    :param cloudzero_conn_id: the Airflow connection.
    :param poll_interval: seconds between checks.
    :param deadline: when to give up, in seconds since 1970.
    :param fields: those of :class:`~cloudzero_provider.status.WantedDrop`.
    """

    def wanted(self) -> WantedDrop:
        """Return what to wait for."""
        from cloudzero_provider.status import WantedDrop

        return WantedDrop(**self.wanted_fields)
