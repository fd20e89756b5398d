"""Replies whose shape CloudZero has not published: read where they can be, refused in words that help where not."""

from __future__ import annotations

import json

import pytest
from support.raw_server import answer, raw_server, read_all
from support.sandbox_server import KEY, STREAM
from support.tasks import connect, context, send

from cloudzero_provider import exceptions as errors
from cloudzero_provider.client import Client, Effect
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

PAGE = b"<!DOCTYPE html><html><body>Please log in to the guest network</body></html>"
ERROR = b'{"error": {"message": "The stream is locked", "type": "Locked"}}'
NO_LIST = [
    b'{"months": 1}',
    b'{"error": {"details": []}}',
    b'{"a": [], "b": []}',
    b"[1]",
    b"null",
    b"",
    b'{"a": {}, "b": {}}',
]
DROP = {"drop_id": "d-1", "month": "2026-03-01T00:00:00Z", "row_count": 3}
ROWS = [{"time/usage_start": f"2026-03-{day:02d}", "cost/cost": "1"} for day in range(1, 11)]


def always(body, status=200):
    def behave(connection, head):
        read_all(connection, head)
        connection.sendall(answer(status, body))

    return behave


def client(url):
    return Client(KEY, base_url=url, max_retry_seconds=1, settle_seconds=0.1, timeout=5)


@pytest.fixture
def settings(sandbox):
    """Set the sandbox, until the test ends."""
    yield sandbox.settings
    sandbox.default_settings()


@pytest.mark.parametrize("operation", list(TelemetryOperation))
@pytest.mark.parametrize(
    ("body", "words"),
    [(PAGE, "a web page, so check the connection's host.*Please log in"), (ERROR, "an error: Locked")],
)
def test_telemetry_does_not_count_as_sent_when_a_success_is_a_page_or_an_error(body, words, operation):
    with raw_server(always(body)) as url, pytest.raises(errors.UnexpectedReplyError, match=words) as error:
        client(url).send_telemetry(StreamType.METRIC, "orders", operation, b'{"records":[]}')
    assert error.value.maybe_applied


def test_a_drop_does_not_count_as_sent_when_a_success_is_a_page():
    with (
        raw_server(always(PAGE)) as url,
        pytest.raises(errors.UnexpectedReplyError, match="a web page, so check "),
    ):
        client(url).send_drop(STREAM, b"{}", effect=Effect.REPEATABLE)


@pytest.mark.parametrize(
    "reply",
    [[DROP], {"billing_drops": [DROP]}, {"items": [DROP]}, {"result": {"billing_drops": [DROP], "warnings": []}}],
)
def test_drops_are_found_in_any_wrapper(reply):
    with raw_server(always(json.dumps(reply).encode())) as url:
        [found] = client(url).list_drops(STREAM)
    assert (found.month, found.drop_id, found.row_count) == ("2026-03", "d-1", 3)


@pytest.mark.parametrize("body", NO_LIST)
def test_a_reply_without_a_list_of_drops_is_never_no_drops(body):
    with (
        raw_server(always(body)) as url,
        pytest.raises(errors.UnexpectedReplyError, match=r"no list 'billing_drops'|is an error"),
    ):
        client(url).list_drops(STREAM)


@pytest.mark.parametrize("wrap", [lambda found: found, lambda found: {"result": {"records": found}}])
def test_records_are_found_in_any_wrapper(wrap):
    record = {"timestamp": "2026-03-01", "value": 1}
    with raw_server(always(json.dumps(wrap([record])).encode())) as url:
        assert client(url).processed_records("orders").records == [record]


@pytest.mark.parametrize("body", [body for body in NO_LIST if body])
def test_a_reply_without_a_list_of_records_is_never_no_records(body):
    with (
        raw_server(always(body)) as url,
        pytest.raises(errors.UnexpectedReplyError, match=r"has no list of records|is an error"),
    ):
        client(url).processed_records("orders")


