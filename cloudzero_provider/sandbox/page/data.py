"""Everything that the page shows, read from one snapshot of the database."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cloudzero_provider.sandbox.anycost.service_costs import ServiceCosts
from cloudzero_provider.sandbox.page.breakdown import Breakdown, Breakdowns, break_down
from cloudzero_provider.sandbox.page.choice import BILLING, TELEMETRY, Choice
from cloudzero_provider.sandbox.telemetry.element_sums import sum_elements
from cloudzero_provider.sandbox.telemetry.model import Granularity, StreamStatus
from cloudzero_provider.sandbox.telemetry.reads import status

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from cloudzero_provider.sandbox.anycost.connections import Connection
    from cloudzero_provider.sandbox.anycost.totals import MonthState, MonthStates, MonthVersion
    from cloudzero_provider.sandbox.buckets.state import BucketState
    from cloudzero_provider.sandbox.settings.all_settings import Settings
    from cloudzero_provider.sandbox.telemetry.store import TelemetryStream
    from cloudzero_provider.sandbox.telemetry.totals import TelemetryState, TelemetryStates


@dataclass(frozen=True)
class ShownMonth:
    """A month with its totals."""

    version: MonthVersion
    state: MonthState


@dataclass(frozen=True)
class ShownStream:
    """A telemetry stream with its status and records."""

    stream: TelemetryStream
    status: StreamStatus
    state: TelemetryState

    @property
    def digits(self) -> int:
        """How much of a timestamp is a period of the chart: a day, or a month of a monthly stream."""
        return 7 if self.stream.granularity is Granularity.MONTHLY else 10

    @property
    def periods(self) -> list[str]:
        """The months that have records, or the years of a monthly stream, the last one first."""
        return sorted({day[: self.digits - 3] for day in self.state.total_by_day}, reverse=True)


@dataclass(frozen=True)
class ShownRequests:
    """The last requests of those that were chosen, newest first, and how many there are of all."""

    total: int
    last: Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Control:
    """What is not in the database: faults, settings, and how to connect."""

    faults: Sequence[Mapping[str, object]]
    settings: Settings
    url: str
    airflow_connection: str


@dataclass(frozen=True)
class Snapshot:
    """
    Everything on the page.

    ``streams`` are the AnyCost streams, and ``months`` are those of streams and buckets.
    ``month``, ``shown_telemetry`` and ``period`` are the chosen ones, if there are any; ``costs`` and ``values`` are
    what they hold.
    """

    choice: Choice
    streams: Sequence[Connection]
    months: Sequence[ShownMonth]
    month: ShownMonth | None
    costs: Breakdown | None
    telemetry: Sequence[ShownStream]
    shown_telemetry: ShownStream | None
    period: str | None
    values: Breakdown | None
    requests: ShownRequests
    control: Control
    buckets: Sequence[BucketState] = ()

    @property
    def billing(self) -> list[Connection]:
        """Every connection that has months: streams, then buckets."""
        return [*self.streams, *(bucket.connection for bucket in self.buckets)]

    @property
    def stream(self) -> Connection | None:
        """The stream or bucket that is shown: the chosen one, that of the month that is shown, or the first."""
        wanted = self.month.version.stream if self.month else self.choice.stream
        found = [stream for stream in self.billing if stream.id == wanted]
        return next(iter([*found, *self.billing]), None)

    @property
    def is_empty(self) -> bool:
        return not self.months and not self.telemetry


@dataclass(frozen=True)
class Totals:
    """The totals of the sandbox, each computed once per change."""

    months: MonthStates
    telemetry: TelemetryStates
    services: ServiceCosts = field(default_factory=ServiceCosts)
    breakdowns: Breakdowns = field(default_factory=Breakdowns)

    def costs(self, database: sqlite3.Connection, version: MonthVersion) -> Breakdown:
        """Return a month's cost by day and service."""

        def compute() -> Breakdown:
            costs = self.services.by_day(database, version)
            return break_down(costs, days_or_months(version.month), blank="no service", unit="services")

        return self.breakdowns.get(version, compute)

    def values(self, database: sqlite3.Connection, shown: ShownStream, period: str) -> Breakdown:
        """Return a telemetry stream's values within a period, by time and element."""
        stream = shown.stream

        def compute() -> Breakdown:
            values = sum_elements(database, stream, period, shown.digits)
            return break_down(values, days_or_months(period), blank=stream.name, unit="elements")

        return self.breakdowns.get((stream.number, stream.changes, period), compute)


