"""Telemetry records as hashes, which tasks can compare without showing them to each other."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl


class Entry(NamedTuple):
    """
    A record, as hashes.

    :param period: its timestamp, in clear.
    :param element: hash of its element.
    :param scope: hashes of its filter keys, each with its value.
    :param value: hash of its value; ``None`` when it is deleted.
    """

    period: str
    element: str | None
    scope: frozenset[str]
    value: str | None


def entries_of(frame: pl.DataFrame) -> Iterator[Entry]:
    """
    Hash records.

    :param frame: timestamp, element_name, keys (JSON), value; all text.
    """
    scopes = {keys: _scope(keys) for keys in frame["keys"].unique()}
    elements = {name: None if name is None else _hash(name) for name in frame["element_name"].unique()}
    for period, element, keys, value in frame.iter_rows():
        yield Entry(period, elements[element], scopes[keys], None if value is None else _hash(value, length=8))


def _scope(keys: str | None) -> frozenset[str]:
    return frozenset(_hash(json.dumps(pair)) for pair in json.loads(keys).items()) if keys else frozenset()


def shown(frame: pl.DataFrame) -> Iterator[str]:
    """
    Say which record each is, for an error.

    :param frame: timestamp, element_name, keys (JSON); all text.
    """
    for period, element, keys in frame.select("timestamp", "element_name", "keys").iter_rows():
        yield ", ".join([period, *([repr(element)] if element is not None else []), *([keys] if keys else [])])


def _hash(text: str, length: int = 12) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def pack_entries(entries: Sequence[Entry]) -> str:
    """Write records as a short text: each period, element and scope once, since records share them."""
    tables: list[dict[Any, int]] = [{}, {}, {}]
    rows = [
        [*(table.setdefault(item, len(table)) for table, item in zip(tables, entry, strict=False)), entry.value]
        for entry in entries
    ]
    periods, elements, scopes = tables
    return pack(
        {
            "periods": list(periods),
            "elements": list(elements),
            "scopes": [sorted(scope) for scope in scopes],
            "rows": rows,
        }
    )


def unpack_entries(text: str) -> Iterator[Entry]:
    """
    Read what :func:`pack_entries` wrote.

    :raises KeyError, IndexError, TypeError, ValueError: when it is something else.
    """
    tables = unpack(text)
    scopes = [frozenset(scope) for scope in tables["scopes"]]
    for period, element, scope, value in tables["rows"]:
        yield Entry(tables["periods"][period], tables["elements"][element], scopes[scope], value)


def pack(content: object) -> str:
    """Write JSON values as a short text."""
    return base64.b64encode(zlib.compress(json.dumps(content, separators=(",", ":")).encode())).decode()


def unpack(text: str) -> Any:
    """Read what :func:`pack` wrote."""
    try:
        return json.loads(zlib.decompress(base64.b64decode(text)))
    except zlib.error as error:
        raise ValueError(str(error)) from error
