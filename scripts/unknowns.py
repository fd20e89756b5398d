"""
Run the provider with every reply that CloudZero may send, and write docs/unknowns.md from the results.

    PYTHONPATH=tests python scripts/unknowns.py
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "unknowns.md"


def main() -> int:
    """Write the page; return 1 if a promise was broken."""
    sys.path[:0] = [str(ROOT / "tests" / "contract"), str(ROOT / "tests" / "contract" / "unknowns")]
    with tempfile.TemporaryDirectory() as folder:
        # Airflow reads its settings when it is first imported.
        os.environ["AIRFLOW_HOME"] = f"{folder}/airflow"
        os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "True"
        return _write(Path(folder))


def _write(folder: Path) -> int:
    from contract.unknowns.page import page
    from contract.unknowns.runs import pair_runs, results_of, single_runs

    logging.disable(logging.CRITICAL)
    began = time.monotonic()
    singles = results_of(single_runs(), folder / "singles")
    pairs = results_of(pair_runs(), folder / "pairs")
    PAGE.write_text(page(singles, pairs), encoding="utf-8")
    print(f"{len(singles)} runs and {len(pairs)} pairs in {time.monotonic() - began:.0f} s: {PAGE}")
    broken = [
        f"{run.journey} {run.settings}, {step}: {outcome.words}"
        for run, outcomes in {**singles, **pairs}.items()
        for step, outcome in outcomes.items()
        if outcome.is_broken
    ]
    print("\n".join(broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
