"""Encode rows as JSON objects; their sizes are known before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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
        # No separator follows the last field.
        size = pl.lit(len("{},") - len(self.separator), dtype=pl.Int64)
        for field in self.fields:
            others = len(f"{field.before}{field.after}{self.separator}".encode())
            # Adding is several times as fast as sum_horizontal.
            size += (pl.col(field.column).str.len_bytes().cast(pl.Int64) + others).fill_null(0)
        return self.frame.select(size.alias("size")).to_series()

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
        # Not in one select: that takes a third longer.
        joined: bytes = self.encoded().str.join(",").cast(pl.Binary).item()
        return joined

    def _object(self) -> pl.Expr:
        complete = [not self.frame[field.column].null_count() for field in self.fields]
        if not any(complete):
            pairs = [_pair(field) for field in self.fields]
            joined = pl.concat_str(pairs, separator=self.separator, ignore_nulls=True)
            return pl.concat_str(pl.lit("{"), joined, pl.lit("}"))
        first = complete.index(True)
        # Where all end alike, each begins with the end of the previous one: a text beside its value, instead of two.
        ends = {field.after for field in self.fields}
        end = ends.pop() if len(ends) == 1 else ""
        pieces = [
            _pieces(field) if is_complete else _optional(field)
            for field, is_complete in zip(self._with_separators(first, end), complete, strict=True)
        ]
        return _concatenated("{", *chain.from_iterable(pieces), f"{end}}}")

    def _with_separators(self, first: int, end: str) -> Iterator[JsonField]:
        """
        Include separators in the texts of the fields, so that only texts beside values are null where a value is.

        :param first: number of the first field that has a value in every row. Those before it end with a separator,
            and those after it begin with one.
        :param end: the end of all fields, which from there on begins the next one; empty where they differ.
        """
        for number, field in enumerate(self.fields):
            if number < first:
                yield replace(field, after=field.after + self.separator)
            else:
                between = f"{end}{self.separator}" if number > first else ""
                yield replace(field, before=between + field.before, after=field.after.removesuffix(end))


def _pair(field: JsonField) -> pl.Expr:
    """The text of a field; null without a value."""
    return pl.concat_str(pl.lit(field.before), pl.col(field.column), pl.lit(field.after))


def _pieces(field: JsonField) -> list[str | pl.Expr]:
    """The text of a field, in pieces."""
    return [field.before, pl.col(field.column), field.after]


def _optional(field: JsonField) -> list[str | pl.Expr]:
    """The same, null without a value."""
    has_value = pl.col(field.column).is_not_null()
    before, after = (pl.when(has_value).then(pl.lit(text)) for text in (field.before, field.after))
    return [before, pl.col(field.column), *[after] * bool(field.after)]


def _concatenated(*pieces: str | pl.Expr) -> pl.Expr:
    """Concatenate pieces except nulls. Each takes time, so texts that follow one another become one."""
    merged: list[pl.Expr] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
        else:
            merged += [pl.lit(text), piece] if text else [piece]
            text = ""
    return pl.concat_str(*merged, pl.lit(text), ignore_nulls=True)
