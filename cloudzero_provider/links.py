"""Links from a task to CloudZero's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

from cloudzero_provider.airflow_support.compat import link_xcom_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CloudZeroLink(BaseOperatorLink):
    """A page of CloudZero. URLs of single streams are not published, so it lists all of them."""

    page = "https://app.cloudzero.com"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow's signature
        """Return the URL of the page."""
        return self.page


class AnyCostConnectionLink(CloudZeroLink):
    """Billing connections, with the status of each AnyCost stream."""

    name = "CloudZero billing connections"
    page = "https://app.cloudzero.com/organization/connections"


class TelemetryStreamsLink(CloudZeroLink):
    """Telemetry streams, with the status of each."""

    name = "CloudZero telemetry streams"
    page = "https://app.cloudzero.com/settings/telemetry"


def show_links(task: Any, context: Mapping[str, Any]) -> None:
    """
    Show a task's links from its start. Airflow 3 itself only stores them when the task ends or defers.

    :param task: the operator.
    :param context: the task's context.
    """
    links: Iterable[Any] = task.operator_extra_links
    for link in links:
        if isinstance(link, CloudZeroLink):
            context["ti"].xcom_push(key=link_xcom_key(link), value=link.page)
