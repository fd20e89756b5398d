"""
The measured process: one program, one input.

    python -m benchmarks.child RESULT.json MODULE REPEAT INPUT...

It imports nothing that the program does not need. The program's imports, what it prepares, and its work are timed
apart.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path

from benchmarks.model import Input


class Counted:
    """Counts bodies and their bytes, and lets go of them."""

    def __init__(self) -> None:
        self.bodies = 0
        self.bytes = 0

    def __call__(self, body: bytes | memoryview) -> None:
        self.bodies += 1
        self.bytes += len(body)


def main() -> None:
    """Run the program, and write what it took."""
    result, module, repeat, *arguments = sys.argv[1:]
    prepare = importlib.import_module(module).prepare
    counted = Counted()
    imported = _clocks()
    work = prepare(Input.parse(*arguments) if arguments else None)
    prepared = _clocks()
    for _ in range(int(repeat)):
        work(counted)
    done = _clocks()
    measured = {
        "prepare_seconds": prepared[0] - imported[0],
        "prepare_cpu": prepared[1] - imported[1],
        "work_seconds": done[0] - prepared[0],
        "work_cpu": done[1] - prepared[1],
        "bodies": counted.bodies,
        "bytes": counted.bytes,
    }
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    main()
