from __future__ import annotations

import base64
import html
import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from urllib.parse import quote

import pytest
from requests.structures import CaseInsensitiveDict

from cloudzero_provider.client.error_text import MAX_TEXT, error_kind, error_text
from cloudzero_provider.client.outcome import Action, Effect, Outcome, action_for, outcome_of
from cloudzero_provider.client.retry import retry_after
from cloudzero_provider.client.transport import NoReply, Reply

KEY = "planted-key-7f3a9c51d2"


def reply(status, **headers):
    return Reply(
        status, CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()}), b"", 0.0
    )


AGAIN, SETTLE, STOP, AMBIGUOUS = (
    Action.WAIT_AND_REPEAT,
    Action.SETTLE_AND_REPEAT,
    Action.STOP_REFUSED,
    Action.STOP_AMBIGUOUS,
)


@pytest.mark.parametrize(
    ("result", "outcome", "repeatable", "adds_rows"),
    [
        (NoReply(sent=False, reason="", began=0), Outcome.NOT_SENT, AGAIN, AGAIN),
        (NoReply(sent=True, reason="", began=0), Outcome.UNCLEAR, SETTLE, AMBIGUOUS),
        *[(reply(status), Outcome.DONE, Action.FINISH, Action.FINISH) for status in (200, 201, 202, 204)],
        (reply(429), Outcome.THROTTLED, AGAIN, AGAIN),
        (reply(503), Outcome.UNAVAILABLE, AGAIN, AMBIGUOUS),
        *[(reply(status), Outcome.BUSY, AGAIN, AMBIGUOUS) for status in (409, 423, 425)],
        *[
            (reply(status), Outcome.UNCLEAR, SETTLE, AMBIGUOUS)
            for status in (408, 500, 501, 502, 504, 520, 524, 529, 599)
        ],
        *[(reply(status), Outcome.DENIED, STOP, STOP) for status in (401, 403)],
        *[
            (reply(status), Outcome.REJECTED, STOP, STOP)
            for status in (301, 302, 307, 400, 404, 405, 410, 413, 415, 422)
        ],
    ],
)
def test_what_a_reply_means(result, outcome, repeatable, adds_rows):
    assert outcome_of(result) is outcome
    assert action_for(outcome, Effect.REPEATABLE) is repeatable
    assert action_for(outcome, Effect.ADDS_ROWS) is adds_rows
    documented_as_retry = outcome is Outcome.UNAVAILABLE
    assert action_for(outcome, Effect.ADDS_TELEMETRY) is (AGAIN if documented_as_retry else adds_rows)


def test_retry_after_is_read_as_seconds_and_as_a_date():
    assert retry_after(reply(429, Retry_After="7")) == 7
    later = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=100), usegmt=True)
    assert 95 < retry_after(reply(429, retry_after=later)) <= 100
    in_no_zone = f"{datetime.now(timezone.utc) + timedelta(seconds=100):%a, %d %b %Y %H:%M:%S} -0000"
    assert 95 < retry_after(reply(429, retry_after=in_no_zone)) <= 100
    earlier = format_datetime(datetime.now(timezone.utc) - timedelta(seconds=100), usegmt=True)
    assert retry_after(reply(429, retry_after=earlier)) == 0


