"""Convert a frame of FOCUS charges to a frame of CBF line items, row by row."""

from __future__ import annotations

import logging
from decimal import Context, Decimal
from typing import TYPE_CHECKING

import polars as pl

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import RESOURCE_ID, USAGE_START, Kind, in_cbf_order
from cloudzero_provider.anycost.focus.columns import coalesce, focus_columns
from cloudzero_provider.anycost.focus.mapping import (
    ADJUSTMENT,
    COMMITMENT_PURCHASE,
    COPIED_FROM,
    CREDIT,
    CREDIT_SUBCATEGORY,
    LINEITEM_TYPES,
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
from cloudzero_provider.sources import Rows
from cloudzero_provider.values.counted import counted
from cloudzero_provider.values.distinct_values import looked_up
from cloudzero_provider.values.exact_sums import exact_sum
from cloudzero_provider.values.problems import Problems
from cloudzero_provider.values.row_places import where_in

if TYPE_CHECKING:
    from cloudzero_provider.anycost.focus.options import FocusOptions

log = logging.getLogger(__name__)

_EXACT = Context(prec=100)
# Matches numbers only: anything else is left for the CBF checks to report.
_BELOW_ZERO = r"^-(0*[1-9][0-9]*\.?[0-9]*|0*\.0*[1-9][0-9]*)([eE][+-]?[0-9]+)?$"


def line_items(frame: pl.DataFrame, options: FocusOptions) -> pl.DataFrame:
    """
    Convert charges to line items.

    :param frame: charges in FOCUS columns.
    :param options: the user's options.
    :return: one row per charge, in the same order.
    :raises InputError: see :func:`~cloudzero_provider.anycost.focus.to_cbf`.
    """
    columns = focus_columns(frame, options)
    problems = Problems(Rows({}, frame.height, where_in(frame)))
    _check_required(columns, problems)
    _check_currency(columns["BillingCurrency"], options.currency, problems, is_given="BillingCurrency" in frame.columns)
    tags = tags_of_rows(columns, options, problems)
    items = {name: coalesce([columns[each] for each in focus]) for name, focus in COPIED_FROM.items()}
    items["lineitem/type"] = _lineitem_types(columns, options, problems)
    items[USAGE_START], items["time/usage_end"] = usage_times(columns, options.month_from, problems)
    items[RESOURCE_ID] = resource_ids(columns, tags, options, problems)
    items["resource/region"] = _regions(columns["RegionId"])
    items["usage/amount"], items["usage/units"] = _quantities(columns, options.negative_quantity)
    if options.lineitem_id_column:
        items["lineitem/id"] = columns[options.lineitem_id_column]
    items |= tag_columns(tags, options.tag_names, items[RESOURCE_ID].is_not_null(), problems)
    problems.raise_if_any()
    _log_totals(columns["BilledCost"], columns["EffectiveCost"])
    log.info("Converted FOCUS to CBF with version %s of the mapping: %s", MAPPING_VERSION, counted(frame.height, "row"))
    return pl.DataFrame({name: items[name] for name in in_cbf_order(list(items))})


def _check_required(columns: dict[str, pl.Series], problems: Problems) -> None:
    for name in REQUIRED:
        problems.add_all(
            columns[name].is_null(), columns[name].name, "every charge needs a value (not an empty string or NULL)"
        )


def _check_currency(currencies: pl.Series, currency: str, problems: Problems, *, is_given: bool) -> None:
    if not is_given:
        log.warning("The rows have no column BillingCurrency: all costs are assumed to be in %s", currency)
        return
    problems.add_all(
        currencies.ne_missing(pl.Series([currency])),
        "BillingCurrency",
        f"expected {currency}: CBF has no currency, so all costs of a stream must have the same one (convert the "
        "others first, or set currency=)",
        currencies,
    )


def _lineitem_types(columns: dict[str, pl.Series], options: FocusOptions, problems: Problems) -> pl.Series:
    categories, commitments = columns["ChargeCategory"], columns["CommitmentDiscountId"]
    given = [name for name in categories.drop_nulls().unique() if name.lower() in LINEITEM_TYPES]
    types = looked_up(categories, given, [LINEITEM_TYPES[name.lower()] for name in given])
    unknown = types.is_null() & categories.is_not_null()
    expected = ", ".join(LINEITEM_TYPES.values())
    problems.add_all(
        unknown, categories.name, f"not a valid charge category of FOCUS: expected one of {expected}", categories
    )
    subcategories = columns["ChargeSubcategory"]
    _warn_of_unknown_subcategories(subcategories)
    is_unused = (types == USAGE) & (
        _equals_word(columns["CommitmentDiscountStatus"], "unused") | _equals_word(subcategories, UNUSED_COMMITMENT)
    )
    is_credit = (types == ADJUSTMENT) & _equals_word(subcategories, CREDIT_SUBCATEGORY)
    is_commitment = (types == PURCHASE) & commitments.is_not_null()
    is_recurring = is_commitment & _equals_word(columns["ChargeFrequency"], "recurring")
    types = types.set(is_unused, options.unused_commitment.value)
    types = types.set(is_credit, CREDIT)
    types = types.set(is_commitment, COMMITMENT_PURCHASE)
    return types.set(is_recurring, options.recurring_commitment.value)


def _warn_of_unknown_subcategories(subcategories: pl.Series) -> None:
    """Warn of values that FOCUS 1.0-preview does not list, since their meaning is unknown."""
    given = subcategories.drop_nulls().unique(maintain_order=True)
    unknown = [repr(word) for word in given if word.lower() not in SUBCATEGORIES]
    if unknown:
        log.warning("Ignored values of ChargeSubcategory that FOCUS does not list: %s", ", ".join(unknown))


def _equals_word(values: pl.Series, word: str) -> pl.Series:
    """Compare with a word of FOCUS, ignoring case, since exports differ in it."""
    given = values.drop_nulls().unique()
    return values.is_in(given.filter(given.str.to_lowercase() == word).to_list()).fill_null(value=False)


def _regions(regions: pl.Series) -> pl.Series:
    """Use CloudZero's word for charges without a region, also for ``global``, which its documentation asks to avoid."""
    is_global = _equals_word(regions, "global")
    if is_global.any():
        log.info("%s with the RegionId global, which is sent as %s", counted(int(is_global.sum()), "row"), NO_REGION)
    return regions.set(is_global | regions.is_null(), NO_REGION)


def _quantities(columns: dict[str, pl.Series], negative: NegativeQuantity) -> tuple[pl.Series, pl.Series]:
    consumed, priced = columns["ConsumedQuantity"], columns["PricingQuantity"]
    amounts = coalesce([consumed, priced])
    units = columns["ConsumedUnit"].zip_with(consumed.is_not_null(), columns["PricingUnit"])
    units = _without_unused_units(amounts, units)
    below = amounts.str.contains(_BELOW_ZERO) if amounts.dtype == pl.String else amounts < 0
    below = below.fill_null(value=False)
    if below.any():
        sent = "as 0" if negative is NegativeQuantity.ZERO else "unchanged (negative_quantity='zero' sends 0)"
        log.info("%s with a quantity below zero, which is sent %s", counted(int(below.sum()), "row"), sent)
    if negative is NegativeQuantity.KEEP:
        return amounts, units
    return amounts.zip_with(~below, pl.repeat(0, len(amounts), eager=True).cast(amounts.dtype)), units


def _without_unused_units(amounts: pl.Series, units: pl.Series) -> pl.Series:
    """Leave out units without an amount, for which CloudZero would assume 1."""
    unused = amounts.is_null() & units.is_not_null()
    if unused.any():
        log.info("%s with a unit but no quantity: the unit is left out", counted(int(unused.sum()), "row"))
    return units.set(unused, None)


def _log_totals(billed: pl.Series, effective: pl.Series) -> None:
    """Log both totals, which differ with commitments. CloudZero expects equal totals, but does not require them."""
    missing = effective.is_null()
    if missing.any():
        log.warning(
            "%s without EffectiveCost: CloudZero uses the BilledCost as amortized cost",
            counted(int(missing.sum()), "row"),
        )
    costs, amortized = convert(Kind.DECIMAL, billed), convert(Kind.DECIMAL, effective)
    if costs.bad or amortized.bad:
        # The CBF checks report values that are not numbers.
        return
    cost = exact_sum(costs.strings)
    total = exact_sum(amortized.strings.zip_with(~missing, costs.strings))
    difference = _EXACT.subtract(Decimal(total), Decimal(cost)).normalize(_EXACT)
    log.info(
        "The total BilledCost is %s and the total EffectiveCost %s: a difference of %s",
        cost,
        total,
        format(difference, "f"),
    )
