"""Suggest known names for unknown columns and fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """
    Suggest the known name that an unknown one resembles.

    :param name: the unknown name.
    :param known: the known names, as they must be spelled.
    :return: text for the end of a sentence; empty if no name is similar.
    """
    known = list(known)
    differences = spelling_differences(known, [name])
    if differences:
        return f"; names are matched exactly: {differences} (in SQL, quote the name)"
    # Names are rarely wrong.
    import difflib

    folded = {each.casefold(): each for each in known}
    similar = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f"; did you mean {folded[similar[0]]!r}?" if similar else ""


def spelling_differences(wanted: Iterable[str], names: Iterable[str]) -> str:
    """
    List names that differ from wanted ones only in case, spaces, ``_`` and ``-``, as Snowflake's do.

    :param wanted: the wanted names, as they must be spelled.
    :param names: the given names.
    """
    given = {_simplified(name): name for name in names}
    return ", ".join(f"{given[_simplified(name)]!r} is not {name!r}" for name in wanted if _simplified(name) in given)


def _simplified(name: str) -> str:
    return name.translate(_SEPARATORS_REMOVED).casefold()


_SEPARATORS_REMOVED = str.maketrans("", "", "_- ")
