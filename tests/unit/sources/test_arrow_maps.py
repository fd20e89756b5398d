"""Maps of Parquet and Arrow are lists of entries, on any version of polars, and no entry is lost."""

from __future__ import annotations

import sys
from decimal import Decimal

import polars as pl
import pytest
from support.charges import charge, check

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import InvalidRowsError
from cloudzero_provider.sources import from_frame, from_records
from cloudzero_provider.sources.parquet_files import read_parquet
from cloudzero_provider.sources.typed_frame import to_frame

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

ONCE = [[("user:team", "web"), ("b", None)], [], None]
TWICE = [[("a", "1"), ("b", "2"), ("a", "3")], [("z", "1")], None]


def table(maps, name="Tags"):
    rows = [charge(BilledCost=cost, EffectiveCost=cost, ResourceId=cost) for cost in ("0.1", "0.2", "0.3")]
    columns = {column: [row[column] for row in rows] for column in rows[0]}
    return pa.table(columns | {name: pa.array(maps, type=pa.map_(pa.string(), pa.string()))})


def entries(maps):
    return [None if one is None else [{"key": key, "value": value} for key, value in one] for one in maps]


def from_parquet(given, folder):
    pq.write_table(given, folder / "bill.parquet")
    return read_parquet("bill.parquet", str(folder / "bill.parquet"))


SOURCES = {
    "parquet": from_parquet,
    "arrow": lambda given, _: from_records(given),
    "arrow, in parts": lambda given, _: from_records([given[:1], given[1:]]),
    "a reader": lambda given, _: from_records(given.to_reader()),
}


@pytest.fixture(params=SOURCES.values(), ids=SOURCES.keys())
def source(request, tmp_path):
    return lambda given: request.param(given, tmp_path)


@pytest.mark.parametrize("maps", [ONCE, TWICE], ids=["once", "twice"])
def test_all_entries_exist(source, maps):
    values = source(table(maps)).columns["Tags"]
    assert values.dtype == pl.List(pl.Struct({"key": pl.String, "value": pl.String}))
    assert values.to_list() == entries(maps)


def test_tags_of_maps(source):
    frame = to_cbf(to_frame(source(table(ONCE))))
    assert frame["resource/tag:user:team"].to_list() == ["web", None, None]
    assert Decimal(check(frame).totals["cost/cost"]) == Decimal("0.6")


def test_a_key_that_is_there_twice_is_seen(source):
    with pytest.raises(InvalidRowsError, match=r"row 1, column 'Tags', .*: duplicate tag 'a'"):
        to_cbf(to_frame(source(table(TWICE))))


def test_a_key_that_is_there_twice_is_settled(source):
    frame = to_cbf(to_frame(source(table(TWICE))), duplicate_tags="first")
    assert frame["resource/tag:a"].to_list() == ["1", None, None]


def test_a_frame_of_polars_with_a_map():
    frame = pl.DataFrame(table(ONCE))
    assert from_frame(frame).columns["Tags"].to_list() == entries(ONCE)
    assert to_cbf(frame)["resource/tag:user:team"].to_list() == ["web", None, None]


needs_maps = pytest.mark.skipif(not hasattr(pl, "Map"), reason="polars 1 has no type for maps, and drops no entry")


@needs_maps
def test_without_pyarrow_the_log_names_what_cannot_be_detected(tmp_path, monkeypatch, caplog):
    given = table(TWICE)
    pq.write_table(given, tmp_path / "bill.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    values = read_parquet("bill.parquet", str(tmp_path / "bill.parquet")).columns["Tags"]
    assert values.to_list() == [[{"key": "a", "value": "3"}, {"key": "b", "value": "2"}], *entries(TWICE)[1:]]
    [warning] = caplog.messages
    assert warning.startswith("bill.parquet: polars 2")
    assert "so duplicate keys in Tags can't be detected (pyarrow is not installed)" in warning


@needs_maps
@pytest.mark.parametrize("name", ["a.b", "Tags.key_value.key", "Ümlaut"])
def test_columns_of_any_name(tmp_path, name, caplog):
    assert from_parquet(table(TWICE, name), tmp_path).columns[name].to_list() == entries(TWICE)
    assert not caplog.messages


def test_without_maps_pyarrow_is_not_needed(tmp_path, monkeypatch, caplog):
    given = table(ONCE).drop_columns("Tags")
    pq.write_table(given, tmp_path / "bill.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    assert read_parquet("bill.parquet", str(tmp_path / "bill.parquet")).count == 3
    assert not caplog.messages
