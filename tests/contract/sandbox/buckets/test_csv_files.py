"""Files and rows that make the sandbox refuse a drop whole: https://docs.cloudzero.com/docs/anycost-cbf-drop-specs"""

from __future__ import annotations

import gzip
import io
from itertools import islice

import pytest

from cloudzero_provider.sandbox.buckets.csv_files import FileRefusedError, read_numbered_rows
from cloudzero_provider.sandbox.settings.all_settings import Settings

HELD, NEXT = "20260401T000000Z", "20260402T000000Z"
HEADER = b"time/usage_start,cost/cost,resource/id\n"
ROW = b"2026-03-01T00:00:00Z,1,i-1\n"


def packed(text):
    """The same bytes at any time, as xdist's workers compare the names of parametrized tests."""
    return gzip.compress(text, mtime=0)


@pytest.fixture
def held(local):
    local.drop(HELD, [local.row("1")])
    local.point(NEXT)
    return local


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "part-0.csv.gz is empty, so it is not gzip"),
        (HEADER + ROW, "part-0.csv.gz is not gzip"),
        (b"\x1f\x8bnot really", "part-0.csv.gz is not valid gzip, after line 0"),
        (packed(HEADER + ROW)[:-12], "part-0.csv.gz is cut off: its gzip ends early"),
        (packed(HEADER + ROW) + b"more", "part-0.csv.gz is not valid gzip, after line"),
        (packed(HEADER + ROW)[:-8] + b"\0" * 8, "part-0.csv.gz is not valid gzip, after line"),
        (packed(packed(HEADER + ROW)), "part-0.csv.gz is not UTF-8, after line 0"),
        (packed(HEADER + ROW + "é".encode("latin-1")), "part-0.csv.gz is not UTF-8"),
        (packed((HEADER + ROW).decode().encode("utf-16")), "part-0.csv.gz is not UTF-8"),
        (packed(b"\xef\xbb\xbf" + HEADER + ROW), "begins with a byte order mark"),
        (packed(b""), "has no header"),
        (packed(b"\n" + HEADER + ROW), "has no header"),
        (packed(ROW), "has no column time/usage_start and no column cost/cost in its first line, the header"),
        (packed(b"cost/cost\n1\n"), "has no column time/usage_start in its first line"),
        (packed(HEADER.replace(b",", b";") + ROW), "has no column time/usage_start and no column cost/cost"),
        (packed(HEADER.replace(b"cost/cost", b"Cost/Cost") + ROW), "has no column cost/cost"),
        (packed(HEADER.replace(b"resource/id", b"cost/cost") + ROW), "has the column cost/cost twice"),
        (packed(HEADER.replace(b"resource/id", b"") + ROW), "column 3 of the header has no name"),
        (
            packed(HEADER.replace(b"resource/id", b"resource/tag:a b") + ROW),
            "the header has resource/tag:a b: a tag's key may contain only",
        ),
        (packed(HEADER + ROW + b"2026-03-01T00:00:00Z,1\n"), "line 3 has 2 cells, and the header 3"),
        (packed(HEADER + ROW + b"2026-03-01T00:00:00Z,1,,\n"), "line 3 has 4 cells, and the header 3"),
        (packed(HEADER + ROW + b"\n" + ROW), "line 3 has 0 cells, and the header 3"),
        (packed(HEADER + b'2026-03-01T00:00:00Z,1,"a"b\n'), "line 2 is not valid CSV"),
        (packed(HEADER + b'2026-03-01T00:00:00Z,1,"a\n'), "is not valid CSV"),
        (packed(HEADER + b"2026-03-01T00:00:00Z,1,a\0b\n"), "line 2 has a NUL character"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_refused(held, content, reason):
    held.put(f"20260301-20260401/{NEXT}/part-0.csv.gz", content)
    held.write(NEXT, [held.row("2")], "good.csv.gz")
    assert reason in held.refusal()
    assert held.costs() == ["1"]
    assert held.history()[-1] == (NEXT, "refused")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("part-0.csv", "part-0.csv is not compressed; files of a drop are gzip and end with .csv.gz"),
        ("part-0.CSV", "part-0.CSV is not compressed"),
        ("part-0.CSV.GZ", "part-0.CSV.GZ does not end with .csv.gz"),
        (".csv.gz", ".csv.gz does not end with .csv.gz, and a drop's folder has nothing but such files"),
        ("part-0.gz", "part-0.gz does not end with .csv.gz"),
        ("part-0.parquet", "part-0.parquet does not end with .csv.gz"),
        ("_SUCCESS", "_SUCCESS does not end with .csv.gz"),
        ("part-0.csv.gz.tmp", "part-0.csv.gz.tmp does not end with .csv.gz"),
        ("a/part-0.csv.gz", "a/part-0.csv.gz is in a folder below the drop's"),
    ],
)
def test_a_file_that_does_not_belong_into_a_drop(bucket, name, reason):
    bucket.drop(HELD, [bucket.row("1")])
    bucket.point(NEXT)
    bucket.write(NEXT, [bucket.row("2")], "good.csv.gz")
    bucket.write(NEXT, [bucket.row("2")], name)
    assert bucket.refusal().startswith(reason)
    assert bucket.costs() == ["1"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cost/cost": ""}, "line 3, cost/cost: is required"),
        ({"time/usage_start": ""}, "line 3, time/usage_start: is required"),
        ({"cost/cost": "1e3"}, "line 3, cost/cost: must be a decimal number"),
        ({"cost/cost": " 1"}, "line 3, cost/cost: must be a decimal number"),
        ({"cost/cost": "1,5"}, "line 3, cost/cost: must be a decimal number"),
        ({"cost/amortized_cost": "x"}, "line 3, cost/amortized_cost: must be a decimal number"),
        ({"usage/amount": "NaN"}, "line 3, usage/amount: must be a decimal number"),
        ({"time/usage_start": "2026-03-01"}, "line 3, time/usage_start: must be an ISO 8601 datetime"),
        ({"time/usage_start": "2026-03-32T00:00:00Z"}, "line 3, time/usage_start: is not a time that exists"),
        ({"time/usage_end": "tomorrow"}, "line 3, time/usage_end: must be an ISO 8601 datetime"),
        (
            {"time/usage_start": "2026-04-01T00:00:00Z"},
            "line 3, time/usage_start: is in 2026-04 (UTC), but the drop's month is 2026-03",
        ),
        ({"time/usage_start": "2026-03-01T00:30:00+01:00"}, "is in 2026-02 (UTC), but the drop's month is 2026-03"),
        ({"lineitem/type": "usage"}, "line 3, lineitem/type: must be one of Usage"),
        ({"k8s/labels": "a=b"}, "line 3, k8s/labels: must be a string of a JSON object"),
        ({"resource/tag:team": "x"}, "line 3, resource/tag:team: a tag requires resource/id in the same row"),
    ],
)
def test_a_row_that_is_refused(held, changes, reason):
    held.write(NEXT, [held.row("2"), held.row("3", **{"resource/id": ""}) | changes])
    assert reason in held.refusal()
    assert held.costs() == ["1"]


