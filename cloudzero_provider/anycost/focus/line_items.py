"""FOCUS to CBF: one frame of charges becomes one frame of line items, row by row."""

from __future__ import annotations

import logging
from decimal import Context, Decimal
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import RESOURCE_ID, USAGE_START, Kind, in_cbf_order
from cloudzero_provider.anycost.focus.columns import first_of, focus_columns
from cloudzero_provider.anycost.focus.mapping import (
    ADJUSTMENT,
    COMMITMENT_PURCHASE,
    CREDIT,
    CREDIT_SUBCATEGORY,
    FIRST_OF,
    LINEITEM_TYPE_OF,
    MAPPING_VERSION,
    NO_REGION,
    PURCHASE,
    REQUIRED,
    SUBCATEGORIES,
    UNUSED_COMMITMENT,
    USAGE,
)
from cloudzero_provider.anycost.focus.options import NegativeQuantity
from cloudzero_provider.anycost.focus.resources import resource_ids
from cloudzero_provider.anycost.focus.tags import tag_columns, tags_of_rows
from cloudzero_provider.anycost.focus.usage_times import usage_times
from cloudzero_provider.sources import Rows, row_number
from cloudzero_provider.values.exact_sums import exact_sum
from cloudzero_provider.values.problems import Problems

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import FocusOptions

log = logging.getLogger(__name__)

_UNLIMITED = Context(prec=100)
# A number: what is none stays as it is, for the checks of CBF to name.
_BELOW_ZERO = r"^-(0*[1-9][0-9]*\.?[0-9]*|0*\.0*[1-9][0-9]*)([eE][+-]?[0-9]+)?$"


def line_items(frame: pl.DataFrame, options: FocusOptions) -> pl.DataFrame:
    """
    Turn charges into line items.

    :param frame: charges in FOCUS columns.
    :param options: what the user chose.
    :return: as many rows, in the same order.
    :raises InputError: see :func:`~cloudzero_provider.anycost.focus.to_cbf`.
    """
    columns = focus_columns(frame, options)
    problems = Problems(Rows({}, frame.height, row_number))
    _check_required(columns, problems)
    _check_currency(columns["BillingCurrency"], options.currency, problems, is_there="BillingCurrency" in frame.columns)
    tags = tags_of_rows(columns, options, problems)
    items = {name: first_of([columns[each] for each in focus]) for name, focus in FIRST_OF.items()}
    items["lineitem/type"] = _lineitem_types(columns, options, problems)
    items[USAGE_START], items["time/usage_end"] = usage_times(columns, options.month_from, problems)
    items[RESOURCE_ID] = resource_ids(columns, tags, options, problems)
    items["resource/region"] = _regions(columns["RegionId"])
    items["usage/amount"], items["usage/units"] = _usage(columns, options.negative_quantity)
    if options.lineitem_id_column:
        items["lineitem/id"] = columns[options.lineitem_id_column]
    items |= tag_columns(tags, options.tag_names, items[RESOURCE_ID].is_not_null(), problems)
    problems.raise_if_any()
    _log_totals(columns["BilledCost"], columns["EffectiveCost"])
    log.info("FOCUS to CBF, version %s of the mapping: %s rows", MAPPING_VERSION, f"{frame.height:,}")
    return pl.DataFrame({name: items[name] for name in in_cbf_order(list(items))})


def _check_required(columns: dict[str, pl.Series], problems: Problems) -> None:
    for name in REQUIRED:
        problems.add_all(
            columns[name].is_null(), columns[name].name, "every charge needs a value (no empty text, no NULL)"
        )


def _check_currency(currencies: pl.Series, currency: str, problems: Problems, *, is_there: bool) -> None:
    if not is_there:
        log.warning("There is no column BillingCurrency: all costs are taken as %s", currency)
        return
    problems.add_all(
        currencies.ne_missing(pl.Series([currency])),
        "BillingCurrency",
        f"expected {currency}: CBF has no currency, so all costs of a stream are in one (convert the others before, or "
        "name another with currency=)",
        currencies,
    )


