"""
Resource ids for aggregated rows that keep tags but not ``resource/id``.

CloudZero keeps one set of tags per resource, the latest, and applies it to earlier months too. So different
combinations of tags need different resource ids, and the same combination needs the same id in every month.
"""

from __future__ import annotations

import hashlib

import polars as pl

from cloudzero_provider.anycost.columns import is_tag
from cloudzero_provider.values.distinct_values import looked_up

_OTHER_COLUMNS = ("resource/account", "resource/service", "resource/region")
#: CloudZero reads the part before the slash as the type of the resource.
_TYPE = "aggregate"
_HASH_LENGTH = 24
#: Rows per step: joining all tags of a row takes a multiple of the memory of its values.
_SLICE = 50_000


def stand_in_resource_ids(keys: pl.DataFrame) -> pl.Series:
    """
    Derive a ``resource/id`` from each combination of tags, account, service and region.

    :param keys: text columns of rows.
    :return: one id per row; null for a row without a tag.
    """
    return pl.concat([_ids(part) for part in keys.iter_slices(_SLICE)])


def _ids(keys: pl.DataFrame) -> pl.Series:
    tags = [name for name in keys.columns if is_tag(name)]
    names = sorted([*tags, *(name for name in _OTHER_COLUMNS if name in keys.columns)])
    has_tag = pl.any_horizontal(pl.col(tags).is_not_null())
    identity = pl.concat_str([_name_and_value(name) for name in names], ignore_nulls=True)
    identities = keys.select(pl.when(has_tag).then(identity).alias("identity"))["identity"]
    distinct = identities.drop_nulls().unique().to_list()
    ids = [f"{_TYPE}/{hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]}" for text in distinct]
    return looked_up(identities, distinct, ids)


def _name_and_value(name: str) -> pl.Expr:
    """Join name and value, each with its length, so that different combinations differ; null without a value."""
    value = pl.col(name)
    return pl.concat_str(pl.lit(f"{len(name.encode())}:{name}"), value.str.len_bytes(), pl.lit(":"), value)
