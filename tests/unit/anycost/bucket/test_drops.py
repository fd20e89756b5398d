"""List the drops of a month, and go back to an earlier one."""

from __future__ import annotations

import pytest
from support.bucket_drops import MARCH_FOLDER, current_drop, drops, held_rows
from support.rows import MARCH, bill_row, checked

from cloudzero_provider.anycost.bucket.drops import list_drops
from cloudzero_provider.anycost.bucket.local_store import LocalStore
from cloudzero_provider.anycost.bucket.options import DropOptions
from cloudzero_provider.anycost.bucket.rollback import roll_back
from cloudzero_provider.anycost.bucket.send import send_drop
from cloudzero_provider.exceptions import (
    BucketError,
    ConfigurationError,
    DropIncompleteError,
    DropNotFoundError,
    ManifestChangedError,
    ManifestError,
)

MANIFEST = f"{MARCH_FOLDER}/manifest.json"


def bill(rows):
    return [bill_row(1 + number % 28, cost="0.5") for number in range(rows)]


def send(store, rows, **options):
    return send_drop(store, MARCH, [checked(bill(rows))], DropOptions(**options)).drop_id


@pytest.fixture
def made(store):
    """Drops of 20, 21 and 22 rows."""
    return [send(store, rows) for rows in (20, 21, 22)]


class TestList:
    def test_all_drops(self, store, made):
        listed = list_drops(store, MARCH)
        found = [(drop.drop_id, drop.is_current, drop.is_complete, drop.rows, drop.total_cost) for drop in listed.drops]
        assert found == [
            (made[0], False, True, 20, "10"),
            (made[1], False, True, 21, "10.5"),
            (made[2], True, True, 22, "11"),
        ]
        assert listed.current_drop_id == made[2]

    def test_sizes_are_those_of_the_files(self, bucket, store, made):
        for drop in list_drops(store, MARCH).drops:
            content = bucket.files()[f"{MARCH_FOLDER}/{drop.drop_id}/part-00000.csv.gz"]
            assert (drop.files, drop.bytes) == (1, len(content))

    def test_a_drop_that_lacks_a_file(self, bucket, store, made):
        bucket.remove(f"{MARCH_FOLDER}/{made[1]}/part-00000.csv.gz")
        assert [drop.is_complete for drop in list_drops(store, MARCH).drops] == [True, False, True]

    def test_a_drop_of_another_program(self, bucket, store, made):
        bucket.put(f"{MARCH_FOLDER}/theirs/a.csv", b"1234")
        *_, theirs = list_drops(store, MARCH).drops
        assert (theirs.drop_id, theirs.is_complete, theirs.rows, theirs.total_cost) == ("theirs", None, None, None)
        assert (theirs.files, theirs.bytes) == (1, 4)

    def test_a_manifest_that_names_a_drop_that_is_not_there(self, bucket, store):
        bucket.put(MANIFEST, b'{"current_drop_id": "gone"}')
        (drop,) = list_drops(store, MARCH).drops
        assert (drop.drop_id, drop.is_current, drop.files) == ("gone", True, 0)

    def test_nothing(self, store):
        listed = list_drops(store, MARCH)
        assert (listed.drops, str(listed)) == ((), "2026-03: 0 drops, current none")

    def test_other_months_are_not_listed(self, bucket, store, made):
        bucket.put("20260401-20260501/x/a.csv.gz", b"")
        assert len(list_drops(store, MARCH).drops) == 3

    def test_the_report(self, store, made):
        listed = list_drops(store, MARCH)
        assert str(listed) == f"2026-03: 3 drops, current {made[2]}"
        assert listed.lines()[0].startswith(f"{made[2]} (current): complete, 22 rows, total cost 11, 1 file of ")
        assert listed.lines()[2].startswith(f"{made[0]}: complete, 20 rows, total cost 10, 1 file of ")
        lines = listed.as_dict()["markdown"].splitlines()
        assert lines[4].startswith(f"| {made[2]} | current | complete | 22 | 11 | 1 | ")
        assert listed.as_dict()["drops"][0]["rows"] == 20

    def test_the_report_of_other_drops(self, bucket, store, made):
        bucket.remove(f"{MARCH_FOLDER}/{made[1]}/part-00000.csv.gz")
        bucket.put(f"{MARCH_FOLDER}/theirs/a.csv", b"1234")
        lines = list_drops(store, MARCH).lines()
        assert lines[0] == "theirs: of another program, 1 file of 4 bytes"
        assert lines[2] == f"{made[1]}: incomplete, 21 rows, total cost 10.5, 0 files of 0 bytes"


