from __future__ import annotations

import base64
import json
import zlib

import pytest
from support.clients import client_of

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.telemetry.checks import OnZero, RecordRules, check_records
from cloudzero_provider.telemetry.claim import RecordsWrite
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.values.limits import CLAIMED_RECORDS

CLIENT = client_of("http://127.0.0.1:8900")
REPLACE, SUM, DELETE = TelemetryOperation.REPLACE, TelemetryOperation.SUM, TelemetryOperation.DELETE


def record(element="a", value=1, day=1, **filters):
    return {
        "timestamp": f"2026-03-{day:02}",
        "element_name": element,
        "value": value,
        "filter": {key: [text] for key, text in filters.items()},
    }


def metric(value=1, **filters):
    return {"timestamp": "2026-03-01", "value": value, "associated_cost": filters}


def later(*records, **options):
    """The same write, made when it is called: a mutant is switched on only while a test runs."""
    return lambda: write(*records, **options)


def write(*records, operation=REPLACE, clear_periods=False, kind=StreamType.ALLOCATION, **choices):
    if operation is DELETE:
        records = [{name: value for name, value in one.items() if name != "value" and value} for one in records]
    rules = RecordRules(KINDS[kind], operation, "DAILY", **choices)
    checked = check_records(sources.from_records(list(records)), rules)
    return RecordsWrite.of(CLIENT, "orders", checked, clear_periods=clear_periods)


def without_descriptions(given):
    return RecordsWrite(**{**{name: getattr(given, name) for name in given.__match_args__}, "descriptions": ()})


@pytest.mark.parametrize("operation", [REPLACE, SUM, DELETE])
def test_a_claim_is_read_as_it_was_written(operation):
    records = [record(day=1, team="x"), record("b", 2, day=2, team="x"), record("b", 3, day=3, team="y", env="z")]
    if operation is DELETE:
        records = records[:2]
    claimed = write(*records, operation=operation, clear_periods=operation is REPLACE)
    claim = json.loads(json.dumps(claimed.as_claim()))
    assert write(record()).read_claim(claim) == without_descriptions(claimed)
    assert claimed.records == len(records)
    periods = tuple(f"2026-03-{day:02}T00:00:00Z" for day in range(1, len(records) + 1))
    assert claimed.written == (() if operation is DELETE else periods)
    assert claimed.cleared == (periods if operation is REPLACE else ())


def test_a_claim_holds_no_element_no_filter_and_no_value():
    claim = write(record("customer", 123456, team="secret")).as_claim()
    assert {name: claim[name] for name in ("kind", "base_url", "stream_type", "stream", "operation", "records")} == {
        "kind": "telemetry",
        "base_url": "http://127.0.0.1:8900",
        "stream_type": "allocation",
        "stream": "orders",
        "operation": "replace",
        "records": 1,
    }
    packed = zlib.decompress(base64.b64decode(claim["entries"])).decode()
    assert not any(word in packed for word in ("customer", "123456", "team", "secret", ": ", ", "))
    content = json.loads(packed)
    [[element], [[scope]], [[*_, value]]] = content["elements"], content["scopes"], content["rows"]
    assert (len(element), len(scope), len(value)) == (12, 12, 8)


@pytest.mark.parametrize(
    ("name", "other"),
    [("kind", "billing_drop"), ("base_url", "http://x"), ("stream_type", "metric"), ("stream", "other")],
)
def test_a_claim_of_something_else_is_none(name, other):
    assert write(record()).read_claim(write(record()).as_claim() | {name: other}) is None


def test_a_zero_that_is_deleted_is_a_deletion_in_the_claim():
    claimed = write(record(value=0), record("b", 1, day=2), on_zero=OnZero.DELETE)
    assert (claimed.records, claimed.written) == (2, ("2026-03-02T00:00:00Z",))
    assert [entry.value is None for entry in claimed.entries] == [False, True]


def test_only_the_first_records_are_compared():
    claimed = write(*(record(f"e{number}") for number in range(CLAIMED_RECORDS + 2)))
    assert (claimed.records, len(claimed.entries), claimed.uncompared) == (CLAIMED_RECORDS + 2, CLAIMED_RECORDS, 2)
    assert claimed.description == f"{CLAIMED_RECORDS + 2:,} records to allocation stream orders (replace)"


