"""Convert the values of CBF columns to the text that CloudZero accepts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import LINEITEM_TYPES, Kind
from cloudzero_provider.values.conversion import (
    Converted,
    as_text,
    checked,
    decimal_text,
    plain_decimals,
    text_of,
    timestamp_text,
)
from cloudzero_provider.values.timestamps import utc_timestamps

if TYPE_CHECKING:
    from cloudzero_provider.values.python_values import Values


def convert(kind: Kind, values: Values) -> Converted:
    """
    Convert the values of a column to text.

    :param kind: the type of the column's values.
    :param values: Python objects, or a polars Series.
    """
    if kind is Kind.DECIMAL:
        return plain_decimals(as_text(values, decimal_text))
    if kind is Kind.HOUR:
        return utc_timestamps(as_text(values, timestamp_text), minute=0, second=0)
    if kind is Kind.TIMESTAMP:
        return utc_timestamps(as_text(values, timestamp_text))
    column = as_text(values, text_of)
    if kind is Kind.LINEITEM_TYPE:
        return checked(column, lambda text: text in LINEITEM_TYPES, f"not one of {', '.join(LINEITEM_TYPES)}")
    if kind is Kind.JSON_OBJECT:
        return checked(column, _is_json_object, "not a JSON object as text (json.dumps makes one)")
    return column


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
