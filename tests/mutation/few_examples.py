"""Few hypothesis examples, the same ones each time, so that mutants are judged quickly and reproducibly."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, settings

EXAMPLES = 15


def draws(item: Any) -> bool:
    """Whether a test uses hypothesis."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


def with_few_examples(item: Any) -> None:
    """Limit a test's examples. hypothesis has no public way to change the settings of a decorated test."""
    test = getattr(item.obj, "__func__", item.obj)
    own = test._hypothesis_internal_use_settings
    test._hypothesis_internal_use_settings = settings(
        own,
        max_examples=min(own.max_examples, EXAMPLES),
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
    )
