"""S3 on localhost: moto's server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ACCESS_KEY, SECRET_KEY, REGION = "test-access-key", "test-secret-key-90b2", "us-east-1"
_READY = re.compile(r"Running on (http://\S+)")


class S3Server:
    """A running S3, empty at first."""

    def __init__(self, folder: Path) -> None:
        # Not in every environment that collects tests.
        import boto3

        self.log = folder / "s3.log"
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"],
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.url = self._wait()
        self.client = boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )

    def _wait(self) -> str:
        deadline = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < deadline:
            if found := _READY.search(self.log.read_text()):
                return found[1]
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"moto's server did not start:\n{self.log.read_text()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def bucket(self, name: str, files: dict[str, bytes | Path] | None = None) -> None:
        """Create a bucket with files: key → content, or the path of a file."""
        self.client.create_bucket(Bucket=name)
        for key, content in (files or {}).items():
            self.client.put_object(
                Bucket=name, Key=key, Body=content.read_bytes() if isinstance(content, Path) else content
            )

    def airflow_connection(self, **extra: Any) -> str:
        """An Airflow connection to it, as JSON."""
        fields = {"conn_type": "aws", "login": ACCESS_KEY, "password": SECRET_KEY}
        return json.dumps({**fields, "extra": {"endpoint_url": self.url, "region_name": REGION, **extra}})
