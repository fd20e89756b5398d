"""Write rows in each form that a program can read."""

from __future__ import annotations

import csv
import gzip
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from benchmarks.inputs.columns import Column, Kind, Row, as_text
from benchmarks.inputs.dictionaries import as_dictionary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import polars as pl


def write_csv(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> None:
    """Write CSV, compressed if the path ends in ``.gz``."""
    opened: Callable[..., Any] = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        writer.writerows(map(as_text, row) for row in rows)


def write_json_lines(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> None:
    """Write an object per line, with numbers as numbers."""
    names = [column.name for column in columns]
    with open(path, "w", encoding="utf-8") as file:
        for row in rows:
            found = as_dictionary(dict(zip(names, map(as_text, row), strict=True)), numbers=float)
            file.write(json.dumps(found, ensure_ascii=False) + "\n")


def write_parquet(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> None:
    """Write Parquet, with a type for each column."""
    import polars as pl

    values = zip(*rows, strict=True)
    pl.DataFrame([_series(column, list(cells)) for column, cells in zip(columns, values, strict=True)]).write_parquet(
        path
    )


def _series(column: Column, values: list[Any]) -> pl.Series:
    import polars as pl

    dtypes: dict[Kind, Any] = {
        Kind.TEXT: pl.String,
        Kind.TIME: pl.Datetime("us", "UTC"),
        Kind.DECIMAL: pl.Decimal(38, column.scale),
        Kind.FLOAT: pl.Float64,
    }
    return pl.Series(column.name, values, dtype=dtypes[column.kind])


def write_sqlite(path: Path, columns: tuple[Column, ...], rows: Iterable[Row]) -> None:
    """Write a table ``month`` of a SQLite database, which has no exact numbers: decimals are text."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        declared = ", ".join(f'"{column.name}" {"REAL" if column.kind is Kind.FLOAT else "TEXT"}' for column in columns)
        database.execute(f"CREATE TABLE month ({declared})")
        database.executemany(
            f"INSERT INTO month VALUES ({', '.join('?' * len(columns))})",
            (tuple(value if value is None else as_text(value) for value in row) for row in rows),
        )
        database.commit()
