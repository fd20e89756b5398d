"""Suggest known names for unknown columns and fields."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def meant_by(name: str, known: Iterable[str]) -> str:
    """
    Suggest the known name that an unknown one resembles, for the end of a sentence; empty if none does.

    :param name: that is not known.
    :param known: names, as they must be written.
    """
    known = list(known)
    written_otherwise = differently_written(known, [name])
    if written_otherwise:
        return f"; names are matched exactly: {written_otherwise} (in SQL, quote the name)"
    folded = {each.casefold(): each for each in known}
    similar = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[similar[0]]!r}?" if similar else ""


def differently_written(wanted: Iterable[str], names: Iterable[str]) -> str:
    """
    Say which names differ from wanted ones in capital letters, spaces, ``_`` and ``-`` only, as Snowflake's do.

    :param wanted: names, as they must be written.
    :param names: that are there.
    """
    there = {_bare(name): name for name in names}
    return ", ".join(f"{there[_bare(name)]!r} is not {name!r}" for name in wanted if _bare(name) in there)


def _bare(name: str) -> str:
    return name.translate(_LEFT_OUT).casefold()


_LEFT_OUT = str.maketrans("", "", "_- ")
