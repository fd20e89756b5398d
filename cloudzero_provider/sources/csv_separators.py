"""Detect the separator of a CSV file."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from cloudzero_provider.exceptions import InputError
from cloudzero_provider.sources.text_files import UNREADABLE, open_text

log = logging.getLogger(__name__)

COMMA = ","
_OTHERS = (";", "\t", "|")
#: A line that names the separator; Excel reads it and does not show it.
_NAMED = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_LONGEST_LINE = 16_000_000


@dataclass(frozen=True)
class Separator:
    """
    The separator of a file.

    :param character: between cells.
    :param is_named: whether a first line ``sep=…`` names it, before the header.
    """

    character: str = COMMA
    is_named: bool = False


def find_separator(name: str, path: str) -> Separator:
    """
    Detect the separator of a CSV file: a comma, unless the header has none and contains another separator.

    A header without any separator is a single column. The reader checks that all lines agree.

    :param name: the file's name, for errors and the log.
    :param path: the local path.
    :raises InputError: when the header is ambiguous.
    """
    line = _first_line(path)
    found = _named_separator(name, line) or Separator(_header_separator(name, line))
    if found.character != COMMA:
        log.info("%s: cells are separated by %r; numbers must have a decimal point", name, found.character)
    return found


def _first_line(path: str) -> str:
    """Return the first line that is not empty; empty for a file that can't be read, which its reader reports."""
    try:
        with open_text(path) as stream:
            while line := stream.readline(_LONGEST_LINE):
                if line.strip("\r\n"):
                    return line
    except UNREADABLE:
        pass
    return ""


def _named_separator(name: str, line: str) -> Separator | None:
    named = _NAMED.fullmatch(line.rstrip("\r\n"))
    if named is None:
        return None
    if named[1] not in (COMMA, *_OTHERS):
        known = ", ".join(map(repr, (COMMA, *_OTHERS)))
        raise InputError(f"{name}: the first line names the separator {named[1]!r}: expected one of {known}.")
    return Separator(named[1], is_named=True)


def _header_separator(name: str, line: str) -> str:
    bare = _QUOTED.sub("", line)
    found = [character for character in _OTHERS if character in bare]
    if COMMA in bare or not found:
        return COMMA
    if len(found) > 1:
        raise InputError(
            f"{name}: the header has no comma and may be separated by {' or '.join(map(repr, found))}. Write the file "
            f"with commas, or with sep={found[0]} as its first line."
        )
    return found[0]
