"""Links from a task to CloudZero's pages, or to that of the sandbox that its connection leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow.providers.common.compat.sdk import BaseOperatorLink

from cloudzero_provider.airflow_support.compat import link_xcom_key, stored_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_CLOUDZERO = "cloudzero.com"


class CloudZeroLink(BaseOperatorLink):
    """
    A page of CloudZero. URLs of single streams are not published, so it lists all of them.

    When the host of the task's connection is not CloudZero's own, as for a sandbox, it is that host's page.
    """

    page = "https://app.cloudzero.com"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """
        Return the URL of the page.

        :param operator: the operator, or, in the web server of Airflow 2.11, what the database holds of it.
        :param ti_key: identifies the task instance.
        """
        if hasattr(operator, "cloudzero_hook"):
            return self.page_of(operator)
        return stored_link(self, ti_key) or self.page

    def page_of(self, task: Any) -> str:
        """
        Return the URL of the page, by the task's connection.

        :param task: the operator.
        """
        try:
            base_url = str(task.cloudzero_hook.base_url)
        except Exception:  # The task itself fails with what is wrong with its connection.
            return self.page
        host = urlsplit(base_url).hostname or ""
        return self.page if host == _CLOUDZERO or host.endswith(f".{_CLOUDZERO}") else f"{base_url}/"


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
            context["ti"].xcom_push(key=link_xcom_key(link), value=link.page_of(task))
