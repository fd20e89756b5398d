"""
The same rows in every form that the operators accept.

A row is a dict; its values are text, ``Decimal``, ``datetime`` or ``None``. Libraries that are not
installed with every line of Airflow are imported where they are needed, and their tests are skipped without them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Row = dict[str, Any]
#: Precision for every number of the tests; a frame needs one type.
SCALE = 18


def as_text(value: Any) -> str | None:
    """The value as written to a file."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(" " if value.tzinfo is None else "T").replace("+00:00", "Z")
    return value


def held_by_floats(rows: list[Row]) -> list[Row]:
    """The rows as floats hold them: the shortest decimal of each float."""
    return [
        {name: Decimal(repr(float(value))) if isinstance(value, Decimal) else value for name, value in row.items()}
        for row in rows
    ]


def write_csv(rows: list[Row], path: Path) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows({name: as_text(value) for name, value in row.items()} for row in rows)
    _write(path, text.getvalue())


def write_json_lines(rows: list[Row], path: Path) -> None:
    _write(path, "".join(f"{_json(row)}\n" for row in rows))


def write_json(rows: list[Row], path: Path) -> None:
    _write(path, f"[{', '.join(map(_json, rows))}]")


def _json(row: Row) -> str:
    """The row as a JSON object without blank values; numbers keep all their digits."""
    fields = {name: value for name, value in row.items() if value is not None}
    written = {name: f"{v:f}" if isinstance(v, Decimal) else json.dumps(as_text(v)) for name, v in fields.items()}
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in written.items()) + "}"


def _write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def polars_frame(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(name, [row[name] for row in rows], dtype=_dtype(rows, name)) for name in rows[0]])


def polars_frame_of_floats(rows: list[Row]) -> pl.DataFrame:
    """Made of Python's floats: polars' cast of a Decimal does not always return the nearest float."""
    numbers = [name for name in rows[0] if any(isinstance(row[name], Decimal) for row in rows)]
    floats = {name: [None if row[name] is None else float(row[name]) for row in rows] for name in numbers}
    return polars_frame(rows).with_columns(pl.Series(name, values) for name, values in floats.items())


def polars_frame_of_categories(rows: list[Row]) -> pl.DataFrame:
    return polars_frame(rows).with_columns(pl.selectors.string().cast(pl.Categorical))


def pandas_frame(rows: list[Row]) -> Any:
    """Decimals are Python objects; missing text is pandas' own missing value."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows)
    texts = [name for name in rows[0] if {type(row[name]) for row in rows} <= {str, type(None)}]
    return frame.astype(dict.fromkeys(texts, "string"))


def pandas_frame_of_floats(rows: list[Row]) -> Any:
    numbers = [name for name in rows[0] if any(isinstance(row[name], Decimal) for row in rows)]
    return pandas_frame(rows).astype(dict.fromkeys(numbers, "float64"))


def arrow_table(rows: list[Row]) -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    types = {pl.String: pyarrow.string(), pl.Decimal: pyarrow.decimal128(38, SCALE)}

    def column(name: str) -> Any:
        dtype = _dtype(rows, name)
        kind = (
            pyarrow.timestamp("us", tz=dtype.time_zone) if isinstance(dtype, pl.Datetime) else types[dtype.base_type()]
        )
        return pyarrow.array([row[name] for row in rows], kind)

    return pyarrow.table({name: column(name) for name in rows[0]})


def _dtype(rows: list[Row], name: str) -> pl.DataType:
    kinds = {type(row[name]) for row in rows} - {type(None)}
    if kinds == {Decimal}:
        return pl.Decimal(38, SCALE)
    if kinds == {datetime}:
        (zone,) = {row[name].tzinfo is not None for row in rows if row[name] is not None}
        return pl.Datetime("us", "UTC" if zone else None)
    assert kinds <= {str}
    return pl.String()


def generator(rows: list[Row]) -> Iterator[Row]:
    yield from rows


def _file(write: Callable[[list[Row], Path], Any], name: str) -> Callable[[list[Row], Path], Row]:
    def make(rows: list[Row], folder: Path) -> Row:
        write(rows, folder / name)
        return {"files": str(folder / name)}

    return make


def _records(make: Callable[[list[Row]], Any]) -> Callable[[list[Row], Path], Row]:
    return lambda rows, _: {"records": make(rows)}


#: Form → function that writes rows to a file, and the file's name. No form loses digits.
EXACT_FILES: dict[str, tuple[Callable[[list[Row], Path], Any], str]] = {
    "csv": (write_csv, "rows.csv"),
    "csv.gz": (write_csv, "rows.csv.gz"),
    "jsonl": (write_json_lines, "rows.jsonl"),
    "ndjson.gz": (write_json_lines, "rows.ndjson.gz"),
    "json": (write_json, "rows.json"),
    "json.gz": (write_json, "rows.json.gz"),
    "parquet": (lambda rows, path: polars_frame(rows).write_parquet(path), "rows.parquet"),
    "parquet of pyarrow": (lambda rows, path: _write_with_pyarrow(arrow_table(rows), path), "rows.parquet"),
}
#: Form → function that makes the operator's arguments from rows and a folder. No form loses digits.
EXACT_FORMS: dict[str, Callable[[list[Row], Path], Row]] = {
    **{form: _file(write, name) for form, (write, name) in EXACT_FILES.items()},
    "two files": lambda rows, folder: _two_files(rows, folder),
    "records": _records(lambda rows: rows),
    "records of text": _records(
        lambda rows: [{n: as_text(v) for n, v in row.items() if v is not None} for row in rows]
    ),
    "polars": _records(polars_frame),
    "polars, lazy": _records(lambda rows: polars_frame(rows).lazy()),
    "polars, categories": _records(polars_frame_of_categories),
    "pandas": _records(pandas_frame),
    "arrow": _records(arrow_table),
}
#: The same, with numbers as floats.
FLOAT_FORMS: dict[str, Callable[[list[Row], Path], Row]] = {
    "parquet": _file(lambda rows, path: polars_frame_of_floats(rows).write_parquet(path), "floats.parquet"),
    "polars": _records(polars_frame_of_floats),
    "pandas": _records(pandas_frame_of_floats),
}


def _write_with_pyarrow(table: Any, path: Path) -> None:
    pytest.importorskip("pyarrow.parquet").write_table(table, path)


def _two_files(rows: list[Row], folder: Path) -> Row:
    write_csv(rows[: len(rows) // 2], folder / "part-1.csv")
    polars_frame(rows[len(rows) // 2 :]).write_parquet(folder / "part-2.parquet")
    return {"files": str(folder / "part-*")}
