"""Options of ``aggregate``."""

from __future__ import annotations

from cloudzero_provider.anycost.columns import TAG_PREFIX
from cloudzero_provider.values.parameters import Choice

#: In ``by``: every tag of the rows.
ALL_TAGS = f"{TAG_PREFIX}*"


class Period(Choice):
    """What ``time/usage_start`` is truncated to, in UTC."""

    HOUR = "hour"
    DAY = "day"
