"""The telemetry operator against the sandbox: what CloudZero then holds."""

from __future__ import annotations

import gzip
import json
import random
import time
from decimal import Decimal

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from support import telemetry_readings
from support.state_stores import FileStore, Store
from support.tasks import SETTLE_SECONDS, connect, context, send_telemetry as send, start_worker
from support.telemetry_readings import few_readings, one_key_set, one_reading, several_key_sets
from support.telemetry_records import allocation, many_records, metric

from cloudzero_provider import exceptions as errors
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

NAME = "orders-per-team"


@pytest.fixture(params=telemetry_readings.ALL)
def sandbox(sandbox, request):
    with telemetry_readings.read_as(sandbox, request.param):
        yield sandbox


def task(**arguments):
    defaults = {"task_id": "send", "stream_name": NAME, "stream_type": "allocation", "granularity": "DAILY"}
    return TelemetrySendOperator(**{**defaults, **arguments})


def held(sandbox, name=NAME):
    return sandbox.telemetry(name)


def records_held(sandbox, name=NAME):
    return {
        (record["timestamp"], record.get("element_name")): Decimal(str(record["value"]))
        for record in sandbox.records(name)
    }


# What goes through


def test_the_samples_of_the_documentation_go_through(sandbox):
    teams = {"Leonardo": 2717, "Raphael": 2779, "Michelangelo": 6242}
    records = [
        {"timestamp": "2024-09-01", "value": value, "associated_cost": {"custom:Engineering Team": team}}
        for team, value in teams.items()
    ]
    summary = send(stream_name="orders", stream_type="metric", granularity=None, records=records)
    assert (summary["records"], summary["total"], summary["key_sets"]) == (3, "11738", 1)
    assert held(sandbox, "orders")["kind"] == "metric"
    assert Decimal(held(sandbox, "orders")["total"]) == 11738
    writes = [
        {"timestamp": "2024-09-01", "granularity": "DAILY", "value": 100045, "element_name": "Email"},
        {"timestamp": "2024-09-01", "granularity": "DAILY", "value": 1000600, "element_name": "Messaging"},
    ]
    send(stream_name="writes", granularity=None, records=writes)
    assert records_held(sandbox, "writes") == {
        ("2024-09-01T00:00:00Z", "Email"): 100045,
        ("2024-09-01T00:00:00Z", "Messaging"): 1000600,
    }


def test_a_second_run_changes_nothing_and_a_correction_overwrites(sandbox):
    records = [allocation(day, element, "1.5") for day in range(1, 32) for element in ("a", "b")]
    first = send(records=records)
    digest = held(sandbox)["digest"]
    assert send(records=records)["sha256"] == first["sha256"]
    assert held(sandbox)["digest"] == digest
    send(records=[allocation(3, "a", 7)])
    assert records_held(sandbox)["2026-03-03T00:00:00Z", "a"] == 7
    assert held(sandbox)["records"] == 62


def test_the_summary_says_what_was_sent(sandbox):
    records = [allocation(1, "a", 0.1 + 0.2), allocation(2, "b", "2.50"), allocation(2, "c", 0)]
    summary = send(records=records, on_zero="skip", month="2026-03")
    (post,) = sandbox.posts()
    assert len(summary.pop("record_hashes")) == 2
    assert len(summary.pop("sha256")) == 64
    assert summary == {
        "stream_name": NAME,
        "stream_type": "allocation",
        "operation": "replace",
        "granularity": "DAILY",
        "month": "2026-03",
        "records": 2,
        "requests": 1,
        "bytes": post["bytes"],
        "total": "2.8",
        "first": "2026-03-01T00:00:00Z",
        "last": "2026-03-02T00:00:00Z",
        "key_sets": 1,
        "duplicates_summed": 0,
        "zeros_deleted": 0,
        "zeros_skipped": 1,
        "values_rounded": 1,
        "check_only": False,
    }


def test_sum_adds_and_delete_hides(sandbox):
    send(records=[allocation(1, "a", 2), allocation(1, "b", 3)], operation="sum")
    send(records=[allocation(1, "a", 5), allocation(1, "a", 1)], operation="sum")
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "a"): 8, ("2026-03-01T00:00:00Z", "b"): 3}
    send(records=[allocation(1, "a")], operation="delete")
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "b"): 3}
    assert send(records=[allocation(1, "a")], operation="delete")["records"] == 1


