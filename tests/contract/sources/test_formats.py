"""The same rows, whatever they come from: the same requests, byte for byte."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from support.bills import MONTH, cbf_bill, focus_bill, read_focus, with_long_numbers
from support.formats import EXACT_FORMS, FLOAT_FORMS, generator, held_by_floats, polars_frame, write_csv
from support.real_data import real_data
from support.recording_proxy import WireTap
from support.tasks import connect, context, send

from cloudzero_provider.anycost.focus import to_cbf

#: As many rows again may replace what is there, also when they are others.
SEND = {"month": MONTH, "min_rows_ratio": 0}


@pytest.fixture(scope="module")
def tap(server):
    """A sandbox whose requests are seen, and the connection to it."""
    server.reset()
    tap = WireTap(server.url, server.key)
    with pytest.MonkeyPatch.context() as patch:
        connect(patch, tap)
        yield tap
    tap.stop()


@pytest.fixture(scope="module", params=["CBF", "FOCUS", "FOCUS sample"])
def bill(request):
    """Rows, and the transform that makes CBF of them."""
    if request.param == "CBF":
        return cbf_bill(), None
    return focus_bill() if request.param == "FOCUS" else read_focus(real_data("focus_sample.csv")), to_cbf


@pytest.fixture(scope="module")
def expected(tap, bill, tmp_path_factory):
    """What is posted of the plainest form."""
    rows, transform = bill
    return requests_of(tap, {"files": written(rows, tmp_path_factory.mktemp("plainest"))}, transform, rows)


def written(rows, folder):
    path = folder / "expected.csv"
    write_csv(rows, path)
    return str(path)


def requests_of(tap, given, transform, rows):
    # Small bodies, so that there are several requests.
    summary = send(**given, transform=transform, max_body_bytes=180 * len(rows), **SEND)
    posted = tap.take_posted()
    assert len(posted) == summary["requests"] > 1
    assert sum(len(body) for _, body in posted) == summary["bytes"]
    assert sum(len(json.loads(body)["data"]) for _, body in posted) == summary["rows"]
    return summary["sha256"], posted


@pytest.mark.parametrize("form", EXACT_FORMS)
def test_every_form_makes_the_same_requests(tap, bill, expected, tmp_path, form):
    rows, transform = bill
    assert requests_of(tap, EXACT_FORMS[form](copy.deepcopy(rows), tmp_path), transform, rows) == expected


@pytest.mark.parametrize("form", FLOAT_FORMS)
def test_floats_make_the_same_requests_where_they_hold_the_numbers(tap, bill, expected, tmp_path, form):
    rows, transform = bill
    assert held_by_floats(rows) == rows
    assert requests_of(tap, FLOAT_FORMS[form](rows, tmp_path), transform, rows) == expected


@pytest.mark.parametrize("form", FLOAT_FORMS)
def test_floats_differ_in_what_they_cant_hold_and_in_nothing_else(tap, tmp_path, form):
    rows = with_long_numbers(cbf_bill())
    nearest = held_by_floats(rows)
    lost = [exact["cost/cost"] - near["cost/cost"] for exact, near in zip(rows, nearest, strict=True)]
    assert all(lost)
    assert max(map(abs, lost)) < Decimal("1e-6")
    as_floats = requests_of(tap, FLOAT_FORMS[form](rows, tmp_path), None, rows)
    assert as_floats == requests_of(tap, {"files": written(nearest, tmp_path)}, None, rows)
    assert as_floats != requests_of(tap, {"files": written(rows, tmp_path)}, None, rows)


@pytest.mark.parametrize("form", EXACT_FORMS)
def test_numbers_that_no_float_holds_stay_exact(tap, server, tmp_path, form):
    rows = with_long_numbers(cbf_bill())
    summary = send(**EXACT_FORMS[form](rows, tmp_path), **SEND)
    total = sum(Fraction(row["cost/cost"]) for row in rows)
    assert Fraction(summary["total_cost"]) == Fraction(server.month(MONTH)["total_cost"]) == total


@pytest.mark.parametrize("make", [generator, lambda rows: rows, polars_frame], ids=["generator", "list", "polars"])
def test_a_decorated_function_makes_the_same_requests(tap, bill, expected, make):
    from airflow.providers.common.compat.sdk import task

    rows, transform = bill

    @task.cloudzero_billing_drop(transform=transform, max_body_bytes=180 * len(rows), **SEND)
    def send_bill():
        return make(rows)

    operator = send_bill().operator
    summary = operator.execute(context(operator))
    assert (summary["sha256"], tap.take_posted()) == expected
