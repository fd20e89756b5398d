"""
Write months of any size to S3 (moto's server) by AnyCostBucketDropOperator, and read each back with another program.

    python -m benchmarks.big_months --months 36 --largest 12000000 --out /tmp/big-months

Each month is written by a process of its own, as a worker does, from a Parquet file on disk. It measures time and peak
memory. The reader shares no code with the package: boto3, gzip and csv. It compares rows, the exact total, and a hash
of all rows in their order with those of the generator.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rows that are generated at a time.
CHUNK = 250_000
#: Decimal places of a cost.
SCALE = 9
BUCKET, FOLDER = "cost-data", "anycost/acme"
#: Rows of most months; the first three have the largest number, a quarter and a twelfth of it.
ORDINARY = 50_000
COLUMNS = (
    "time/usage_start",
    "cost/cost",
    "resource/id",
    "resource/service",
    "lineitem/description",
    "resource/tag:team",
)


@dataclass(frozen=True)
class Known:
    """What a month holds: rows, the total in units of 10^-9, and a hash of all rows in order."""

    rows: int
    units: int
    sha256: str


@dataclass(frozen=True)
class Measured:
    """What writing a month took."""

    month: str
    rows: int
    seconds: float
    peak_mb: float
    files: int
    mb: float
    is_exact: bool


def main() -> int:
    """Write and read all months; the exit code is 1 if one of them is not exact."""
    chosen = _parser().parse_args()
    if chosen.worker:
        print(json.dumps(_write_month(*chosen.worker)))
        return 0
    chosen.out.mkdir(parents=True, exist_ok=True)
    # The package of the tests, which is not checked together with this one.
    server = importlib.import_module("support.s3_server").S3Server(chosen.out)
    try:
        server.bucket(BUCKET)
        os.environ["AIRFLOW_CONN_BIG_S3"] = server.airflow_connection()
        measured = []
        for month, rows in _sizes(chosen.months, chosen.largest):
            measured.append(_measure(server, month, rows, chosen.out))
            print(_line(measured[-1]), flush=True)
    finally:
        server.stop()
    (chosen.out / "big_months.json").write_text(json.dumps([asdict(each) for each in measured], indent=1))
    (chosen.out / "big_months.md").write_text("\n".join([*_HEADER, *map(_line, measured)]) + "\n")
    return int(not all(each.is_exact for each in measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--largest", type=int, default=12_000_000, help="rows of the largest month")
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "big-months")
    parser.add_argument("--worker", nargs=2, metavar=("FILE", "MONTH"), help=argparse.SUPPRESS)
    return parser


def _sizes(months: int, largest: int) -> Iterator[tuple[str, int]]:
    special = {1: largest, 2: largest // 4, 3: largest // 12}
    for number in range(months):
        year, month = divmod(number, 12)
        yield f"{2023 + year}-{month + 1:02d}", special.get(number, ORDINARY)


def _measure(server: Any, month: str, rows: int, out: Path) -> Measured:
    path = out / f"{month}.parquet"
    known = _generate(path, month, rows)
    command = [sys.executable, "-m", "benchmarks.big_months", "--worker", str(path), month]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    written = json.loads(done.stdout.splitlines()[-1])
    path.unlink()
    found = _read_back(server, month)
    return Measured(
        month=month,
        rows=rows,
        seconds=written["seconds"],
        peak_mb=written["peak_mb"],
        files=written["files"],
        mb=written["bytes"] / 1e6,
        is_exact=found == known and written["rows"] == rows,
    )


def _generate(path: Path, month: str, rows: int) -> Known:
    import polars as pl
    import pyarrow.parquet

    units, hashed, writer = 0, hashlib.sha256(), None
    for start in range(0, rows, CHUNK):
        frame = _chunk(month, start, min(rows, start + CHUNK))
        units += int(frame["units"].sum())
        lines = frame.select(pl.concat_str([pl.col(name).fill_null("") for name in COLUMNS], separator="\x1f"))
        hashed.update(("\n".join(lines.to_series()) + "\n").encode())
        table = frame.select(COLUMNS).to_arrow()
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return Known(rows, units, hashed.hexdigest())


def _chunk(month: str, start: int, end: int) -> Any:
    import polars as pl

    number = pl.col("number")
    cost = pl.col("units").cast(pl.String).str.zfill(SCALE + 1)
    return (
        pl.DataFrame({"number": range(start, end)})
        .with_columns(units=number * 7_919 % 9_999_991_337 + 1, hour=number * 31 % 672)
        .with_columns(
            pl.format(
                "{}-{}T{}:00:00Z",
                pl.lit(month),
                (pl.col("hour") // 24 + 1).cast(pl.String).str.zfill(2),
                (pl.col("hour") % 24).cast(pl.String).str.zfill(2),
            ).alias("time/usage_start"),
            pl.concat_str(cost.str.head(-SCALE), pl.lit("."), cost.str.tail(SCALE))
            .str.strip_chars_end("0")
            .str.strip_chars_end(".")
            .alias("cost/cost"),
            pl.format("instance/i-{}", number * 48_271 % 2_000_003).alias("resource/id"),
            pl.format("Acme {}", number % 23).alias("resource/service"),
            pl.format('{} hours, "on demand"', number).alias("lineitem/description"),
            pl.when(number % 3 > 0).then(pl.format("team-{}", number % 17)).alias("resource/tag:team"),
        )
    )


def _write_month(path: str, month: str) -> dict[str, Any]:
    """Run the operator, as a worker does."""
    os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"
    # Imports are not timed: Airflow's take several seconds.
    from benchmarks.programs.worker import execute
    from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator

    target = f"s3://big_s3@{BUCKET}/{FOLDER}"
    began = time.perf_counter()
    summary = execute(AnyCostBucketDropOperator(task_id="write", bucket_path=target, files=path, month=month))
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "peak_mb": _peak_mb(), **{name: summary[name] for name in ("rows", "files", "bytes")}}


def _peak_mb() -> float:
    """The most memory that this process held; ``ru_maxrss`` would begin with that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    [peak] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peak.split()[1]) / 1024


