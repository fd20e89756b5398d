"""The files of ``make test-distributed``, and that a difference from them is found."""

from __future__ import annotations

import csv
import io
from collections import Counter
from fractions import Fraction

import pytest
from distributed_run.dags.distributed_streams import Given, Kind, Stream
from distributed_run.inputs import differences, held_bill, held_usage, month_of

GIVEN = Given(3, 4, 14, retries=1, retry_seconds=1, poke_seconds=1, body_bytes=1, batch_records=1)
BILL, METRIC, ALLOCATION = (Stream(kind, 1) for kind in Kind)


def held(month):
    """The rows of a month as the sandbox shows them."""
    rows = list(csv.DictReader(io.StringIO(month.csv().decode())))
    if month.stream.kind is Kind.BILL:
        return held_bill(rows)
    fields = ("timestamp", "value", "element_name")
    records = [
        {
            **{name: row.get(name) for name in fields},
            "keys": {name: [value] for name, value in row.items() if name not in fields},
        }
        for row in rows
    ]
    return held_usage(month.stream, [*records, {**records[0], "timestamp": "2024-01-01T00:00:00Z"}], month.month)


def test_streams_and_months():
    names = [stream.name for stream in GIVEN.streams()]
    assert names == ["bill-01", "bill-02", "bill-03", "allocation-01", "metric-02", "allocation-03", "metric-04"]
    assert GIVEN.month_names()[::6] == ["2024-11", "2025-05", "2025-11"]
    assert GIVEN.month_names()[-1] == "2025-12"
    assert Given(**{**GIVEN.__dict__, "months": 1}).month_names() == ["2025-12"]


@pytest.mark.parametrize("stream", [BILL, METRIC, ALLOCATION], ids=lambda stream: stream.name)
def test_a_month_that_arrived_has_no_difference(stream):
    month = month_of(stream, "2025-02")
    assert len(month.rows) == 28 * (24 if stream is BILL else 3)
    assert month == month_of(stream, "2025-02")
    assert month.rows != month_of(stream, "2025-03").rows
    assert differences(month, held(month), len(month.rows), month.total) == []


@pytest.mark.parametrize("stream", [BILL, METRIC, ALLOCATION], ids=lambda stream: stream.name)
def test_a_row_that_is_missing_doubled_or_changed_is_found(stream):
    month = month_of(stream, "2025-02")
    first, *_ = rows = held(month)
    named, count = f"{stream.name} 2025-02", len(month.rows)
    changed = Counter({(*first[:-1], "1"): 1})
    one = Counter({first: 1})
    assert differences(month, rows - one, count, month.total) == [f"{named}: 1 × {first} is missing"]
    assert differences(month, rows + one, count, month.total) == [f"{named}: 1 × {first} is too much"]
    assert len(differences(month, rows - one + changed, count, month.total)) == 2
    assert differences(month, rows, count + 1, month.total) == [f"{named}: {count + 1} rows instead of {count}"]
    wrong = month.total + Fraction(1, 10**9)
    assert [line.startswith(f"{named}: the total is ") for line in differences(month, rows, count, wrong)] == [True]
