"""Write rows to a file, with all values as text: ``.csv``, ``.csv.gz``, ``.jsonl`` or ``.parquet``."""

from __future__ import annotations

import gzip
from typing import IO, TYPE_CHECKING

from cloudzero_provider.anycost.json_rows import json_rows
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.values.whole_files import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

_SLICE = 10_000


def write_rows(frame: pl.DataFrame, path: str) -> None:
    """
    Write rows in the format of the path's extension. The file appears only when it is complete.

    :param frame: text columns.
    :param path: ends in ``.csv``, ``.csv.gz``, ``.jsonl`` or ``.parquet``; folders are created as needed.
    :raises ConfigurationError: when the extension is another one.
    """
    write = writer_for(path)
    with whole_file(path) as file:
        write(frame, file)


def writer_for(path: str) -> Callable[[pl.DataFrame, IO[bytes]], None]:
    """Return the writer for a path's extension."""
    for ending, write in _WRITERS.items():
        if path.endswith(ending):
            return write
    raise ConfigurationError(f"path is {path!r}: expected a file that ends in {', '.join(_WRITERS)}.")


def _write_csv(frame: pl.DataFrame, file: IO[bytes]) -> None:
    frame.write_csv(file)


def _write_csv_gz(frame: pl.DataFrame, file: IO[bytes]) -> None:
    with gzip.open(file, "wb") as zipped:
        for number, part in enumerate(frame.iter_slices(_SLICE)):
            zipped.write(part.write_csv(include_header=number == 0).encode())


def _write_jsonl(frame: pl.DataFrame, file: IO[bytes]) -> None:
    for part in frame.iter_slices(_SLICE):
        file.write("".join(f"{row}\n" for row in json_rows(part).encoded()).encode())


def _write_parquet(frame: pl.DataFrame, file: IO[bytes]) -> None:
    frame.write_parquet(file)


_WRITERS: dict[str, Callable[[pl.DataFrame, IO[bytes]], None]] = {
    ".csv": _write_csv,
    ".csv.gz": _write_csv_gz,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
