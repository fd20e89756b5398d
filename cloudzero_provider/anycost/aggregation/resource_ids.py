"""
Resources for rows that keep tags, but not the resource.

CloudZero keeps one set of tags per resource: the latest, also for the months before. So two combinations of tags must
not share a resource, and one combination has the same in every month.
"""

from __future__ import annotations

import hashlib

import polars as pl

from cloudzero_provider.anycost.columns import is_tag

_ALSO = ("resource/account", "resource/service", "resource/region")
#: CloudZero reads what is before the slash as the type of a resource.
_TYPE = "aggregate"
_HASH_LENGTH = 24
#: So many rows at a time, since all tags of a row in one text take a multiple of the memory of its values.
_SLICE = 50_000


def made_resources(keys: pl.DataFrame) -> pl.Series:
    """
    Make a ``resource/id`` for each combination of tags, account, service and region.

    :param keys: text columns of rows.
    :return: one text per row; null for a row without a tag.
    """
    return pl.concat([_made(part) for part in keys.iter_slices(_SLICE)])


def _made(keys: pl.DataFrame) -> pl.Series:
    tags = [name for name in keys.columns if is_tag(name)]
    names = sorted([*tags, *(name for name in _ALSO if name in keys.columns)])
    has_tag = pl.any_horizontal(pl.col(tags).is_not_null())
    written = pl.concat_str([_written(name) for name in names], ignore_nulls=True)
    identities = keys.select(pl.when(has_tag).then(written).alias("identity"))["identity"]
    distinct = identities.drop_nulls().unique().to_list()
    made = [f"{_TYPE}/{hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]}" for text in distinct]
    return identities.replace_strict(distinct, made, default=None, return_dtype=pl.String)


def _written(name: str) -> pl.Expr:
    """Write name and value, each with its length, so that no two combinations look alike; null without a value."""
    value = pl.col(name)
    return pl.concat_str(pl.lit(f"{len(name.encode())}:{name}"), value.str.len_bytes(), pl.lit(":"), value)
