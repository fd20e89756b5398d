"""Writing a month to a bucket: what CloudZero takes afterwards, and what is in the folder."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from support.bucket_drops import MARCH_FOLDER, current_drop, drops, held_cost, held_rows
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.bucket.local_store import LocalStore
from cloudzero_provider.anycost.bucket.options import DropOptions
from cloudzero_provider.anycost.bucket.send import clear_month, send_drop
from cloudzero_provider.anycost.guards.cost_change import read_max_cost_change
from cloudzero_provider.anycost.guards.days import RequiredDays
from cloudzero_provider.exceptions import (
    BucketError,
    ConfigurationError,
    CostWouldChangeError,
    DropIncompleteError,
    InputError,
    ManifestChangedError,
    ManifestError,
    MissingDaysError,
    MonthWouldGrowError,
    MonthWouldShrinkError,
)

MANIFEST = f"{MARCH_FOLDER}/manifest.json"


def bill(rows=28, cost="1"):
    return [bill_row(1 + number % 28, cost=cost, **{"resource/id": f"vm-{number}"}) for number in range(rows)]


def send(store, rows, **options):
    return send_drop(store, MARCH, [checked(rows)], DropOptions(**options))


def test_cloudzero_takes_exactly_the_rows(bucket, store):
    rows = bill(25, cost="0.1")
    summary = send(store, rows, rows_per_file=10)
    assert held_rows(bucket.files()) == rows
    assert held_cost(bucket.files()) == Decimal(summary.total_cost) == Decimal("2.5")
    assert (summary.month, summary.rows, summary.files, summary.hours, summary.replaced_rows) == (
        "2026-03",
        25,
        3,
        25,
        0,
    )
    assert summary.drop_id == current_drop(bucket.files())
    sizes = {key: len(content) for key, content in bucket.files().items() if key.endswith(".csv.gz")}
    assert summary.bytes == sum(sizes.values())


def test_the_manifest_has_the_documented_fields(bucket, store):
    drop_id = send(store, bill()).drop_id
    assert json.loads(bucket.files()[MANIFEST]) == {"version": "1.3.0", "current_drop_id": drop_id}


def test_the_next_drop_replaces_the_whole_month(bucket, store):
    first = send(store, bill(28, cost="1"))
    second = send(store, bill(20, cost="3"))
    assert held_rows(bucket.files()) == bill(20, cost="3")
    assert (second.previous_drop_id, second.replaced_rows, second.replaced_cost) == (first.drop_id, 28, "28")
    assert drops(bucket.files()) == [first.drop_id, second.drop_id]


def test_what_this_package_keeps_is_outside_the_drop_and_no_csv(bucket, store):
    drop_id = send(store, bill()).drop_id
    assert set(bucket.files()) == {
        MANIFEST,
        f"{MARCH_FOLDER}/{drop_id}.json",
        f"{MARCH_FOLDER}/{drop_id}/part-00000.csv.gz",
    }


def test_fields_of_the_manifest_that_are_not_known_are_kept(bucket, store):
    bucket.put(MANIFEST, b'{"version": "1.0.0", "current_drop_id": "x", "adaptor": {"name": "\xc3\xbc"}}')
    drop_id = send(store, bill()).drop_id
    assert json.loads(bucket.files()[MANIFEST]) == {
        "version": "1.0.0",
        "current_drop_id": drop_id,
        "adaptor": {"name": "ü"},
    }


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"{}", b'{"current_drop_id": 7}', b'{"current_drop_id": ""}', b"\xff\xfe", b'"x"']
    + [b'{"current_drop_id": "a/b"}', b'{"current_drop_id": ".."}', b'{"current_drop_id": null}'],
)
@pytest.mark.parametrize(
    "act", [lambda store: send(store, bill()), lambda store: clear_month(store, MARCH, DropOptions())]
)
def test_a_manifest_that_is_not_one_is_left_alone(bucket, store, content, act):
    bucket.put(MANIFEST, content)
    with pytest.raises(ManifestError, match=r"is not the manifest of an AnyCost Bucket, so nothing was written"):
        act(store)
    assert bucket.files() == {MANIFEST: content}


def test_without_rows_nothing_is_written(bucket, store):
    assert send_drop(store, MARCH, [], DropOptions()) is None
    assert bucket.files() == {}


def test_bad_rows_write_nothing(bucket, store):
    def rows():
        yield checked(bill())
        raise InputError("row 29 is bad")

    with pytest.raises(InputError, match="row 29"):
        send_drop(store, MARCH, rows(), DropOptions())
    assert bucket.files() == {}


def test_check_only_writes_nothing(bucket, store):
    first = send(store, bill())
    before = bucket.files()
    summary = send(store, bill(cost="2"), check_only=True)
    assert bucket.files() == before
    assert (summary.drop_id, summary.previous_drop_id, summary.check_only) == (None, first.drop_id, True)
    assert (summary.rows, summary.total_cost, summary.replaced_cost) == (28, "56", "28")


@pytest.mark.parametrize(
    ("act", "match"),
    [
        (lambda store: send(store, bill(27), check_only=True), "would replace 28 rows with 27; nothing is written"),
        (lambda store: clear_month(store, MARCH, DropOptions(check_only=True)), "would replace 28 rows with 0;"),
    ],
)
def test_check_only_says_what_would_be_replaced(store, caplog, act, match):
    caplog.set_level("INFO")
    send(store, bill())
    act(store)
    assert match in caplog.text


def test_clearing_leaves_an_empty_drop(bucket, store):
    first = send(store, bill())
    summary = clear_month(store, MARCH, DropOptions())
    assert held_rows(bucket.files()) == []
    assert current_drop(bucket.files()) == summary.drop_id != first.drop_id
    assert (summary.rows, summary.replaced_rows, summary.files, summary.total_cost) == (0, 28, 0, "0")
    send(store, bill())
    assert held_rows(bucket.files()) == bill()


class TestGuards:
    def refused(self, bucket, store, error, match, rows, **options):
        send(store, bill(28))
        before = bucket.files()
        with pytest.raises(error, match=match):
            send(store, rows, **options)
        assert bucket.files() == before

    def test_a_month_that_shrinks(self, bucket, store):
        match = r"2026-03: 13 rows would replace the 28 of the current drop .*less than 50% .*nothing was written"
        self.refused(bucket, store, MonthWouldShrinkError, match, bill(13))
        assert send(store, bill(14)).replaced_rows == 28

    def test_a_month_that_may_shrink(self, bucket, store):
        send(store, bill(28))
        assert send(store, bill(1), min_rows_ratio=0).replaced_rows == 28
        assert held_rows(bucket.files()) == bill(1)

    def test_a_month_that_grows(self, bucket, store):
        match = r"grows from the 28 rows of the current drop to 57, more than 2 times .*nothing was written"
        self.refused(bucket, store, MonthWouldGrowError, match, bill(57), max_rows_ratio=2)
        assert send(store, bill(56), max_rows_ratio=2).rows == 56

    def test_growth_is_only_a_warning_by_default(self, store, caplog):
        send(store, bill(2))
        send(store, bill(4))
        assert "twice as many" not in caplog.text
        send(store, bill(9))
        assert "grows from the 4 rows of the current drop to 9" in caplog.text

    @pytest.mark.parametrize("limit", ["10%", "2.8"])
    def test_a_cost_that_changes(self, bucket, store, limit):
        match = r"total cost would change from the 28 that the current drop \w+ holds to 30.9.*; nothing was sent"
        rows = [*bill(27), bill_row(28, cost="3.9")]
        options = {"max_cost_change": read_max_cost_change(limit)}
        self.refused(bucket, store, CostWouldChangeError, match, rows, **options)
        assert send(store, [*bill(27), bill_row(28, cost="3.8")], **options).total_cost == "30.8"

    def test_missing_days(self, bucket, store):
        with pytest.raises(MissingDaysError, match="2026-03-29"):
            send(store, bill(28), required_days=RequiredDays.ALL)
        assert bucket.files() == {}
        rows = [bill_row(day) for day in range(1, 32)]
        assert send(store, rows, required_days=RequiredDays.ALL).rows == 31

    def test_clearing_with_required_days(self, bucket, store):
        with pytest.raises(MissingDaysError):
            clear_month(store, MARCH, DropOptions(required_days=RequiredDays.ALL))
        assert bucket.files() == {}

    def test_clearing_with_a_cost_that_changes(self, bucket, store):
        send(store, bill(28))
        before = bucket.files()
        with pytest.raises(CostWouldChangeError, match=r"from the 28 that the current drop \w+ holds to 0 \(-100"):
            clear_month(store, MARCH, DropOptions(max_cost_change=read_max_cost_change("99%")))
        assert bucket.files() == before
        assert clear_month(store, MARCH, DropOptions(max_cost_change=read_max_cost_change("28"))).rows == 0

    def test_clearing_a_drop_of_another_program(self, bucket, store):
        self.foreign(bucket, b"time/usage_start,cost/cost\n2026-03-01T00:00:00Z,2.5\n")
        with pytest.raises(CostWouldChangeError, match=r"from the 2\.5 that the current drop theirs holds to 0"):
            clear_month(store, MARCH, DropOptions(max_cost_change=read_max_cost_change("1")))
        assert clear_month(store, MARCH, DropOptions(max_rows_ratio=1)).replaced_rows is None

    def test_a_current_drop_of_which_nothing_is_left(self, bucket, store):
        first = send(store, bill(28)).drop_id
        for key in [key for key in bucket.files() if first in key]:
            bucket.remove(key)
        before = bucket.files()
        match = rf"{first}/ is gone, .*what the month holds is not known, and nothing was written\. .*min_rows_ratio=0"
        with pytest.raises(BucketError, match=match):
            send(store, bill(3))
        assert bucket.files() == before
        assert send(store, bill(3), min_rows_ratio=0).replaced_rows is None
        assert held_rows(bucket.files()) == bill(3)

    def test_a_drop_of_another_program_without_files_is_empty(self, bucket, store):
        bucket.put(MANIFEST, b'{"current_drop_id": "theirs"}')
        assert send(store, bill(3)).replaced_rows == 0

    def test_rows_of_another_program_are_counted(self, bucket, store):
        self.foreign(bucket, b"time/usage_start,cost/cost\n" + b"2026-03-01T00:00:00Z,0.5\n" * 30)
        with pytest.raises(MonthWouldShrinkError, match="14 rows would replace the 30 of the current drop theirs"):
            send(store, bill(14))
        summary = send(store, bill(15), max_cost_change=read_max_cost_change("0%"))
        assert (summary.replaced_rows, summary.replaced_cost, summary.previous_drop_id) == (30, "15", "theirs")
        # What this package did not write stays.
        assert f"{MARCH_FOLDER}/theirs/a.csv" in bucket.files()

    def test_rows_of_another_program_that_can_not_be_read(self, bucket, store):
        self.foreign(bucket, b"time/usage_start,cost/cost\n2026-03-01T00:00:00Z,a lot\n")
        before = bucket.files()
        with pytest.raises(BucketError, match=r"theirs/a.csv can't be read, .*nothing was written .*min_rows_ratio=0"):
            send(store, bill())
        assert bucket.files() == before
        assert send(store, bill(), min_rows_ratio=0).replaced_rows is None
        assert held_rows(bucket.files()) == bill()

    def foreign(self, bucket, content):
        bucket.put(MANIFEST, b'{"current_drop_id": "theirs"}')
        bucket.put(f"{MARCH_FOLDER}/theirs/a.csv", content)
        bucket.put(f"{MARCH_FOLDER}/theirs/readme.txt", b"not a table")


class TestUnchanged:
    @pytest.mark.parametrize("options", [{"skip_unchanged": True}, {"is_retry": True}])
    def test_equal_rows_write_nothing(self, bucket, store, options):
        first = send(store, bill())
        before = bucket.files()
        summary = send(store, bill(), **options)
        assert bucket.files() == before
        assert (summary.unchanged, summary.drop_id, summary.files, summary.bytes) == (True, first.drop_id, 0, 0)
        assert summary.rows == summary.replaced_rows == 28

    @pytest.mark.parametrize("options", [{"skip_unchanged": True}, {"is_retry": True}])
    @pytest.mark.parametrize("rows", [bill(27), bill()[::-1], [*bill(27), bill_row(28, **{"resource/id": "other"})]])
    def test_other_rows_are_written(self, bucket, store, options, rows):
        send(store, bill())
        assert not send(store, rows, **options).unchanged
        assert held_rows(bucket.files()) == rows

    def test_a_cleared_task_writes_a_new_drop(self, bucket, store):
        first, second = send(store, bill()), send(store, bill())
        assert first.drop_id != second.drop_id == current_drop(bucket.files())

    @pytest.mark.parametrize("damage", ["gone", "other size", "another file"])
    def test_a_damaged_drop_is_written_again(self, bucket, store, damage):
        first = send(store, bill())
        key = f"{MARCH_FOLDER}/{first.drop_id}/part-00000.csv.gz"
        if damage == "gone":
            bucket.remove(key)
        elif damage == "other size":
            bucket.put(key, b"x")
        else:
            bucket.put(key.replace("00000", "00001"), b"x")
        assert not send(store, bill(), skip_unchanged=True).unchanged
        assert held_rows(bucket.files()) == bill()

    @pytest.mark.parametrize("options", [{"skip_unchanged": True}, {"is_retry": True}])
    def test_an_empty_month(self, bucket, store, options):
        first = clear_month(store, MARCH, DropOptions())
        second = clear_month(store, MARCH, DropOptions(**options))
        assert (second.unchanged, second.drop_id) == (True, first.drop_id)

    def test_guards_do_not_refuse_a_retry_whose_rows_are_there(self, store):
        send(store, bill(4))
        send(store, bill(28))
        assert send(store, bill(28), is_retry=True, max_rows_ratio=1).unchanged


class ChangedStore(LocalStore):
    """A store in which something happens at a moment."""

    def upload(self, path, key):
        self.before_upload(key)
        super().upload(path, key)

    def replace(self, key, content, version):
        if key == MANIFEST:
            self.before_switch()
        super().replace(key, content, version)
        if key == MANIFEST:
            self.after_switch()

    before_upload = staticmethod(lambda key: None)
    before_switch = after_switch = staticmethod(lambda: None)


def at(store, moment, do):
    class Store(ChangedStore):
        pass

    setattr(Store, moment, staticmethod(do))
    return Store(store.root)


class TestOtherWriters:
    @pytest.mark.parametrize("has_manifest", [True, False])
    def test_another_writer_that_was_faster_wins_whole(self, bucket, store, has_manifest):
        if has_manifest:
            send(store, bill(20))
        with pytest.raises(
            ManifestChangedError, match=r"another writer made \w+ the current drop .*Run the task again"
        ):
            send(at(store, "before_switch", lambda: send(store, bill(25))), bill(28))
        assert held_rows(bucket.files()) == bill(25)
        send(store, bill(28), is_retry=True)
        assert held_rows(bucket.files()) == bill(28)

    def test_a_current_drop_that_others_have_replaced_and_removed(self, bucket, store):
        """A retry reads the new manifest; that the drop is gone is no reason to give up."""
        first = send(store, bill(20), keep_drops=1).drop_id

        class Overtaken(LocalStore):
            def read(self, key):
                if key.endswith(f"{first}.json"):
                    for rows in (21, 22, 23):
                        send(store, bill(rows), keep_drops=1)
                return super().read(key)

        with pytest.raises(
            ManifestChangedError, match=rf"another writer made \w+ the current drop .*{first} was current"
        ):
            send(Overtaken(store.root), bill(28))
        assert held_rows(bucket.files()) == bill(23)
        send(store, bill(28), is_retry=True)
        assert held_rows(bucket.files()) == bill(28)

    def test_a_manifest_that_was_deleted_meanwhile(self, bucket, store):
        send(store, bill(20))
        with pytest.raises(ManifestChangedError, match="another program deleted it while this one was"):
            send(at(store, "before_switch", lambda: bucket.remove(MANIFEST)), bill())
        assert current_drop(bucket.files()) is None

    def test_a_lost_reply_of_the_switch_is_success(self, bucket, store, caplog):
        def lose():
            raise TimeoutError("no reply")

        summary = send(at(store, "after_switch", lose), bill())
        assert summary.drop_id == current_drop(bucket.files())
        assert "its reply was TimeoutError" in caplog.text

    def test_an_outage_that_begins_with_the_switch(self, bucket, store):
        """Whether the manifest was written is then not known; a retry finds out."""

        class Down(LocalStore):
            is_down = False

            def replace(self, key, content, version):
                super().replace(key, content, version)
                type(self).is_down = True
                raise TimeoutError("no reply")

            def read(self, key):
                if self.is_down:
                    raise ConnectionError("refused")
                return super().read(key)

        with pytest.raises(TimeoutError, match="no reply"):
            send(Down(store.root), bill())
        assert send(store, bill(), is_retry=True).unchanged
        assert held_rows(bucket.files()) == bill()

    def test_a_switch_that_fails_leaves_the_month(self, bucket, store):
        send(store, bill(20))

        def fail():
            raise OSError("503 Slow Down")

        with pytest.raises(OSError, match="503 Slow Down"):
            send(at(store, "before_switch", fail), bill())
        assert held_rows(bucket.files()) == bill(20)

    def test_files_that_disappear_before_the_switch(self, bucket, store):
        """Somebody cleans up the folder while the second file is written."""
        send(store, bill(20))

        def clean_up(key):
            if key.endswith("part-00001.csv.gz"):
                bucket.remove(key.replace("00001", "00000"))

        with pytest.raises(DropIncompleteError, match="have disappeared"):
            send(at(store, "before_upload", clean_up), bill(), rows_per_file=20)
        assert held_rows(bucket.files()) == bill(20)

    @pytest.mark.parametrize("left", [b"", b"x" * 10, None])
    def test_a_file_that_is_not_stored_as_written(self, bucket, store, left):
        send(store, bill(20))

        class Lossy(LocalStore):
            def upload(self, path, key):
                if left is not None:
                    bucket.put(key, left)

        with pytest.raises(DropIncompleteError, match=r"bytes were written, but .* was read back"):
            send(Lossy(store.root), bill())
        assert held_rows(bucket.files()) == bill(20)


class TestRetention:
    def history(self, store, count, **options):
        return [send(store, bill(20 + number), **options) for number in range(count)]

    @pytest.mark.parametrize("keep", [1, 2, 3])
    def test_as_many_earlier_drops_are_kept(self, bucket, store, keep):
        made = [summary.drop_id for summary in self.history(store, 6, keep_drops=keep)]
        assert drops(bucket.files()) == made[-keep - 1 :]
        described = [key for key in bucket.files() if key.endswith(".json") and key != MANIFEST]
        assert len(described) == keep + 1

    def test_the_summary_names_what_was_removed(self, store):
        made = self.history(store, 6)
        assert [summary.removed_drops for summary in made] == [
            *[()] * 4,
            (made[0].drop_id,),
            (made[1].drop_id,),
        ]

    def test_three_are_kept_by_default(self, bucket, store):
        self.history(store, 6)
        assert len(drops(bucket.files())) == 4

    def test_what_others_wrote_is_never_removed(self, bucket, store):
        first = send(store, bill())
        others = [
            f"{MARCH_FOLDER}/20200101T000000Z/part-00000.csv.gz",
            f"{MARCH_FOLDER}/{first.drop_id}/notes.txt",
            f"{MARCH_FOLDER}/20200101T000000Z000000abcd.json",
            "20260401-20260501/x/part-00000.csv.gz",
        ]
        for key in others:
            bucket.put(key, b"{}")
        self.history(store, 3, keep_drops=1)
        assert set(others) <= set(bucket.files())
        assert f"{MARCH_FOLDER}/{first.drop_id}/part-00000.csv.gz" not in bucket.files()

    def test_an_incomplete_drop_does_not_count(self, bucket, store):
        """A task that died left it behind; it may also belong to one that is still running."""
        complete = send(store, bill())
        dead = send(store, bill())
        bucket.remove(f"{MARCH_FOLDER}/{dead.drop_id}/part-00000.csv.gz")
        newest = send(store, bill(), keep_drops=1)
        assert newest.removed_drops == ()
        assert drops(bucket.files()) == [complete.drop_id, newest.drop_id]
        assert f"{MARCH_FOLDER}/{dead.drop_id}.json" in bucket.files()

    def test_an_incomplete_drop_is_removed_a_day_later(self, bucket, store):
        old = "20260101T000000Z000000abcd"
        described = {
            "written_by": "airflow-provider-cloudzero",
            "drop_id": old,
            "rows": 2,
            "totals": {"cost/cost": "2"},
        }
        described |= {
            "hours": 1,
            "sha256": "0",
            "files": [{"name": n, "rows": 1, "size": 2, "sha256": "0"} for n in "ab"],
        }
        bucket.put(f"{MARCH_FOLDER}/{old}.json", json.dumps(described).encode())
        bucket.put(f"{MARCH_FOLDER}/{old}/a", b"{}")
        assert send(store, bill()).removed_drops == (old,)
        assert not [key for key in bucket.files() if old in key]

    def test_a_failure_to_clean_up_does_not_fail_the_month(self, bucket, store, caplog):
        self.history(store, 2, keep_drops=1)

        class ReadOnly(LocalStore):
            def delete(self, key):
                raise BucketError(f"{key} can't be deleted")

        summary = send(ReadOnly(store.root), bill(28), keep_drops=1)
        assert held_rows(bucket.files()) == bill(28)
        assert (summary.removed_drops, len(drops(bucket.files()))) == ((), 3)
        assert "earlier drops could not be removed: BucketError" in caplog.text
        assert len(send(store, bill(28), keep_drops=1).removed_drops) == 2

    @pytest.mark.parametrize("keep", [0, -1, 1.5, True, "3"])
    def test_at_least_one_is_kept(self, keep):
        with pytest.raises(ConfigurationError, match="keep_drops is"):
            DropOptions(keep_drops=keep)
