"""Which drops a run removes, when other tasks may be about to make one of them the current one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest
from support.bucket_drops import MARCH_FOLDER, current_drop, drops
from support.memory_store import MemoryStore
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.bucket.drops import list_drops
from cloudzero_provider.anycost.bucket.options import DropOptions
from cloudzero_provider.anycost.bucket.rollback import roll_back
from cloudzero_provider.anycost.bucket.send import send_drop
from cloudzero_provider.exceptions import DropIncompleteError


@pytest.fixture
def store():
    return MemoryStore({}, is_conditional=True)


def send(store, cost, keep_drops=1):
    rows = [bill_row(cost=str(cost))]
    return send_drop(store, MARCH, [checked(rows)], DropOptions(keep_drops=keep_drops)).drop_id


def description(drop_id):
    return f"{MARCH_FOLDER}/{drop_id}.json"


def rename(store, drop_id, **age):
    """Make a drop that was begun so long ago, as a task that did not come to the switch left it."""
    time = datetime.now(timezone.utc) - timedelta(**age)
    older = f"{time:%Y%m%dT%H%M%SZ%f}abcd"
    for key in [key for key in store.contents if drop_id in key]:
        store.contents[key.replace(drop_id, older)] = store.contents.pop(key).replace(drop_id.encode(), older.encode())
    return older


def never_current(store, **age):
    """A complete drop that was never current."""
    manifest = store.contents.get(f"{MARCH_FOLDER}/manifest.json")
    left = rename(store, send(store, 9, keep_drops=9), **age)
    store.contents[f"{MARCH_FOLDER}/manifest.json"] = manifest
    return left


@pytest.mark.parametrize(("age", "stays"), [({"hours": 23}, True), ({"hours": 25}, False)])
def test_a_drop_that_was_never_current_stays_for_a_day(store, age, stays):
    send(store, 1)
    left = never_current(store, **age)
    for cost in (2, 3):
        send(store, cost)
    assert (left in drops(store.files())) == stays


def test_drops_that_were_current_are_removed_at_once(store):
    made = [send(store, cost) for cost in range(4)]
    assert drops(store.files()) == made[2:]


def test_drops_that_were_rolled_back_from_are_removed_at_once(store):
    made = [send(store, cost, keep_drops=9) for cost in range(3)]
    roll_back(store, MARCH, made[0])
    newest = send(store, 5)
    assert drops(store.files()) == [made[0], newest]


@pytest.mark.parametrize(("hours", "stays"), [(0, True), (23, True), (25, False)])
def test_a_drop_that_was_rolled_back_to_stays_for_a_day(store, hours, stays):
    made = [send(store, cost, keep_drops=9) for cost in range(2)]
    roll_back(store, MARCH, made[0])
    time = datetime.now(timezone.utc) - timedelta(hours=hours)
    described = json.loads(store.contents[description(made[0])])
    store.contents[description(made[0])] = json.dumps(described | {"rolled_back_at": time.isoformat()}).encode()
    newest = [send(store, cost) for cost in (5, 6)]
    assert drops(store.files()) == [*made[:1][: int(stays)], *newest]
    assert (description(made[0]) in store.contents) == stays
    assert not [key for key in store.contents if ".removed-by-" in key]


def test_a_rollback_says_when_and_from_where(store):
    made = [send(store, cost) for cost in range(2)]
    before = datetime.now(timezone.utc)
    roll_back(store, MARCH, made[0])
    described = json.loads(store.contents[description(made[0])])
    assert before <= datetime.fromisoformat(described["rolled_back_at"]) <= datetime.now(timezone.utc)
    assert described["rolled_back_from"] == made[1]
    assert (described["replaces"], json.loads(store.contents[description(made[1])])["replaces"]) == (None, made[0])


def test_a_drop_that_is_being_removed_is_not_gone_back_to(store):
    made = [send(store, cost) for cost in range(2)]
    store.contents[f"{MARCH_FOLDER}/{made[0]}.removed-by-{made[1]}"] = b""
    assert [drop.is_complete for drop in list_drops(store, MARCH).drops] == [False, True]
    with pytest.raises(DropIncompleteError, match="or another task is removing it, so the manifest was not changed"):
        roll_back(store, MARCH, made[0])
    assert current_drop(store.files()) == made[1]


def test_a_drop_without_its_description_is_not_gone_back_to(store):
    """The description is the first that is written, and the last that is removed."""
    made = [send(store, cost) for cost in range(2)]
    del store.contents[description(made[0])]
    with pytest.raises(DropIncompleteError):
        roll_back(store, MARCH, made[0])


def test_marks_of_drops_that_have_gone_are_removed(store):
    made = [send(store, cost, keep_drops=9) for cost in range(2)]
    gone, kept = (f"{MARCH_FOLDER}/{drop_id}.removed-by-x" for drop_id in ("20260101T000000Z000000abcd", made[1]))
    store.contents |= {gone: b"", kept: b""}
    send(store, 3, keep_drops=9)
    assert gone not in store.contents
    assert kept in store.contents
