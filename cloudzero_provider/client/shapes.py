"""Lists in replies whose shape is not published for certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


#: Lists under these names are no results.
_NO_RESULTS = frozenset({"error", "errors", "warnings", "details", "detail"})


def find_list(content: Any, keys: Sequence[str]) -> list[dict[str, Any]] | None:
    """
    Find the list of objects that a reply is about.

    It may be the reply itself, stand under one of the keys, or be the only list there is; one wrapper around all of it
    is looked into. What an error holds is no such list.

    :param content: the reply, parsed.
    :param keys: where the list may stand, the likeliest first.
    :return: ``None`` when there is none, so that an unknown shape does not look like "nothing there".
    """
    found = content if isinstance(content, list) else list_under(content, keys)
    if found is None and isinstance(content, dict):
        wrapped = [value for value in content.values() if isinstance(value, dict)]
        found = list_under(wrapped[0], keys) if len(wrapped) == 1 and "error" not in content else None
    return found if found is not None and all(isinstance(item, dict) for item in found) else None


def list_under(content: Any, keys: Sequence[str]) -> list[Any] | None:
    """Find the list under one of the keys, or else the only one there is; ``None`` when there is none."""
    if not isinstance(content, dict):
        return None
    named = next((content[key] for key in keys if isinstance(content.get(key), list)), None)
    lists = [value for name, value in content.items() if isinstance(value, list) and name not in _NO_RESULTS]
    return named if named is not None else lists[0] if len(lists) == 1 else None
