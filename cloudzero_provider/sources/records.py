"""Read records: dicts in a list or from a generator, data frames, or the outputs of a mapped upstream task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.frames import from_frame, is_frame
from cloudzero_provider.sources.numpy_values import plain_values
from cloudzero_provider.sources.rows import Rows, blocks_of, columns_of, is_text, joined, names_of
from cloudzero_provider.values.row_places import row_number


def from_records(records: Any) -> Rows:
    """
    Read rows from memory or from a generator.

    :param records: a list or another iterable of dicts (column → value); a data frame (polars, pandas, Arrow); or an
        iterable of such lists and frames, as a mapped upstream task returns, which are concatenated. A missing key,
        ``None``, an empty string, NaN, NA and NaT mean "no value".
    :raises InputError: for ``None`` or anything else.
    """
    if records is None:
        raise InputError(
            "records is None: the upstream task returned nothing. Return an empty list when there are no rows."
        )
    if is_frame(records):
        return from_frame(records)
    items = _iterator(records)
    first = list(islice(items, 1))
    if first and _is_batch(first[0]):
        return _from_batches(chain(first, items))
    return _from_dicts(records if isinstance(records, list) else chain(first, items))


def _iterator(records: Any) -> Iterator[Any]:
    if isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
        hint = (
            " A template renders text: pass the task's output itself (records=task.output, or the value a "
            "@task function returned)."
            if isinstance(records, str)
            else ""
        )
        raise InputError(f"records is a {type(records).__name__}: expected a list of dicts.{hint}")
    return iter(records)


def _is_batch(item: Any) -> bool:
    return is_frame(item) or (isinstance(item, Sequence) and not isinstance(item, (str, bytes)))


def _from_batches(batches: Iterable[Any]) -> Rows:
    parts = []
    for number, batch in enumerate(batches):
        if not _is_batch(batch):
            raise InputError(
                f"records[{number}] is a {type(batch).__name__} among lists of rows: a mapped upstream task must "
                "return a list of dicts each time (an empty list when there are no rows)."
            )
        parts.append(from_records(batch))
    return replace(joined(parts), where=row_number)


def _from_dicts(rows: Iterable[Any]) -> Rows:
    # A generator is read no further than a row that is refused.
    blocks = _checked_blocks(rows) if isinstance(rows, list) else blocks_of(_checked(rows))
    columns, count = columns_of(blocks, plain_values)
    return Rows(columns, count, row_number)


def _checked_blocks(rows: list[Any]) -> Iterator[list[Mapping[str, Any]]]:
    before = 0
    for block in blocks_of(rows):
        # map() keeps the loops in C.
        are_mappings = all(issubclass(kind, Mapping) for kind in set(map(type, block)))
        if are_mappings and all(map(is_text, names_of(block))):
            yield block
        else:
            yield list(_checked(block, before))
        before += len(block)


def _checked(rows: Iterable[Any], before: int = 0) -> Iterator[Mapping[str, Any]]:
    known: set[Any] = set()
    for index, row in enumerate(rows, start=before):
        if not isinstance(row, Mapping):
            raise InputError(f"{row_number(index)} is a {type(row).__name__}, not a dict of columns and values.")
        if not known.issuperset(row):
            for name in row:
                if not is_text(name):
                    raise InputError(
                        f"{row_number(index)} has the column name {name!r}: names are non-empty Unicode text."
                    )
            known.update(row)
        yield row
