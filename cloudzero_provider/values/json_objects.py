"""Encode rows as JSON objects; their sizes are known before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class JsonField:
    """
    A field of an object.

    :param column: the column with its values, as they are in JSON.
    :param before: the text before a value, like ``"name":"``.
    :param after: the text after it, like ``"``.
    """

    column: str
    before: str
    after: str = ""


@dataclass(frozen=True)
class JsonObjects:
    """
    Rows, each of which becomes a JSON object without the fields it has no value of.

    :param frame: columns of text; null where a row has no value.
    :param fields: in their order.
    :param separator: between fields.
    """

    frame: pl.DataFrame
    fields: Sequence[JsonField]
    separator: str = ","

    def sizes(self) -> pl.Series:
        """Length of each object, in bytes, with a comma after it."""
        pairs = [
            pl.col(field.column).str.len_bytes().cast(pl.Int64)
            + len(f"{field.before}{field.after}{self.separator}".encode())
            for field in self.fields
        ]
        # No separator follows the last field.
        others = len("{},") - len(self.separator)
        return self.frame.select((pl.sum_horizontal(pairs) + others).alias("size")).to_series()

    def in_order(self, order: pl.Series) -> JsonObjects:
        """
        Return some of the rows.

        :param order: their indices.
        """
        return replace(self, frame=self.frame[order])

    def slice(self, start: int, count: int | None = None) -> JsonObjects:
        """Return consecutive rows; without a count, all from ``start``."""
        return replace(self, frame=self.frame.slice(start, count))

    def encoded(self) -> pl.Series:
        """Encode each row."""
        return self.frame.select(self._object().alias("json")).to_series()

    def joined(self) -> bytes:
        """Encode the rows, with commas between them."""
        rows: bytes = self.frame.select(self._object().str.join(",").cast(pl.Binary)).item()
        return rows

    def _object(self) -> pl.Expr:
        complete = [field for field in self.fields if not self.frame[field.column].null_count()]
        if not complete:
            pairs = [_pair(field) for field in self.fields]
            joined = pl.concat_str(pairs, separator=self.separator, ignore_nulls=True)
            return pl.concat_str(pl.lit("{"), joined, pl.lit("}"))
        # Every field before the first complete one ends with a separator, and every one after it begins with one. So
        # fewer strings are concatenated, and complete columns need none of their own.
        first, pieces, text = self.fields.index(complete[0]), [], "{"
        for number, field in enumerate(self.fields):
            before, after = self.separator * (number > first), self.separator * (number < first)
            if field in complete:
                pieces += [pl.lit(f"{text}{before}{field.before}"), pl.col(field.column)]
                text = f"{field.after}{after}"
            else:
                pieces += [pl.lit(text)] * bool(text)
                pieces += [_pair(replace(field, before=before + field.before, after=field.after + after))]
                text = ""
        return pl.concat_str(*pieces, pl.lit(f"{text}}}"), ignore_nulls=True)


def _pair(field: JsonField) -> pl.Expr:
    """The text of a field; null without a value."""
    return pl.concat_str(pl.lit(field.before), pl.col(field.column), pl.lit(field.after))
