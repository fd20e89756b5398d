"""Telemetry records as hashes: tasks compare them without publishing element names, filters or values."""

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

    :param period: the record's timestamp, not hashed.
    :param element: hash of its element.
    :param scope: a hash of each filter key with its value.
    :param value: hash of its value; ``None`` for a deletion.
    """

    period: str
    element: str | None
    scope: frozenset[str]
    value: str | None


def entries_of(frame: pl.DataFrame) -> Iterator[Entry]:
    """
    Hash records.

    :param frame: string columns timestamp, element_name, keys (JSON) and value.
    """
    scopes = {keys: _scope(keys) for keys in frame["keys"].unique()}
    elements = {name: None if name is None else _hash(name) for name in frame["element_name"].unique()}
    for period, element, keys, value in frame.iter_rows():
        yield Entry(period, elements[element], scopes[keys], None if value is None else _hash(value, length=8))


def _scope(keys: str | None) -> frozenset[str]:
    return frozenset(_hash(json.dumps(pair)) for pair in json.loads(keys).items()) if keys else frozenset()


def describe_records(frame: pl.DataFrame) -> Iterator[str]:
    """
    Describe each record by its timestamp, element and filter keys, for an error.

    :param frame: string columns timestamp, element_name and keys (JSON).
    """
    for period, element, keys in frame.select("timestamp", "element_name", "keys").iter_rows():
        yield ", ".join([period, *([repr(element)] if element is not None else []), *([keys] if keys else [])])


def _hash(text: str, length: int = 12) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def pack_entries(entries: Sequence[Entry]) -> str:
    """Encode entries as a short string: each period, element and scope once, since records share them."""
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
    Decode what :func:`pack_entries` returned.

    :raises KeyError, IndexError, TypeError, ValueError: for anything else.
    """
    tables = unpack(text)
    scopes = [frozenset(scope) for scope in tables["scopes"]]
    for period, element, scope, value in tables["rows"]:
        yield Entry(tables["periods"][period], tables["elements"][element], scopes[scope], value)


def pack(content: object) -> str:
    """Encode JSON values as a short string (zlib, base64)."""
    return base64.b64encode(zlib.compress(json.dumps(content, separators=(",", ":")).encode())).decode()


def unpack(text: str) -> Any:
    """Decode what :func:`pack` returned."""
    try:
        return json.loads(zlib.decompress(base64.b64decode(text)))
    except zlib.error as error:
        raise ValueError(str(error)) from error