SAME = "replace replaces 1 record of the same identity with another value, like 2026-03-01T00:00:00Z, 'a'"
MORE = (
    "the record 2026-03-01T00:00:00Z, 'a' may also replace records with more filter keys, since replace replaces all "
    "data that matches its properties (send records with fewer keys first)"
)


@pytest.mark.parametrize(
    ("mine", "theirs", "replaced"),
    [
        (later(record()), later(record()), None),
        (later(record()), later(record(value="1.0")), None),
        (later(record()), later(record("b")), None),
        (later(record()), later(record(day=2)), None),
        (later(record()), later(record(value=2)), SAME),
        (later(record()), later(record(), operation=SUM), SAME),
        (later(record(), operation=SUM), later(record(value=2)), None),
        (later(record(), operation=DELETE), later(record()), SAME.replace("replace replaces", "delete replaces")),
        (later(record()), later(record(), operation=DELETE), SAME),
        (
            later(record(), record("b")),
            later(record(value=2), record("b", 3)),
            "replace replaces 2 records of the same identity with another value, like 2026-03-01T00:00:00Z, 'a'",
        ),
        (later(record()), later(record(team="x")), MORE),
        (later(record(team="x")), later(record()), None),
        (later(record(team="x")), later(record(team="y", env="z")), None),
        (
            later(record(team="x")),
            later(record(team="x", env="z")),
            MORE.replace("'a' may", '\'a\', {"team": ["x"]} may'),
        ),
        (
            later(record(), operation=DELETE),
            later(record(team="x")),
            "the deletion of 2026-03-01T00:00:00Z, 'a' hides every record that has its properties and more",
        ),
        (
            later({"timestamp": "2026-03-01"}, operation=DELETE),
            later(record()),
            "the deletion of 2026-03-01T00:00:00Z hides every record that has its properties and more",
        ),
        (
            later({"timestamp": "2026-03-01", "filter": {"team": ["x"]}}, operation=DELETE),
            later(record(team="x", env="z")),
            'the deletion of 2026-03-01T00:00:00Z, {"team": ["x"]} hides every record that has its properties and more',
        ),
        (later({"timestamp": "2026-03-01"}, operation=DELETE), later(record(), operation=DELETE), None),
        (
            later(record(), clear_periods=True),
            later(record("b")),
            "clear_periods=True deletes all records of periods that both have (2026-03-01T00:00:00Z)",
        ),
        (
            later(record(), record(day=2), clear_periods=True),
            later(record("b", day=2), record("b")),
            "clear_periods=True deletes all records of periods that both have (2026-03-01T00:00:00Z and 1 more)",
        ),
        (later(record(), clear_periods=True), later(record("b", day=2)), None),
        (later(record(team="x", env="z")), later(record(team="x", env="z")), None),
        (later(record(team="x")), later(record("b", team="x", env="z")), None),
        (later(record(), operation=DELETE), later(record("b", team="x")), None),
        (
            later(metric(), kind=StreamType.METRIC),
            later(metric(team="x"), kind=StreamType.METRIC),
            MORE.replace(", 'a' may", " may"),
        ),
        (
            later(metric(team="x"), kind=StreamType.METRIC),
            later(metric(team="y", env="z"), kind=StreamType.METRIC),
            None,
        ),
    ],
)
def test_what_a_write_replaces_of_another(mine, theirs, replaced):
    mine, theirs = mine(), theirs()
    assert mine.replaces(mine.read_claim(theirs.as_claim())) == replaced


def test_a_record_of_a_claim_that_was_read_is_named_by_its_period():
    read = write(record()).read_claim(write(record()).as_claim())
    assert read.replaces(write(record(value=2))) == SAME.removesuffix(", 'a'")


def test_a_claim_that_is_damaged_says_how():
    damaged = write(record()).as_claim() | {"entries": base64.b64encode(b"damaged").decode()}
    with pytest.raises(ValueError, match="Error -3 while decompressing data"):
        write(record()).read_claim(damaged)


def test_descriptions():
    assert write(record()).description == "1 record to allocation stream orders (replace)"
    cleared = write(record(), record("b"), clear_periods=True)
    assert cleared.description == "2 records to allocation stream orders (replace, clear_periods)"
