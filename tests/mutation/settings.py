"""A pytest plugin for mutation runs: quick tests first, few examples, and those in the same order each time."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import Phase, settings

EXAMPLES = 15
#: What talks HTTP is judged over HTTP; all else is judged by the unit tests, which are quicker.
TALK_HTTP = ("anycost.send", "anycost.run", "anycost.readback", "telemetry.send")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    mutant = os.environ["MUTANT_UNDER_TEST"]
    unit = [item for item in items if "unit" in item.path.parts]
    if unit and "." in mutant and not any(f".{module}." in mutant for module in TALK_HTTP):
        items[:] = unit
    for item in filter(draws, items):
        own = item.obj._hypothesis_internal_use_settings
        few = settings(
            own,
            max_examples=min(own.max_examples, EXAMPLES),
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
        )
        getattr(item.obj, "__func__", item.obj)._hypothesis_internal_use_settings = few
    items.sort(key=draws)


def draws(item: Any) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")
