"""``df.to_dict("records")`` makes the rows that the data frame itself makes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from support.rows import MARCH

from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.exceptions import InvalidRowsError
from cloudzero_provider.sources import from_records
from cloudzero_provider.sources.typed_frame import to_frame
from cloudzero_provider.values.python_values import as_objects

numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")


def cells(records):
    return {name: as_objects(values) for name, values in from_records(records).columns.items()}


def cell(value):
    return cells([{"a": value}])["a"][0]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (numpy.int64(7), 7),
        (numpy.uint8(7), 7),
        (numpy.float64(0.1), 0.1),
        (numpy.float32(0.1), 0.1),
        (numpy.float16(0.1), 0.1),
        (numpy.bool_(True), True),
        (numpy.str_("ü"), "ü"),
        (numpy.bytes_(b"x"), b"x"),
        (numpy.datetime64("2026-03-01T05"), datetime(2026, 3, 1, 5)),
        (numpy.datetime64("2026-03-01T05:00:00.5", "ns"), datetime(2026, 3, 1, 5, 0, 0, 500_000)),
        (numpy.datetime64("2026-03-01"), datetime(2026, 3, 1)),
    ],
)
def test_numpy_scalars_are_what_python_has_for_them(value, plain):
    assert (type(cell(value)), cell(value)) == (type(plain), plain)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        numpy.float64("nan"),
        numpy.float32("nan"),
        numpy.datetime64("NaT"),
        numpy.timedelta64("NaT"),
        pandas.NA,
        pandas.NaT,
        Decimal("NaN"),
        None,
    ],
    ids=repr,
)
def test_what_means_missing_is_missing(value):
    assert cell(value) is None
    assert cells([{"a": value}, {"a": "x"}, {"a": 1}])["a"] == [None, "x", 1]


@pytest.mark.parametrize(
    "value",
    [
        numpy.timedelta64(5, "ns"),
        numpy.array([1]),
        numpy.datetime64(2**62, "s"),
        numpy.complex128(1),
        pandas.Timedelta(5),
        pandas.Period("2026-03"),
        Decimal("sNaN"),
    ],
    ids=repr,
)
def test_what_has_no_counterpart_stays_for_the_checks_to_name(value):
    assert cell(value) is value
    for column in ("cost/cost", "time/usage_start", "resource/service"):
        with pytest.raises(InvalidRowsError, match=f"row 1, column '{column}', value "):
            check_rows(from_records([{"time/usage_start": "2026-03-01", "cost/cost": 1, column: value}]), MARCH)


FRAME = pandas.DataFrame(
    {
        "time/usage_start": pandas.to_datetime(["2026-03-01T05:00Z", "2026-03-02T05:00Z", "2026-03-03T05:00Z"]),
        "time/usage_end": [pandas.Timestamp("2026-03-01T06:00Z"), pandas.NaT, None],
        "cost/cost": [0.1, 2.5, 1e-9],
        "cost/amortized_cost": [float("nan"), 0.0, 2.0],
        "cost/on_demand_cost": [Decimal("0.10"), None, Decimal("NaN")],
        "usage/amount": pandas.array([3, None, 2**53], dtype="Int64"),
        "resource/service": ["x", None, float("nan")],
        "resource/account": numpy.array([123456789012] * 3),
        "resource/region": pandas.Series(["eu", "us", None], dtype="string"),
        "usage/units": pandas.Categorical(["h", None, "h"]),
    }
)


@pytest.mark.parametrize("orient", ["to_dict", "iterrows"])
def test_a_frame_and_its_records_are_the_same_rows(orient):
    records = FRAME.to_dict("records") if orient == "to_dict" else [dict(row) for _, row in FRAME.iterrows()]
    found, expected = (check_rows(from_records(rows), MARCH) for rows in (records, FRAME))
    assert found.frame.equals(expected.frame)
    assert found.totals == expected.totals
    assert found.frame["cost/amortized_cost"].to_list() == [None, "0", "2"]
    in_transform, of_frame = (to_frame(from_records(rows)) for rows in (records, FRAME))
    assert in_transform.to_dict(as_series=False) == of_frame.to_dict(as_series=False)


def test_a_frame_of_python_objects_and_its_records_are_the_same_rows():
    """A column that mixes types is one of objects in pandas, and keeps numpy's scalars as they are."""
    amounts = [numpy.int64(3), pandas.NA, numpy.float64("nan"), numpy.float64(0.1), pandas.NaT, Decimal("0.5")]
    frame = pandas.DataFrame({"usage/amount": pandas.Series(amounts, dtype=object)})
    records = frame.to_dict("records")
    assert cells(records) == cells(frame) == {"usage/amount": [3, None, None, 0.1, None, Decimal("0.5")]}
    # numpy's scalars are equal to Python's.
    assert [type(value) for value in cells(frame)["usage/amount"]] == [
        int,
        *[type(None)] * 2,
        float,
        type(None),
        Decimal,
    ]


def test_a_short_float_is_the_number_that_it_is_written_as():
    frame = pandas.DataFrame({"a": numpy.array([0.1, 1e10, 1 / 3, float("nan")], dtype="float32")})
    records = [{"a": value} for value in frame["a"].to_numpy()]
    assert cells(records) == cells(frame) == {"a": [0.1, 1e10, 0.33333334, None]}


def test_a_required_cost_that_is_missing_is_an_error():
    with pytest.raises(InvalidRowsError, match="row 1, column 'cost/cost': required in every row"):
        check_rows(from_records([{"time/usage_start": "2026-03-01", "cost/cost": float("nan")}]), MARCH)


def test_infinity_is_not_a_missing_value():
    with pytest.raises(InvalidRowsError, match="row 1, column 'cost/cost', value inf: not a decimal number"):
        check_rows(from_records([{"time/usage_start": "2026-03-01", "cost/cost": float("inf")}]), MARCH)
