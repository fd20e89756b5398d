"""Convert values of pandas and numpy in records (``df.to_dict("records")``) as in a data frame."""

from __future__ import annotations

import operator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_PLAIN = frozenset({str, int, bool, bytes, type(None), date, datetime, dict, list, tuple})
_COMPARED = frozenset({float, str, int, bool, type(None)})


def plain_values(values: list[Any]) -> list[Any]:
    """
    Convert NaN, NA and NaT to ``None``, and numpy's scalars to Python's.

    The types of pandas and numpy are recognized by name, so that neither is imported. A value without a counterpart,
    like a ``timedelta64``, stays as it is, and the checks report it.

    :param values: the values of one column.
    """
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        return values
    # Only NaN is not equal to itself. map() keeps the loop in C.
    if kinds <= _COMPARED and not any(map(operator.ne, values, values)):
        return values
    as_plain = {kind: convert for kind in kinds if (convert := _converter(kind))}
    return [as_plain[type(value)](value) if type(value) in as_plain else value for value in values]


def _converter(kind: type) -> Callable[[Any], Any] | None:
    library = kind.__module__.partition(".")[0]
    if library == "pandas":
        return _missing if kind.__name__ in ("NAType", "NaTType") else None
    if library == "numpy":
        return _of_numpy(kind)
    if kind is float:
        return _float
    return _decimal if issubclass(kind, Decimal) else None


def _of_numpy(kind: type) -> Callable[[Any], Any] | None:
    if issubclass(kind, str):
        return str
    families = {base.__name__ for base in kind.__mro__}
    # float64 is a Python float, too. bool_ is the name of bool before numpy 2.
    known: dict[str, Callable[[Any], Any]] = {
        "bytes": bytes,
        "float": _float,
        "float32": _short_float,
        "float16": _short_float,
        "integer": int,
        "bool": bool,
        "bool_": bool,
        "datetime64": _time,
        "timedelta64": _time,
    }
    # A timedelta64 is an integer to numpy.
    return next((known[name] for name in ("timedelta64", *known) if name in families), None)


def _missing(_: Any) -> None:
    return None


def _float(value: Any) -> float | None:
    return None if value != value else float(value)


def _decimal(value: Decimal) -> Decimal | None:
    return None if value.is_qnan() else value


def _short_float(value: Any) -> float | None:
    # The number as it is printed, not the nearest one with twice the digits.
    return _float(float(str(value)))


def _time(value: Any) -> Any:
    if value != value:
        return None
    if type(value).__name__ == "timedelta64":
        return value
    moment = value.astype("datetime64[us]")
    # numpy overflows without an error.
    is_same = moment.astype("datetime64[s]") == value.astype("datetime64[s]")
    return moment.item() if is_same and isinstance(moment.item(), datetime) else value
