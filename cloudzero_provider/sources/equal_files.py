"""Detect files that hold the same rows, such as two runs of one export that a pattern matches."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cloudzero_provider.sources.rows import Rows
    from cloudzero_provider.values.python_values import Values

_HALF = 2**32


@dataclass(frozen=True)
class Fingerprint:
    """
    A hash of rows by their values as text, independent of file format and of the order of rows and columns.

    A missing value counts as an empty string, and a column without values as absent.

    :param count: number of rows.
    :param upper: sum of the upper halves of the rows' hashes.
    :param lower: sum of the lower halves.
    """

    count: int = 0
    upper: int = 0
    lower: int = 0

    @classmethod
    def of(cls, rows: Rows) -> Fingerprint:
        """Hash rows."""
        # A sum doesn't depend on the order. Halves are summed, so that nothing overflows.
        hashes = _row_hashes(rows)
        return cls(rows.count, int((hashes // _HALF).sum()), int((hashes % _HALF).sum()))

    def __add__(self, other: Fingerprint) -> Fingerprint:
        return Fingerprint(self.count + other.count, self.upper + other.upper, self.lower + other.lower)


class FilesSeen:
    """Remembers the files of one task, to find those that hold the same rows."""

    def __init__(self) -> None:
        # A file is hashed only when a second one has the same number of rows, which is rare.
        self._first_with_count: dict[int, tuple[str, Rows] | None] = {}
        self._names: dict[Fingerprint, str] = {}

    def refuse_equal(self, name: str, rows: Rows) -> None:
        """
        Refuse a file that holds the same rows as an earlier one, in any order, since they would count twice.

        :param name: the file's name.
        :param rows: its rows. A file without rows is never refused.
        :raises InputError: naming both files.
        """
        if not rows.count:
            return
        if rows.count not in self._first_with_count:
            self._first_with_count[rows.count] = name, rows
            return
        first = self._first_with_count[rows.count]
        if first is not None:
            self._names[Fingerprint.of(first[1])] = first[0]
            self._first_with_count[rows.count] = None
        self._refuse(name, Fingerprint.of(rows))

    def refusing_equal(self, name: str, batches: Iterator[Rows]) -> Iterator[Rows]:
        """
        Do the same for a file that is read in batches, after its last one. No rows are held.

        :param name: the file's name.
        :param batches: its rows, which are yielded unchanged.
        :raises InputError: naming both files.
        """
        whole = Fingerprint()
        for rows in batches:
            whole += Fingerprint.of(rows)
            yield rows
        if whole.count:
            self._refuse(name, whole)

    def _refuse(self, name: str, found: Fingerprint) -> None:
        equal = self._names.setdefault(found, name)
        if equal != name:
            what = "row" if found.count == 1 else f"{found.count:,} rows"
            raise InputError(
                f"{name} holds the same {what} as {equal}, which would count twice; nothing was sent. Name one of the "
                "two, or set allow_equal_files=True if both are meant."
            )


def _row_hashes(rows: Rows) -> pl.Series:
    hashes = pl.zeros(rows.count, dtype=pl.UInt64, eager=True)
    for column, values in rows.columns.items():
        texts = _as_strings(values)
        # Each column has a hash function of its own, so that values in another column are other rows.
        cells = texts.hash(zlib.crc32(column.encode()))
        hashes = hashes ^ cells.set(texts == "", 0)
    # Hashed again, so that the sum depends on which values are in one row.
    return hashes.hash()


def _as_strings(values: Values) -> pl.Series:
    if isinstance(values, pl.Series):
        if values.dtype.is_temporal():
            values = values.to_physical()
        if values.dtype == pl.String or values.dtype == pl.Boolean or values.dtype.is_numeric():
            return values.cast(pl.String).fill_null("")
    return pl.Series(values=[_as_string(value) for value in as_objects(values)], dtype=pl.String)


def _as_string(value: Any) -> str:
    return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
