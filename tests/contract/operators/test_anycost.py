"""The sending operator, parameter by parameter: what CloudZero then holds."""

from __future__ import annotations

import gzip
import time
from decimal import Decimal

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from support.real_data import real_data
from support.rows import bill_row as row
from support.sandbox_server import STREAM
from support.tasks import SETTLE_SECONDS, connect, context, send

from cloudzero_provider import exceptions as errors

FULL_MONTH = [row(day=day, cost="1.5") for day in range(1, 32)]


def test_the_example_of_cloudzero_arrives_whole_however_often_it_is_sent(sandbox):
    example = real_data("cloudzero_anycost_example/cloud_cbf.csv")
    for _ in range(4):
        summary = send(files=str(example), month="2024-09")
        month = sandbox.month("2024-09")
        assert (month["rows"], month["total_cost"], summary["total_cost"]) == (6, "105.3", "105.3")
    assert len({r["bytes"] for r in sandbox.writes()}) == 1


def test_the_summary_says_what_was_sent(sandbox):
    send(records=FULL_MONTH[:20])
    summary = send(records=FULL_MONTH)
    (write,) = sandbox.writes()[1:]
    assert summary == {
        "month": "2026-03",
        "anycost_connection_id": STREAM,
        "operation": "replace_drop",
        "rows": 31,
        "replaced_rows": 20,
        "requests": 1,
        "bytes": write["bytes"],
        "total_cost": "46.5",
        "hours": 31,
        "sha256": summary["sha256"],
        "drop_ids": sandbox.month("2026-03")["drop_ids"],
        "row_count": 31,
        "check_only": False,
        "replaced_cost": None,
        "unchanged": False,
    }
    assert send(records=FULL_MONTH)["sha256"] == summary["sha256"]
    assert send(records=FULL_MONTH[:30])["sha256"] != summary["sha256"]


def test_a_gzipped_file_and_two_files_of_one_month(sandbox, tmp_path):
    header = "time/usage_start,cost/cost\n"
    (tmp_path / "a.csv").write_text(header + "2026-03-01,1\n")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((header + "2026-03-02,2.5\n").encode()))
    send(files=[str(tmp_path / "a.csv"), str(tmp_path / "b.csv.gz")])
    assert (sandbox.month("2026-03")["rows"], Decimal(sandbox.month("2026-03")["total_cost"])) == (2, Decimal("3.5"))


def test_one_day_does_not_replace_a_full_month(sandbox):
    send(records=FULL_MONTH)
    with pytest.raises(
        errors.MonthWouldShrinkError, match=r"1 row would replace the 31 that .*replace_hourly"
    ) as error:
        send(records=[row(day=31)])
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.month("2026-03")["rows"] == 31
    assert len(sandbox.writes()) == 1


def test_the_ratio_can_be_set_and_turned_off(sandbox):
    send(records=FULL_MONTH)
    with pytest.raises(errors.MonthWouldShrinkError):
        send(records=FULL_MONTH[:27], min_rows_ratio=0.9)
    send(records=FULL_MONTH[:16])
    assert sandbox.month("2026-03")["rows"] == 16
    send(records=FULL_MONTH[:1], min_rows_ratio=0)
    assert sandbox.month("2026-03")["rows"] == 1


def test_the_ratio_looks_at_the_month_that_is_sent(sandbox):
    send(records=[{"time/usage_start": "2026-02-01", "cost/cost": 1} for _ in range(100)], month="2026-02")
    send(records=FULL_MONTH[:1])
    assert sandbox.month("2026-03")["rows"] == 1


def test_replace_hourly_replaces_its_hours_only(sandbox):
    send(records=FULL_MONTH)
    send(records=[row(day=31, cost="9"), row(day=31, cost="1")], operation="replace_hourly")
    month = sandbox.month("2026-03")
    assert (month["rows"], Decimal(month["total_cost"])) == (32, 55)