def test_zeros_are_deleted_when_that_is_asked_for(sandbox):
    send(records=[allocation(1, "a", 5), allocation(1, "b", 5)])
    summary = send(records=[allocation(1, "a", 0), allocation(1, "b", 4)], on_zero="delete")
    assert (summary["zeros_deleted"], summary["records"], summary["requests"]) == (1, 1, 2)
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "b"): 4}


def test_duplicates_are_added_up_exactly_when_that_is_asked_for(sandbox):
    records = [allocation(1, "a", "0.1") for _ in range(10)] + [allocation(2, "a", "7")]
    assert send(records=records, on_duplicate="sum")["duplicates_summed"] == 9
    assert records_held(sandbox)["2026-03-01T00:00:00Z", "a"] == 1


def test_elements_that_vanished_stay_unless_their_periods_are_cleared(sandbox):
    send(records=[allocation(1, "a", 5), allocation(1, "b", 5), allocation(2, "b", 5)])
    send(records=[allocation(1, "a", 6)])
    assert held(sandbox)["records"] == 3
    send(records=[allocation(1, "a", 7)], clear_periods=True)
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "a"): 7, ("2026-03-02T00:00:00Z", "b"): 5}


def test_a_zero_that_is_skipped_keeps_its_period_from_being_cleared(sandbox):
    send(records=[allocation(1, "a", 5)])
    with pytest.raises(
        errors.InputError, match="on_zero='skip' keeps what CloudZero holds of 1 record with a value of zero"
    ):
        send(records=[allocation(1, "a", 0)], on_zero="skip", clear_periods=True)
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "a"): 5}


@several_key_sets
def test_records_of_three_key_sets_go_as_requests_of_their_own(sandbox):
    records = [allocation(1, str(n), 1, filter={key: ["x"]}) for n, key in enumerate(("custom:A", "custom:B") * 2)]
    records.append(allocation(1, "none", 1))
    summary = send(records=records)
    assert (summary["key_sets"], len(sandbox.posts())) == (3, 3)
    assert held(sandbox)["records"] == 5
    with pytest.raises(errors.InputError, match=r"3 sets of filter keys.*2 records with \[\"custom:A\"\]"):
        send(records=records, on_mixed_keys="error")
    assert len(sandbox.posts()) == 3


@one_key_set
def test_a_stream_with_a_fixed_key_set_says_what_it_accepts_and_heals(sandbox):
    good = [allocation(1, "a", 1, filter={"custom:A": ["x"]})]
    send(records=good)
    with pytest.raises(errors.RequestRejectedError) as error:
        send(
            records=[
                allocation(2, "a", 1, filter={"custom:B": ["x"]}),
                allocation(2, "b", 1, filter={"custom:B": ["y"]}),
            ]
        )
    told = str(error.value)
    assert "custom:A" in told
    assert '2 records with ["custom:B"]' in told
    assert isinstance(error.value, AirflowFailException)
    send(records=[*good, allocation(2, "b", 1, filter={"custom:A": ["y"]})])
    assert held(sandbox)["records"] == 2


def test_the_error_of_a_missing_allocation_stream_says_what_to_do(sandbox):
    sandbox.settings(allocation_replace_creates="refuse")
    try:
        with pytest.raises(errors.RequestRejectedError, match="send the first records once with operation='sum'"):
            send(records=[allocation()])
    finally:
        sandbox.settings(allocation_replace_creates="accept")


# Files


@pytest.mark.parametrize("name", ["usage.csv", "usage.csv.gz"])
@several_key_sets
def test_a_csv_file_has_a_column_per_filter_key(sandbox, tmp_path, name):
    content = b"timestamp,element_name,value,custom:Env\n2026-03-01,a,012.5,prod\n2026-03-01,b,3,\n"
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    summary = send(files=str(tmp_path / name))
    assert (summary["key_sets"], summary["total"]) == (2, "15.5")
    assert held(sandbox)["records"] == 2


