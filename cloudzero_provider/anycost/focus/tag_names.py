"""Convert tag keys to names that CloudZero accepts, the same in every month."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import TAG_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

#: CloudZero accepts "letters" without saying which, so only ASCII letters are sure to be accepted.
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.:/=+\-@]")
_ASCII_NOT_IN_A_KEY = re.compile(r"(?![^\x00-\x7f])[^A-Za-z0-9_.:/=+\-@]|\s")
#: The prefix used in host names, so that any converter for those can decode it.
PUNYCODE = "xn--"


def tag_column(key: str, names: Mapping[str, str]) -> str:
    """
    Return the CBF column of a tag.

    Letters of other scripts are written as Punycode, which keeps keys distinct and can be decoded; other characters
    that CloudZero does not accept become ``_``.

    :param key: tag key as in the source.
    :param names: tag key → name chosen by the user.
    """
    if key in names:
        return TAG_PREFIX + names[key]
    if key.isascii():
        return TAG_PREFIX + _NOT_IN_A_KEY.sub("_", key)
    # Some letters have several encodings, like é and e with an accent.
    name = _ASCII_NOT_IN_A_KEY.sub("_", unicodedata.normalize("NFC", key))
    return TAG_PREFIX + (name if name.isascii() else PUNYCODE + name.encode("punycode").decode("ascii"))