@pytest.mark.parametrize("wrong_by", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_date_to_retry_after_is_taken_by_the_clock_of_the_server_that_named_it(wrong_by):
    there = datetime.now(timezone.utc) + wrong_by
    later = format_datetime(there + timedelta(seconds=7), usegmt=True)
    assert retry_after(reply(429, retry_after=later, date=format_datetime(there, usegmt=True))) == 7
    assert abs(retry_after(reply(429, retry_after=later, date="soon")) - max(0, 7 + wrong_by.total_seconds())) < 2


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "٣", "Thu, 99 Foo 2026", "NaN"])
def test_a_retry_after_that_can_not_be_read_counts_as_none(value):
    assert retry_after(reply(429, Retry_After=value)) is None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "Bad month.", "type": "BadRequest"}}, "BadRequest: Bad month."),
        ({"message": "Forbidden"}, "Forbidden"),
        ({"error": "nope"}, "nope"),
        (
            {
                "error": {
                    "type": "InvalidKeysException",
                    "message": "Could not.",
                    "details": ["The dimension 'x' is not valid."],
                }
            },
            "InvalidKeysException: Could not.; The dimension 'x' is not valid.",
        ),
        (
            {
                "error": {
                    "type": "InvalidRecordsException",
                    "message": "multiple errors",
                    "errors": [{"error_message": "a"}, {"error_message": "b"}],
                }
            },
            "InvalidRecordsException: multiple errors; a; b",
        ),
        (
            {"error": {"type": "U", "message": "m", "event_details": {"registered_keys": []}}},
            'U: m; {"registered_keys": []}',
        ),
        ({"error": {"details": "d", "errors": None}}, "d"),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
        ({"errors": ["a", "b"]}, "a; b"),
        ({"unknown": 1}, '{"unknown": 1}'),
        ("just text", "just text"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_error_messages_are_found_in_every_shape(body, text):
    assert error_text(json.dumps(body).encode(), secret=KEY) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "(no text)"),
        (b"  \n ", "(no text)"),
        (b"<html><style>p{}</style><body><h1>502</h1> Bad\nGateway</body></html>", "502 Bad Gateway"),
        (b"\xff\xfe broken", "\ufffd\ufffd broken"),
        (b'{"error": {"message": ', '{"error": {"message":'),
        (b"null", "null"),
    ],
)
def test_bodies_that_are_no_json_are_shown_as_text(body, text):
    assert error_text(body, secret=KEY) == text


def test_error_messages_are_shortened_and_deep_json_is_harmless():
    assert len(error_text(b"x" * 5_000_000, secret=KEY)) == MAX_TEXT + 1
    assert len(error_text(b"[" * 100_000, secret=KEY)) == MAX_TEXT + 1


def test_a_key_that_a_server_echoes_is_not_shown():
    for secret in (KEY, 'k"e\\y<&>%+/='):
        forms = [secret, quote(secret, safe=""), html.escape(secret), base64.b64encode(secret.encode()).decode()]
        for form in forms:
            for body in ({"message": f"bad key {form}"}, {"errors": [{"given": form}]}):
                told = error_text(json.dumps(body).encode(), secret=secret)
                assert "***" in told
                assert not [shown for shown in (*forms, json.dumps(secret)[1:-1]) if shown in told]


def test_a_key_that_was_cut_off_in_the_middle_is_not_shown_either():
    assert error_text(f"bad key {KEY[:9]}".encode(), secret=KEY) == "bad key ***"


def test_what_a_terminal_would_take_for_orders_is_left_out():
    assert error_text(b"a\x1b[31mb\x00c\nd", secret=KEY) == "a [31mb c d"
    assert error_text(b'{"message": "\\ud800x"}', secret=KEY) == "x"


def test_the_kind_of_an_error_and_its_details_are_found():
    details = {"registered_keys": [], "record_key_set": ["costcontext:API"]}
    body = {"error": {"type": "UnregisteredKeySetException", "message": "m", "event_details": details}}
    assert error_kind(json.dumps(body).encode(), secret=KEY) == ("UnregisteredKeySetException", details)
    for other in (b"", b"[]", b'{"error": "x"}', b'{"error": {"type": 5, "event_details": []}}', KEY.encode()):
        assert error_kind(other, secret=KEY) == (None, {})


@pytest.mark.parametrize("value", ["999999999999", "9" * 500, "604801", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_retry_after_is_longer_than_a_week(value):
    wait = retry_after(reply(429, Retry_After=value))
    assert wait == 7 * 24 * 3600
    assert datetime.now() + timedelta(seconds=wait)


@pytest.mark.parametrize(
    "value", ["-5", "1.5", "NaN", "inf", "\u0661\u0662", "", "soon", "Fri, 99 Foo 99999 99:99 GMT", "+1"]
)
def test_a_retry_after_that_can_not_be_read_is_none(value):
    assert retry_after(reply(429, Retry_After=value)) is None