def test_sum_adds_and_refuses_a_retry_but_not_a_clear(sandbox):
    send(records=FULL_MONTH)
    send(records=FULL_MONTH, operation="sum", retries=2)
    assert sandbox.month("2026-03")["rows"] == 62
    with pytest.raises(errors.AmbiguousWriteError, match="could count them twice") as error:
        send(records=FULL_MONTH, operation="sum", retries=2, try_number=2)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.month("2026-03")["rows"] == 62


def test_sum_refuses_a_retry_too_when_the_dag_s_retries_were_changed_in_between(sandbox):
    from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

    task = AnyCostBillingDropOperator(task_id="send", month="2026-03", records=FULL_MONTH, operation="sum", retries=0)
    with pytest.raises(errors.AmbiguousWriteError):
        task.execute(context(task, try_number=2, max_tries=3))
    assert task.execute(context(task, try_number=2, max_tries=1))["rows"] == 31


@pytest.mark.parametrize("fault", ["apply_then_lose_reply", "lose_request", "lose_reply_then_apply"])
def test_a_sum_without_a_reply_is_not_repeated_and_settles_first(sandbox, fault):
    send(records=FULL_MONTH)
    sandbox.faults({"kind": fault, **({"seconds": 0.5} if fault.endswith("apply") else {})})
    began = time.monotonic()
    with pytest.raises(errors.AmbiguousWriteError, match="must not be repeated"):
        send(records=FULL_MONTH, operation="sum")
    assert time.monotonic() - began >= SETTLE_SECONDS
    assert sandbox.month("2026-03")["rows"] == (31 if fault == "lose_request" else 62)
    assert len(sandbox.writes()) == 2


@pytest.mark.parametrize("status", [503, 409, 500])
def test_a_sum_that_may_have_been_applied_is_not_repeated(sandbox, status):
    sandbox.faults({"kind": "refuse", "status": status})
    with pytest.raises(errors.AmbiguousWriteError):
        send(records=FULL_MONTH, operation="sum")
    assert len(sandbox.writes()) == 1


def test_a_throttled_sum_is_sent_again(sandbox):
    sandbox.faults({"kind": "refuse", "status": 429, "retry_after": 1})
    send(records=FULL_MONTH, operation="sum")
    assert sandbox.month("2026-03")["rows"] == 31


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"cost/cost": "1,50"}, r"row 150,000, column 'cost/cost', value '1,50': not a decimal number"),
        ({"lineitem/type": "MAP Credit"}, r"row 150,000, column 'lineitem/type', value 'MAP Credit': not one of Usage"),
        (
            {"time/usage_start": "2026-04-01"},
            r"row 150,000, column 'time/usage_start', value '2026-04-01': not in 2026-03",
        ),
        ({"cost/csot": "1"}, r"row 150,000, column 'cost/csot': .*did you mean 'cost/cost'"),
    ],
)
def test_one_bad_row_in_200_000_is_named_and_nothing_is_sent(sandbox, bad, words):
    rows = [row(day=number % 31 + 1, hour=number % 24) for number in range(200_000)]
    rows[149_999] = rows[149_999] | bad
    with pytest.raises(errors.InvalidRowsError, match=words) as error:
        send(records=rows)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.requests() == []


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"max_month_rows": 30}, "has 31 rows, 1 more than the 30 .*Options: "),
        ({"max_month_bytes": 1000}, r"has 1,977 bytes, 977 more than the 1,000 .*Options: "),
        ({"max_body_bytes": 100}, "bytes as JSON, too large for one request"),
    ],
)
def test_a_month_over_a_limit_says_so_and_nothing_is_sent(sandbox, limit, words):
    with pytest.raises(errors.InputError, match=words):
        send(records=FULL_MONTH, **limit)
    assert sandbox.requests() == []


def test_an_empty_input_skips_and_leaves_the_month(sandbox):
    send(records=FULL_MONTH)
    with pytest.raises(AirflowSkipException, match="No rows for 2026-03"):
        send(records=[])
    with pytest.raises(errors.InputError, match="on_empty='fail'"):
        send(records=[], on_empty="fail")
    assert sandbox.month("2026-03")["rows"] == 31


