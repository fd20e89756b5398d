"""What is measured: a case is one input, and the programs that make request bodies of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: The cache of inputs, and where results go.
OUTPUT = ROOT / ".bench"

#: Receives each finished body.
Sink = Callable[["bytes | memoryview"], object]
#: What is timed: it makes all bodies and hands each to the sink.
Work = Callable[[Sink], None]

OURS = "cloudzero_provider"
#: The month of all billing rows.
MONTH = "2026-03"


class Shape(Enum):
    """What the rows of an input look like."""

    TWO_COLUMNS = "two-columns"
    REAL_ROWS = "real-rows"
    FEW_KEYS = "few-keys"
    DISTINCT_KEYS = "distinct-keys"


class Order(Enum):
    """The order of the rows."""

    SORTED = "sorted"
    SHUFFLED = "shuffled"


class Source(Enum):
    """Where rows come from."""

    CSV = "csv"
    GZIPPED_CSV = "csv.gz"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"
    SQL = "sqlite"
    DICTIONARIES = "dictionaries"
    GENERATOR = "generator"

    @property
    def ending(self) -> str:
        """The extension of the file behind it. Dictionaries are made from a CSV file."""
        return "csv" if self in (Source.DICTIONARIES, Source.GENERATOR) else self.value


@dataclass(frozen=True)
class Input:
    """
    Rows in a file.

    :param shape: what they look like.
    :param order: sorted by time, or shuffled.
    :param source: how a program gets them.
    :param rows: how many.
    :param folder: the cache that holds the file.
    """

    shape: Shape
    order: Order
    source: Source
    rows: int
    folder: Path = OUTPUT / "input"

    @property
    def name(self) -> str:
        """A name that stays the same from run to run."""
        return f"{self.shape.value}/{self.order.value}/{self.source.value}/{self.rows}"

    @property
    def path(self) -> Path:
        """The file."""
        return self.folder / f"{self.shape.value}-{self.order.value}-{self.rows}.{self.source.ending}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """The input as arguments of a command, as :meth:`parse` reads them."""
        return (self.shape.value, self.order.value, self.source.value, str(self.rows), str(self.folder))

    @classmethod
    def parse(cls, shape: str, order: str, source: str, rows: str, folder: str) -> Input:
        """Read the arguments of a command."""
        return cls(Shape(shape), Order(order), Source(source), int(rows), Path(folder))


class Environment(Enum):
    """Where a program is installed: the environment of the provider, or one below it, made by ``make bench``."""

    MAIN = "."
    PEERS = "bench"
    UCA_TOOLS = "uca-tools"


@dataclass(frozen=True)
class Program:
    """
    One way to make bodies.

    :param name: as in the table.
    :param module: its function ``prepare(given)`` gets the :class:`Input` of the case, and returns the :data:`Work` to
        be timed.
    :param environment: where it is installed.
    :param note: what makes it differ from the others, such as checks that it skips.
    :param repeat: how many times it does its work in its process, one after the other.
    """

    name: str
    module: str
    environment: Environment = Environment.MAIN
    note: str = ""
    repeat: int = 1


@dataclass(frozen=True)
class Case:
    """
    Programs that are measured beside each other.

    :param family: what the case is about, such as ``billing``.
    :param programs: the first is what the others are compared with.
    :param given: their input, which is written before they run; ``None`` for programs that read nothing.
    :param title: the rest of its name, if it is not that of its input.
    :param in_plot: whether the plot shows it.
    :param around: ``module:function`` of a context manager that is entered around each run, for example to start a
        server; it yields variables for the environment of the measured process.
    """

    family: str
    programs: tuple[Program, ...]
    given: Input | None = None
    title: str = ""
    in_plot: bool = False
    around: str = ""

    @property
    def name(self) -> str:
        """A name that stays the same from run to run."""
        return f"{self.family}/{self.title or (self.given.name if self.given else '')}"

    @property
    def rows(self) -> int:
        """How many rows its input has."""
        return self.given.rows if self.given else 0

    def is_named(self, parts: Iterable[str]) -> bool:
        """Whether one of these is a part of its name."""
        return any(part in self.name for part in parts)

    def with_rows(self, most: int) -> Case:
        """Return the same case with an input of no more rows than these."""
        if not self.given or self.given.rows <= most:
            return self
        return replace(self, given=replace(self.given, rows=most))
