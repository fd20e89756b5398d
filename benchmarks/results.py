"""Results: every run, medians, ratios; written to JSON and read again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Run:
    """
    What one run took.

    :param whole_seconds: of the whole process, imports included, without what prepares the input.
    :param whole_cpu: user and system time of the same.
    :param work_seconds: from the first row read to the last body made, imports excluded.
    :param work_cpu: user and system time of the same.
    :param peak_mb: the most memory that the process held, in millions of bytes.
    :param bodies: how many bodies it made.
    :param bytes: of all bodies.
    """

    whole_seconds: float
    whole_cpu: float
    work_seconds: float
    work_cpu: float
    peak_mb: float
    bodies: int
    bytes: int


#: What is compared.
MEASURES = ("whole_seconds", "whole_cpu", "work_seconds", "work_cpu", "peak_mb")


@dataclass(frozen=True)
class ProgramResult:
    """
    The runs of one program in one case.

    :param program: its name.
    :param note: what makes it differ.
    :param runs: one per round, in order.
    :param failure: why it has none.
    :param repeat: how many times it did its work in each run.
    """

    program: str
    note: str
    runs: tuple[Run, ...]
    failure: str = ""
    repeat: int = 1

    def median(self, measure: str) -> float:
        """Return the median of a measure."""
        return float(median(getattr(run, measure) for run in self.runs))

    def ratio(self, other: ProgramResult, measure: str) -> float:
        """
        Divide a measure of this program by that of another.

        :return: the median of the ratios within each round, since other work on the machine slows down both.
        """
        rounds = zip(self.runs, other.runs, strict=True)
        return float(median(getattr(mine, measure) / getattr(theirs, measure) for mine, theirs in rounds))


@dataclass(frozen=True)
class CaseResult:
    """
    All programs of one case.

    :param case: its name.
    :param rows: of its input.
    :param in_plot: whether the plot shows it.
    :param programs: the first is what the others are compared with.
    """

    case: str
    rows: int
    in_plot: bool
    programs: tuple[ProgramResult, ...]

    @property
    def first(self) -> ProgramResult:
        """What the others are compared with."""
        return self.programs[0]


@dataclass(frozen=True)
class Results:
    """
    All cases of one run of the benchmarks.

    :param machine: where.
    :param cases: in the order in which they ran.
    """

    machine: Machine
    cases: tuple[CaseResult, ...]

    def write(self, path: Path) -> None:
        """Write everything as JSON, with medians and ratios for those who read it without this program."""
        written = asdict(self)
        for case, shown in zip(self.cases, written["cases"], strict=True):
            for program, values in zip(case.programs, shown["programs"], strict=True):
                values["median"] = {name: program.median(name) for name in MEASURES if program.runs}
                values["first_divided_by_this"] = _ratios(case.first, program)
        path.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what :meth:`write` wrote."""
        found = json.loads(path.read_text(encoding="utf-8"))
        return cls(_only(Machine, found["machine"]), tuple(map(_case, found["cases"])))


def _ratios(first: ProgramResult, program: ProgramResult) -> dict[str, float]:
    if not program.runs or not first.runs:
        return {}
    return {name: first.ratio(program, name) for name in MEASURES}


def _case(found: dict[str, Any]) -> CaseResult:
    programs = []
    for program in found["programs"]:
        runs = tuple(_only(Run, run) for run in program["runs"])
        programs.append(_only(ProgramResult, {**program, "runs": runs}))
    case: CaseResult = _only(CaseResult, {**found, "programs": tuple(programs)})
    return case


def _only(kind: Any, found: dict[str, Any]) -> Any:
    """Make an object of the fields that it has; a file may hold more."""
    names = {field.name for field in fields(kind)}
    return kind(**{name: value for name, value in found.items() if name in names})
