"""Reading and checking files in batches takes no more memory for larger files."""

from __future__ import annotations

import subprocess
import sys

import polars as pl
import pytest

#: Prints the peak memory of a process that reads and checks files, in kilobytes.
CHECK = """
import sys
from pathlib import Path
from cloudzero_provider.anycost.batch_checks import check_batches
from cloudzero_provider.months import Month
from cloudzero_provider.sources import read_batches
count = sum(checked.frame.height for checked in check_batches(read_batches(sys.argv[1]), Month(2026, 3)))
# Not that of getrusage, which is also that of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
print(count, peak.split()[1])
"""
MILLION = 1_000_000


def bill(rows):
    number = pl.int_range(rows, eager=True)
    return pl.DataFrame({"number": number}).select(
        pl.format("2026-03-{}T00:00:00Z", (pl.col("number") % 28 + 1).cast(pl.String).str.zfill(2)).alias(
            "time/usage_start"
        ),
        pl.format("arn:aws:ec2:eu-west-1:instance/i-{}", pl.col("number") * 7919 % 999_983).alias("resource/id"),
        pl.format("service {}", pl.col("number") % 50).alias("resource/service"),
        pl.format("{}", pl.col("number") * 37 % 1_000_003 / 1_000).alias("cost/cost"),
        pl.lit("web").alias("resource/tag:team"),
    )


def peak(path, rows):
    done = subprocess.run([sys.executable, "-c", CHECK, path], check=True, capture_output=True, text=True)
    count, kilobytes = map(int, done.stdout.split())
    assert count == rows
    return kilobytes


@pytest.mark.long
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_three_million_rows_take_the_memory_of_one(tmp_path, kind):
    peaks = []
    for rows in (MILLION, 3 * MILLION):
        path = tmp_path / f"{rows}.{kind}"
        getattr(bill(rows), f"write_{kind}")(path)
        peaks.append(peak(str(path), rows))
    assert peaks[1] <= 1.2 * peaks[0], peaks