def test_the_first_ten_problems_are_named(held):
    held.write(NEXT, [held.row("x") for _ in range(12)])
    reason = held.refusal()
    assert (reason.count("must be a decimal number"), reason.endswith("; and 2 more")) == (10, True)


def test_blank_cells_have_no_value(local):
    columns = ["resource/id", "resource/tag:team", "usage/amount", "lineitem/type", "k8s/labels", "time/usage_end"]
    local.drop(HELD, [local.row("1"), local.row("2", 2, **dict.fromkeys(columns, ""))])
    assert local.rows() == [local.row("1"), local.row("2", 2)]


def test_cells_are_kept_as_they_are(local):
    row = local.row("1.10", **{"resource/id": ' a,"b"\r\nc ', "resource/tag:team": "é", "mine": "0"})
    local.drop(HELD, [row])
    assert local.rows() == [row]


def test_settings_decide_as_for_a_stream(held):
    held.cloudzero.set(unknown_columns="refuse")
    held.write(NEXT, [held.row("2", mine="x")])
    assert "the header has mine: is not a column in the API's schema" in held.refusal()


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_lines_end_in_any_way(local, end):
    text = HEADER.decode().strip() + "\r\n" + ROW.decode().strip() + end
    local.put_file(NEXT, text.encode())
    local.point(NEXT)
    assert local.poll()["months"]["2026-03"]["rows"] == 1


def test_gzip_of_several_members_is_one_file(local):
    content = packed(HEADER) + packed(ROW) + packed(ROW)
    local.put(f"20260301-20260401/{NEXT}/part-0.csv.gz", content)
    local.point(NEXT)
    assert local.poll()["months"]["2026-03"]["rows"] == 2


def numbered(text, **options):
    return read_numbered_rows(io.BufferedReader(io.BytesIO(packed(text))), Settings(), **options)


def test_a_row_has_the_number_of_its_first_line():
    rows = numbered(HEADER + b'2026-03-01T00:00:00Z,1,"a\nb"\n' + ROW)
    assert [number for number, _ in rows] == [2, 4]


def test_a_file_has_at_most_a_million_rows():
    def lines(count):
        return HEADER + ROW * count

    assert sum(1 for _ in numbered(lines(1_000_000))) == 1_000_000
    with pytest.raises(FileRefusedError, match=r"^has more than 1,000,000 rows$"):
        list(islice(numbered(lines(1_000_001)), 1_000_001))
