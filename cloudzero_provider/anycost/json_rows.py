"""Encode rows as JSON when they are sent; their sizes are known before."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.columns import Kind, kind_of
from cloudzero_provider.values.json_strings import json_escaped
from cloudzero_provider.values.parallel import in_parallel

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Checked values of these kinds have no character that JSON escapes.
_PLAIN_KINDS = frozenset({Kind.DECIMAL, Kind.HOUR, Kind.TIMESTAMP, Kind.LINEITEM_TYPE})


@dataclass(frozen=True)
class JsonRows:
    """
    Rows, each of which becomes a JSON object without the columns it has no value in.

    :param keys: the name of each column, as JSON.
    :param values: the columns, named by their numbers. Each value is as JSON writes it between quotes.
    :param complete: numbers of the columns that have a value in every row.
    """

    keys: Sequence[str]
    values: pl.DataFrame
    complete: Sequence[int]

    @classmethod
    def of(cls, frame: pl.DataFrame, *, is_checked: bool = False) -> JsonRows:
        """
        Prepare rows.

        :param frame: columns of text; null where a row has no value.
        :param is_checked: whether the values have passed the checks.
        """

        def values_of(number: int) -> pl.Series:
            # polars reads some names as patterns, so it never sees the user's.
            texts = frame.to_series(number).alias(f"c{number}")
            is_plain = is_checked and kind_of(frame.columns[number]) in _PLAIN_KINDS
            return texts if is_plain else json_escaped(texts)

        keys = [json.dumps(name, ensure_ascii=False) for name in frame.columns]
        values = list(in_parallel(values_of, range(frame.width)))
        complete = [number for number, texts in enumerate(values) if not texts.null_count()]
        return cls(keys, pl.DataFrame(values), complete)

    def sizes(self) -> pl.Series:
        """Length of each row as JSON, in bytes, with a comma after it. Each row must have a value."""
        # A colon, a comma and two quotes with each value; braces around the row.
        pairs = [pl.col(f"c{number}").str.len_bytes() + len(key.encode()) + 4 for number, key in enumerate(self.keys)]
        return self.values.select((pl.sum_horizontal(pairs) + 2).alias("size")).to_series()

    def in_order(self, order: pl.Series) -> JsonRows:
        """
        Return some of the rows.

        :param order: their numbers.
        """
        return replace(self, values=self.values[order])

    def slice(self, start: int, count: int) -> JsonRows:
        """Return consecutive rows."""
        return replace(self, values=self.values.slice(start, count))

    def encoded(self) -> pl.Series:
        """Encode each row."""
        return self.values.select(self._row().alias("json")).to_series()

    def joined(self) -> bytes:
        """Encode the rows, with commas between them."""
        rows: bytes = self.values.select(self._row().str.join(",").cast(pl.Binary)).item()
        return rows

    def _row(self) -> pl.Expr:
        if not self.complete:
            pairs = [_pair(number, f'{key}:"', '"') for number, key in enumerate(self.keys)]
            return pl.concat_str(pl.lit("{"), pl.concat_str(pairs, separator=",", ignore_nulls=True), pl.lit("}"))
        # Every pair before the first complete one ends with a comma, and every pair after it begins with one. Fewer
        # texts are concatenated so, and complete columns need none of their own.
        first, pieces, text = self.complete[0], [], "{"
        for number, key in enumerate(self.keys):
            before, after = "," * (number > first), "," * (number < first)
            if number in self.complete:
                pieces += [pl.lit(f'{text}{before}{key}:"'), pl.col(f"c{number}")]
                text = f'"{after}'
            else:
                pieces += [pl.lit(text)] * bool(text) + [_pair(number, f'{before}{key}:"', f'"{after}')]
                text = ""
        return pl.concat_str(*pieces, pl.lit(f"{text}}}"), ignore_nulls=True)


def _pair(number: int, before: str, after: str) -> pl.Expr:
    """The text of a pair; null without a value."""
    return pl.concat_str(pl.lit(before), pl.col(f"c{number}"), pl.lit(after))