def test_json_lines_are_records_in_cloudzeros_form(sandbox, tmp_path):
    path = tmp_path / "usage.jsonl"
    lines = [
        allocation(1, "a", 0.1, filter={"custom:Env": ["prod", "dev"]}),
        allocation(1, "b", 3, filter={"custom:Env": ["x"]}),
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    assert send(files=[str(path)])["records"] == 2
    path.write_text('{"timestamp": "2026-03-01"}\n{"timestamp": "2026-03-01", "timestamp": "2026-03-02"}\n')
    with pytest.raises(errors.InputError, match=r"usage\.jsonl, line 2: duplicate key"):
        send(files=[str(path)])


# What is refused here, before anything is sent


@pytest.mark.parametrize(
    ("records", "options", "words"),
    [
        ([allocation(), allocation()], {}, r"row 2, column 'timestamp'.*the same identity as row 1"),
        ([allocation(value=0)], {}, r"row 1, column 'value', value 0: zero: .*on_zero='delete'"),
        ([allocation(value="-0.00")], {}, "zero"),
        ([allocation(value=-3)], {}, "-3 is negative"),
        ([allocation(value=True)], {}, "value True: not a decimal number"),
        ([allocation(value=float("inf"))], {}, "not a decimal number"),
        ([allocation(value=float("nan"))], {}, "row 1, column 'value': every record needs one"),
        ([allocation(value=None)], {}, "row 1, column 'value': every record needs one"),
        ([allocation(value=Decimal("1.234567890123456"))], {}, "more than the 15 significant digits"),
        ([allocation(value=1234567890123456)], {}, "more than the 15 significant digits"),
        ([allocation(filter={f"k{n}": ["x"] for n in range(6)})], {}, "6 filter keys: CloudZero accepts at most 5"),
        ([allocation(filter={"k": ["x"] * 21})], {}, "21 values"),
        ([allocation(filter={"k": "x"})], {}, "expected a list of strings, not str"),
        ([allocation(filter={"k": []})], {}, "0 values"),
        ([allocation(filter={"k": ["x", "x"]})], {}, "listed twice"),
        ([allocation(filter={"k": [5]})], {}, "is not a string"),
        ([allocation(filter={"": ["x"]})], {}, "is not a string, or is empty"),
        ([allocation(filter=["k"])], {}, "expected a dict"),
        ([allocation(filters={})], {}, "did you mean 'filter'"),
        ([allocation(element=None)], {}, "row 1, column 'element_name'.*: every record needs one"),
        ([allocation(element="")], {}, "row 1, column 'element_name'.*: every record needs one"),
        ([allocation(timestamp=None)], {}, "row 1, column 'timestamp'.*: every record needs one"),
        ([allocation(timestamp="soon")], {}, "ISO 8601"),
        ([allocation(timestamp="2026-03-01T00:30:00+02:00")], {}, "its UTC offset moves it into another month"),
        ([allocation()], {"month": "2026-04"}, r"not in 2026-04 \(UTC\)"),
        ([allocation()], {"granularity": None}, "column 'granularity'.*: every record needs one"),
        ([allocation(granularity="WEEKLY")], {}, "accept HOURLY, DAILY, MONTHLY"),
        ([allocation(granularity="HOURLY"), allocation(2)], {}, "a stream has one granularity"),
        ([metric(granularity="HOURLY")], {"stream_type": "metric"}, "accept DAILY, MONTHLY"),
        ([metric(associated_cost={"k": ["x"]})], {"stream_type": "metric"}, "metrics don't accept lists"),
        ([metric(element_name="x")], {"stream_type": "metric"}, "not a field of metric records"),
        ([metric(filter={"k": "x"})], {"stream_type": "metric"}, "not a field of metric records"),
    ],
)
@one_reading
def test_a_record_that_breaks_a_rule_is_named_and_nothing_is_sent(sandbox, records, options, words):
    with pytest.raises(errors.InvalidRowsError, match=words) as error:
        send(records=records, **options)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"stream_type": "both"},
        {"operation": "upsert"},
        {"granularity": "HOURLY", "stream_type": "metric"},
        {"on_duplicate": "last"},
        {"on_zero": "keep"},
        {"on_mixed_keys": "x"},
        {"on_empty": "clear"},
        {"stream_name": "../x"},
        {"stream_name": ".."},
        {"clear_periods": True, "operation": "delete"},
        {"on_zero": "delete", "operation": "sum"},
        {"max_batch_records": 0},
        {"month": "None"},
    ],
)
@one_reading
def test_parameters_that_make_no_sense_are_refused_before_anything_is_sent(sandbox, wrong):
    with pytest.raises(errors.ConfigurationError):
        send(records=[allocation()], **wrong)
    assert sandbox.requests() == []


def test_empty_inputs(sandbox):
    with pytest.raises(AirflowSkipException):
        send(records=[])
    with pytest.raises(errors.InputError):
        send(records=[], on_empty="fail")
    assert send(records=[allocation()], check_only=True)["check_only"]
    assert sandbox.requests() == []


