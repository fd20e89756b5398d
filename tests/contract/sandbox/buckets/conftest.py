"""A sandbox that polls a local folder and a folder on S3 when a test asks it to, and what an adaptor writes there."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil

import pytest
from contract.sandbox.conftest import CloudZero, SandboxProcess

MARCH = "20260301-20260401"
START, COST = "time/usage_start", "cost/cost"


class LocalRoot:
    """The root of a connection in a local folder."""

    name = "local"

    def __init__(self, folder):
        self.folder = folder
        self.uri = str(folder)

    def put(self, path, content):
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def delete(self, path):
        (self.folder / path).unlink()

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()


class S3Root:
    """The root of a connection in a bucket."""

    name = "s3"
    bucket = "acme-bills"

    def __init__(self, server, folder):
        self.client, self.folder = server.client, folder
        self.uri = f"s3://{self.bucket}/{folder}"
        server.bucket(self.bucket)

    def put(self, path, content):
        self.client.put_object(Bucket=self.bucket, Key=f"{self.folder}/{path}", Body=content)

    def delete(self, path):
        self.client.delete_object(Bucket=self.bucket, Key=f"{self.folder}/{path}")

    def clear(self):
        for found in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", ()):
            self.client.delete_object(Bucket=self.bucket, Key=found["Key"])


class Bucket:
    """A bucket connection: what its adaptor does, and what the sandbox shows of it."""

    def __init__(self, cloudzero, root):
        self.cloudzero, self.root, self.name = cloudzero, root, root.name

    put = property(lambda self: self.root.put)
    delete = property(lambda self: self.root.delete)

    def row(self, cost="1", day=1, **columns):
        return {START: f"2026-03-{day:02}T00:00:00Z", COST: cost, **columns}

    def csv(self, rows, columns=None):
        columns = columns or list(dict.fromkeys([START, COST, *(column for row in rows for column in row)]))
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    def write(self, drop_id, rows, name="part-0.csv.gz", folder=MARCH):
        self.put_file(drop_id, self.csv(rows), name, folder)

    def put_file(self, drop_id, text, name="part-0.csv.gz", folder=MARCH):
        self.put(f"{folder}/{drop_id}/{name}", gzip.compress(text))

    def point(self, drop_id, folder=MARCH, **more):
        self.put_manifest(json.dumps({"version": "1.3.0", "current_drop_id": drop_id, **more}).encode(), folder)

    def put_manifest(self, content, folder=MARCH):
        self.put(f"{folder}/manifest.json", content)

    def drop(self, drop_id, rows):
        """Write a drop of one file, point the manifest at it, and poll."""
        self.write(drop_id, rows)
        self.point(drop_id)
        return self.poll()

    def poll(self):
        """Poll at once, and return the connection's state."""
        reply = self.cloudzero.session.post(f"{self.cloudzero.url}/sandbox/buckets/poll", timeout=120)
        assert reply.status_code == 200, reply.text
        return reply.json()["buckets"][self.name]

    def state(self):
        return self.cloudzero.own("GET", "state").json()["buckets"][self.name]

    def month(self, month="2026-03"):
        return self.state()["months"][month]

    def rows(self, month="2026-03"):
        reply = self.cloudzero.own("GET", f"buckets/{self.name}/{month}/rows")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def costs(self):
        return sorted(row[COST] for row in self.rows())

    def history(self):
        return [(one["drop_id"], one["outcome"]) for one in self.month()["history"]]

    def refusal(self):
        """The reason for which a poll refuses the month; what the sandbox held is what it still holds."""
        before = self.rows()
        reason = self.poll()["months"]["2026-03"]["last_error"]
        assert self.rows() == before
        return reason


def poll_on_request(folder, root, environment=None):
    options = ("--bucket", f"{root.name}={root.uri}", "--bucket-poll-seconds", "0")
    return SandboxProcess(folder / "data", *options, environment=environment)


def end(sandbox):
    assert sandbox.end() == 0
    assert sandbox.errors.read_text() == ""


@pytest.fixture(scope="session")
def local_root(tmp_path_factory):
    return LocalRoot(tmp_path_factory.mktemp("root"))


@pytest.fixture(scope="session")
def local_sandbox(tmp_path_factory, local_root):
    sandbox = poll_on_request(tmp_path_factory.mktemp("sandbox"), local_root)
    yield sandbox
    end(sandbox)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """Skips where the tools of development are not installed: neither is needed by the package."""
    pytest.importorskip("moto")
    pytest.importorskip("s3fs")
    from support.s3_server import S3Server

    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def aws(s3_server):
    """The variables by which the sandbox finds S3."""
    from support.s3_server import ACCESS_KEY, REGION, SECRET_KEY

    return {
        "AWS_ENDPOINT_URL": s3_server.url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
    }


@pytest.fixture(scope="session")
def s3_root(s3_server):
    return S3Root(s3_server, "cloudzero/acme")


@pytest.fixture(scope="session")
def s3_sandbox(tmp_path_factory, s3_root, aws):
    sandbox = poll_on_request(tmp_path_factory.mktemp("sandbox"), s3_root, aws)
    yield sandbox
    end(sandbox)


def empty(sandbox, root):
    root.clear()
    client = CloudZero(sandbox.url)
    client.own("DELETE", "settings")
    client.own("POST", "reset")
    return Bucket(client, root)


@pytest.fixture
def local(local_sandbox, local_root):
    """Where the kind of storage makes no difference."""
    return empty(local_sandbox, local_root)


@pytest.fixture
def on_s3(s3_sandbox, s3_root):
    return empty(s3_sandbox, s3_root)


@pytest.fixture(params=["local", "on_s3"])
def bucket(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def start_polled(start, tmp_path):
    """Start sandboxes with a bucket connection on one directory, one after the other."""
    folder = LocalRoot(tmp_path / "root")
    folder.folder.mkdir()

    def start_one(option=f"local={folder.folder}", environment=None, seconds=0):
        options = ("--bucket", option) if option else ()
        sandbox, client = start(*options, "--bucket-poll-seconds", str(seconds), environment=environment)
        bucket = Bucket(client, folder)
        bucket.sandbox = sandbox
        bucket.name = option.partition("=")[0] if option else folder.name
        return bucket

    return start_one
