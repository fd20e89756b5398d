"""Sending a month, without Airflow: what CloudZero then holds, the summary, and what an error says."""

from __future__ import annotations

import hashlib
import logging
import re
import time
from datetime import datetime, timezone
from decimal import Decimal
from operator import itemgetter

import pytest
import time_machine
from support.claims import Claimed
from support.clients import SETTLE, STREAM, answering, client_of, paths
from support.raw_server import raw_server
from support.rows import bill_row, checked
from support.sandbox_server import SandboxServer
from support.state_stores import Store

from cloudzero_provider import exceptions as errors, sources
from cloudzero_provider.anycost import verification
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.claim import MonthWrite
from cloudzero_provider.anycost.guards.row_count import rows_held_if_known
from cloudzero_provider.anycost.plan import Limits, Operation, make_plan
from cloudzero_provider.anycost.send import clear_month, send_month
from cloudzero_provider.anycost.send_options import SendOptions
from cloudzero_provider.client import Client
from cloudzero_provider.journal import SumJournal
from cloudzero_provider.months import Month

MARCH = Month(2026, 3)
#: One hour of two rows fits, two hours do not.
ONE_HOUR_EACH = Limits(max_body_bytes=200)


def row(hour, cost="1", **others):
    return bill_row(hour // 24 + 1, hour % 24, cost, **others)


SIX = [row(hour, f"{hour}.{n}") for hour in range(3) for n in (1, 2)]


def send(server, rows=SIX, client=None, **options):
    return send_month(client or client_of(server.url), STREAM, checked(rows), SendOptions(**options))


def body(operation, rows):
    written = ",".join(f'{{"time/usage_start":"{r["time/usage_start"]}","cost/cost":"{r["cost/cost"]}"}}' for r in rows)
    return f'{{"month":"2026-03","operation":"{operation}","data":[{written}]}}'.encode()


# The summary


def test_the_summary_of_several_requests_is_of_all_of_them(sandbox):
    send(sandbox, SIX[:5])
    bodies = [body("replace_drop", SIX[:2]), body("replace_hourly", SIX[2:4]), body("replace_hourly", SIX[4:])]
    assert send(sandbox, limits=ONE_HOUR_EACH).as_dict() == {
        "month": "2026-03",
        "anycost_connection_id": STREAM,
        "operation": "replace_drop",
        "rows": 6,
        "replaced_rows": 5,
        "requests": 3,
        "bytes": sum(map(len, bodies)),
        "total_cost": "6.9",
        "hours": 3,
        "sha256": hashlib.sha256(b"".join(bodies)).hexdigest(),
        "drop_ids": sandbox.month("2026-03")["drop_ids"],
        "row_count": 6,
        "check_only": False,
        "replaced_cost": None,
        "unchanged": False,
    }
    assert sorted(sandbox.held(), key=itemgetter("cost/cost")) == SIX


def test_the_log_shows_the_progress(sandbox, caplog):
    caplog.set_level("INFO", "cloudzero_provider.anycost")
    send(sandbox, limits=ONE_HOUR_EACH)
    hour = "2026-03-01T0{}:00:00Z".format
    sizes = [len(body("replace_drop", SIX[:2])), *(len(body("replace_hourly", SIX[n : n + 2])) for n in (2, 4))]
    assert caplog.messages == [
        (
            f"2026-03: 6 rows of 3 hours, total cost 6.9, in 3 requests of {sum(sizes)} bytes in all, "
            f"for AnyCost stream {STREAM} at {sandbox.url}"
        ),
        "2026-03: replaces 0 rows with 6",
        *(
            f"2026-03: sent request {n + 1} of 3: 2 rows, {size} bytes; {2 * n + 2} of 6 rows so far "
            f"({'replace_hourly' if n else 'replace_drop'}, hours {hour(n)} to {hour(n)})"
            for n, size in enumerate(sizes)
        ),
    ]


def test_drop_ids_are_those_that_cloudzero_named_each_once():
    ids = iter(["a", "b", "a"])

    def answers(line, body):
        if line.startswith("GET"):
            return {"billing_drops": []}
        return {"billing_drop": {"drop_id": next(ids), "row_count": 7}}

    with answering(answers) as client:
        summary = send(None, client=client, limits=ONE_HOUR_EACH)
    assert (summary.drop_ids, summary.row_count, summary.replaced_rows) == (("a", "b"), 7, 0)


def test_check_only_has_every_body_validated_and_writes_nothing(sandbox):
    summary = send(sandbox, limits=ONE_HOUR_EACH, check_only=True, settle_from=time.monotonic() + 60)
    assert paths(sandbox) == ["POST validate_billing_drop"] * 3
    assert sandbox.held() == []
    shown = (summary.check_only, summary.replaced_rows, summary.drop_ids, summary.row_count, summary.requests)
    assert (summary.anycost_connection_id, *shown) == (STREAM, True, None, (), None, 3)
    sent = send(sandbox, limits=ONE_HOUR_EACH)
    assert summary.sha256 == sent.sha256
    total = sum(Decimal(row["cost/cost"]) for row in sandbox.held())
    assert str(sent) == f"2026-03: 6 rows, total cost {total}"
    assert str(summary) == f"2026-03: 6 rows, total cost {total}, only checked"


def test_validation_comes_before_the_first_write(sandbox):
    send(sandbox, limits=ONE_HOUR_EACH, validate_with_cloudzero=True)
    asked = paths(sandbox)
    assert asked == ["GET billing_drops"] + ["POST validate_billing_drop"] * 3 + ["POST billing_drops"] * 3


def test_without_verify_and_validation_the_month_is_listed_and_written_and_that_is_all(sandbox):
    send(sandbox)
    assert paths(sandbox) == ["GET billing_drops", "POST billing_drops"]


# Before the first write


def test_an_earlier_try_settles_before_anything_is_written(sandbox):
    began = time.monotonic()
    send(sandbox, client=client_of(sandbox.url, settle_seconds=60))
    assert time.monotonic() - began < 30
    began = time.monotonic()
    send(sandbox, settle_from=began)
    clear_month(client_of(sandbox.url), STREAM, MARCH, SendOptions(settle_from=began + SETTLE))
    assert time.monotonic() - began >= 2 * SETTLE


@pytest.mark.parametrize(
    ("count", "ratio", "goes"), [(3, 0.5, True), (2, 0.5, False), (1, 0, True), (6, 1, True), (5, 1, False)]
)
def test_fewer_rows_than_the_ratio_are_refused_and_as_many_are_not(sandbox, count, ratio, goes):
    send(sandbox)
    if goes:
        assert send(sandbox, SIX[:count], min_rows_ratio=ratio).replaced_rows == 6
        return
    with pytest.raises(errors.MonthWouldShrinkError) as error:
        send(sandbox, SIX[:count], min_rows_ratio=ratio)
    assert str(error.value) == (
        f"2026-03: {count} rows would replace the 6 that CloudZero holds, less than {ratio:.0%} of them "
        "(min_rows_ratio); nothing was sent. replace_drop replaces the whole month: send all rows of the month, or use "
        "operation='replace_hourly' for a part of it, or set min_rows_ratio=0 if the month really shrank."
    )
    assert len(sandbox.held()) == 6


def test_figures_of_thousands_have_commas(sandbox):
    send(sandbox, [row(0)] * 3000)
    with pytest.raises(errors.MonthWouldShrinkError, match=r"1,000 rows would replace the 3,000 that"):
        send(sandbox, [row(0)] * 1000)


def test_replace_hourly_and_sum_shrink_nothing(sandbox):
    send(sandbox)
    assert send(sandbox, SIX[:1], operation=Operation.REPLACE_HOURLY).replaced_rows == 6
    assert send(sandbox, SIX[:1], operation=Operation.SUM).replaced_rows == 5
    assert len(sandbox.held()) == 6


@pytest.mark.parametrize("ratio", [-0.1, 1.1])
def test_a_ratio_that_is_none(ratio):
    with pytest.raises(errors.ConfigurationError) as error:
        SendOptions(min_rows_ratio=ratio)
    assert str(error.value) == f"min_rows_ratio is {ratio}: expected a number, 0 (off) to 1."


def test_a_sum_can_not_be_verified():
    with pytest.raises(errors.ConfigurationError) as error:
        SendOptions(verify=True, operation=Operation.SUM)
    assert str(error.value) == (
        "verify=True compares a month with what was sent, so it needs replace_drop or replace_hourly, not sum."
    )


def listing(*drops):
    return lambda line, body: {"billing_drops": list(drops)}


def test_rows_held_are_those_of_the_month_in_all_its_drops():
    of = [("2026-03", 2), ("2026-03", 3), ("2026-02", 50)]
    drops = [{"month": f"{month}-01T00:00:00Z", "drop_id": "d", "row_count": count} for month, count in of]
    with answering(listing(*drops)) as client:
        assert rows_held_if_known(client, STREAM, MARCH) == 5
        assert rows_held_if_known(client, STREAM, Month(2026, 1)) == 0


def test_a_list_without_a_number_of_rows_stops_what_might_let_a_month_shrink(caplog):
    drops = [{"month": "2026-03-01T00:00:00Z", "drop_id": "d", "row_count": count} for count in (5, None)]
    with answering(listing(*drops)) as client:
        with pytest.raises(errors.UnexpectedReplyError) as error:
            send(None, SIX, client=client)
        assert str(error.value) == (
            "CloudZero lists 2026-03 without a number of rows. So min_rows_ratio can't be checked; nothing was sent. "
            "min_rows_ratio=0 sends anyway."
        )
        caplog.set_level(logging.INFO)
        assert send(None, SIX[:1], client=client, min_rows_ratio=0).replaced_rows is None
    assert "2026-03: replaces an unknown number of rows with 1" in caplog.messages
    assert "2026-03 without a number of rows" in caplog.text


def test_a_month_that_is_not_listed_needs_no_number():
    other = {"month": "2026-02-01T00:00:00Z", "drop_id": "d", "row_count": None}
    with answering(lambda line, body: {"billing_drops": [other]} if line.startswith("GET") else {}) as client:
        assert send(None, client=client).replaced_rows == 0


def unreadable(line, _body):
    return {"billing_drop": {"drop_id": "d"}, "billing_drops": "none"}


def test_a_list_of_drops_that_can_not_be_read_stops_what_might_let_a_month_shrink():
    with answering(unreadable) as client, pytest.raises(errors.UnexpectedReplyError) as error:
        send(None, client=client)
    assert error.value.recovery == (
        "So min_rows_ratio can't be checked; nothing was sent. min_rows_ratio=0 sends anyway."
    )


@pytest.mark.parametrize(
    "options", [{"min_rows_ratio": 0}, {"operation": Operation.REPLACE_HOURLY}, {"operation": Operation.SUM}]
)
def test_it_stops_nothing_else(options, caplog):
    with answering(unreadable) as client:
        summary = send(None, client=client, **options)
    assert (summary.rows, summary.replaced_rows) == (6, None)
    assert "Can't read how many rows CloudZero holds for 2026-03, so nothing is compared: " in caplog.text


SENDS = "connections:create_billing_anycost_billing_drop"
LISTS = "connections:read_billing_anycost_billing_drops"
READS = "connections:read_billing_anycost_billing_drops_month"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A sandbox and three keys: one with all scopes, one that may not list drops, one that may not read months."""
    more = (
        "--api-key",
        f"key-without-list-8d2f:{SENDS},{READS}",
        "--api-key",
        f"key-without-read-3e1a:{SENDS},{LISTS}",
    )
    server = SandboxServer(tmp_path_factory.mktemp("keys"), *more)
    yield server
    server.stop()


def without_list(server):
    return Client("key-without-list-8d2f", base_url=server.url, max_retry_seconds=2, settle_seconds=SETTLE)


def without_read(server):
    return Client("key-without-read-3e1a", base_url=server.url, max_retry_seconds=2, settle_seconds=SETTLE)


def test_a_key_that_may_not_list_drops_does_not_turn_the_guard_off(keys, caplog):
    keys.reset()
    send(keys)
    with pytest.raises(errors.AuthenticationError) as error:
        send(None, SIX[:1], client=without_list(keys))
    assert f"lacks the scope {LISTS}. " in str(error.value)
    assert str(error.value).endswith(
        " So min_rows_ratio can't be checked; nothing was sent. min_rows_ratio=0 sends anyway."
    )
    assert len(keys.held()) == 6
    assert send(None, SIX[:1], client=without_list(keys), min_rows_ratio=0).replaced_rows is None
    assert "Can't read how many rows CloudZero holds for 2026-03" in caplog.text
    assert len(keys.held()) == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_list_that_is_refused_stops_what_might_let_a_month_shrink(sandbox, status):
    send(sandbox)
    sandbox.faults({"kind": "refuse", "status": status, "method": "GET"})
    with pytest.raises(errors.ReplyError, match=r"nothing was sent\. min_rows_ratio=0 sends anyway\.$"):
        send(sandbox, SIX[:3])
    assert (len(sandbox.held()), len(sandbox.writes())) == (6, 1)


@pytest.mark.parametrize("operation", [Operation.REPLACE_HOURLY, Operation.SUM])
def test_what_shrinks_nothing_needs_no_list(keys, operation):
    keys.reset()
    assert send(None, client=without_list(keys), operation=operation).replaced_rows is None
    assert len(keys.held()) == 6
    with pytest.raises(
        errors.AuthenticationError,
        match=r"So max_rows_ratio can't be checked; nothing was sent\. max_rows_ratio=None sends anyway\.$",
    ):
        send(None, client=without_list(keys), operation=operation, max_rows_ratio=3)
    assert len(keys.held()) == 6


def test_two_guards_are_named():
    with (
        answering(unreadable) as client,
        pytest.raises(
            errors.UnexpectedReplyError,
            match=r"So min_rows_ratio and max_rows_ratio can't be .*\. min_rows_ratio=0 and max_rows_ratio=None sends",
        ),
    ):
        send(None, client=client, max_rows_ratio=2)


@pytest.mark.parametrize("already", [True, False])
def test_a_key_that_may_not_read_months_is_found_before_the_first_write(keys, already):
    """It was found when the month was replaced."""
    keys.reset()
    if already:
        send(keys)
    writes = len(keys.writes())
    with pytest.raises(errors.AuthenticationError) as error:
        send(None, client=without_read(keys), verify=True, validate_with_cloudzero=True)
    assert f"CloudZero refuses the API key: it is wrong, or it lacks the scope {READS}." in str(error.value)
    assert str(error.value).endswith(" So what is sent can't be read back (verify=True); nothing was sent.")
    with pytest.raises(errors.AuthenticationError, match=r"read back \(on_empty='clear'\); nothing was sent\.$"):
        clear_month(without_read(keys), STREAM, MARCH, SendOptions())
    assert len(keys.writes()) == writes
    assert send(None, client=without_read(keys)).rows == 6


def test_whether_a_month_can_be_read_is_known_before_its_rows_arrive():
    def behave(connection, head):
        connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 70000000\r\n\r\n{"billing_drop": [')
        assert connection.recv(1) == b""  # until the client closes the connection

    began = time.monotonic()
    with raw_server(behave) as url:
        assert client_of(url, timeout=20).has_month(STREAM, "2026-03") is True
    assert time.monotonic() - began < 10


def test_whether_a_month_can_be_read_is_one_request(sandbox):
    assert client_of(sandbox.url).has_month(STREAM, "2026-03") is False
    rows = [row(hour % 700, "1", **{"lineitem/description": "x" * 1000}) for hour in range(20_000)]
    send(sandbox, rows)
    assert client_of(sandbox.url).has_month(STREAM, "2026-03") is True
    # What was not read is not in the way of the next request.
    assert send(sandbox, rows, verify=True).rows == 20_000
    asked = [path for path in paths(sandbox) if path != "POST billing_drops"]
    assert asked == [
        "GET 2026-03",
        "GET billing_drops",
        "GET 2026-03",
        "GET billing_drops",
        "GET 2026-03",
        "GET 2026-03",
    ]


# A month that grows


THEN = Month(2024, 2)
NOW = Month.parse(datetime.now(timezone.utc))


def rows_of(month, count):
    return [{"time/usage_start": str(month.start.date()), "cost/cost": str(number + 1)} for number in range(count)]


def send_rows(server, month, count, **options):
    rows = check_rows(sources.from_records(rows_of(month, count)), month)
    return send_month(client_of(server.url), STREAM, rows, SendOptions(**{"min_rows_ratio": 0, **options}))


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("month", "held", "count", "operation", "grown"),
    [
        (THEN, 3, 7, Operation.REPLACE_DROP, "7"),
        (THEN, 3, 6, Operation.REPLACE_DROP, None),
        (THEN, 0, 7, Operation.REPLACE_DROP, None),
        (NOW, 3, 7, Operation.REPLACE_DROP, None),
        (THEN, 3, 7, Operation.REPLACE_HOURLY, "at least 7"),
        (THEN, 3, 4, Operation.SUM, "7"),
        (THEN, 3, 3, Operation.SUM, None),
    ],
)
def test_a_month_that_is_over_and_grows_to_more_than_twice_is_said_aloud(
    sandbox, caplog, month, held, count, operation, grown
):
    if held:
        send_rows(sandbox, month, held)
    caplog.clear()
    send_rows(sandbox, month, count, operation=operation)
    expected = (
        f"2024-02 grows from 3 rows that CloudZero holds to {grown}, more than twice as many, and that month is "
        "over. Were rows given twice, for example from two exports of the month? max_rows_ratio makes this an error"
    )
    assert warnings_of(caplog) == ([expected] if grown else [])


def test_a_month_is_over_when_it_is_over_in_utc(sandbox, caplog, monkeypatch):
    monkeypatch.setenv("TZ", "EST5EDT")
    time.tzset()
    try:
        # As a number, since time_machine would take its zone, too.
        with time_machine.travel(datetime(2024, 3, 1, 1, tzinfo=timezone.utc).timestamp()):
            for count in (3, 7):
                send_rows(sandbox, THEN, count)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(warnings_of(caplog)) == 1


@pytest.mark.parametrize("month", [THEN, NOW])
@pytest.mark.parametrize(
    ("count", "ratio", "goes"), [(10, 1, True), (11, 1, False), (11, 1.1, True), (12, 1.1, False), (30, 3, True)]
)
def test_a_month_that_grows_to_more_than_it_may_is_refused(sandbox, caplog, month, count, ratio, goes):
    send_rows(sandbox, month, 10)
    if goes:
        send_rows(sandbox, month, count, max_rows_ratio=ratio)
        assert (len(sandbox.held(str(month))), warnings_of(caplog)) == (count, [])
        return
    with pytest.raises(errors.MonthWouldGrowError) as error:
        send_rows(sandbox, month, count, max_rows_ratio=ratio)
    assert str(error.value) == (
        f"{month} grows from 10 rows that CloudZero holds to {count}, more than {ratio:g} times as many "
        "(max_rows_ratio); nothing was sent. Were rows given twice, for example from two exports of the month? If the "
        "month really grew, set a larger max_rows_ratio."
    )
    assert len(sandbox.held(str(month))) == 10


@pytest.mark.parametrize("operation", [Operation.REPLACE_HOURLY, Operation.SUM])
def test_hours_and_additions_grow_a_month_too(sandbox, operation):
    send_rows(sandbox, THEN, 10)
    with pytest.raises(errors.MonthWouldGrowError):
        send_rows(sandbox, THEN, 16, operation=operation, max_rows_ratio=1.5)
    assert len(sandbox.held(str(THEN))) == 10


def test_a_month_that_cloudzero_does_not_hold_yet_can_not_grow(sandbox):
    assert send_rows(sandbox, THEN, 100, max_rows_ratio=1).replaced_rows == 0


@pytest.mark.parametrize("ratio", [0, 0.9, True, "2", float("inf")])
def test_a_largest_ratio_that_is_none(ratio):
    with pytest.raises(errors.ConfigurationError, match=r"^max_rows_ratio is .*: expected a number, at least 1\.$"):
        SendOptions(max_rows_ratio=ratio)


def test_ratios_are_the_decimal_numbers_that_they_are_written_as(sandbox):
    """As floats, 0.07 of 100 rows are more than 7, and 1.15 of them fewer than 115."""
    send_rows(sandbox, THEN, 100)
    send_rows(sandbox, THEN, 115, max_rows_ratio=1.15)
    send_rows(sandbox, THEN, 100)
    assert send_rows(sandbox, THEN, 7, min_rows_ratio=0.07).rows == 7


@pytest.mark.parametrize(
    ("before", "rows", "is_said"),
    [
        (SIX, [row(24 + hour) for hour in range(3)], True),
        (SIX, SIX, False),
        (SIX, [*SIX, row(24)], False),
        ([], [row(24)], False),
        ([row(48)], [row(24), row(48)], False),
        ([row(48)], [row(24), row(25), row(48)], False),
    ],
    ids=["a later day", "the first day", "two days", "an empty month", "two later days", "most of one day"],
)
def test_a_single_day_over_a_month_is_said_aloud(sandbox, caplog, before, rows, is_said):
    if before:
        send(sandbox, before)
    caplog.clear()
    send(sandbox, rows)
    found = [words for words in warnings_of(caplog) if "all rows" in words]
    assert [words[:51] for words in found] == (
        ["2026-03: all rows are of 2026-03-02, and replace_dr"] if is_said else []
    )


# Reading back


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_PAUSE", 0.05)


class Holding:
    """A CloudZero that holds a month of its own, whatever is sent, and shows it after some looks."""

    def __init__(self, *months):
        self.months = list(months)

    def __call__(self, line, body):
        if line.startswith("POST"):
            return {"billing_drop": {"drop_id": "d"}}
        if line.endswith("/billing_drops"):
            return {"billing_drops": []}
        return {"billing_drop": self.months.pop(0) if len(self.months) > 1 else self.months[0]}


def test_reading_back_goes_on_until_the_month_is_as_sent(no_pause):
    holds = Holding(SIX[:1], SIX[1:], SIX)
    with answering(holds) as client:
        assert send(None, client=client, verify=True).rows == 6
    assert holds.months == [SIX]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (SIX[:5], "CloudZero holds 5 rows, but 6 were sent"),
        (SIX * 200, "CloudZero holds 1,200 rows, but 6 were sent"),
        ([*SIX[:5], row(2, "2.3")], "the sum of cost/cost is 7 at CloudZero, but 6.9 was sent"),
    ],
)
def test_a_difference_from_what_was_sent_is_reported_in_figures(rows, words):
    with answering(Holding(rows)) as client, pytest.raises(errors.VerificationError) as error:
        send(None, client=client, verify=True)
    assert str(error.value) == (
        f"2026-03: {words}, after 2 s of reading it back. Is anything else writing to this AnyCost stream? Running the "
        "task again sends the month again."
    )


def test_every_cost_column_is_compared():
    rows = [{**one, "cost/amortized_cost": "1"} for one in SIX]
    words = "the sum of cost/amortized_cost is 0 at CloudZero, but 6 was sent"
    with answering(Holding(SIX)) as client, pytest.raises(errors.VerificationError, match=words):
        send(None, rows, client=client, verify=True)
    with answering(Holding(rows)) as client:
        assert send(None, rows, client=client, verify=True).rows == 6


def test_reading_back_ends_at_the_deadline(monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_PAUSE", 0.9)
    began = time.monotonic()
    with answering(Holding(SIX[:1])) as client, pytest.raises(errors.VerificationError):
        send(None, client=client, verify=True)
    assert 0.9 <= time.monotonic() - began < 3.8


def test_a_read_that_would_begin_after_the_deadline_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(verification, "VERIFY_PAUSE", 2.5)
    holding = Holding(SIX[:1], SIX[:1], SIX)  # before it is sent, after it, and too late
    with answering(holding) as client, pytest.raises(errors.VerificationError):
        send(None, client=client, verify=True)
    assert holding.months == [SIX]


def test_a_month_that_does_not_exist_yet_is_reported(sandbox, monkeypatch):
    sandbox.settings(read_lag_seconds=60)
    try:
        with pytest.raises(errors.VerificationError, match="CloudZero holds no rows, but 6 were sent, after 0 s"):
            send(sandbox, client=client_of(sandbox.url, max_retry_seconds=0), verify=True)
    finally:
        sandbox.settings(read_lag_seconds=0)


def test_replace_hourly_is_compared_in_its_own_hours(sandbox):
    send(sandbox)
    summary = send(sandbox, [row(1, "7"), row(1, "8")], operation=Operation.REPLACE_HOURLY, verify=True)
    assert (summary.operation, summary.rows, len(sandbox.held())) == ("replace_hourly", 2, 6)


# Clearing


def test_a_month_is_emptied_and_the_summary_says_so(sandbox):
    send(sandbox)
    sent = b'{"month":"2026-03","operation":"replace_drop","data":[]}'
    summary = clear_month(client_of(sandbox.url), STREAM, MARCH, SendOptions())
    assert sandbox.held() == []
    assert summary.as_dict() == {
        "month": "2026-03",
        "anycost_connection_id": STREAM,
        "operation": "replace_drop",
        "rows": 0,
        "replaced_rows": 6,
        "requests": 1,
        "bytes": len(sent),
        "total_cost": "0",
        "hours": 0,
        "sha256": hashlib.sha256(sent).hexdigest(),
        "drop_ids": [],
        "row_count": None,
        "check_only": False,
        "replaced_cost": None,
        "unchanged": False,
    }


def test_a_check_of_emptying_writes_nothing(sandbox):
    send(sandbox)
    asked = len(paths(sandbox))
    summary = clear_month(client_of(sandbox.url), STREAM, MARCH, SendOptions(check_only=True))
    assert paths(sandbox)[asked:] == ["POST validate_billing_drop"]
    assert (summary.check_only, summary.replaced_rows, len(sandbox.held())) == (True, None, 6)


NOT_CLEARED = (
    "It is not published whether CloudZero empties a month for a drop without rows. Instead, you can send a single row "
    "that costs 0, with min_rows_ratio=0."
)


def test_a_month_that_cloudzero_does_not_empty_stays_and_a_way_is_named(sandbox):
    send(sandbox)
    sandbox.settings(empty_data="refused")
    try:
        with pytest.raises(errors.RequestRejectedError) as error:
            clear_month(client_of(sandbox.url), STREAM, MARCH, SendOptions())
    finally:
        sandbox.default_settings()
    assert error.value.recovery == NOT_CLEARED
    assert len(sandbox.held()) == 6


def test_a_month_is_emptied_even_where_the_drops_can_not_be_listed():
    def answers(line, _body):
        return {"billing_drop": [] if line.endswith("2026-03") else {"drop_id": "d"}, "billing_drops": "none"}

    with answering(answers) as client:
        assert clear_month(client, STREAM, MARCH, SendOptions()).replaced_rows is None


def test_a_month_that_is_not_empty_is_reported(no_pause):
    words = "2026-03: CloudZero still holds 1,200 rows, after 0 s"
    holding = answering(Holding(SIX * 200), max_retry_seconds=0)
    with holding as client, pytest.raises(errors.VerificationError, match=words) as error:
        clear_month(client, STREAM, MARCH, SendOptions())
    assert error.value.recovery == NOT_CLEARED
    with answering(Holding(SIX, [])) as client:
        assert clear_month(client, STREAM, MARCH, SendOptions()).rows == 0


@pytest.mark.parametrize("operation", [Operation.REPLACE_HOURLY, Operation.SUM])
def test_only_a_whole_month_is_emptied(sandbox, operation):
    with pytest.raises(errors.ConfigurationError) as error:
        clear_month(client_of(sandbox.url), STREAM, MARCH, SendOptions(operation))
    assert str(error.value) == "on_empty='clear' empties a whole month, so it needs operation='replace_drop'."
    assert paths(sandbox) == []


# Errors in the middle of a month


def failure(sandbox, fault, client=None, rows=SIX, **options):
    sandbox.faults({"path_contains": "/billing_drops", "times": 20, **fault})
    try:
        with pytest.raises(errors.CloudZeroError) as error:
            send(sandbox, rows, client or client_of(sandbox.url, max_retry_seconds=0), limits=ONE_HOUR_EACH, **options)
    finally:
        sandbox.clear_faults()
    return error.value


@pytest.mark.parametrize(
    ("fault", "options", "recovery"),
    [
        (
            {"kind": "refuse", "status": 429},
            {},
            "No request for 2026-03 was applied, so CloudZero holds the month as before.",
        ),
        (
            {"kind": "refuse", "status": 429, "skip": 1},
            {},
            (
                "CloudZero has applied 1 of 3 requests for 2026-03: 2 of 6 rows, the hours before 2026-03-01T01:00:00Z. The request for hours "
                "2026-03-01T01:00:00Z failed. Running the task again sends the whole month again, which completes it."
            ),
        ),
        (
            {"kind": "refuse", "status": 400, "skip": 2},
            {},
            (
                "CloudZero has applied 2 of 3 requests for 2026-03: 4 of 6 rows, the hours before 2026-03-01T02:00:00Z. The request for hours "
                "2026-03-01T02:00:00Z failed; it is not known whether CloudZero stored all or part of it. Once the cause is "
                "fixed, running the task again sends the whole month again, which completes it."
            ),
        ),
        (
            {"kind": "refuse", "status": 500},
            {},
            (
                "No request for 2026-03 is known to have been applied. The request for hours 2026-03-01T00:00:00Z failed; it is not "
                "known whether CloudZero stored all or part of it. Running the task again sends the whole month "
                "again, which completes it."
            ),
        ),
        (
            {"kind": "refuse", "status": 500, "skip": 1},
            {"operation": Operation.SUM},
            (
                "CloudZero has applied 1 of 3 requests for 2026-03: 2 of 6 rows, the hours before 2026-03-01T01:00:00Z. The request for hours "
                "2026-03-01T01:00:00Z failed; it is not known whether CloudZero stored all or part of it. Sending again would "
                f"add these rows a second time. {errors.CHECK_THEN_CLEAR}"
            ),
        ),
    ],
    ids=["nothing was sent", "the second", "the third, refused", "the first, unclear", "of a sum"],
)
def test_the_error_says_what_stands_and_what_heals_it(sandbox, fault, options, recovery):
    error = failure(sandbox, fault, **options)
    assert str(error).endswith(f". {recovery}")
    assert not re.search("max_body_bytes|the parameter", str(error))
    assert error.recovery == recovery


def test_a_request_of_several_hours_names_the_first_and_the_last(sandbox):
    sandbox.faults({"kind": "refuse", "status": 400, "path_contains": "/billing_drops"})
    with pytest.raises(errors.CloudZeroError, match=r"hours 2026-03-01T00:00:00Z to 2026-03-01T02:00:00Z failed"):
        send(sandbox)


@pytest.mark.parametrize(
    ("setting", "error", "words"),
    [
        (
            {"body_limit": 100},
            errors.PayloadTooLargeError,
            ". Make requests smaller with max_body_bytes. No request for",
        ),
        (
            {"month_format": "datetime"},
            errors.RequestRejectedError,
            (
                ". The month is sent as '2026-03', as in CloudZero's guide "
                "(https://docs.cloudzero.com/docs/anycost-send-stream-data), however the parameter spells it. No request for"
            ),
        ),
    ],
)
def test_a_refusal_says_what_to_do(sandbox, setting, error, words):
    sandbox.settings(**setting)
    try:
        with pytest.raises(error) as caught:
            send(sandbox)
    finally:
        sandbox.default_settings()
    message = str(caught.value)
    assert words in message
    assert ".." not in message
    assert sandbox.held() == []


# An hour of several requests


def big_hour(count=6):
    return [row(0, "9"), *(row(1, str(n)) for n in range(count)), row(2, "8")]


def costs(sandbox):
    return sorted(one["cost/cost"] for one in sandbox.held())


@pytest.mark.parametrize("times", [1, 3])
def test_an_hour_starts_over_when_a_reply_in_it_is_lost(sandbox, times, caplog):
    sandbox.faults({"kind": "apply_then_lose_reply", "operation": "sum", "times": times})
    summary = send(sandbox, big_hour(), client_of(sandbox.url, settle_seconds=0.05), limits=ONE_HOUR_EACH)
    assert costs(sandbox) == sorted(one["cost/cost"] for one in big_hour())
    assert (summary.requests, summary.row_count) == (5, 8)
    plain = [body("replace_drop", [row(0, "9")])]
    plain += [body(kind, big_hour()[n : n + 2]) for kind, n in (("replace_hourly", 1), ("sum", 3), ("sum", 5))]
    plain += [body("replace_hourly", [row(2, "8")])]
    assert summary.sha256 == hashlib.sha256(b"".join(plain)).hexdigest()
    assert f"Hour 2026-03-01T01:00:00Z is sent again ({times} of 3)" in caplog.text


def counting(counts):
    """A CloudZero that says these numbers of rows, one after the other."""

    def answers(line, _body):
        if line.startswith("POST"):
            return {"billing_drop": {"drop_id": "d", "row_count": counts.pop(0)}}
        return {"billing_drops": []}

    return answers


@pytest.mark.parametrize(
    ("counts", "is_repeated"),
    [
        ([2, 2, 2], False),
        ([2, 4, 6], False),
        ([7, 9, 11], False),
        ([2, None, 6], False),
        ([None, None, 5], False),
        ([2, 6, 8, 2, 4, 6], True),
        ([4, 2, 2, 2, 2, 2], True),
        ([2, 6, 8, 2, 6, 8], True),
    ],
)
def test_an_hour_starts_over_once_when_other_rows_are_counted_than_were_sent(counts, is_repeated, caplog):
    left = counts.copy()
    with answering(counting(left)) as client:
        summary = send(None, big_hour()[1:7], client, limits=ONE_HOUR_EACH)
    assert (left, summary.requests, summary.row_count) == ([], 3, counts[-1])
    assert caplog.text.count("Hour 2026-03-01T01:00:00Z is sent again, once") == is_repeated


def test_the_counts_of_a_sum_are_of_other_rows_too(caplog):
    left = [2, 60, 8]
    with answering(counting(left)) as client:
        send(None, big_hour()[1:7], client, limits=ONE_HOUR_EACH, operation=Operation.SUM)
    assert left == []
    assert "is sent again" not in caplog.text


def test_an_hour_that_never_completes_says_what_to_do(sandbox):
    quick = client_of(sandbox.url, settle_seconds=0.05)
    error = failure(sandbox, {"kind": "apply_then_lose_reply", "operation": "sum"}, quick, big_hour())
    assert isinstance(error, errors.HourIncompleteError)
    assert len([path for path in paths(sandbox) if path == "POST billing_drops"]) == 1 + 4 * 2
    before, _, after = error.message.partition(" times in a row. ")
    assert before == (
        "Hour 2026-03-01T01:00:00Z has 6 rows, more than fit into one request, and a reply to its 3 requests was lost 4"
    )
    assert "The request may or may not have been applied, and must not be repeated: " in after
    assert after.endswith(
        ' Options: fewer rows in that hour, with transform=aggregate(by=[...], period="hour") of '
        'cloudzero_provider.anycost (by: the columns to keep; period="day" would put a whole day into one hour); a '
        "more reliable connection; or AnyCostBucketDropOperator, for CloudZero's AnyCost Bucket connection "
        "(https://docs.cloudzero.com/docs/anycost-bucket-getting-started)."
    )
    assert error.status is None
    assert error.recovery == (
        "CloudZero has applied 1 of 5 requests for 2026-03: 1 of 8 rows, the hours before 2026-03-01T01:00:00Z. The request for hours "
        "2026-03-01T01:00:00Z failed; it is not known whether CloudZero stored all or part of it. Running the task again "
        "sends the whole month again, which completes it."
    )


def test_the_status_of_the_last_reply_is_kept(sandbox):
    quick = client_of(sandbox.url, settle_seconds=0.05)
    error = failure(sandbox, {"kind": "refuse", "status": 502, "operation": "sum"}, quick, big_hour())
    assert (type(error), error.status) == (errors.HourIncompleteError, 502)


def test_a_refused_request_inside_an_hour_says_that_a_part_may_be_stored(sandbox):
    error = failure(sandbox, {"kind": "refuse", "status": 429, "operation": "sum"}, None, big_hour()[1:7])
    assert error.recovery == (
        "No request for 2026-03 is known to have been applied. The request for hours 2026-03-01T01:00:00Z failed; it is not "
        "known whether CloudZero stored all or part of it. Running the task again sends the whole month again, which "
        "completes it."
    )


# A sum


def journal(store, *, is_retry):
    return SumJournal(store, "target", is_retry=is_retry, max_tries=3)


def test_a_retry_of_a_sum_leaves_out_what_was_acknowledged(sandbox):
    store = Store()
    options = {"operation": Operation.SUM, "limits": ONE_HOUR_EACH}
    sandbox.faults({"kind": "refuse", "status": 429, "skip": 2, "path_contains": "/billing_drops"})
    with pytest.raises(errors.RateLimitError, match="2 of 3 requests for 2026-03:"):
        send(
            sandbox,
            client=client_of(sandbox.url, max_retry_seconds=0),
            journal=journal(store, is_retry=False),
            **options,
        )
    assert costs(sandbox) == ["0.1", "0.2", "1.1", "1.2"]
    summary = send(sandbox, journal=journal(store, is_retry=True), **options)
    assert costs(sandbox) == ["0.1", "0.2", "1.1", "1.2", "2.1", "2.2"]
    bodies = [body("sum", SIX[n : n + 2]) for n in (0, 2, 4)]
    assert summary.sha256 == hashlib.sha256(b"".join(bodies)).hexdigest()
    assert (summary.rows, summary.requests, summary.row_count) == (6, 3, 6)
    # And once more: everything was acknowledged, by drops that are not known any more.
    again = send(sandbox, journal=journal(store, is_retry=True), **options)
    assert (again.drop_ids, again.row_count, len(sandbox.held())) == ((), None, 6)


def test_a_retry_with_fewer_rows_than_were_sent_stops(sandbox):
    store = Store()
    options = {"operation": Operation.SUM, "limits": ONE_HOUR_EACH}
    send(sandbox, journal=journal(store, is_retry=False), **options)
    with pytest.raises(errors.AmbiguousWriteError, match="sent 3 requests, and this attempt has different rows"):
        send(sandbox, SIX[:4], journal=journal(store, is_retry=True), **options)
    assert len(sandbox.held()) == 6


def test_a_lost_sum_is_not_sent_again_even_within_an_hour(sandbox):
    error = failure(
        sandbox,
        {"kind": "apply_then_lose_reply", "skip": 1, "times": 1},
        None,
        big_hour()[1:7],
        operation=Operation.SUM,
    )
    assert isinstance(error, errors.AmbiguousWriteError)
    assert len(sandbox.held()) == 4


def test_what_is_sent_or_emptied_is_claimed(sandbox):
    claims, client = Claimed(), client_of(sandbox.url)
    rows = checked(SIX)
    send_month(client, STREAM, rows, SendOptions(claims=claims))
    clear_month(client, STREAM, MARCH, SendOptions(claims=claims))
    sent, emptied = claims.writes
    assert sent == MonthWrite.of_plan(client, STREAM, make_plan(rows, Operation.REPLACE_DROP))
    assert emptied == MonthWrite.of_nothing(client, STREAM, MARCH)
    assert claims.withdrawn == 0


@pytest.mark.parametrize(("status", "withdrawn"), [(429, 1), (400, 0)])
def test_the_claim_of_an_emptied_month_is_withdrawn_when_nothing_was_written(sandbox, status, withdrawn):
    claims, client = Claimed(), client_of(sandbox.url, max_retry_seconds=0)
    sandbox.faults({"kind": "refuse", "status": status, "times": 20, "method": "POST"})
    with pytest.raises(errors.CloudZeroError) as error:
        clear_month(client, STREAM, MARCH, SendOptions(claims=claims))
    assert (claims.withdrawn, error.value.nothing_written) == (withdrawn, bool(withdrawn))
