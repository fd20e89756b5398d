from __future__ import annotations

import csv
import gzip
import json
import resource
from decimal import Decimal

import polars as pl
import pytest
from support.sandbox_server import STREAM
from support.tasks import read, send

from cloudzero_provider.exceptions import ConfigurationError, MonthNotFoundError

ROWS = [
    {"time/usage_start": "2026-03-01T00:00:00Z", "cost/cost": "123456789012345678.000000000000000000000000000001"},
    {
        "time/usage_start": "2026-03-01T00:00:00Z",
        "cost/cost": "-0.5",
        "resource/service": 'a,"b"\nc',
        "lineitem/type": "Credit",
    },
    {"time/usage_start": "2026-03-02T05:00:00Z", "cost/cost": "0", "cost/amortized_cost": "0"},
]


def text(path):
    return gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()


def rows_in(path):
    if path.suffix == ".parquet":
        return [{k: v for k, v in row.items() if v is not None} for row in pl.read_parquet(path).to_dicts()]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in row.items() if v} for row in csv.DictReader(text(path).splitlines(keepends=True))]


@pytest.mark.parametrize("name", ["march.csv", "march.csv.gz", "march.jsonl", "march.parquet"])
def test_a_month_is_read_into_a_file(sandbox, tmp_path, name):
    send(records=ROWS)
    path = tmp_path / "new" / name
    summary = read(path=str(path))
    assert summary == {
        "month": "2026-03",
        "anycost_connection_id": STREAM,
        "path": str(path),
        "rows": 3,
        "total_cost": "123456789012345677.500000000000000000000000000001",
        "hours": 2,
    }
    assert rows_in(path) == ROWS
    assert [other.name for other in path.parent.iterdir()] == [name]


def test_what_was_read_can_be_sent_again(sandbox, tmp_path):
    send(records=ROWS)
    digest = sandbox.month("2026-03")["digest"]
    read(path=str(tmp_path / "march.csv"))
    sandbox.reset()
    send(files=str(tmp_path / "march.csv"))
    assert sandbox.month("2026-03")["digest"] == digest


def test_a_month_that_is_not_there_is_its_own_error_and_leaves_no_file(sandbox, tmp_path):
    with pytest.raises(MonthNotFoundError, match="has no billing drop for 2026-03"):
        read(path=str(tmp_path / "march.csv"))
    assert list(tmp_path.iterdir()) == []


def test_another_ending_is_refused_before_anything_is_asked(sandbox, tmp_path):
    with pytest.raises(ConfigurationError, match=r"ends in \.csv, \.csv\.gz, \.jsonl, \.parquet"):
        read(path=str(tmp_path / "march.xlsx"))
    assert sandbox.requests() == []


def test_a_reply_that_breaks_off_is_read_again(sandbox, tmp_path):
    send(records=ROWS)
    sandbox.faults({"kind": "cut_reply", "method": "GET", "path_contains": "/2026-03"})
    assert read(path=str(tmp_path / "march.csv"))["rows"] == 3
    assert sandbox.armed() == []


def test_a_large_month_is_read_without_holding_it_twice(sandbox, big_month, tmp_path):
    send(files=str(big_month.path))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = read(path=str(tmp_path / "march.parquet"))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert (summary["rows"], Decimal(summary["total_cost"])) == (big_month.rows, big_month.total)
    assert grown < 150, f"{grown:.0f} MB more at the peak, for 65 MB of JSON"
