"""What a decorated function returns, and what CloudZero then holds."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException, task
from support.rows import bill_row
from support.tasks import context, send as send_by_operator

from cloudzero_provider import exceptions as errors

STREAM = {"stream_name": "orders", "stream_type": "metric", "month": None}


def row(day=1, cost="1.5", **others):
    return bill_row(day, 0, cost, **others)


ROWS = [row(day, f"{day}.25") for day in range(1, 32)]


def send(function, *, flavour=None, try_number=1, **arguments):
    """Run the task of a decorated function once."""
    decorate = flavour or task.cloudzero_billing_drop
    made = decorate(task_id="send", **{"month": "2026-03", **arguments})(function)().operator
    return made.execute(context(made, try_number=try_number))


def returning(value):
    def bill():
        return value

    return bill


def generator():
    yield from ROWS


def generator_of_lists():
    yield ROWS[:10]
    yield []
    yield ROWS[10:]


def generator_of_frames():
    yield pl.DataFrame(ROWS[:10])
    yield pl.DataFrame(ROWS[10:])


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(returning(ROWS), id="list"),
        pytest.param(returning(tuple(ROWS)), id="tuple"),
        pytest.param(returning([ROWS[:10], [], ROWS[10:]]), id="lists"),
        pytest.param(generator, id="generator"),
        pytest.param(lambda: (row for row in ROWS), id="generator that is returned"),
        pytest.param(lambda: map(dict, ROWS), id="iterator"),
        pytest.param(generator_of_lists, id="generator of lists"),
        pytest.param(returning(pl.DataFrame(ROWS)), id="frame"),
        pytest.param(generator_of_frames, id="generator of frames"),
    ],
)
def test_rows_are_the_operator_s(sandbox, function):
    expected = send_by_operator(records=ROWS)
    before = sandbox.month("2026-03")["digest"]
    sandbox.reset()
    summary = send(function)
    assert sandbox.month("2026-03")["digest"] == before
    assert (summary["sha256"], summary["rows"]) == (expected["sha256"], 31)


@pytest.mark.parametrize("function", [list, tuple, lambda: iter(())], ids=["list", "tuple", "generator"])
def test_no_rows_are_treated_as_on_empty_says(sandbox, function):
    def bill():
        return function()

    with pytest.raises(AirflowSkipException, match="No rows for 2026-03"):
        send(bill)
    with pytest.raises(errors.InputError, match="No rows for 2026-03"):
        send(bill, on_empty="fail")
    assert sandbox.writes() == []


async def coroutine():
    return ROWS


async def async_generator():
    yield ROWS


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda: None, r"bill\(\) returned None: .* an empty list when there are none"),
        (lambda: "/bills/march.csv", r"bill\(\) returned a str: .* AnyCostBillingDropOperator\(files=\.\.\.\)"),
        (lambda: Path("march.csv"), r"bill\(\) returned a PosixPath: .* AnyCostBillingDropOperator\(files=\.\.\.\)"),
        (lambda: b"a,b", r"bill\(\) returned a bytes"),
        (lambda: row(), r"bill\(\) returned a dict: .* Return a single row in a list"),
        (async_generator, r"bill\(\) returned a async_generator, which is async: .*asyncio\.run"),
        (lambda: 5, "int"),
        (lambda: ["a.csv"], "row 1 is a str, not a dict"),
        (lambda: [row(), None], "row 2 is a NoneType, not a dict"),
    ],
)
def test_a_wrong_return_value_is_an_error_that_names_the_function_and_is_not_retried(sandbox, returned, message):
    def bill():
        return returned()

    with pytest.raises(errors.InputError, match=message) as error:
        send(bill)
    assert isinstance(error.value, AirflowFailException)
    assert sandbox.writes() == []


def test_a_coroutine_that_is_returned(sandbox):
    made = coroutine()
    with pytest.raises(errors.InputError, match=r"bill\(\) returned a coroutine, which is async: .*asyncio\.run"):
        send(returning(made))
    made.close()


def test_the_error_of_a_telemetry_function_names_its_operator(sandbox):
    with pytest.raises(errors.InputError, match=r"TelemetrySendOperator\(files=\.\.\.\)"):
        send(returning("orders.csv"), flavour=task.cloudzero_telemetry, **STREAM)


def test_a_bad_row_is_named(sandbox):
    with pytest.raises(errors.InvalidRowsError, match=r"row 2, column 'cost/cost', value '1,50'"):
        send(lambda: iter([row(), row(cost="1,50")]))
    assert sandbox.writes() == []


def test_a_generator_is_read_no_further_than_a_row_that_is_none(sandbox):
    read = []

    def bill():
        for item in [row(), "a,b", row()]:
            read.append(item)
            yield item

    with pytest.raises(errors.InputError, match="row 2 is a str, not a dict"):
        send(bill)
    assert len(read) == 2


class VendorError(Exception):
    pass


@pytest.mark.parametrize("flavour", [task.cloudzero_billing_drop, task.cloudzero_telemetry])
@pytest.mark.parametrize("kind", [VendorError, KeyError, TypeError, ValueError, AirflowSkipException])
class TestErrorOfTheFunction:
    """It reaches Airflow as it is, and nothing was sent."""

    def check(self, sandbox, flavour, function, raised):
        with pytest.raises(type(raised)) as error:
            send(function, flavour=flavour, **(STREAM if flavour is task.cloudzero_telemetry else {}))
        assert error.value is raised
        assert sandbox.requests() == []

    def test_of_a_function(self, sandbox, flavour, kind):
        raised = kind("page 1")

        def bill():
            raise raised

        self.check(sandbox, flavour, bill, raised)

    @pytest.mark.parametrize("good", [0, 1, 1_000])
    def test_of_a_generator(self, sandbox, flavour, kind, good):
        raised = kind("page 11")

        def bill():
            yield from [row()] * good
            raise raised

        self.check(sandbox, flavour, bill, raised)


def test_rows_are_not_searched_for_xcoms(sandbox):
    class Text(str):
        def resolve(self, context):
            raise AssertionError("taken for the output of a task")

    service = Text("{{ 1/0 }}")
    send(lambda: [row(**{"resource/service": service})])
    assert sandbox.rows("2026-03")[0]["resource/service"] == "{{ 1/0 }}"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"operation": "sum", "retries": 1, "try_number": 2}, errors.AmbiguousWriteError),
        ({"operation": "replace"}, errors.ConfigurationError),
        ({"on_empty": "ignore"}, errors.ConfigurationError),
        ({"month": "March"}, errors.MonthError),
    ],
    ids=["retry of a sum", "operation", "on_empty", "month"],
)
def test_the_function_is_not_called_for_what_can_not_be_sent(sandbox, arguments, error):
    called = []

    def bill():
        called.append(1)
        return ROWS

    with pytest.raises(error):
        send(bill, **arguments)
    assert called == []


def test_each_try_calls_the_function_again(sandbox):
    calls = iter([ROWS[:20], ROWS])
    made = task.cloudzero_billing_drop(task_id="send", month="2026-03", retries=1)(lambda: next(calls))().operator
    for try_number, rows in ((1, 20), (2, 31)):
        assert made.execute(context(made, try_number=try_number))["rows"] == rows
    assert sandbox.month("2026-03")["rows"] == 31


def test_a_transform_makes_rows_of_them(sandbox):
    def bill():
        yield pl.DataFrame({"day": ["2026-03-01"], "amount": ["0.10"]})
        yield pl.DataFrame({"day": ["2026-03-02"], "amount": ["0.20"]})

    send(bill, transform=lambda frame: frame.rename({"day": "time/usage_start", "amount": "cost/cost"}))
    assert (sandbox.month("2026-03")["rows"], sandbox.month("2026-03")["total_cost"]) == (2, "0.3")


def test_decimals_stay_exact_since_no_xcom_is_between(sandbox):
    send(lambda: [row(cost=Decimal("0.1234567890123456789"))])
    assert sandbox.rows("2026-03")[0]["cost/cost"] == "0.1234567890123456789"
