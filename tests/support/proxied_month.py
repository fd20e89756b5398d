"""A month in S3 whose tasks write through a proxy, where requests go wrong."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.bucket_drops import S3Reader, current_drop, held_rows
from support.rows import bill_row
from support.s3_proxy import S3Proxy
from support.s3_server import S3Server
from support.tasks import write_drop

ROWS = 12


@contextmanager
def proxied(s3: S3Server, read_timeout: int = 1) -> Iterator[S3Proxy]:
    """A proxy, and an Airflow connection to it."""
    proxy = S3Proxy(s3.url)
    # s3fs repeats requests by itself; without a shorter time, it waits 15 s after a lost connection.
    config = {"read_timeout": read_timeout, "connect_timeout": 1, "retries": {"max_attempts": 0}}
    with pytest.MonkeyPatch.context() as patch:
        connection = s3.airflow_connection(endpoint_url=proxy.url, config_kwargs=config)
        patch.setenv(f"AIRFLOW_CONN_{connection_id(proxy).upper()}", connection)
        yield proxy
    proxy.stop()


def connection_id(proxy: S3Proxy) -> str:
    """Airflow keeps one file system per connection id as long as the process lives."""
    return f"s3_{proxy.url.rpartition(':')[2]}"


def bill(number: int) -> list[dict[str, Any]]:
    """A bill whose number is the cost of each row."""
    return [bill_row(1 + day, cost=str(number)) for day in range(ROWS)]


class ProxiedMonth:
    """Two bills were written to it at first."""

    def __init__(self, s3: S3Server, proxy: S3Proxy, root: str) -> None:
        bucket = f"b{uuid.uuid4().hex}"
        s3.bucket(bucket)
        self.proxy, self.reader, self.number = proxy, S3Reader(s3, bucket, root), 0
        path = f"s3://{connection_id(proxy)}@{bucket}/{root}"
        self.arguments = {"bucket_path": path, "rows_per_file": ROWS // 2, "keep_drops": 1}
        self.proxy.reset()
        for _ in range(2):
            self.write()

    def next_task(self) -> dict[str, Any]:
        """The arguments of a task that writes the next bill."""
        return {**self.arguments, "records": bill(self.number + 1), "retries": 1}

    def write(self, **arguments: Any) -> dict[str, Any]:
        """Write the next bill."""
        summary = write_drop(**self.next_task(), **arguments)
        self.number += 1
        return summary

    def held(self) -> int:
        """The number of the bill that CloudZero takes."""
        files = self.reader.files()
        rows = held_rows(files)
        number = int(rows[0]["cost/cost"])
        assert rows == bill(number), f"{current_drop(files)} is not complete: {rows}"
        return number

    def retry(self) -> None:
        """Without faults, a retry makes the month what it is to be."""
        was, to_be = self.held(), self.number + 1
        assert was in (self.number, to_be)
        self.proxy.reset()
        summary = self.write(try_number=2)
        assert summary["unchanged"] == (was == to_be)
        assert self.held() == to_be
        assert summary["total_cost"] == str(ROWS * to_be)
