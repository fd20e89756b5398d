"""
Exact sums of decimal text.

polars' Decimal wraps past 38 digits, its Series of long Decimals turns values to null, and Python's ``sum`` of Decimals
rounds to 28 digits. So each text is cut into pieces of whole numbers that can't overflow, the engine adds up the
pieces, and Python's integers put them together.
"""

from __future__ import annotations

import polars as pl

_WHOLE_DIGITS = 18
_FRACTION_DIGITS = 30
_PIECE = 9
_PIECES = range(0, _WHOLE_DIGITS + _FRACTION_DIGITS, _PIECE)


def exact_sum(texts: pl.Series) -> str:
    """
    Add up decimal texts, exactly.

    :param texts: text as :data:`~cloudzero_provider.texts.WIRE_DECIMAL` allows; nulls count as nothing.
    :return: plain decimal text without trailing zeros, ``0`` for no values.
    """
    text = pl.col("text")
    parts = text.str.strip_prefix("-").str.splitn(".", 2)
    digits = parts.struct.field("field_0").str.pad_start(_WHOLE_DIGITS, "0") + parts.struct.field("field_1").fill_null(
        ""
    ).str.pad_end(_FRACTION_DIGITS, "0")
    sign = pl.when(text.str.starts_with("-")).then(-1).otherwise(1).cast(pl.Int64)
    sums = (
        texts.drop_nulls()
        .to_frame("text")
        .select(digits=digits, sign=sign)
        .select(
            (pl.col("digits").str.slice(start, _PIECE).cast(pl.Int64) * pl.col("sign")).sum().alias(str(start))
            for start in _PIECES
        )
        .row(0)
    )
    total_digits = _WHOLE_DIGITS + _FRACTION_DIGITS
    scaled = sum(
        piece * 10 ** max(0, total_digits - start - _PIECE) for start, piece in zip(_PIECES, sums, strict=True)
    )
    return _written(scaled)


def _written(scaled: int) -> str:
    whole, fraction = divmod(abs(scaled), 10**_FRACTION_DIGITS)
    sign = "-" if scaled < 0 else ""
    digits = f"{fraction:0{_FRACTION_DIGITS}d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"
