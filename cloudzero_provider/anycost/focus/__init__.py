"""FOCUS to CBF: a transform from the FinOps Open Cost and Usage Specification to the Common Bill Format."""

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
    Turn charges in FOCUS columns into rows of the Common Bill Format: a ``transform`` of the operators.

    It takes FOCUS 1.0 to 1.4, and the names of 1.0-preview. One charge becomes one row, in the same order; costs stay
    exactly what they are. The table of what becomes what is in ``docs/focus-to-cbf.md``. Columns may be text, as a CSV
    file has them, or typed, as Parquet has them. An empty text and the word ``NULL`` mean "missing", as a null does.
    Times without a zone are UTC. Columns that the table does not name are left out.

    Options go along with ``functools.partial(to_cbf, month_from="billing_period")``.

    .. seealso::
        https://focus.finops.org/focus-specification/ and
        https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf

    :param frame: charges.
    :param month_from: what says which month a charge belongs to: its ``charge_period``, or its ``billing_period``, in
        whatever time zone that is cut: a charge of another month than its billing period's (a correction, as a rule) is
        sent at the start of the month of its billing period. The log counts these charges either way.
    :param currency: that all charges must be in, since CBF has none.
    :param unused_commitment: line item type of the unused part of a commitment: ``Usage``, as FOCUS has it, or
        ``CommittedUseVacancy``, which takes it out of CloudZero's Real Cost, and which CloudZero's API may not know.
    :param recurring_commitment: line item type of a commitment's recurring purchase: ``CommittedUsePurchase``, or
        ``CommittedUseRecurringFee``, which CloudZero's API may not know.
    :param negative_quantity: ``keep`` sends a quantity below zero (a refund) as it is, ``zero`` sends 0. Costs are sent
        as they are in any case.
    :param id_separator: stands for ``:`` and ``/`` inside a resource's type and id, since CloudZero splits a resource
        id at the first of them and drops what follows the second one. One printable ASCII character.
    :param tag_columns: columns that are sent as tags of the resource beside ``Tags``, like ``SubAccountName``.
        CloudZero keeps one value per resource and tag, the latest, so take what belongs to a resource, not to a charge.
    :param tag_names: key of a tag, as the source writes it → the name that it is sent by. Without one, characters of
        other scripts are written as Punycode (``xn--…``), and other characters that CloudZero does not take become
        ``_``.
    :param duplicate_tags: which of two tags of one resource with the same key is sent: ``own``, the one that is not
        marked as inherited, where the list of tags says so, and an error where it does not; ``first`` or ``last``, the
        one that is first or last in the list, where two are left.
    :param resource_from: columns, and keys of tags with ``tag:`` in front, that a resource is made of for rows without
        a ``ResourceId``, like ``["tag:ProjectId"]``.
    :param lineitem_id_column: a column that is sent as ``lineitem/id``.
    :return: rows of the Common Bill Format.
    :raises InputError: when a required column is not there, or holds what it can't.
    :raises InvalidRowsError: naming row, column, value and rule of the first few, and counting the rest: a charge
        without cost, time or category, an unknown category, another currency, a time that is none, tags that are no
        JSON object, a tag that is there twice, two tags or two resources that would become one.
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