def test_a_month_is_cleared_when_that_is_asked_for(sandbox):
    send(records=FULL_MONTH)
    summary = send(records=[], on_empty="clear")
    assert (summary["rows"], summary["replaced_rows"]) == (0, 31)
    assert "2026-03" not in sandbox.months() or sandbox.month("2026-03")["rows"] == 0


def test_clearing_fails_when_rows_remain(sandbox, monkeypatch):
    send(records=FULL_MONTH)
    connect(monkeypatch, sandbox, max_retry_seconds=1)
    sandbox.settings(empty_data="ignored")
    try:
        with pytest.raises(errors.VerificationError, match="still holds 31 rows"):
            send(records=[], on_empty="clear")
        with pytest.raises(errors.ConfigurationError, match="needs operation='replace_drop'"):
            send(records=[], on_empty="clear", operation="replace_hourly")
    finally:
        sandbox.settings(empty_data="clears_month")


def test_none_is_an_error_and_so_are_none_and_both_inputs(sandbox, tmp_path):
    with pytest.raises(errors.InputError, match="returned None"):
        send(records=None)
    with pytest.raises(
        errors.ConfigurationError, match="records and files are set: set exactly one of records, files and sql"
    ):
        send(records=[], files="a.csv")
    assert sandbox.requests() == []


def test_check_only_asks_cloudzero_and_writes_nothing(sandbox):
    summary = send(records=FULL_MONTH, check_only=True)
    assert (summary["check_only"], summary["rows"], summary["drop_ids"]) == (True, 31, [])
    assert [r["path"].rsplit("/", 1)[1] for r in sandbox.requests()] == ["validate_billing_drop"]
    assert sandbox.months() == {}
    assert send(records=FULL_MONTH)["sha256"] == summary["sha256"]


def test_a_rule_of_cloudzero_refuses_the_month_and_the_old_one_stays(sandbox):
    send(records=FULL_MONTH)
    negative = [*FULL_MONTH, row(cost="-1", **{"lineitem/type": "Credit"})]
    sandbox.settings(negative_numbers="refuse")
    try:
        for options in ({"validate_with_cloudzero": True}, {"check_only": True}):
            with pytest.raises(
                errors.ValidationFailedError, match=r"CloudZero's validation rejects the rows: .*cost/cost"
            ):
                send(records=negative, **options)
        assert len(sandbox.writes()) == 1
        with pytest.raises(
            errors.RequestRejectedError, match=r"HTTP 400.*No request for 2026-03 is known to have been"
        ):
            send(records=negative)
    finally:
        sandbox.settings(negative_numbers="accept")
    assert sandbox.month("2026-03")["rows"] == 31


def test_verify_reads_the_month_back_until_it_shows(sandbox):
    sandbox.settings(read_lag_seconds=2)
    try:
        summary = send(records=FULL_MONTH, verify=True)
    finally:
        sandbox.settings(read_lag_seconds=0)
    assert summary["rows"] == 31
    reads = [r for r in sandbox.requests() if r["method"] == "GET" and r["path"].endswith("/2026-03")]
    assert len(reads) >= 2


def test_verify_fails_when_the_month_is_not_as_sent(sandbox, monkeypatch):
    connect(monkeypatch, sandbox, max_retry_seconds=2)
    sandbox.settings(read_lag_seconds=60)
    try:
        with pytest.raises(errors.VerificationError, match=r"holds no rows, but 31 were sent") as error:
            send(records=FULL_MONTH, verify=True)
    finally:
        sandbox.settings(read_lag_seconds=0)
    assert not isinstance(error.value, AirflowFailException)


def test_verify_of_replace_hourly_looks_at_its_hours(sandbox):
    send(records=FULL_MONTH)
    assert send(records=[row(day=3, cost="7")], operation="replace_hourly", verify=True)["rows"] == 1


def test_a_second_try_waits_until_an_earlier_one_has_settled(sandbox):
    began = time.monotonic()
    send(records=FULL_MONTH)
    first = time.monotonic() - began
    began, seen = time.time(), len(sandbox.requests())
    send(records=FULL_MONTH, try_number=2)
    first_request = sandbox.requests()[seen]
    assert first_request["started"] - began >= SETTLE_SECONDS > first


