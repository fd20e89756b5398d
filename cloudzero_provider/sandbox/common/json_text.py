"""Strict JSON: UTF-8, no NaN, and duplicate keys only where that is said."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, NoReturn

from cloudzero_provider.sandbox.settings.parsing import DuplicateKeys

if TYPE_CHECKING:
    from collections.abc import Callable


class NotJsonError(ValueError):
    """A text that is no JSON; the message says why."""


def parse_json(text: bytes | str, duplicates: DuplicateKeys = DuplicateKeys.REFUSE) -> object:
    """The value that a text stands for."""
    return _parse(text, None, duplicates)


def parse_exact_json(text: bytes | str, duplicates: DuplicateKeys) -> object:
    """The same with every number as a ``Decimal``."""
    return _parse(text, _decimal, duplicates)


def _parse(text: bytes | str, number: Callable[[str], Decimal] | None, duplicates: DuplicateKeys) -> object:
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        parsed: object = json.loads(
            decoded,
            object_pairs_hook=_without_duplicates if duplicates is DuplicateKeys.REFUSE else None,
            parse_constant=_no_constant,
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


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise NotJsonError(f"the key {json.dumps(twice[:60])} appears twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotJsonError(f"{name} is not a JSON value")


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise NotJsonError("it has a number with an exponent beyond all use") from None


def is_text(value: str) -> bool:
    """Whether a string has no half of a surrogate pair, which is not a character."""
    return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