def _read_back(server: Any, month: str) -> Known:
    """Read the current drop as CloudZero's documentation says."""
    year, number = map(int, month.split("-"))
    end = f"{year + number // 12}{number % 12 + 1:02d}01"
    folder = f"{FOLDER}/{year}{number:02d}01-{end}"
    manifest = json.loads(server.client.get_object(Bucket=BUCKET, Key=f"{folder}/manifest.json")["Body"].read())
    prefix = f"{folder}/{manifest['current_drop_id']}/"
    listed = server.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    rows, units, hashed = 0, 0, hashlib.sha256()
    for key in sorted(each["Key"] for each in listed):
        body = server.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        with gzip.open(io.BytesIO(body), "rt", encoding="utf-8", newline="") as text:
            reader = csv.reader(text)
            header = next(reader)
            places = [header.index(name) for name in COLUMNS]
            for cells in reader:
                row = [cells[place] for place in places]
                whole, _, fraction = row[1].partition(".")
                units += int(whole + fraction.ljust(SCALE, "0"))
                rows += 1
                hashed.update(("\x1f".join(row) + "\n").encode())
    return Known(rows, units, hashed.hexdigest())


_HEADER = (
    "| month | rows | s | µs a row | peak MB | files | MB written | exact |",
    "|---|---:|---:|---:|---:|---:|---:|---|",
)


def _line(each: Measured) -> str:
    micros = each.seconds / each.rows * 1e6
    exact = "yes" if each.is_exact else "NO"
    return (
        f"| {each.month} | {each.rows:,} | {each.seconds:.1f} | {micros:.1f} | {each.peak_mb:.0f} | {each.files} | "
        f"{each.mb:.1f} | {exact} |"
    )


if __name__ == "__main__":
    sys.exit(main())
