"""``--bucket`` on the command line."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support.paths import ROOT

from cloudzero_provider.sandbox.buckets.roots import InvalidBucketError, parse_bucket_option

SECRET = "planted-secret-51d2"


def run(folder, *options):
    command = [sys.executable, "-m", "cloudzero_provider.sandbox", "--port", "0", "--data", str(folder)]
    return subprocess.run(
        [*command, "--api-key", "k", *options], capture_output=True, text=True, timeout=30, cwd=ROOT, check=False
    )


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("/tmp/x", "--bucket needs the name of a connection"),
        ("=/tmp/x", "--bucket needs the name of a connection"),
        ("a b=/tmp/x", "--bucket needs the name of a connection"),
        ("acme=", "--bucket acme: the root folder is missing"),
        ("acme=/", "--bucket acme: the root must be a folder, not the whole file system"),
        ("acme=file:///", "--bucket acme: the root must be a folder, not the whole file system"),
        ("acme=s3://bills", "--bucket acme: the root must be a folder, never the root of a bucket: s3://bills/FOLDER"),
        ("acme=s3://bills/", "--bucket acme: the root must be a folder, never the root of a bucket"),
        ("acme=s3://bills//", "--bucket acme: the root must be a folder, never the root of a bucket"),
        ("acme=s3://bills//x", "--bucket acme: the folder has a part that is blank, . or .."),
        ("acme=s3://bills/x/../y", "--bucket acme: the folder has a part that is blank, . or .."),
        ("acme=s3:///x", "--bucket acme: the name of the bucket after s3:// is not valid"),
        ("acme=s3://Bills_1/x", "--bucket acme: the name of the bucket after s3:// is not valid"),
        ("acme=gs://bills/x", "--bucket acme: gs:// is not supported; use NAME=/path/of/a/folder or NAME=s3://"),
        ("acme=S3://bills/x", "--bucket acme: S3:// is not supported"),
        (f"acme=s3://key:{SECRET}@bills/x", "--bucket acme: an s3:// address has no credentials; set AWS_ACCESS_KEY"),
    ],
)
def test_what_is_refused(option, reason):
    with pytest.raises(InvalidBucketError) as caught:
        parse_bucket_option(option)
    assert reason in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "uri"),
    [
        ("acme=/data/bills/", "/data/bills"),
        ("acme=file:///data/bills", "/data/bills"),
        ("acme=/data/a=b", "/data/a=b"),
        ("acme=s3://bills/x/y/", "s3://bills/x/y"),
    ],
)
def test_roots(option, uri):
    assert parse_bucket_option(option).uri == uri


def test_a_relative_folder_is_that_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse_bucket_option("acme=bills").uri == str(tmp_path / "bills")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--bucket", "acme=s3://bills"], "never the root of a bucket"),
        (["--bucket", "acme=/a", "--bucket", "acme=/b"], "--bucket acme: two connections have this name"),
        (["--connection", "acme", "--bucket", "acme=/a"], "--bucket acme: two connections have this name"),
    ],
)
def test_the_sandbox_does_not_start(tmp_path, options, reason):
    ended = run(tmp_path, *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("cloudzero sandbox: --bucket")
    assert reason in ended.stderr


def test_a_stream_of_an_earlier_run_does_not_become_a_bucket(start, tmp_path):
    sandbox, _ = start()
    sandbox.end()
    ended = run(tmp_path / "data", "--bucket", "second-stream=/a")
    assert ended.returncode == 2
    assert "second-stream is an AnyCost Stream connection; give the bucket another name" in ended.stderr


def test_s3_without_its_library(tmp_path):
    blocked = "import sys; sys.modules['s3fs'] = None; from cloudzero_provider.sandbox.cli import main; "
    options = ["--port", "0", "--data", str(tmp_path), "--api-key", "k", "--bucket", "acme=s3://bills/x"]
    ended = subprocess.run(
        [sys.executable, "-c", f"{blocked}sys.exit(main({options!r}))"],
        capture_output=True, text=True, timeout=30, cwd=ROOT, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--bucket acme: s3:// needs s3fs, which is not installed: pip install s3fs" in ended.stderr


@pytest.mark.parametrize("seconds", ["-1", "x", "nan", "inf"])
def test_a_pause_that_is_none(tmp_path, seconds):
    ended = run(tmp_path, "--bucket-poll-seconds", seconds)
    assert (ended.returncode, "--bucket-poll-seconds" in ended.stderr) == (2, True)
