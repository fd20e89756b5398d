"""How much CPU time the parts of a distributed run use, as Linux counts it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat, counted from the one after the command: see proc(5).
_PARENT, _SESSION, _TIMES = 1, 3, slice(11, 15)
#: The fields of the line "cpu" of /proc/stat that are neither idle nor waiting for a disk.
_BUSY = (0, 1, 2, 5, 6, 7)


@dataclass(frozen=True)
class Cpu:
    """
    CPU time so far.

    :param seconds: part → seconds, those of its children included that have ended and were waited for.
    :param machine: of the whole machine.
    """

    seconds: Mapping[str, float]
    machine: float

    def since(self, before: Cpu) -> Cpu:
        """
        Return what was used since an earlier moment.

        :param before: the earlier moment.
        """
        used = {name: round(now - before.seconds.get(name, 0.0), 1) for name, now in self.seconds.items()}
        return Cpu(used, round(self.machine - before.machine, 1))


def read_cpu(leaders: Mapping[str, int]) -> Cpu:
    """
    Read the CPU time so far.

    :param leaders: part → process id; all processes of its session belong to it, and its direct children.
    """
    names = {pid: name for name, pid in leaders.items()}
    seconds = dict.fromkeys(leaders, 0.0)
    for pid, fields in _processes():
        found = names.get(pid) or names.get(int(fields[_SESSION])) or names.get(int(fields[_PARENT]))
        if found:
            seconds[found] += sum(map(int, fields[_TIMES])) / _TICKS
    total = (_PROC / "stat").read_text().splitlines()[0].split()[1:]
    return Cpu(seconds, sum(int(total[place]) for place in _BUSY) / _TICKS)


def _processes() -> Iterator[tuple[int, list[str]]]:
    for entry in _PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        # A command may have spaces and brackets.
        yield int(entry.name), text.rpartition(")")[2].split()