def _lineitem_types(columns: dict[str, pl.Series], options: FocusOptions, problems: Problems) -> pl.Series:
    categories, commitments = columns["ChargeCategory"], columns["CommitmentDiscountId"]
    type_of = {given: LINEITEM_TYPE_OF.get(given.lower()) for given in categories.drop_nulls().unique()}
    types = categories.replace_strict(type_of, default=None, return_dtype=pl.String)
    unknown = types.is_null() & categories.is_not_null()
    expected = ", ".join(LINEITEM_TYPE_OF.values())
    problems.add_all(unknown, categories.name, f"no charge category of FOCUS: expected one of {expected}", categories)
    subcategories = columns["ChargeSubcategory"]
    _log_subcategories(subcategories)
    is_unused = (types == USAGE) & (
        _is(columns["CommitmentDiscountStatus"], "unused") | _is(subcategories, UNUSED_COMMITMENT)
    )
    is_credit = (types == ADJUSTMENT) & _is(subcategories, CREDIT_SUBCATEGORY)
    is_commitment = (types == PURCHASE) & commitments.is_not_null()
    is_recurring = is_commitment & _is(columns["ChargeFrequency"], "recurring")
    types = types.set(is_unused, options.unused_commitment.value)
    types = types.set(is_credit, CREDIT)
    types = types.set(is_commitment, COMMITMENT_PURCHASE)
    return types.set(is_recurring, options.recurring_commitment.value)


def _log_subcategories(subcategories: pl.Series) -> None:
    """Name what FOCUS 1.0-preview does not have in its list: nobody knows what it changes."""
    given = subcategories.drop_nulls().unique(maintain_order=True)
    unknown = [repr(word) for word in given if word.lower() not in SUBCATEGORIES]
    if unknown:
        log.warning("Values of ChargeSubcategory that FOCUS does not have change nothing: %s", ", ".join(unknown))


def _is(values: pl.Series, word: str) -> pl.Series:
    """Look for a word of FOCUS's own lists, in capital or small letters: exports differ there."""
    given = values.drop_nulls().unique()
    return values.is_in(given.filter(given.str.to_lowercase() == word).to_list()).fill_null(value=False)


def _regions(regions: pl.Series) -> pl.Series:
    """CloudZero's word for charges without a region; its documentation asks for no ``global``."""
    everywhere = _is(regions, "global")
    if everywhere.any():
        log.info("%s rows have the RegionId global: sent as %s", f"{everywhere.sum():,}", NO_REGION)
    return regions.set(everywhere | regions.is_null(), NO_REGION)


def _usage(columns: dict[str, pl.Series], negative: NegativeQuantity) -> tuple[pl.Series, pl.Series]:
    consumed, priced = columns["ConsumedQuantity"], columns["PricingQuantity"]
    amounts = first_of([consumed, priced])
    units = columns["ConsumedUnit"].zip_with(consumed.is_not_null(), columns["PricingUnit"])
    units = _units_of(amounts, units)
    below = amounts.str.contains(_BELOW_ZERO) if amounts.dtype == pl.String else amounts < 0
    below = below.fill_null(value=False)
    if below.any():
        sent = "as 0" if negative is NegativeQuantity.ZERO else "as they are (negative_quantity='zero' sends 0)"
        log.info("%s rows have a quantity below zero: they are sent %s", f"{below.sum():,}", sent)
    if negative is NegativeQuantity.KEEP:
        return amounts, units
    return amounts.zip_with(~below, pl.repeat(0, len(amounts), eager=True).cast(amounts.dtype)), units


def _units_of(amounts: pl.Series, units: pl.Series) -> pl.Series:
    """Leave out units of nothing: CloudZero takes 1 where there is no amount."""
    idle = amounts.is_null() & units.is_not_null()
    if idle.any():
        log.info("%s rows have a unit and no quantity: the unit is left out", f"{idle.sum():,}")
    return units.set(idle, None)


def _log_totals(billed: pl.Series, effective: pl.Series) -> None:
    """FOCUS lets the totals of a month differ (commitments); CloudZero expects equal ones, and does not insist."""
    absent = effective.is_null()
    if absent.any():
        log.warning(
            "%s rows have no EffectiveCost: CloudZero takes their BilledCost as amortized cost", f"{absent.sum():,}"
        )
    costs, amortized = convert(Kind.DECIMAL, billed), convert(Kind.DECIMAL, effective)
    if costs.bad or amortized.bad:
        # What is no number, the checks of CBF will name.
        return
    cost = exact_sum(costs.texts)
    total = exact_sum(amortized.texts.zip_with(~absent, costs.texts))
    difference = _UNLIMITED.subtract(Decimal(total), Decimal(cost)).normalize(_UNLIMITED)
    log.info("BilledCost is %s in all, EffectiveCost %s: a difference of %s", cost, total, format(difference, "f"))
