"""Detect files that hold the same rows, such as two runs of one export that a pattern matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.values.python_values import as_objects

if TYPE_CHECKING:
    from collections.abc import Hashable

    from cloudzero_provider.sources.rows import Rows
    from cloudzero_provider.values.python_values import Values

_HALF = 2**32


class FilesSeen:
    """Remembers the files of one task, to find those that hold the same rows."""

    def __init__(self) -> None:
        # A file is hashed only when a second one has the same number of rows, which is rare.
        self._first_with_count: dict[int, tuple[str, Rows] | None] = {}
        self._names: dict[Hashable, str] = {}

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
            self._names[_fingerprint(first[1])] = first[0]
            self._first_with_count[rows.count] = None
        equal = self._names.setdefault(_fingerprint(rows), name)
        if equal != name:
            what = "row" if rows.count == 1 else f"{rows.count:,} rows"
            raise InputError(
                f"{name} holds the same {what} as {equal}, which would count twice; nothing was sent. Name one of the "
                "two, or set allow_equal_files=True if both are meant."
            )


def _fingerprint(rows: Rows) -> Hashable:
    """
    Hash rows by their values as text, independent of file format and of the order of rows and columns.

    A column without values counts as absent, and a missing value as an empty string.
    """
    strings = {column: _as_strings(values) for column, values in rows.columns.items()}
    filled = {column: series for column, series in sorted(strings.items()) if (series != "").any()}
    # The sum of the rows' hashes doesn't depend on their order. Halves are summed, so that nothing overflows.
    hashes = pl.DataFrame(filled).hash_rows() if filled else pl.Series([0], dtype=pl.UInt64)
    return rows.count, tuple(filled), (hashes // _HALF).sum(), (hashes % _HALF).sum()


def _as_strings(values: Values) -> pl.Series:
    if isinstance(values, pl.Series):
        if values.dtype.is_temporal():
            values = values.to_physical()
        if values.dtype == pl.String or values.dtype == pl.Boolean or values.dtype.is_numeric():
            return values.cast(pl.String).fill_null("")
    return pl.Series(values=[_as_string(value) for value in as_objects(values)], dtype=pl.String)


def _as_string(value: Any) -> str:
    return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