def test_rows_of_one_day_over_a_month_are_loud_in_the_log(sandbox, caplog):
    send(records=[row(day=5) for _ in range(10)])
    assert "all rows are of" not in caplog.text
    send(records=[row(day=6) for _ in range(10)])
    assert "all rows are of 2026-03-06, and replace_drop replaces the whole month" in caplog.text


def test_a_lost_request_is_not_called_unsent(sandbox, monkeypatch):
    connect(monkeypatch, sandbox, max_retry_seconds=3)
    sandbox.faults({"kind": "apply_then_lose_reply"}, {"kind": "refuse", "status": 429, "retry_after": 60, "skip": 1})
    with pytest.raises(errors.RateLimitError, match="No request for 2026-03 is known to have been applied"):
        send(records=FULL_MONTH)
    assert sandbox.month("2026-03")["rows"] == 31
    sandbox.faults({"kind": "refuse", "status": 429, "retry_after": 60})
    with pytest.raises(
        errors.RateLimitError, match="No request for 2026-03 was applied, so CloudZero holds the month as before"
    ):
        send(records=FULL_MONTH)


@pytest.mark.parametrize("status", [409, 423, 425, 429, 503])
def test_a_reply_that_means_another_request_is_running_is_waited_out(sandbox, status):
    sandbox.faults({"kind": "refuse", "status": status, "times": 3})
    send(records=FULL_MONTH)
    assert sandbox.month("2026-03")["rows"] == 31


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, errors.RateLimitError),
        (503, errors.ServiceUnavailableError),
        (409, errors.ServiceUnavailableError),
        (500, errors.CloudZeroUnavailableError),
    ],
)
def test_an_outage_ends_as_an_error_that_airflow_retries(sandbox, monkeypatch, status, kind):
    connect(monkeypatch, sandbox, max_retry_seconds=1, settle_seconds=0.2)
    sandbox.faults({"kind": "refuse", "status": status, "times": 100})
    try:
        with pytest.raises(
            kind, match=rf"^Gave up after \d attempts? in 1 s \(max_retry_seconds\): HTTP {status}: "
        ) as error:
            send(records=FULL_MONTH)
    finally:
        sandbox.clear_faults()
    assert not isinstance(error.value, AirflowFailException)
    assert error.value.status == status


def test_a_long_retry_after_is_reported_instead_of_waited_for(sandbox):
    sandbox.faults({"kind": "refuse", "status": 429, "retry_after": 3600})
    began = time.monotonic()
    with pytest.raises(errors.RateLimitError, match="asks to wait 3600 s") as error:
        send(records=FULL_MONTH)
    assert time.monotonic() - began < 10
    assert error.value.retry_after == 3600


def test_parameters_that_make_no_sense_are_refused_before_anything_is_sent(sandbox):
    for wrong in (
        {"operation": "replace"},
        {"on_empty": "ignore"},
        {"min_rows_ratio": 2},
        {"verify": True, "operation": "sum"},
        {"max_body_bytes": 0},
        {"anycost_connection_id": "../x"},
    ):
        with pytest.raises(
            errors.ConfigurationError, match=rf"{next(iter(wrong)).replace('anycost_connection_id', '../x')}"
        ):
            send(records=FULL_MONTH, **wrong)
    assert sandbox.requests() == []


def test_the_link_is_there_before_anything_can_fail(sandbox):
    from cloudzero_provider.links import AnyCostConnectionLink
    from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator

    task = AnyCostBillingDropOperator(task_id="send", month="no month", records=FULL_MONTH)
    pushed = {}
    given = context(task)
    given["ti"].xcoms = pushed
    with pytest.raises(errors.MonthError):
        task.execute(given)
    # Under this key Airflow 3 looks for the link; earlier ones ask the class.
    key = getattr(AnyCostConnectionLink(), "xcom_key", "_link_AnyCostConnectionLink")
    assert pushed == {key: f"{sandbox.url}/"}
