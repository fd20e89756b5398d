"""Transform the FinOps Open Cost and Usage Specification (FOCUS) to the Common Bill Format (CBF)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import polars as pl


def to_cbf(
    frame: pl.DataFrame,
    *,
    month_from: str = "charge_period",
    currency: str = "USD",
    unused_commitment: str = "Usage",
    recurring_commitment: str = "CommittedUsePurchase",
    negative_quantity: str = "keep",
    id_separator: str = "|",
    tag_columns: Collection[str] = (),
    tag_names: Mapping[str, str] | None = None,
    duplicate_tags: str = "own",
    resource_from: Collection[str] = (),
    lineitem_id_column: str | None = None,
) -> pl.DataFrame:
    """
    Convert FOCUS charges to rows of the Common Bill Format: a ``transform`` for the operators.

    Accepts FOCUS 1.0 to 1.4 and the column names of 1.0-preview. One charge becomes one row, in the same order, and
    costs stay exact. The mapping of columns is in ``docs/focus-to-cbf.md``; columns that it does not name are left out.
    Columns may be text, as in a CSV file, or typed, as in Parquet. An empty string and the word ``NULL`` mean
    "missing", as null does. Times without a zone are UTC.

    Set options with ``functools.partial(to_cbf, month_from="billing_period")``.

    .. seealso::
        https://focus.finops.org/focus-specification/ and
        https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf

    :param frame: charges.
    :param month_from: whether a charge belongs to the month of its ``charge_period`` or of its ``billing_period``, in
        any time zone. With ``billing_period``, a charge of another month (usually a correction) is sent at the start of
        the billing period's month. The log counts these charges in both cases.
    :param currency: currency that all charges must have, since CBF has no currency.
    :param unused_commitment: line item type of the unused part of a commitment: ``Usage``, as in FOCUS, or
        ``CommittedUseVacancy``, which CloudZero leaves out of Real Cost, and which its API may refuse.
    :param recurring_commitment: line item type of a commitment's recurring purchase: ``CommittedUsePurchase``, or
        ``CommittedUseRecurringFee``, which CloudZero's API may refuse.
    :param negative_quantity: ``keep`` sends a quantity below zero (a refund) unchanged, ``zero`` sends 0. Costs are
        always sent unchanged.
    :param id_separator: one printable ASCII character that replaces ``:`` and ``/`` in a resource's type and id, since
        CloudZero splits a resource id at the first of them and drops what follows the second.
    :param tag_columns: columns to send as tags of the resource in addition to ``Tags``, like ``SubAccountName``.
        CloudZero keeps only the latest value per resource and tag, so choose columns that describe the resource.
    :param tag_names: tag key as in the source → the name to send it by. Without a name, letters of other scripts are
        sent as Punycode (``xn--…``), and other characters that CloudZero does not accept become ``_``.
    :param duplicate_tags: which of two tags of one resource with the same key to send: ``own``, the one not marked as
        inherited, or an error if neither is marked; ``first`` or ``last``, the one first or last in the list, if
        several are not inherited.
    :param resource_from: columns, or tag keys prefixed with ``tag:``, that form the resource of rows without a
        ``ResourceId``, like ``["tag:ProjectId"]``.
    :param lineitem_id_column: a column to send as ``lineitem/id``.
    :return: rows of the Common Bill Format.
    :raises InputError: when a required column is missing, or a column has a type that can't be used.
    :raises InvalidRowsError: naming row, column, value and rule of the first few problems, and counting the rest: a
        charge without cost, time or category, an unknown category, another currency, an invalid time, tags that are not
        a JSON object, a duplicate tag, two tags or two resources that would become one.
    :raises ConfigurationError: naming the option and what is allowed.
    """
    from cloudzero_provider.anycost.focus.line_items import line_items
    from cloudzero_provider.anycost.focus.options import FocusOptions

    options = FocusOptions.parse(
        month_from=month_from,
        currency=currency,
        unused_commitment=unused_commitment,
        recurring_commitment=recurring_commitment,
        negative_quantity=negative_quantity,
        id_separator=id_separator,
        tag_columns=tag_columns,
        tag_names={} if tag_names is None else tag_names,
        duplicate_tags=duplicate_tags,
        resource_from=resource_from,
        lineitem_id_column=lineitem_id_column,
    )
    return line_items(frame, options)
