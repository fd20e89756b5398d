"""Settings for AnyCost, and for what AnyCost and telemetry share, where CloudZero's behavior is not published."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cloudzero_provider.sandbox.settings.fields import Permission, at_least, one_of


class ConcurrentScope(Enum):
    """Which requests on one stream must not run concurrently."""

    ALL = "all"
    WRITES = "writes"


class EmptyData(Enum):
    """What a drop without rows does."""

    CLEARS_MONTH = "clears_month"
    IGNORED = "ignored"
    REFUSED = "refused"


class NegativeNumbers(Enum):
    """Where a minus sign is accepted."""

    ACCEPT = "accept"
    COSTS_ONLY = "costs_only"
    REFUSE = "refuse"


class UnknownColumns(Enum):
    """What happens to columns that the schema does not list."""

    ACCEPT = "accept"
    IGNORE = "ignore"
    REFUSE = "refuse"


class TagKeyLetters(Enum):
    """Which letters a tag's key may have."""

    ASCII = "ascii"
    UNICODE = "unicode"


class MonthFormat(Enum):
    """The formats of a month in a request."""

    BOTH = "both"
    YEAR_MONTH = "year_month"
    DATETIME = "datetime"


class ValidateReply(Enum):
    """The reply of the validate endpoint to a drop that breaks a rule."""

    IS_VALID_FALSE = "200_is_valid_false"
    BAD_REQUEST = "400"


@dataclass(frozen=True)
class AnyCostSettings:
    """
    Settings for AnyCost, and for what AnyCost and telemetry share.

    The defaults follow the documentation, or the stricter reading where it leaves a choice.

    Limits and operations: https://docs.cloudzero.com/docs/anycost-send-stream-data
    Columns: https://docs.cloudzero.com/docs/anycost-common-bill-format-cbf

    ``body_limit``: bytes of the uncompressed JSON body ("5 MB"; whether 5,000,000 or 5,242,880 is not published).
    ``month_row_limit``, ``month_byte_limit``: "one million rows and 70MB"; lower them to reach them in a test.
    ``concurrent_status``: the reply to a request while another one is running on its stream; 200 applies both.
    ``concurrent_scope``: whether reads count ("does not support concurrent requests" names no method).
    ``empty_data``: the schema allows ``data: []``, and "replace all existing data" with nothing leaves nothing.
    ``negative_numbers``: the schema's pattern has no minus sign, yet CBF requires negative Discount lines.
    ``guide_only_lineitem_types``: two values that are in the CBF guide but not in the API schema.
    ``unknown_columns``: columns that are not in the API schema's ``cbf_row``.
    ``blank_numbers``: an empty string in an optional number column; the schema's pattern does not match it.
    ``blank_tags``: an empty string as a tag's value; senders found that such tags must be left out.
    ``tag_key_letters``: whether "letters" in a tag's key means A to Z only.
    ``month_format``: the formats of ``month``; the guide has ``2024-08``, the schema a full datetime.
    ``validate_reply``: the validate endpoint's reply to a drop that breaks a rule.
    ``gzip``: whether a body with ``Content-Encoding: gzip`` is accepted; the limit applies to the decompressed body.
    ``content_type``: whether a body without ``Content-Type: application/json`` is accepted.
    ``unknown_connection_status``: for an unknown id; only 400 and 403 are documented.
    ``read_lag_seconds``: reads show the drops as they were this many seconds ago.
    ``idempotency_seconds``: how long a reply is kept for its idempotency key; 0 keeps it forever.
    """

    body_limit: int = at_least(1, 5_000_000)
    month_row_limit: int = at_least(1, 1_000_000)
    month_byte_limit: int = at_least(1, 70_000_000)
    concurrent_status: int = one_of(409, 400, 423, 425, 429, 503, 500, 200)
    concurrent_scope: ConcurrentScope = ConcurrentScope.ALL
    empty_data: EmptyData = EmptyData.CLEARS_MONTH
    negative_numbers: NegativeNumbers = NegativeNumbers.ACCEPT
    guide_only_lineitem_types: Permission = Permission.ACCEPT
    unknown_columns: UnknownColumns = UnknownColumns.ACCEPT
    blank_numbers: Permission = Permission.REFUSE
    blank_tags: Permission = Permission.REFUSE
    tag_key_letters: TagKeyLetters = TagKeyLetters.ASCII
    month_format: MonthFormat = MonthFormat.BOTH
    validate_reply: ValidateReply = ValidateReply.IS_VALID_FALSE
    gzip: Permission = Permission.REFUSE
    content_type: Permission = Permission.REFUSE
    unknown_connection_status: int = one_of(400, 403, 404)
    read_lag_seconds: float = at_least(0, 0.0)
    idempotency_seconds: float = at_least(0, 0.0)
