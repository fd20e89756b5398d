"""Few examples of what hypothesis draws, and the same ones each time: a mutant is judged in a moment, and twice alike."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, settings

EXAMPLES = 15


def draws(item: Any) -> bool:
    """Whether a test draws examples."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


def with_few_examples(item: Any) -> None:
    """Let a test draw few examples. What a decorator says of a test can't be changed in any official way."""
    test = getattr(item.obj, "__func__", item.obj)
    own = test._hypothesis_internal_use_settings
    test._hypothesis_internal_use_settings = settings(
        own,
        max_examples=min(own.max_examples, EXAMPLES),
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
    )
