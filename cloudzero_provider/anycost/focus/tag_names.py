"""Names of tags that CloudZero takes, the same in every month."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from cloudzero_provider.anycost.columns import TAG_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

#: CloudZero takes "letters" and does not say which: those of ASCII are letters everywhere.
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.:/=+\-@]")
_ASCII_NOT_IN_A_KEY = re.compile(r"(?![^\x00-\x7f])[^A-Za-z0-9_.:/=+\-@]|\s")
#: As in names of hosts, so that any tool that knows those can read it.
PUNYCODE = "xn--"


def tag_column(key: str, names: Mapping[str, str]) -> str:
    """
    Name the column of a tag.

    Characters of other scripts are written as Punycode, which tells keys apart and can be read back; others that
    CloudZero does not take become ``_``.

    :param key: as the source writes it.
    :param names: key → the name that the user chose.
    """
    if key in names:
        return TAG_PREFIX + names[key]
    if key.isascii():
        return TAG_PREFIX + _NOT_IN_A_KEY.sub("_", key)
    # One letter can be spelt in several ways, like é as e and an accent.
    written = _ASCII_NOT_IN_A_KEY.sub("_", unicodedata.normalize("NFC", key))
    return TAG_PREFIX + (written if written.isascii() else PUNYCODE + written.encode("punycode").decode("ascii"))