# 100,000 records under fire

BIG = many_records()
#: A tenth of them, in as many requests: for tests of what happens between requests.
MANY = BIG[:10_000]
SENDING = {"max_batch_records": 300}
FAULTS = [
    {"kind": "apply_then_lose_reply", "skip": 1},
    {"kind": "refuse", "status": 429, "retry_after": 1, "skip": 4},
    {"kind": "refuse", "status": 503, "skip": 8},
    {"kind": "lose_request", "skip": 12},
    {"kind": "lose_reply_then_apply", "seconds": SETTLE_SECONDS * 0.5, "skip": 16},
    {"kind": "cut_reply", "skip": 20},
]


def expected(records, times=1):
    return {(f"{r['timestamp']}T00:00:00Z", r["element_name"]): times * Decimal(str(r["value"])) for r in records}


def assert_held_once_after_two_runs_and_after_faults(sandbox, records, **options):
    send(records=records, **options)
    summary = send(records=records, **options)
    assert (summary["records"], summary["requests"]) == (len(records), 34)
    assert records_held(sandbox) == expected(records)
    sandbox.faults(*FAULTS)
    send(records=[{**record, "value": record["value"] * 2} for record in records], **options)
    assert sandbox.armed() == []
    assert records_held(sandbox) == expected(records, 2)


@one_reading
def test_100_000_records_are_held_once_after_two_runs_and_after_faults(sandbox):
    assert_held_once_after_two_runs_and_after_faults(sandbox, BIG)


@few_readings
def test_records_are_held_once_after_two_runs_and_after_faults(sandbox):
    assert_held_once_after_two_runs_and_after_faults(sandbox, MANY, **SENDING)


@few_readings
def test_a_killed_worker_leaves_records_that_running_again_heals(sandbox):
    sandbox.faults({"kind": "slow", "seconds": 0.1, "times": 100})
    worker = start_worker("send_telemetry", records=MANY, **SENDING)
    wait_for_posts(sandbox, 7)
    worker.kill()
    worker.wait()
    sandbox.clear_faults()
    assert 0 < held(sandbox)["records"] < len(MANY)
    send(records=MANY, try_number=2, **SENDING)
    assert records_held(sandbox) == expected(MANY)


def wait_for_posts(sandbox, count):
    """Wait for a worker to send; one that is given up would go on sending into the tests after this one."""
    deadline = time.monotonic() + 300
    while len(sandbox.posts()) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


# sum: at most once


@one_reading
def test_100_000_records_are_added_once_after_throttling_and_unavailability(sandbox):
    sandbox.faults(*FAULTS[1:3])
    send(records=BIG, operation="sum")
    assert sandbox.armed() == []
    assert records_held(sandbox) == expected(BIG)


@pytest.mark.parametrize("seed", range(5))
@one_reading
def test_a_killed_sum_and_its_retries_never_count_a_record_twice(sandbox, tmp_path, seed):
    draw = random.Random(seed)
    sandbox.faults({"kind": "slow", "seconds": 0.05, "times": 100})
    path = str(tmp_path / "state.json")
    worker = start_worker("send_telemetry", records=MANY, operation="sum", retries=3, store=path, **SENDING)
    wait_for_posts(sandbox, draw.randint(1, 30))
    time.sleep(draw.uniform(0, 0.2))
    worker.kill()
    worker.wait()
    sandbox.clear_faults()
    failed = None
    try:
        send(records=MANY, operation="sum", retries=3, try_number=2, store=FileStore(path), **SENDING)
    except errors.AmbiguousWriteError as error:
        failed = str(error)
    held_now, truth = records_held(sandbox), expected(MANY)
    assert all(value == truth[key] for key, value in held_now.items())
    if failed is None:
        assert held_now == truth
    else:
        assert "was in flight" in failed


@one_reading
def test_a_sum_under_faults_is_exact_or_stops_with_the_batch_named(sandbox):
    sandbox.faults(*FAULTS[1:3])
    send(records=BIG[:20_000], operation="sum", max_batch_records=1000)
    assert sandbox.armed() == []
    assert held(sandbox)["records"] == 20_000
    sandbox.reset()
    sandbox.faults({"kind": "apply_then_lose_reply", "skip": 3})
    began = time.monotonic()
    with pytest.raises(
        errors.AmbiguousWriteError, match=r"It was request 4 of 20: sum of 1,000 records.*SHA-256"
    ) as error:
        send(records=BIG[:20_000], operation="sum", max_batch_records=1000)
    assert time.monotonic() - began >= SETTLE_SECONDS
    assert isinstance(error.value, AirflowFailException)
    assert held(sandbox)["records"] == 4_000