class TestRollBack:
    def test_to_an_earlier_drop_and_forward_again(self, bucket, store, made):
        back = roll_back(store, MARCH, made[0])
        assert held_rows(bucket.files()) == bill(20)
        assert (back.drop_id, back.previous_drop_id, back.rows, back.total_cost) == (made[0], made[2], 20, "10")
        roll_back(store, MARCH, made[2])
        assert held_rows(bucket.files()) == bill(22)
        assert drops(bucket.files()) == made

    def test_twice_is_as_once(self, bucket, store, made):
        assert not roll_back(store, MARCH, made[0]).unchanged
        before = bucket.files()
        again = roll_back(store, MARCH, made[0])
        assert (again.unchanged, again.drop_id, again.previous_drop_id) == (True, made[0], made[0])
        assert bucket.files() == before

    def test_other_fields_of_the_manifest_are_kept(self, bucket, store, made):
        bucket.put(MANIFEST, b'{"version": "9", "current_drop_id": "%s", "more": [1]}' % made[2].encode())
        roll_back(store, MARCH, made[0])
        assert bucket.files()[MANIFEST] == b'{"version": "9", "current_drop_id": "%s", "more": [1]}' % made[0].encode()

    def test_the_next_drop_keeps_what_it_replaced(self, bucket, store, made):
        """The drop that was gone back to is the oldest, and still the one to go back to."""
        roll_back(store, MARCH, made[0])
        newest = send(store, 23, keep_drops=1)
        assert drops(bucket.files()) == [made[0], newest]

    def test_newer_drops_are_never_removed(self, bucket, store, made, monkeypatch):
        roll_back(store, MARCH, made[0])
        send(store, 24)
        assert {made[1], made[2]} <= set(drops(bucket.files()))

    @pytest.mark.parametrize("drop_id", ["20260101T000000Z", "theirs"])
    def test_to_a_drop_that_is_not_there(self, bucket, store, made, drop_id):
        before = bucket.files()
        with pytest.raises(DropNotFoundError, match=rf"has no drop '{drop_id}' of 2026-03.*{made[0]}, {made[1]}"):
            roll_back(store, MARCH, drop_id)
        assert bucket.files() == before

    def test_without_any_drop(self, bucket, store):
        with pytest.raises(DropNotFoundError, match="The complete drops: none"):
            roll_back(store, MARCH, "x")
        assert bucket.files() == {}

    @pytest.mark.parametrize("drop_id", ["", "a/b", "..", ".", "a\\b", "x\n", None, 7])
    def test_an_id_that_is_no_name_of_a_folder(self, store, made, drop_id):
        with pytest.raises(ConfigurationError, match="drop_id is"):
            roll_back(store, MARCH, drop_id)

    @pytest.mark.parametrize("damage", [b"", None])
    def test_to_an_incomplete_drop(self, bucket, store, made, damage):
        key = f"{MARCH_FOLDER}/{made[0]}/part-00000.csv.gz"
        bucket.remove(key) if damage is None else bucket.put(key, damage)
        with pytest.raises(
            DropIncompleteError, match=rf"lacks files.*The complete drops of 2026-03: {made[1]}, {made[2]}"
        ):
            roll_back(store, MARCH, made[0])
        assert current_drop(bucket.files()) == made[2]

    @pytest.mark.parametrize("content", [b"{}", None])
    def test_to_a_drop_without_its_description(self, bucket, store, made, content):
        key = f"{MARCH_FOLDER}/{made[0]}.json"
        bucket.remove(key) if content is None else bucket.put(key, content)
        match = rf"{made[0]}.json, which says what the drop consists of, is missing or damaged, so the manifest"
        with pytest.raises(DropIncompleteError, match=match):
            roll_back(store, MARCH, made[0])
        assert current_drop(bucket.files()) == made[2]

    def test_to_a_drop_of_another_program(self, bucket, store, made, caplog):
        bucket.put(f"{MARCH_FOLDER}/theirs/a.csv", b"time/usage_start,cost/cost\n2026-03-01T00:00:00Z,0.25\n")
        back = roll_back(store, MARCH, "theirs")
        assert (back.rows, back.total_cost, current_drop(bucket.files())) == (1, "0.25", "theirs")
        assert "whether it is complete is not known" in caplog.text
        assert "current drop theirs" not in caplog.text

    def test_to_a_drop_of_another_program_that_can_not_be_read(self, bucket, store, made):
        bucket.put(f"{MARCH_FOLDER}/theirs/a.csv.gz", b"\x1f\x8bbroken")
        with pytest.raises(
            BucketError, match=r"theirs/a.csv.gz can't be read.*so the manifest was not changed"
        ) as raised:
            roll_back(store, MARCH, "theirs")
        assert "guards" not in str(raised.value)
        assert current_drop(bucket.files()) == made[2]

    def test_a_manifest_that_is_not_one(self, bucket, store, made):
        bucket.put(MANIFEST, b"{}")
        with pytest.raises(ManifestError):
            roll_back(store, MARCH, made[0])
        assert bucket.files()[MANIFEST] == b"{}"

    def test_another_writer_that_was_faster(self, bucket, store, made):
        class Slow(LocalStore):
            def replace(self, key, content, version):
                roll_back(store, MARCH, made[1])
                super().replace(key, content, version)

        with pytest.raises(ManifestChangedError, match=f"another writer made {made[1]} the current drop"):
            roll_back(Slow(store.root), MARCH, made[0])
        assert current_drop(bucket.files()) == made[1]
