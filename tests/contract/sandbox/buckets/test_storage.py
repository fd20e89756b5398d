"""Storage that can't be read says nothing about a drop: it is read again with the next poll."""

from __future__ import annotations

import os
import shutil

import pytest

HELD, NEXT = "20260401T000000Z", "20260402T000000Z"


def test_a_root_that_does_not_exist_yet(local):
    local.root.folder.rmdir()
    state = local.poll()
    assert "cannot read the storage" in state["error"]
    assert str(local.root.folder) in state["error"]
    local.root.folder.mkdir()
    assert local.poll()["error"] is None


def test_a_root_that_cannot_be_read_leaves_the_errors_of_months(local, tmp_path):
    local.drop(HELD, [local.row("1")])
    local.put_manifest(b"[]")
    before = local.poll()["months"]
    moved = local.root.folder.rename(tmp_path / "moved")
    try:
        state = local.poll()
    finally:
        moved.rename(local.root.folder)
    assert (state["error"] is None, state["months"]) == (False, before)
    assert before["2026-03"]["last_error"] == "manifest.json is not a JSON object"
    assert local.poll() == {**state, "error": None}


def test_a_folder_of_a_bucket_that_does_not_exist_is_empty(on_s3):
    assert (on_s3.poll()["error"], on_s3.poll()["months"]) == (None, {})


def test_a_bucket_that_does_not_exist(on_s3, s3_server):
    on_s3.drop(HELD, [on_s3.row("1")])
    on_s3.root.clear()
    s3_server.client.delete_bucket(Bucket=on_s3.root.bucket)
    try:
        state = on_s3.poll()
    finally:
        s3_server.bucket(on_s3.root.bucket)
    assert "cannot read the storage" in state["error"]
    assert state["months"]["2026-03"]["total_cost"] == "1"
    assert on_s3.poll()["error"] is None


def test_a_storage_that_does_not_answer(start_polled, aws):
    bucket = start_polled("acme=s3://acme-bills/cloudzero", {**aws, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    error = bucket.poll()["error"]
    assert "cannot read the storage" in error
    assert aws["AWS_SECRET_ACCESS_KEY"] not in error
    assert aws["AWS_ACCESS_KEY_ID"] not in error


def test_a_file_that_cannot_be_read_is_no_refusal(local):
    local.drop(HELD, [local.row("1")])
    local.write(NEXT, [local.row("2")], "a.csv.gz")
    folder = local.root.folder / "20260301-20260401" / NEXT
    # Listed, but missing when it is opened.
    (folder / "b.csv.gz").symlink_to(folder / "missing")
    local.point(NEXT)
    assert "cannot read the storage" in local.refusal()
    assert (local.costs(), local.history()) == (["1"], [(HELD, "ingested")])
    (folder / "b.csv.gz").unlink()
    assert local.poll()["months"]["2026-03"]["last_error"] is None
    assert (local.costs(), local.history()) == (["2"], [(HELD, "ingested"), (NEXT, "ingested")])


def test_a_manifest_that_is_a_folder_is_none(local):
    (local.root.folder / "20260301-20260401" / "manifest.json").mkdir(parents=True)
    assert local.poll()["months"] == {}


def test_markers_of_folders_are_no_files(on_s3):
    on_s3.put(f"20260301-20260401/{HELD}/", b"")
    on_s3.write(HELD, [on_s3.row("1")])
    on_s3.point(HELD)
    assert on_s3.poll()["months"]["2026-03"]["last_error"] is None
    assert on_s3.costs() == ["1"]


def test_a_drop_whose_id_begins_like_another_one(bucket):
    bucket.write(f"{HELD}-b", [bucket.row("2")])
    bucket.drop(HELD, [bucket.row("1")])
    assert bucket.costs() == ["1"]


@pytest.mark.parametrize(
    "drop_id", ["a b", "é", "a+b%20c", "a?b", "a?VERSIONID=1", "a#b", "a*", "[a]", "{a}", "~", "-"]
)
def test_a_drop_id_may_be_any_name_of_a_folder(bucket, drop_id):
    bucket.drop(drop_id, [bucket.row("1")])
    assert (bucket.costs(), bucket.month()["current_drop_id"]) == (["1"], drop_id)


@pytest.mark.parametrize("drop_id", ["a?versionId=1", "?versionId="])
def test_an_id_that_s3fs_would_read_as_another_one_is_an_error(on_s3, drop_id):
    on_s3.drop(HELD, [on_s3.row("1")])
    on_s3.write(drop_id, [on_s3.row("2")])
    on_s3.point(drop_id)
    assert "s3fs takes ?versionId=… in a name for the version of a file" in on_s3.refusal()
    assert on_s3.costs() == ["1"]


def test_a_file_larger_than_a_request_of_s3(on_s3):
    rows = [on_s3.row("1", **{"resource/id": os.urandom(600).hex()}) for _ in range(12_000)]
    month = on_s3.drop(HELD, rows)["months"]["2026-03"]
    assert (month["rows"], month["last_error"]) == (12_000, None)


def test_a_folder_that_is_gone(local):
    local.drop(HELD, [local.row("1")])
    shutil.rmtree(local.root.folder / "20260301-20260401")
    local.poll()
    assert (local.costs(), local.month()["last_error"]) == (["1"], None)
