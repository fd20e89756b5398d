"""
The HTTP client: endpoints, the meaning of replies, and retries.

It does not import Airflow, so it can be tried in a plain Python shell::

    from cloudzero_provider.client import Client

    client = Client("my-key")
    client.list_drops("1234abcd-1234-abcd-1234-abcd1234efgh")
"""

from __future__ import annotations

from cloudzero_provider.client.client import Client
from cloudzero_provider.client.outcome import Effect
from cloudzero_provider.client.replies import BillingDrop, DropReceipt

__all__ = ["BillingDrop", "Client", "DropReceipt", "Effect"]
