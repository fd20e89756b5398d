"""
The number of scenarios, their seed, and counts of what happened in them.

``CLOUDZERO_SCENARIOS`` says how many. Without it, tests run a few hundred that are the same every time, so that what
is green stays green; with it, others each time, by a seed that is printed and that ``CLOUDZERO_SEED`` sets.
``CLOUDZERO_REPLACE_MATCH`` fixes how CloudZero matches a telemetry ``replace`` (the sandbox's ``replace_match``), which
is drawn without it.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings

SCENARIOS = int(os.environ.get("CLOUDZERO_SCENARIOS") or 0)
SEED = int(os.environ.get("CLOUDZERO_SEED") or random.SystemRandom().randrange(2**32))
REPLACE_MATCH = os.environ.get("CLOUDZERO_REPLACE_MATCH")
#: Whether to stop at the first broken promise without shrinking it.
NO_SHRINK = bool(os.environ.get("CLOUDZERO_NO_SHRINK"))

#: Counts by kind of scenario; printed at the end, and written to the file that ``CLOUDZERO_TALLY`` names.
TALLIES: dict[str, Counter[str]] = {}


def tally(kind: str) -> Counter[str]:
    return TALLIES.setdefault(kind, Counter())


def scenarios(default: int) -> Callable[[Any], Any]:
    """Run a property for the requested number of scenarios."""
    chosen = settings(
        max_examples=SCENARIOS or default,
        derandomize=not SCENARIOS,
        database=None,
        deadline=None,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, *(() if NO_SHRINK else (Phase.shrink,))),
        suppress_health_check=list(HealthCheck),
    )

    def decorate(test: Any) -> Any:
        return seed(SEED)(chosen(test)) if SCENARIOS else chosen(test)

    return decorate


def count_scenario(counts: Counter[str]) -> None:
    """Count a scenario, and publish the progress of this process."""
    counts["scenarios"] += 1
    if counts["scenarios"] % 50 == 0:
        _save()


def report() -> list[str]:
    _save()
    lines = [f"seed: {SEED} (CLOUDZERO_SEED)" if SCENARIOS else "seed: the same every time"]
    for kind, counts in TALLIES.items():
        lines += [f"{kind}: {name}: {count:,}" for name, count in sorted(counts.items())]
    return lines


def _save() -> None:
    path = os.environ.get("CLOUDZERO_TALLY")
    if path:
        unfinished = Path(f"{path}.new")
        unfinished.write_text(json.dumps({kind: dict(counts) for kind, counts in TALLIES.items()}))
        unfinished.replace(path)
