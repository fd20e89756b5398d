"""What a person reads when a bucket can't be used, and that the month is then as it was."""

from __future__ import annotations

import json
import logging

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from support.proxied_month import ProxiedMonth, connection_id, proxied
from support.s3_proxy import LOST_AFTER, LOST_BEFORE, Fault
from support.s3_server import ACCESS_KEY, SECRET_KEY

from cloudzero_provider.airflow_support.bucket_stores import open_store
from cloudzero_provider.exceptions import BucketError, BucketUnavailableError

DENIED = r"the storage denies it \(.*\)\. The Airflow connection needs to list, read, write and delete objects"
REFUSED = r"the storage does not accept the credentials \(.*\)\. Correct those of the Airflow connection\."
ELSEWHERE = r"the bucket is in another region, .* Correct region_name and endpoint_url in the extra"
LATER = r"\(.*\)\. Running the task again may help\."
MANIFEST = r"^s3://\w+/anycost/\w+/20260301-20260401/manifest\.json can't be "
FILE = r"^s3://\w+/anycost/\w+/20260301-20260401/\w+/part-00000\.csv\.gz can't be "


@pytest.fixture(scope="module")
def proxy(s3):
    with proxied(s3) as proxy:
        yield proxy


@pytest.fixture
def month(s3, proxy, tmp_path):
    return ProxiedMonth(s3, proxy, f"anycost/{tmp_path.name}")


def fails(month, error, match, caplog):
    """The next task fails; its error has no credentials in it."""
    with caplog.at_level(logging.INFO), pytest.raises(error, match=match) as raised:
        month.write()
    for text in (str(raised.value), repr(raised.value), caplog.text):
        assert SECRET_KEY not in text
        assert ACCESS_KEY not in text
    assert month.held() == month.number
    assert isinstance(raised.value, AirflowFailException) == (error is BucketError)


@pytest.mark.parametrize(
    ("what", "kind", "error", "match"),
    [
        ("403", "get manifest", BucketError, MANIFEST + "read: " + DENIED),
        ("403", "put description", BucketError, r"\w+\.json can't be written: " + DENIED),
        ("403", "put file", BucketError, FILE + "written: " + DENIED),
        ("403", "get file", BucketError, FILE + "read: " + DENIED),
        ("403", "list", BucketError, r"20260301-20260401/\w+/ can't be listed: " + DENIED),
        ("403", "put manifest", BucketError, MANIFEST + "written: " + DENIED),
        ("unknown key", "get manifest", BucketError, MANIFEST + "read: " + REFUSED),
        ("wrong secret", "get manifest", BucketError, MANIFEST + "read: " + REFUSED),
        ("wrong region", "get manifest", BucketError, MANIFEST + "read: " + ELSEWHERE),
        ("wrong region", "put file", BucketError, FILE + "written: " + ELSEWHERE),
        # In a task that runs for hours; the next attempt takes newer ones.
        ("expired", "put file", BucketUnavailableError, FILE + r"written \(.*token has expired\)\. Running the task"),
        ("expired", "put manifest", BucketUnavailableError, MANIFEST + "written " + LATER),
        ("500", "put file", BucketUnavailableError, FILE + "written " + LATER),
        ("503", "put manifest", BucketUnavailableError, MANIFEST + "written " + LATER),
        ("500", "list", BucketUnavailableError, r"20260301-20260401/\w+/ can't be listed " + LATER),
        (LOST_BEFORE, "get manifest", BucketUnavailableError, MANIFEST + "read " + LATER),
    ],
)
def test_an_error_says_what_and_what_to_do(month, proxy, caplog, what, kind, error, match):
    proxy.reset(Fault(what, kind, times=1000))
    fails(month, error, match, caplog)
    month.retry()


def test_without_the_right_to_delete_the_month_is_written(month, proxy, caplog):
    proxy.reset(Fault("403", "delete", times=1000))
    month.write()
    assert month.held() == month.number
    assert "earlier drops could not be removed: BucketError" in caplog.text
    proxy.reset()
    month.write()
    month.write()
    assert len([key for key in month.reader.files() if ".removed-by-" in key]) == 0


class TestConnections:
    @pytest.fixture
    def path_of(self, month, monkeypatch):
        def path_of(name, **fields):
            monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "aws", **fields}))
            return month.arguments["bucket_path"].replace(connection_id(month.proxy), name)

        return path_of

    def test_no_such_bucket(self, month, caplog):
        month.arguments["bucket_path"] = f"s3://{connection_id(month.proxy)}@no-such-bucket/anycost/acme"
        fails(
            month, BucketError, r"^s3://no-such-bucket/.*manifest.json can't be read: .*Does the bucket exist\?", caplog
        )

    def test_an_endpoint_where_nothing_listens(self, month, path_of, caplog):
        extra = {
            "endpoint_url": "http://127.0.0.1:9",
            "region_name": "us-east-1",
            "config_kwargs": {"retries": {"max_attempts": 0}},
        }
        month.arguments["bucket_path"] = path_of("dead_end", login=ACCESS_KEY, password=SECRET_KEY, extra=extra)
        fails(month, BucketUnavailableError, MANIFEST + r"read \(.*127.0.0.1:9/.*\. Running the task", caplog)

    def test_a_profile_that_is_not_there(self, month, path_of, caplog):
        month.arguments["bucket_path"] = path_of("no_profile", extra={"profile_name": "nobody"})
        match = r"bucket_path is 's3://no_profile@.*Airflow can't open it \(.*nobody.*Correct its connection"
        fails(month, BucketUnavailableError, match, caplog)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["create", "complete"])
@pytest.mark.parametrize("what", [LOST_BEFORE, LOST_AFTER, "503"])
def test_a_large_file(s3, tmp_path, kind, what):
    """From 100 MiB, s3fs uploads parts. A file is complete, or a retry can help."""
    size = 101 * 1024 * 1024
    with (tmp_path / "large").open("wb") as file:
        file.truncate(size)
    with proxied(s3, read_timeout=15) as proxy:
        store = open_store(ProxiedMonth(s3, proxy, "anycost").arguments["bucket_path"])
        for times in (1, 1000):
            proxy.reset(Fault(what, kind, times))
            try:
                store.upload(str(tmp_path / "large"), f"m/{times}")
            except BucketUnavailableError:
                proxy.reset()
                store.upload(str(tmp_path / "large"), f"m/{times}")
            assert [each.size for each in store.list(f"m/{times}")] == [size]
