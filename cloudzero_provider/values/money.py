"""Read amounts of money as vendors write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from cloudzero_provider.values.python_values import no_strings

#: A sign or a code in front of the number, or after it: $, US$, EUR.
_CURRENCY = r"[A-Z]{0,3}\p{Sc}|[A-Z]{3}"
_SIGN = "[-+−]"
#: What people type for the characters that separate thousands.
_VARIANTS = {" ": " \u00a0\u202f", "'": "'’"}


@dataclass
class MoneyColumn:
    """
    A column of amounts.

    :param decimals: exact decimals as text; null for a missing or bad value.
    :param bad: row index → the rule it breaks.
    """

    decimals: pl.Series
    bad: dict[int, str] = field(default_factory=dict)


def read_money(texts: pl.Series, *, decimal_point: str, thousands: str) -> MoneyColumn:
    """
    Read amounts like ``$1,234.56``, ``(12.50)``, ``-3`` and ``7.00 USD``.

    :param texts: a column of strings; null where missing.
    :param decimal_point: the character before the fraction.
    :param thousands: the character between groups of three digits; empty if there is none.
    """
    parts = texts.str.extract_groups(_pattern(decimal_point, thousands)).struct.unnest()
    given = parts.select(
        number=pl.coalesce("whole", "fraction", "only").is_not_null(),
        signs=_count("sign_1", "sign_2", "sign_3", "opened"),
        currencies=_count("currency_1", "currency_2", "currency_3", "currency_4"),
        is_closed=pl.col("opened").is_null() == pl.col("closed").is_null(),
    )
    is_good = given["number"] & (given["signs"] <= 1) & (given["currencies"] <= 1) & given["is_closed"]
    is_good = is_good.fill_null(value=False)
    column = MoneyColumn(parts.select(_decimal(thousands)).to_series().zip_with(is_good, no_strings(len(texts))))
    rule = _rule(decimal_point, thousands)
    column.bad = dict.fromkeys((texts.is_not_null() & ~is_good).arg_true().to_list(), rule)
    currencies = parts.select(pl.coalesce("currency_1", "currency_2", "currency_3", "currency_4")).to_series()
    column.bad |= _other_currencies(currencies)
    return column


def _pattern(decimal_point: str, thousands: str) -> str:
    point = re.escape(decimal_point)
    groups = f"|[0-9]{{1,3}}(?:[{re.escape(_VARIANTS.get(thousands, thousands))}][0-9]{{3}})+" if thousands else ""
    number = f"(?:(?P<whole>[0-9]+{groups})(?:{point}(?P<fraction>[0-9]*))?|{point}(?P<only>[0-9]+))"
    before = f"(?P<sign_1>{_SIGN})?\\s*(?P<currency_1>{_CURRENCY})?\\s*(?P<opened>\\()?\\s*(?P<sign_2>{_SIGN})?"
    before += f"\\s*(?P<currency_2>{_CURRENCY})?"
    after = f"(?P<currency_3>{_CURRENCY})?\\s*(?P<closed>\\))?\\s*(?P<currency_4>{_CURRENCY})?\\s*(?P<sign_3>{_SIGN})?"
    return f"^\\s*{before}\\s*{number}\\s*{after}\\s*$"


def _count(*names: str) -> pl.Expr:
    return pl.sum_horizontal([pl.col(name).is_not_null().cast(pl.UInt8) for name in names])


def _decimal(thousands: str) -> pl.Expr:
    is_negative = pl.col("opened").is_not_null() | pl.coalesce("sign_1", "sign_2", "sign_3").is_in(["-", "−"])
    whole = pl.col("whole")
    for separator in _VARIANTS.get(thousands, thousands):
        whole = whole.str.replace_all(separator, "", literal=True)
    fraction = pl.coalesce("fraction", "only").fill_null("")
    point = pl.when(fraction == "").then(pl.lit("")).otherwise(pl.lit("."))
    sign = pl.when(is_negative.fill_null(value=False)).then(pl.lit("-")).otherwise(pl.lit(""))
    return pl.concat_str(sign, whole.fill_null("0"), point, fraction)


def _rule(decimal_point: str, thousands: str) -> str:
    example = f"$1{thousands}234{decimal_point}56"
    apart = f"thousands={thousands!r}" if thousands else "no thousands separator"
    return f"not an amount like {example} or (12{decimal_point}50) (decimal_point={decimal_point!r}, {apart})"


def _other_currencies(currencies: pl.Series) -> dict[int, str]:
    """Name the amounts of another currency than the first one: they can't be added."""
    first = currencies.drop_nulls().head(1).to_list()
    others = (currencies != first[0]).fill_null(value=False).arg_true().to_list() if first else []
    return {
        row: f"an amount in {currencies[row]}, but others of the column are in {first[0]}: convert them first"
        for row in others
    }
