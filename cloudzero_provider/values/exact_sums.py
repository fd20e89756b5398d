"""
Exact sums of decimal strings.

polars' Decimal wraps past 38 digits, a Series of long Decimals turns values into nulls, and Python's ``sum`` rounds
Decimals to 28 digits. So each number whose sum may have more digits is split into integers of nine digits, whose sums
can't overflow. polars sums them, carries from one to the next, and joins them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.values.trailing_zeros import strip_trailing_zeros, strip_trailing_zeros_expr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DECIMAL_DIGITS = 38
_PIECE = 9
_BASE = 10**_PIECE
#: Values split at a time, since splitting takes several times the memory of the pieces.
_SLICE = 100_000
_WHOLE = 2 * _PIECE
_FRACTION = 4 * _PIECE
#: Column names of the pieces of a number, the most significant first.
_PIECES = [f"piece {number}" for number in range((_WHOLE + _FRACTION) // _PIECE)]


def exact_sum(decimals: pl.Series) -> str:
    """
    Sum decimal strings exactly.

    :param decimals: match :data:`~cloudzero_provider.values.conversion.WIRE_DECIMAL`; nulls are ignored.
    :return: plain decimal string without trailing zeros; ``0`` for no values.
    """
    count = len(str(len(decimals)))
    # A short text has few digits on either side of the point, which is then not looked for.
    longest = pl.col("decimal").str.len_bytes().max().fill_null(0)
    whole = fraction = decimals.to_frame("decimal").select(longest).item()
    if whole + fraction + count > _DECIMAL_DIGITS:
        whole, fraction = _most_digits(decimals)
    if whole + fraction + count <= _DECIMAL_DIGITS:
        return strip_trailing_zeros(format(_sums_of_halves(decimals, pl.Decimal(_DECIMAL_DIGITS, fraction)).sum(), "f"))
    sums = _split(decimals).select(pl.col(_PIECES).sum())
    total: str = _joined(sums).item()
    return total


def _sums_of_halves(decimals: pl.Series, dtype: pl.Decimal) -> pl.Series:
    """Sum both halves of a column at the same time. Neither sum may overflow the type."""
    half = len(decimals) // 2
    halves = (pl.col("decimal").head(half), pl.col("decimal").slice(half))
    sums = decimals.to_frame("decimal").select(rows.cast(dtype).sum().alias(f"{n}") for n, rows in enumerate(halves))
    return pl.concat([sum_of_half.alias("sums") for sum_of_half in sums])


def _most_digits(decimals: pl.Series) -> tuple[int, int]:
    """The most digits before the decimal point, perhaps with a sign, and after it."""
    decimal = pl.col("decimal").str
    length, point = decimal.len_bytes(), decimal.find(".", literal=True)
    digits = (
        decimals.alias("decimal")
        .to_frame()
        .select(whole=pl.coalesce(point, length).max().fill_null(0), fraction=(length - point - 1).max().fill_null(0))
    )
    whole, fraction = digits.row(0)
    return whole, fraction


def exact_sums(decimals: pl.Series, groups: pl.Series) -> pl.Series:
    """
    Sum the decimal strings of each group exactly.

    :param decimals: as for :func:`exact_sum`, one per row.
    :param groups: the number of each row's group, counted from 0, without gaps.
    :return: the sum of each group, in the order of their numbers, in the format of :func:`exact_sum`.
    """
    return next(exact_sums_by_each(decimals, [groups]))


def exact_sums_by_each(decimals: pl.Series, groupings: Iterable[pl.Series]) -> Iterator[pl.Series]:
    """
    Do the same for several groupings, which takes less time than one after the other.

    :param decimals: as for :func:`exact_sum`, one per row.
    :param groupings: as for :func:`exact_sums`.
    """
    for sums in sums_by_value(decimals, groupings):
        yield sums.by_value()["total"]


@dataclass(frozen=True)
class SumsByValue:
    """
    How many rows have each value of a column, and the exact sum of their decimal strings.

    :param pieces: value, rows, and the pieces of each sum, which sort as the sums do.
    """

    pieces: pl.DataFrame

    @property
    def count(self) -> int:
        """Number of different values."""
        return self.pieces.height

    def by_value(self) -> pl.DataFrame:
        """All values in their order: value, rows, and total in the format of :func:`exact_sum`."""
        return _with_totals(self.pieces.sort("value"))

    def largest(self, count: int) -> pl.DataFrame:
        """
        Return the values with the largest sums, the largest first; of equal sums, first those of more rows.

        :param count: how many, at most.
        :return: as :meth:`by_value`.
        """
        by, smallest = [*_PIECES, "rows", "value"], [*[False] * len(_PIECES), False, True]
        found = self.pieces.top_k(count, by=by, reverse=smallest)
        return _with_totals(found.sort(by, descending=[not each for each in smallest]))


def sums_by_value(decimals: pl.Series, columns: Iterable[pl.Series]) -> Iterator[SumsByValue]:
    """
    Count the rows of each value of a column, and sum their decimal strings exactly; one column after the other.

    :param decimals: as for :func:`exact_sum`, one per row.
    :param columns: the values of each row, of any type that sorts.
    """
    pieces = _split(decimals)
    for values in columns:
        groups = pieces.with_columns(values.alias("value")).group_by("value")
        sums = groups.agg(pl.len().alias("rows"), pl.col(_PIECES).sum())
        yield SumsByValue(_carry(sums.lazy()).collect())


def _with_totals(pieces: pl.DataFrame) -> pl.DataFrame:
    return pieces.select("value", "rows").with_columns(_joined(pieces.select(_PIECES)).alias("total"))


def _split(decimals: pl.Series) -> pl.DataFrame:
    starts = range(0, max(1, len(decimals)), _SLICE)
    return pl.concat([_split_slice(decimals.slice(start, _SLICE)) for start in starts])


def _split_slice(decimals: pl.Series) -> pl.DataFrame:
    text = pl.col("text")
    whole, fraction = (text.str.strip_prefix("-").str.splitn(".", 2).struct.field(f"field_{n}") for n in (0, 1))
    numbers = (
        decimals.alias("text")
        .to_frame()
        .select(
            whole=whole.cast(pl.Int64),
            fraction=fraction.fill_null(""),
            sign=pl.when(text.str.starts_with("-")).then(-1).otherwise(1).cast(pl.Int64),
        )
    )
    pieces = [pl.col("whole") // _BASE, pl.col("whole") % _BASE] + [
        pl.col("fraction").str.slice(start, _PIECE).str.pad_end(_PIECE, "0").cast(pl.Int64)
        for start in range(0, _FRACTION, _PIECE)
    ]
    return numbers.select((piece * pl.col("sign")).alias(name) for piece, name in zip(pieces, _PIECES, strict=True))


def _joined(sums: pl.DataFrame) -> pl.Series:
    """Join pieces into decimal strings. A sum of pieces may be negative or longer than nine digits."""
    pieces = pl.col(_PIECES)
    signed = _carry(sums.lazy()).with_columns(negative=pl.col(_PIECES[0]) < 0)
    digits = _carry(signed.with_columns(pl.when("negative").then(-pieces).otherwise(pieces)))
    border = _WHOLE // _PIECE
    whole = pl.concat_str(_PIECES[:border]).str.strip_chars_start("0")
    number = pl.concat_str(
        pl.when("negative").then(pl.lit("-")).otherwise(pl.lit("")),
        pl.when(whole == "").then(pl.lit("0")).otherwise(whole),
        pl.lit("."),
        *_PIECES[border:],
    )
    padded = digits.with_columns(pieces.cast(pl.String).str.zfill(_PIECE))
    return padded.select(strip_trailing_zeros_expr(number)).collect().to_series()


def _carry(pieces: pl.LazyFrame) -> pl.LazyFrame:
    """Carry until all pieces but the first are 0 to 999,999,999; the first then has the sign of the number."""
    for larger, smaller in zip(_PIECES[-2::-1], _PIECES[:0:-1], strict=True):
        carry = pl.col(smaller) // _BASE
        pieces = pieces.with_columns(pl.col(larger) + carry, pl.col(smaller) % _BASE)
    return pieces
