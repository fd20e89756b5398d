"""The state of bucket connections, as the control API and the page show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.connections import list_all
from cloudzero_provider.sandbox.buckets.manifest import ManifestError, parse_billing_data_id
from cloudzero_provider.sandbox.buckets.poll import ROOT
from cloudzero_provider.sandbox.buckets.roots import BucketRoot
from cloudzero_provider.sandbox.buckets.store import errors, ingestions

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping, Sequence

    from cloudzero_provider.sandbox.anycost.connections import Connection
    from cloudzero_provider.sandbox.buckets.store import Ingestion


@dataclass(frozen=True)
class BucketMonth:
    """
    A month of a bucket connection.

    :param month: like ``2026-03``.
    :param current: the drop that it holds; ``None`` if none was ingested.
    :param last_error: why the manifest or the drop that it names now is refused, or can't be read.
    :param history: the last one last.
    """

    month: str
    current: Ingestion | None
    last_error: str | None
    history: Sequence[Ingestion]


@dataclass(frozen=True)
class BucketState:
    """
    A bucket connection.

    :param connection: as CloudZero's API lists it.
    :param root: where its adaptor writes.
    :param is_polled: whether ``--bucket`` names it.
    :param error: why the root can't be read now.
    :param refused_folders: why folders that are not a month's are refused, by name.
    :param months: in order.
    """

    connection: Connection
    root: str
    is_polled: bool
    error: str | None
    refused_folders: Mapping[str, str]
    months: Sequence[BucketMonth]


def bucket_states(database: sqlite3.Connection, polled: Collection[str]) -> list[BucketState]:
    """
    Return the bucket connections that are polled, or were.

    :param database: where they are.
    :param polled: the names of those that are polled.
    """
    found = [_state(database, one, polled) for one in list_all(database) if not one.is_stream]
    return [state for state in found if state.is_polled or state.months]


def _state(database: sqlite3.Connection, connection: Connection, polled: Collection[str]) -> BucketState:
    by_folder: dict[str, list[Ingestion]] = {}
    for ingestion in ingestions(database, connection.id):
        by_folder.setdefault(ingestion.folder, []).append(ingestion)
    current_errors = errors(database, connection.id)
    months, refused = [], {}
    for folder in sorted({*by_folder, *current_errors} - {ROOT}):
        error = current_errors.get(folder)
        try:
            month = str(parse_billing_data_id(folder))
        except ManifestError:
            if error is not None:
                refused[folder] = error
            continue
        months.append(_month(month, by_folder.get(folder, []), error))
    root = BucketRoot.of_bucket_info(connection.id, connection.bucket or {})
    return BucketState(connection, root.uri, connection.id in polled, current_errors.get(ROOT), refused, months)


def _month(month: str, history: list[Ingestion], error: str | None) -> BucketMonth:
    drops = [one for one in history if one.drop_id is not None]
    held = [one for one in drops if one.error is None]
    refusal = drops[-1].error if drops else None
    return BucketMonth(month, held[-1] if held else None, error or refusal, history)
