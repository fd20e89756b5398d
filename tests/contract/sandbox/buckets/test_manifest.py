"""Manifests and folders that are refused: https://docs.cloudzero.com/docs/anycost-cbf-drop-specs"""

from __future__ import annotations

import json

import pytest

HELD, NEXT = "20260401T000000Z", "20260402T000000Z"


def manifest(**members):
    return json.dumps({"version": "1.3.0", "current_drop_id": NEXT, **members}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "manifest.json is not JSON: Expecting value"),
        (b"{'version': '1.3.0'}", "manifest.json is not JSON"),
        (b'{"version": "1.3.0", "current_drop_id": "\xff"}', "manifest.json is not JSON: it is not UTF-8"),
        (b"\xef\xbb\xbf" + manifest(), "manifest.json is not JSON: Unexpected UTF-8 BOM"),
        (manifest() + b"{}", "manifest.json is not JSON: Extra data"),
        (
            b'{"version": "1", "current_drop_id": "a", "current_drop_id": "b"}',
            'the key "current_drop_id" appears twice',
        ),
        (b"[]", "manifest.json is not a JSON object"),
        (b'"20260402T000000Z"', "manifest.json is not a JSON object"),
        (b'{"current_drop_id": "x"}', "manifest.json: version is missing"),
        (manifest(version=1.3), "manifest.json: version must be text"),
        (manifest(version=""), "manifest.json: version must be text that is not blank"),
        (b'{"version": "1.3.0"}', "manifest.json: current_drop_id is missing"),
        (manifest(current_drop_id=None), "manifest.json: current_drop_id must be text"),
        (manifest(current_drop_id=20260402), "manifest.json: current_drop_id must be text"),
        (manifest(current_drop_id=" "), "manifest.json: current_drop_id must be text that is not blank"),
        (manifest(current_drop_id=f"{NEXT}/"), "must be the name of one folder, without slashes"),
        (manifest(current_drop_id=f"20260301-20260401/{NEXT}"), "without slashes"),
        (manifest(current_drop_id=f"/{NEXT}"), "without slashes"),
        (manifest(current_drop_id="..\\x"), "without slashes"),
        (manifest(current_drop_id=".."), "current_drop_id is not the name of a folder"),
        (manifest(current_drop_id="."), "current_drop_id is not the name of a folder"),
        (manifest(current_drop_id="manifest.json"), "current_drop_id is not the name of a folder"),
        (manifest(current_drop_id="a\0b"), "current_drop_id is not the name of a folder"),
        (manifest(current_drop_id="\ud800"), "current_drop_id is not the name of a folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_manifest_that_is_refused(local, content, reason):
    local.drop(HELD, [local.row("1")])
    local.write(NEXT, [local.row("2")])
    local.put_manifest(content)
    assert reason in local.refusal()
    assert (local.costs(), local.month()["current_drop_id"]) == (["1"], HELD)


@pytest.mark.parametrize("content", [manifest(version="1.0.0"), manifest(more=[1], drops={"x": None})])
def test_other_versions_and_members_are_accepted(local, content):
    local.write(NEXT, [local.row("2")])
    local.put_manifest(content)
    assert local.poll()["months"]["2026-03"]["current_drop_id"] == NEXT


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("20260301-20260331", "does not go from the first day of a month to the first of the next"),
        ("20260301-20260501", "does not go from the first day"),
        ("20260302-20260401", "does not go from the first day"),
        ("20260401-20260301", "does not go from the first day"),
        ("20261201-20261301", "has a day that does not exist"),
        ("00000101-00000201", "has a day that does not exist"),
        ("99991201-99991231", "has a day that does not exist"),
        ("202603-202604", "is not a billing data id of the form YYYYMMDD-YYYYMMDD"),
        ("2026-03", "is not a billing data id"),
        ("20260301-20260401-old", "is not a billing data id"),
        ("20260301_20260401", "is not a billing data id"),
        ("٢٠٢٦٠٣٠١-20260401", "is not a billing data id"),
    ],
)
def test_a_folder_that_is_refused(local, folder, reason):
    local.write(NEXT, [local.row()], folder=folder)
    local.point(NEXT, folder)
    state = local.poll()
    assert state["months"] == {}
    assert list(state["refused_folders"]) == [folder]
    assert reason in state["refused_folders"][folder]
    local.delete(f"{folder}/manifest.json")
    assert local.poll()["refused_folders"] == {}


def test_a_folder_without_a_manifest_is_nobodys(bucket):
    bucket.put("notes/readme.txt", b"hello")
    bucket.put("readme.txt", b"hello")
    state = bucket.poll()
    assert (state["months"], state["refused_folders"], state["error"]) == ({}, {}, None)


def test_december_ends_in_the_next_year(local):
    local.write(NEXT, [{"time/usage_start": "2025-12-31T23:59:59Z", "cost/cost": "1"}], folder="20251201-20260101")
    local.point(NEXT, "20251201-20260101")
    assert local.poll()["months"]["2025-12"]["rows"] == 1
