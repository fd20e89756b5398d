"""Files of equal content: an export that ran twice, and a pattern that takes both."""

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
    """The files of one task, to find those that hold the same rows."""

    def __init__(self) -> None:
        # A file is looked into when a second one has as many rows, which is rare.
        self._alone: dict[int, tuple[str, Rows] | None] = {}
        self._names: dict[Hashable, str] = {}

    def refuse_equal(self, name: str, rows: Rows) -> None:
        """
        Refuse a file that holds the same rows as one before, in any order: they would count twice.

        :param name: of the file.
        :param rows: in it. A file without any is equal to none.
        :raises InputError: naming both files.
        """
        if not rows.count:
            return
        if rows.count not in self._alone:
            self._alone[rows.count] = name, rows
            return
        first = self._alone[rows.count]
        if first is not None:
            self._names[_fingerprint(first[1])] = first[0]
            self._alone[rows.count] = None
        equal = self._names.setdefault(_fingerprint(rows), name)
        if equal != name:
            what = "row" if rows.count == 1 else f"{rows.count:,} rows"
            raise InputError(
                f"{name} holds the same {what} as {equal}, which would count twice; nothing was sent. Name one of the "
                "two, or set allow_equal_files=True if both are meant."
            )


def _fingerprint(rows: Rows) -> Hashable:
    """
    Tell rows by their values, as text, whatever their order, that of the columns, and how the file writes them.

    A column without values is like none, and no value is like an empty text.
    """
    texts = {column: _texts(values) for column, values in rows.columns.items()}
    filled = {column: series for column, series in sorted(texts.items()) if (series != "").any()}
    # Equal rows have equal hashes, so their sum tells the rows in any order; in halves, no sum overflows.
    hashes = pl.DataFrame(filled).hash_rows() if filled else pl.Series([0], dtype=pl.UInt64)
    return rows.count, tuple(filled), (hashes // _HALF).sum(), (hashes % _HALF).sum()


def _texts(values: Values) -> pl.Series:
    if isinstance(values, pl.Series):
        if values.dtype.is_temporal():
            values = values.to_physical()
        if values.dtype == pl.String or values.dtype == pl.Boolean or values.dtype.is_numeric():
            return values.cast(pl.String).fill_null("")
    return pl.Series(values=[_text(value) for value in as_objects(values)], dtype=pl.String)


def _text(value: Any) -> str:
    return "" if value is None else str(value).encode("utf-8", "backslashreplace").decode()