def test_a_list_of_drops_that_nobody_can_read_stops_a_guarded_month_only(monkeypatch):
    with raw_server(always(b'{"months": 1}')) as url:
        extra = {"anycost_connection_id": STREAM, "settle_seconds": 0.1}
        connection = {"conn_type": "cloudzero", "host": url, "password": KEY, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_CLOUDZERO_DEFAULT", json.dumps(connection))
        with pytest.raises(errors.UnexpectedReplyError, match=r"nothing was sent\. min_rows_ratio=0 sends anyway"):
            send(records=ROWS)
        assert send(records=ROWS, min_rows_ratio=0)["replaced_rows"] is None


def test_validation_that_refuses_with_400_refuses_the_rows(sandbox, settings):
    send(records=ROWS)
    settings(validate_reply="400", guide_only_lineitem_types="refuse")
    rows = [{**ROWS[0], "lineitem/type": "CommittedUseVacancy"}, *ROWS]
    for options in ({"check_only": True}, {"validate_with_cloudzero": True}):
        with pytest.raises(
            errors.ValidationFailedError, match=r"lineitem/type: must be one of .*\. Nothing was sent\."
        ):
            send(records=rows, **options)
    assert sandbox.month("2026-03")["rows"] == len(ROWS)


@pytest.mark.parametrize("empty_data", ["ignored", "refused"])
def test_a_month_that_cloudzero_does_not_empty_has_another_way(sandbox, settings, monkeypatch, empty_data):
    send(records=ROWS)
    connect(monkeypatch, sandbox, max_retry_seconds=1)
    settings(empty_data=empty_data)
    with pytest.raises(errors.CloudZeroError, match=r"send a single row that costs 0, with min_rows_ratio=0\."):
        send(records=[], on_empty="clear")
    assert sandbox.month("2026-03")["rows"] == len(ROWS)
    send(records=[{"time/usage_start": "2026-03-01", "cost/cost": "0"}], min_rows_ratio=0)
    assert (sandbox.month("2026-03")["rows"], sandbox.month("2026-03")["total_cost"]) == (1, "0")


def test_a_body_that_is_too_large_names_the_parameter(sandbox, settings):
    settings(body_limit=500)
    with pytest.raises(errors.PayloadTooLargeError, match="Make requests smaller with max_body_bytes"):
        send(records=ROWS)
    assert send(records=ROWS, max_body_bytes=400)["requests"] > 1


def test_the_error_of_a_month_in_another_format_does_not_blame_the_parameter(sandbox, settings):
    settings(month_format="datetime")
    with pytest.raises(errors.RequestRejectedError, match=r"sent as '2026-03', as in CloudZero's guide .*however the"):
        send(records=ROWS, month="2026-03-01")
    assert sandbox.months() == {}


def test_a_stream_that_cloudzero_denies_may_be_unknown(sandbox, settings):
    settings(unknown_connection_status=403)
    with pytest.raises(errors.AuthenticationError, match="CloudZero may reply the same for an unknown stream"):
        send(records=ROWS, anycost_connection_id="no-such-stream")


def telemetry(records, **arguments):
    options = {"stream_name": "orders", "stream_type": "allocation", "granularity": "DAILY", **arguments}
    task = TelemetrySendOperator(task_id="send", records=records, **options)
    return task.execute(context(task))


def allocation(day=1, **others):
    return {"timestamp": f"2026-03-{day:02d}", "element_name": "mail", "value": 1, **others}


def test_an_allocation_without_a_filter_is_for_all_spend_also_where_one_is_required(sandbox, settings):
    for needed in ("optional", "required"):
        settings(allocation_filter=needed)
        telemetry([allocation()])
    settings(allocation_filter="optional")
    assert [found["keys"] for found in sandbox.records("orders")] == [{}]


def test_too_many_records_name_the_parameters(sandbox, settings):
    settings(telemetry_record_limit=2)
    records = [allocation(day) for day in range(1, 6)]
    with pytest.raises(
        errors.RequestRejectedError, match=r"the limit is 2 \(POST /.*\)\. Make requests smaller: max_body_bytes is"
    ):
        telemetry(records)
    assert telemetry(records, max_batch_records=2)["requests"] == 3


def test_a_deletion_from_no_stream_does_not_advise_a_sum(sandbox):
    with pytest.raises(errors.RequestRejectedError, match="so there is nothing to delete") as error:
        telemetry([{"timestamp": "2026-03-01"}], operation="delete")
    assert "sum" not in str(error.value)


def test_a_stream_that_can_t_be_deleted_by_the_api_has_another_way(sandbox, settings):
    telemetry([allocation()])
    settings(force_parameter="absent")
    with pytest.raises(errors.RequestRejectedError, match="Delete it under Settings > Telemetry Streams"):
        CloudZeroHook().get_conn().delete_stream("orders", force=True)
