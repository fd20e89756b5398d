"""Stores of a bucket do the same on S3 (moto's server), in another storage, and in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import fsspec
import pytest
from support.bucket_drops import FolderReader, S3Reader, current_drop, held_rows
from support.rows import MARCH, bill_row, checked
from support.s3_server import ACCESS_KEY, SECRET_KEY

from cloudzero_provider.airflow_support.bucket_stores import ObjectStore, open_store
from cloudzero_provider.anycost.bucket.drops import list_drops
from cloudzero_provider.anycost.bucket.options import DropOptions
from cloudzero_provider.anycost.bucket.rollback import roll_back
from cloudzero_provider.anycost.bucket.send import send_drop
from cloudzero_provider.anycost.bucket.store import Digest, Listed, VersionChangedError
from cloudzero_provider.exceptions import BucketError, ConfigurationError, ManifestChangedError

ROOT = "anycost/acme"


@pytest.fixture
def bucket_name(s3, request):
    name = f"b{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]}"
    s3.bucket(name)
    return name


@pytest.fixture
def connection(s3, monkeypatch):
    # Airflow keeps one file system per connection id as long as the process lives.
    name = f"s3_{s3.url.rpartition(':')[2]}"
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", s3.airflow_connection())
    return name


@pytest.fixture
def s3_path(connection, bucket_name):
    return f"s3://{connection}@{bucket_name}/{ROOT}"


@pytest.fixture(params=["s3", "memory", "folder", "file"])
def target(request, tmp_path):
    """The path of an empty root, and its reader; of memory, there is no other reader than the store."""
    if request.param == "s3":
        name = request.getfixturevalue("bucket_name")
        return request.getfixturevalue("s3_path"), S3Reader(request.getfixturevalue("s3"), name, ROOT)
    if request.param == "memory":
        return None, None
    return ("file://" * (request.param == "file")) + str(tmp_path / "root"), FolderReader(tmp_path / "root")


@pytest.fixture
def store(target, tmp_path):
    path = target[0]
    if path is None:
        return ObjectStore(fsspec.filesystem("memory"), f"/{tmp_path.name}/root", "memory://root")
    return open_store(path)


def bill(rows, cost="1"):
    return [bill_row(1 + number % 28, cost=cost) for number in range(rows)]


def send(store, rows, **options):
    return send_drop(store, MARCH, [checked(rows)], DropOptions(**options))


class TestStore:
    def test_what_is_written_can_be_read(self, store):
        store.replace("m/manifest.json", b"one", None)
        assert store.read("m/manifest.json").content == b"one"
        store.replace("m/manifest.json", b"two", store.read("m/manifest.json").version)
        assert store.read("m/manifest.json").content == b"two"

    def test_what_is_there_is_written_over(self, store):
        for content in (b"one", b"two"):
            store.write("m/x.json", content)
            assert store.read("m/x.json").content == content

    def test_what_is_not_there(self, store):
        assert (store.read("m/x"), store.digest("m/x"), store.list("m/")) == (None, None, [])
        store.delete("m/x")

    def test_files(self, store, tmp_path):
        path = tmp_path / "file"
        content = bytes(range(256)) * 50_000
        path.write_bytes(content)
        store.upload(str(path), "m/d/a.csv.gz")
        store.upload(str(path), "m/b")
        assert store.digest("m/d/a.csv.gz") == Digest(len(content), hashlib.sha256(content).hexdigest())
        assert store.list("m/") == [Listed("m/b", len(content)), Listed("m/d/a.csv.gz", len(content))]
        assert store.list("m/d/") == [Listed("m/d/a.csv.gz", len(content))]
        store.download("m/d/a.csv.gz", str(tmp_path / "copy"))
        assert (tmp_path / "copy").read_bytes() == content
        store.delete("m/d/a.csv.gz")
        assert store.list("m/d/") == []

    def test_a_listing_sees_what_was_written_since(self, store, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(b"x")
        assert store.list("m/") == []
        store.upload(str(path), "m/a")
        assert len(store.list("m/")) == 1
        path.write_bytes(b"longer")
        store.upload(str(path), "m/a")
        assert store.list("m/") == [Listed("m/a", 6)]
        assert store.digest("m/a").size == 6

    def test_another_writer_is_noticed(self, store):
        if not store.is_conditional:
            store.replace("m/x", b"one", None)
            store.replace("m/x", b"two", None)
            assert store.read("m/x").content == b"two"
            return
        store.replace("m/x", b"one", None)
        first = store.read("m/x").version
        with pytest.raises(VersionChangedError):
            store.replace("m/x", b"two", None)
        store.replace("m/x", b"two", first)
        with pytest.raises(VersionChangedError):
            store.replace("m/x", b"three", first)
        assert store.read("m/x").content == b"two"
        second = store.read("m/x").version
        store.delete("m/x")
        with pytest.raises(VersionChangedError):
            store.replace("m/x", b"four", second)
        assert store.read("m/x") is None


def test_a_history_of_drops(target, store):
    made = [send(store, bill(20 + number), keep_drops=2).drop_id for number in range(5)]
    assert [drop.drop_id for drop in list_drops(store, MARCH).drops] == made[2:]
    roll_back(store, MARCH, made[2])
    assert list_drops(store, MARCH).current_drop_id == made[2]
    reader = target[1]
    if reader is not None:
        assert (current_drop(reader.files()), held_rows(reader.files())) == (made[2], bill(22))


def test_more_objects_than_a_page_of_a_listing(s3, s3_path, bucket_name):
    for number in range(1_001):
        s3.client.put_object(Bucket=bucket_name, Key=f"{ROOT}/m/{number:04d}", Body=b"x")
    s3.client.put_object(Bucket=bucket_name, Key=f"{ROOT}/m/folder/", Body=b"")
    s3.client.put_object(Bucket=bucket_name, Key=f"{ROOT}/mm", Body=b"of another folder")
    assert open_store(s3_path).list("m/") == [Listed(f"m/{number:04d}", 1) for number in range(1_001)]


def test_two_writers_on_s3(s3, s3_path, bucket_name):
    store, reader = open_store(s3_path), S3Reader(s3, bucket_name, ROOT)
    assert store.is_conditional
    send(store, bill(20))

    class Slow:
        """The same store; another writer is faster just before the switch."""

        def __getattr__(self, name):
            return getattr(store, name)

        def replace(self, key, content, version):
            if key.endswith("manifest.json"):
                send(store, bill(25))
            store.replace(key, content, version)

    with pytest.raises(ManifestChangedError, match="another writer made"):
        send(Slow(), bill(28))
    assert held_rows(reader.files()) == bill(25)


class TestBadTargets:
    @pytest.mark.parametrize(
        "path",
        [
            "s3://bucket",
            "s3://bucket/",
            "s3://conn@bucket",
            "s3://conn@bucket//",
            "gs://bucket/",
            "s3:///x",
            "s3://a@/x",
        ],
    )
    def test_the_root_of_a_bucket(self, path):
        with pytest.raises(
            ConfigurationError, match=r"bucket_path is .*, the root of a bucket, .* like s3://my_aws_conn@"
        ):
            open_store(path)

    @pytest.mark.parametrize("path", ["s3://bucket/a//b", "s3://bucket/../x", "s3://bucket/a/./b"])
    def test_a_folder_with_odd_names(self, path):
        with pytest.raises(ConfigurationError, match=r"bucket_path is .*: expected a folder in a bucket"):
            open_store(path)

    @pytest.mark.parametrize(
        "path", ["s3://bucket/anycost/20260301-20260401", "s3://bucket/20260301-20260401/", "/acme/20260301-20260401"]
    )
    def test_the_folder_of_a_month(self, path):
        with pytest.raises(ConfigurationError, match=r"the folder of a month: expected the folder above it"):
            open_store(path)

    @pytest.mark.parametrize("path", ["", "  ", None, "relative/folder", "/", "//", "/tmp/..", "file:///", "file://x"])
    def test_a_folder_of_this_machine(self, path):
        with pytest.raises(ConfigurationError, match=r"bucket_path is .*absolute path of a folder"):
            open_store(path)

    def test_an_unknown_connection(self):
        with pytest.raises(ConfigurationError, match="no_such_conn"):
            open_store("s3://no_such_conn@bucket/folder")

    def test_an_unknown_scheme(self):
        with pytest.raises(ConfigurationError, match=r"bucket_path is 'nope://bucket/folder': Airflow can't open it"):
            open_store("nope://bucket/folder")

    def test_a_bucket_that_does_not_exist(self, connection):
        with pytest.raises(BucketError, match=r"s3://no-such-bucket-7/a/20260301-20260401/manifest.json can't be read"):
            send(open_store(f"s3://{connection}@no-such-bucket-7/a"), bill(3))

    def test_a_folder_that_may_not_be_written(self, tmp_path):
        if not Path("/proc").exists():
            pytest.skip("needs a read-only folder")
        with pytest.raises((BucketError, OSError), match="/proc/cloudzero"):
            send(open_store("/proc/cloudzero/x"), bill(3))

    def test_a_file_in_place_of_the_root(self, tmp_path):
        (tmp_path / "root").write_text("x")
        with pytest.raises(BucketError, match="Not a directory"):
            send(open_store(str(tmp_path / "root")), bill(3))

    def test_neither_the_root_nor_errors_hold_credentials(self, s3_path, connection):
        assert "@" not in open_store(s3_path).root
        for path in ("bucket/", "bucket/folder", "bucket/a//b", "bucket/20260301-20260401"):
            # Keys of AWS may have slashes.
            for secret in (SECRET_KEY, f"{SECRET_KEY}/x"):
                with pytest.raises(ConfigurationError) as error:
                    open_store(f"s3://{ACCESS_KEY}:{secret}@{path}")
                assert SECRET_KEY not in str(error.value)
                assert ACCESS_KEY not in str(error.value)