#: Reads the last requests: all, or those on a billing connection or a telemetry stream.
RequestReader = Callable[["sqlite3.Connection", "str | None", "str | None"], ShownRequests]


def take_snapshot(
    database: sqlite3.Connection,
    streams: Sequence[Connection],
    totals: Totals,
    wanted: Choice,
    read_requests: RequestReader,
    control: Control,
    buckets: Sequence[BucketState] = (),
) -> Snapshot:
    """
    Read what the page shows.

    :param database: where it is.
    :param streams: its AnyCost streams.
    :param totals: those computed earlier.
    :param wanted: what the address asks for; what does not exist is not shown again.
    :param read_requests: reads the log.
    :param control: what is not in the database.
    :param buckets: its AnyCost Bucket connections.
    """
    ids = {stream.id for stream in streams} | {bucket.connection.id for bucket in buckets}
    versions = [version for version in totals.months.months(database) if version.stream in ids]
    months = [ShownMonth(version, totals.months.state(database, version)) for version in versions]
    telemetry = shown_streams(database, totals.telemetry, control.settings, time.time())
    choice = _existing(wanted, months, ids, telemetry)
    month = _chosen_month(months, choice)
    shown = next((one for one in telemetry if one.stream.name == choice.telemetry), next(iter(telemetry), None))
    period = choice.period or next(iter(shown.periods if shown else ()), None)
    return Snapshot(
        choice,
        streams,
        months,
        month,
        totals.costs(database, month.version) if month else None,
        telemetry,
        shown,
        period,
        totals.values(database, shown, period) if shown and period else None,
        read_requests(database, choice.requests_of(BILLING), choice.requests_of(TELEMETRY)),
        control,
        buckets,
    )


def shown_streams(
    database: sqlite3.Connection, states: TelemetryStates, settings: Settings, now: float
) -> list[ShownStream]:
    """Return every telemetry stream with its status and totals."""
    return [
        ShownStream(stream, status(stream, settings, now), states.state(database, stream))
        for stream in states.streams(database)
    ]


def _existing(wanted: Choice, months: Sequence[ShownMonth], ids: set[str], telemetry: Sequence[ShownStream]) -> Choice:
    """Return the part of a choice that exists: a stream may have been deleted, and the sandbox reset."""
    names = {shown.stream.name: shown for shown in telemetry}
    shown = names.get(wanted.telemetry or "", next(iter(telemetry), None))
    stream = wanted.stream if wanted.stream in ids else None
    held = {month.version.month for month in months if stream in (None, month.version.stream)}
    requests = {f"{BILLING}{stream}" for stream in ids} | {f"{TELEMETRY}{name}" for name in names}
    return Choice(
        stream,
        wanted.month if wanted.month in held else None,
        wanted.telemetry if wanted.telemetry in names else None,
        wanted.period if shown and wanted.period in shown.periods else None,
        wanted.requests if wanted.requests in requests else None,
    )


def _chosen_month(months: Sequence[ShownMonth], choice: Choice) -> ShownMonth | None:
    """Return the chosen month, or else the latest one of the chosen stream, or of all."""
    found = [
        month
        for month in months
        if choice.stream in (None, month.version.stream) and choice.month in (None, month.version.month)
    ]
    return max(found, key=lambda month: month.version.month, default=None)


def days_or_months(period: str) -> list[str]:
    """Return the days of a month, or the months of a year."""
    year, _, month = period.partition("-")
    last = calendar.monthrange(int(year), int(month))[1] if month else 12
    return [f"{period}-{number:02}" for number in range(1, last + 1)]
