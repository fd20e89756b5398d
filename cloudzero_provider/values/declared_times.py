"""Read times in a format that the user declares."""

from __future__ import annotations

from datetime import datetime, timezone

import polars as pl

from cloudzero_provider.values.distinct_values import looked_up

_UTC = pl.Datetime("us", "UTC")


def read_times(texts: pl.Series, time_format: str) -> tuple[pl.Series, dict[int, str]]:
    """
    Read a column of text as times.

    :param texts: the column; an empty string is missing.
    :param time_format: as of Python's ``strptime``; a time without a zone is in UTC.
    :return: the times in UTC; and row index → the rule, for each text that doesn't have the format.
    """
    known: dict[str, datetime] = {}
    for text in set(texts.drop_nulls().unique().to_list()) - {""}:
        try:
            known[text] = _parsed(text, time_format)
        except (ValueError, OverflowError):
            continue
    bad = (texts.is_not_null() & ~texts.is_in(["", *known])).arg_true().to_list()
    found = looked_up(texts, list(known), pl.Series(values=list(known.values()), dtype=_UTC), _UTC)
    return found, dict.fromkeys(bad, f"not in the format {time_format!r}")


def _parsed(text: str, time_format: str) -> datetime:
    parsed = datetime.strptime(text, time_format)
    return parsed.replace(tzinfo=timezone.utc) if parsed.tzinfo is None else parsed.astimezone(timezone.utc)
