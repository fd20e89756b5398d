"""The programs, and what makes each differ from the provider."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.model import OURS, Environment, Program, Source

_P = "benchmarks.programs"

OUR_BILLING = Program(OURS, f"{_P}.our_billing")
OUR_TELEMETRY = Program(OURS, f"{_P}.our_telemetry")
FLOOR = Program(
    "floor (polars)",
    f"{_P}.floor",
    note="reads and writes, and checks nothing; one body for all rows; empty cells are sent as null",
)
PLAIN_BILLING = Program(
    "plain loop",
    f"{_P}.plain_billing",
    note="checks only decimals and how a timestamp begins; cuts by size, so only its first request can be repeated",
)
PLAIN_TELEMETRY = Program(
    "plain loop",
    f"{_P}.plain_telemetry",
    note="checks only values and duplicates; timestamps and keys are sent as is",
)
PANDAS = Program(
    "pandas",
    f"{_P}.pandas_frames",
    Environment.PEERS,
    note="checks nothing; decimals become floats, and text of digits a number; empty cells are sent as null; telemetry "
    "stays a flat table",
)
PANDAS_PARQUET = replace(PANDAS, module=f"{_P}.pandas_parquet")
ORJSON = Program(
    "orjson",
    f"{_P}.orjson_dictionaries",
    Environment.PEERS,
    note="encodes only: what it is given is ready to be sent; checks nothing",
)
LL2CZ = Program(
    "ll2cz",
    f"{_P}.ll2cz_streamer",
    Environment.PEERS,
    note="checks only timestamps, and leaves out rows with bad ones; one request per day, whatever its size",
)
UCA_TOOLS = Program(
    "cloudzero-uca-tools",
    f"{_P}.uca_tools",
    Environment.UCA_TOOLS,
    note="from CSV, checks only that values are numbers, and leaves zeros out; from JSON lines, checks nothing, and "
    "numbers become floats",
)


def billing_programs(source: Source) -> tuple[Program, ...]:
    """Return the programs that can read billing rows of a source."""
    return (OUR_BILLING, *_beside(source, PLAIN_BILLING))


def telemetry_programs(source: Source) -> tuple[Program, ...]:
    """Return the programs that can read telemetry of a source."""
    return (OUR_TELEMETRY, *_beside(source, PLAIN_TELEMETRY))


def _beside(source: Source, plain: Program) -> tuple[Program, ...]:
    if source is Source.DICTIONARIES:
        return plain, ORJSON
    if source is Source.GENERATOR:
        return (plain,)
    if source is Source.SQL:
        return FLOOR, plain
    # Nothing in Python alone reads Parquet.
    return (FLOOR, PANDAS_PARQUET) if source is Source.PARQUET else (FLOOR, plain, PANDAS)
