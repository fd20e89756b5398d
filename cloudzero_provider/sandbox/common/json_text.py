"""Strict JSON: UTF-8, no NaN, and duplicate keys only if a setting allows them."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NoReturn

from cloudzero_provider.sandbox.settings.parsing import DuplicateKeys

if TYPE_CHECKING:
    from collections.abc import Callable

#: A string as JSON.
quoted = json.JSONEncoder(ensure_ascii=False).encode
#: A value as compact JSON with sorted keys: equal values have equal JSON.
canonical_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode


class NotJsonError(ValueError):
    """Invalid JSON; the message gives the reason."""


def parse_json(text: bytes | str, duplicates: DuplicateKeys = DuplicateKeys.REFUSE) -> object:
    """Parse JSON."""
    return _parse(text, None, duplicates)


def parse_exact_json(text: bytes | str, duplicates: DuplicateKeys) -> object:
    """Parse JSON with every number as a ``Decimal``."""
    return _parse(text, _decimal, duplicates)


def _parse(text: bytes | str, number: Callable[[str], Decimal] | None, duplicates: DuplicateKeys) -> object:
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        parsed: object = json.loads(
            decoded,
            object_pairs_hook=_refuse_duplicates if duplicates is DuplicateKeys.REFUSE else None,
            parse_constant=_refuse_constant,
            parse_float=number,
            parse_int=number,
        )
    except NotJsonError:
        raise
    except UnicodeDecodeError:
        raise NotJsonError("it is not UTF-8") from None
    except RecursionError:
        raise NotJsonError("it is nested too deeply") from None
    except ValueError as error:
        raise NotJsonError(str(error)) from None
    return parsed


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotJsonError(f"the key {json.dumps(twice[:60])} appears twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON value")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise NotJsonError("a number's exponent is too large") from None


def has_no_surrogates(value: str) -> bool:
    """Whether a string has no unpaired surrogate, which UTF-8 cannot encode."""
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
