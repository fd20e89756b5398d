from __future__ import annotations

import json

import pytest
from support.clients import client_of
from support.rows import checked, row

from cloudzero_provider.anycost.claim import MonthWrite
from cloudzero_provider.anycost.plan import Operation, make_plan
from cloudzero_provider.months import Month

URL = "http://127.0.0.1:8900"
STREAM = "1234abcd-1234-abcd-1234-abcd1234efgh"
CLIENT = client_of(URL)


def hour(number):
    return f"2026-03-{number // 24 + 1:02}T{number % 24:02}:00:00Z"


def later(*hours, **options):
    """The same write, made when it is called: a mutant is switched on only while a test runs."""
    return lambda: write(*hours, **options)


def write(*hours, operation=Operation.REPLACE_HOURLY):
    rows = checked([row(time__usage_start=hour(number)) for number in hours])
    return MonthWrite.of_plan(CLIENT, STREAM, make_plan(rows, operation))


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("hours", [(0,), (23, 24, 743), range(744)])
def test_a_claim_is_read_as_it_was_written(operation, hours):
    claimed = write(*hours, operation=operation)
    assert claimed.hours == {hour(number) for number in hours}
    assert (claimed.rows, claimed.month, claimed.anycost_connection_id) == (len(hours), "2026-03", STREAM)
    claim = json.loads(json.dumps(claimed.as_claim()))
    assert write(5).read_claim(claim) == claimed


def test_a_claim_is_small_and_says_what_it_is():
    claim = write(0, 1, 3).as_claim()
    assert claim == {
        "kind": "billing_drop",
        "base_url": "http://127.0.0.1:8900",
        "stream": STREAM,
        "month": "2026-03",
        "operation": "replace_hourly",
        "rows": 3,
        "hours": "b",
    }


@pytest.mark.parametrize(
    ("name", "other"),
    [("kind", "telemetry"), ("base_url", "http://127.0.0.1:8901"), ("stream", "other"), ("month", "2026-04")],
)
def test_a_claim_of_something_else_is_none(name, other):
    assert write(0).read_claim(write(0).as_claim() | {name: other}) is None


def test_emptying_a_month():
    empty = MonthWrite.of_nothing(CLIENT, STREAM, Month(2026, 3))
    assert empty.as_claim() == write(0, operation=Operation.REPLACE_DROP).as_claim() | {"rows": 0, "hours": "0"}
    assert write(0).read_claim(empty.as_claim()) == empty
    assert empty.uncompared == 0


@pytest.mark.parametrize(
    ("mine", "theirs", "replaced"),
    [
        (later(0, operation=Operation.REPLACE_DROP), later(9), "replace_drop replaces the whole month"),
        (later(0, operation=Operation.SUM), later(0), None),
        (later(0), later(1), None),
        (later(0, 1), later(1, 2), "replace_hourly replaces 1 hour that both have (2026-03-01T01:00:00Z)"),
        (
            later(0, 1, 2),
            later(0, 1, 2, operation=Operation.SUM),
            f"replace_hourly replaces 3 hours that both have ({hour(0)}, {hour(1)}, {hour(2)})",
        ),
        (
            later(3, 2, 1, 0),
            later(0, 1, 2, 3),
            f"replace_hourly replaces 4 hours that both have ({hour(0)}, {hour(1)}, {hour(2)}, ...)",
        ),
    ],
)
def test_what_a_write_replaces_of_another(mine, theirs, replaced):
    assert mine().replaces(theirs()) == replaced


def test_descriptions():
    assert write(0).description == f"1 row of 2026-03 to AnyCost stream {STREAM} (replace_hourly)"
    assert write(*range(3)).description.startswith("3 rows of 2026-03")