@one_reading
def test_a_retry_of_a_sum_leaves_out_what_was_acknowledged(sandbox, monkeypatch, caplog):
    store = Store()
    connect(monkeypatch, sandbox, max_retry_seconds=0)
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 5})
    arguments = {"records": BIG[:20_000], "operation": "sum", "max_batch_records": 1000, "retries": 2, "store": store}
    with pytest.raises(errors.RateLimitError, match="This one was not applied"):
        send(**arguments)
    assert held(sandbox)["records"] == 5_000
    caplog.set_level("INFO")
    caplog.clear()
    send(**arguments, try_number=2)
    assert caplog.text.count("skipping it") == 5
    assert caplog.text.count("sent request") == 15
    assert records_held(sandbox) == expected(BIG[:20_000])
    assert held(sandbox)["records"] == 20_000
    assert len(sandbox.posts()) == 21
    assert store["cloudzero_sum"]["intent"] is None


@one_reading
def test_a_retry_of_a_sum_stops_where_a_request_was_open(sandbox):
    store = Store()
    sandbox.faults({"kind": "apply_then_lose_reply", "skip": 2})
    arguments = {"records": BIG[:5_000], "operation": "sum", "max_batch_records": 1000, "retries": 2, "store": store}
    with pytest.raises(errors.AmbiguousWriteError):
        send(**arguments)
    with pytest.raises(errors.AmbiguousWriteError, match=r"request 3 \(the same in this attempt\) was in flight"):
        send(**arguments, try_number=2)
    assert held(sandbox)["records"] == 3_000
    with pytest.raises(errors.AmbiguousWriteError, match="the input has changed"):
        send(**arguments | {"records": BIG[1:5_000]}, try_number=2)
    assert held(sandbox)["records"] == 3_000


def test_a_cleared_sum_is_sent_again(sandbox):
    store = Store()
    arguments = {"records": [allocation(value=2)], "operation": "sum", "store": store}
    send(**arguments)
    made = task(records=[allocation(value=2)], operation="sum")
    cleared = context(made, try_number=2)
    cleared["ti"].max_tries = 1
    made.execute(cleared | {"task_state_store": store})
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "Email"): 4}


def test_a_retry_of_a_sum_without_any_rows_is_not_skipped_when_some_stand(sandbox, monkeypatch):
    store = Store()
    connect(monkeypatch, sandbox, max_retry_seconds=0)
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 2})
    arguments = {"operation": "sum", "max_batch_records": 1, "retries": 2, "store": store}
    with pytest.raises(errors.RateLimitError):
        send(records=[allocation(day) for day in range(1, 6)], **arguments)
    with pytest.raises(errors.AmbiguousWriteError, match="the input has changed"):
        send(records=[], **arguments, try_number=2)


def test_the_first_records_of_a_stream_may_clear_periods_and_hold_zeros(sandbox):
    records = [allocation(1, "a", 0), allocation(1, "b", 2)]
    send(records=records, clear_periods=True, on_zero="delete")
    assert records_held(sandbox) == {("2026-03-01T00:00:00Z", "b"): 2}


def test_without_a_store_a_retry_of_a_sum_is_refused(sandbox):
    with pytest.raises(errors.AmbiguousWriteError, match="could count them twice"):
        send(records=[allocation()], operation="sum", try_number=2, retries=2)
    assert sandbox.requests() == []


# Reading and deleting


@one_reading
def test_the_hook_reads_and_deletes_streams(sandbox):
    client = CloudZeroHook().client
    send(records=[allocation(1, "a", 5), allocation(2, "a", 6)])
    assert {record["element_name"] for record in client.submitted_records(NAME).records} == {"a"}
    assert len(client.submitted_records(NAME, limit=1).records) == 1
    deadline = time.monotonic() + 30
    while len(client.processed_records(NAME).records) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    client.delete_stream(NAME, force=True)
    with pytest.raises(errors.NotFoundError):
        client.processed_records(NAME)
    with pytest.raises(errors.ConfigurationError):
        client.processed_records(NAME, limit=0)
