"""Runs of one month that overlap, in every order of their steps: the month is whole at any moment."""

from __future__ import annotations

import gzip
import shutil
from collections import Counter
from functools import lru_cache

import pytest
from support.bucket_drops import MARCH_FOLDER, FolderReader, current_drop
from support.interleavings import Turns, orders
from support.memory_store import MemoryStore
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.bucket.local_store import LocalStore
from cloudzero_provider.anycost.bucket.options import DropOptions
from cloudzero_provider.anycost.bucket.rollback import roll_back
from cloudzero_provider.anycost.bucket.send import clear_month, send_drop
from cloudzero_provider.exceptions import DropIncompleteError, DropNotFoundError, ManifestChangedError

#: The cost of each row of a bill, which identifies it. The first ones are those of the drops that are there.
HISTORY = ["1", "2", "3"]
ROWS = 4


@lru_cache
def bill(cost):
    return checked([bill_row(1 + number, cost=cost) for number in range(ROWS)])


def send(store, cost, **options):
    return send_drop(store, MARCH, [bill(cost)], DropOptions(rows_per_file=ROWS // 2, **options))


def clear(store, **options):
    return clear_month(store, MARCH, DropOptions(**options))


@pytest.fixture(scope="module")
def history():
    """The files of a month with several drops, and their ids."""
    store = MemoryStore({}, is_conditional=True)
    return store.files, [send(store, cost, keep_drops=9).drop_id for cost in HISTORY]


class Bucket:
    """A bucket that is filled anew for each order."""

    def __init__(self, kind, contents, folder):
        self.kind, self.contents, self.folder = kind, contents, folder
        self.is_conditional = kind != "unconditional"

    def fill(self):
        if self.kind != "folder":
            self.store = self.reader = MemoryStore(self.contents, is_conditional=self.is_conditional)
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.store, self.reader = LocalStore(str(self.folder)), FolderReader(self.folder)
        for key, content in self.contents.items():
            self.reader.put(key, content)

    def held(self):
        """The cost that identifies the bill that CloudZero takes; blank for an empty month."""
        files = self.reader.files()
        prefix = f"{MARCH_FOLDER}/{current_drop(files)}/"
        assert f"{prefix[:-1]}.json" in files, "the current drop is gone"
        return costs(tuple(files[key] for key in sorted(files) if key.startswith(prefix)))


@lru_cache
def costs(parts):
    """Read a drop; ``None`` for one that is neither whole nor empty."""
    cells = [line.split(",")[1] for part in parts for line in gzip.decompress(part).decode().splitlines()[1:]]
    if not cells:
        return ""
    return cells[0] if cells == cells[:1] * ROWS else None


@pytest.fixture(params=["folder", "conditional", "unconditional"])
def bucket(request, history, tmp_path):
    files, _ = history
    return Bucket(request.param, files(), tmp_path / "root")


class Actors:
    """What runs side by side: name → function of a store, and the bill that it leaves."""

    def __init__(self, bucket, **functions):
        self.bucket, self.functions = bucket, functions

    def check(self, preemptions):
        """Run all orders; return how often each outcome was seen."""
        seen = Counter()
        for turns in orders(self._run, preemptions):
            seen[self._outcome(turns)] += 1
        return seen

    def _run(self, turns: Turns):
        self.bucket.fill()
        allowed = {HISTORY[-1], *(cost for _, cost in self.functions.values())}

        def check():
            held = self.bucket.held()
            assert held in allowed, f"CloudZero would take {held!r} after:\n" + "\n".join(turns.steps)

        stores = [turns.taking(number, self.bucket.store) for number in range(len(self.functions))]
        functions = [
            lambda store=store, act=act: act(store)
            for store, (act, _) in zip(stores, self.functions.values(), strict=True)
        ]
        turns.run(functions, check)

    def _outcome(self, turns):
        """Run again what failed, as a retry does, and describe what happened."""
        results = [turns.results[number] for number in range(len(self.functions))]
        steps = "\n".join(turns.steps)
        last = [cost for result, (_, cost) in zip(results, self.functions.values(), strict=True) if not failed(result)]
        assert self.bucket.held() in last, steps
        for result, (act, cost) in zip(results, self.functions.values(), strict=True):
            if failed(result):
                assert isinstance(result, (ManifestChangedError, DropNotFoundError, DropIncompleteError)), (
                    result,
                    steps,
                )
                if result.retry_can_help:
                    try:
                        act(self.bucket.store)
                    except (DropNotFoundError, DropIncompleteError):
                        # The drop to go back to has been removed meanwhile.
                        assert self.bucket.held() in last, steps
                    else:
                        assert self.bucket.held() == cost, steps
        return tuple(type(result).__name__ for result in results)


def failed(result):
    return isinstance(result, BaseException)


def sending(cost, keep):
    return lambda store: send(store, cost, keep_drops=keep), cost


def check_both_send(bucket, keep, preemptions):
    seen = Actors(bucket, one=sending("5", keep), other=sending("6", keep)).check(preemptions)
    both = ("BucketDropSummary",) * 2
    changed = [("ManifestChangedError", both[0]), (both[0], "ManifestChangedError")]
    assert set(seen) == ({both, *changed} if bucket.is_conditional else {both})


def check_one_empties_the_month(bucket, keep, preemptions):
    clearing = (lambda store: clear(store, keep_drops=keep), "")
    Actors(bucket, send=sending("5", keep), clear=clearing).check(preemptions)


def check_one_goes_back(bucket, keep, preemptions, history, back):
    going_back = (lambda store: roll_back(store, MARCH, history[1][back]), HISTORY[back])
    Actors(bucket, send=sending("5", keep), back=going_back).check(preemptions)


@pytest.mark.parametrize("keep", [1, 3])
class TestTwo:
    def test_both_send(self, bucket, keep):
        check_both_send(bucket, keep, 1)

    def test_one_empties_the_month(self, bucket, keep):
        check_one_empties_the_month(bucket, keep, 1)

    @pytest.mark.parametrize("back", range(len(HISTORY) - 1))
    def test_one_goes_back(self, bucket, history, keep, back):
        check_one_goes_back(bucket, keep, 1, history, back)


@pytest.mark.long
@pytest.mark.parametrize("bucket", ["conditional", "unconditional"], indirect=True)
class TestTwoThatAreInterruptedTwice:
    def test_both_send(self, bucket):
        check_both_send(bucket, 1, 2)

    def test_one_empties_the_month(self, bucket):
        check_one_empties_the_month(bucket, 1, 2)

    @pytest.mark.parametrize("back", range(len(HISTORY) - 1))
    def test_one_goes_back(self, bucket, history, back):
        check_one_goes_back(bucket, 1, 2, history, back)


@pytest.mark.long
@pytest.mark.parametrize("bucket", ["conditional", "unconditional"], indirect=True)
class TestThree:
    def test_all_send(self, bucket):
        Actors(bucket, **{cost: sending(cost, 1) for cost in "567"}).check(1)

    @pytest.mark.parametrize("back", range(len(HISTORY)))
    def test_one_goes_back(self, bucket, history, back):
        """Also to the drop that is current at first, so that a manifest may hold again what it held before."""
        drop_id = history[1][back]
        going_back = (lambda store: roll_back(store, MARCH, drop_id), HISTORY[back])
        Actors(bucket, one=sending("5", 1), other=sending("6", 1), back=going_back).check(1)
