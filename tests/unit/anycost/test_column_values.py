from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, getcontext, localcontext
from enum import Enum

import pendulum
import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import Kind
from cloudzero_provider.values.exact_sums import exact_sum


def texts(kind, *values):
    converted = convert(kind, list(values))
    assert not converted.bad
    return converted.strings.to_list()


def rule(kind, value):
    converted = convert(kind, [value])
    assert converted.strings.to_list() == [None]
    return converted.bad[0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (-7, "-7"),
        (0, "0"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e16, "10000000000000000"),
        (-0.0, "0"),
        (Decimal("12.50"), "12.5"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("1E+3"), "1000"),
        ("12.50", "12.5"),
        ("0012.0500", "12.05"),
        ("100", "100"),
        ("-00.500", "-0.5"),
        ("-0.000", "0"),
        ("000", "0"),
        ("-12", "-12"),
        ("1e-07", "0.0000001"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("123456789012345678." + "1" * 30, "123456789012345678." + "1" * 30),
        (None, None),
        ("", None),
        (Decimal("0E-50"), "0"),
        ("1.5" + "0" * 40, "1.5"),
        ("100." + "0" * 40, "100"),
    ],
)
def test_decimals_become_exact_plain_text(value, text):
    assert texts(Kind.DECIMAL, value) == [text]


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        Decimal("NaN"),
        Decimal("-Infinity"),
        True,
        "abc",
        "1,5",
        "1 2",
        " 1",
        "0x1F",
        "١٢",
        "-",
        ".",
    ]
    + ["--1", b"1", [1], {"a": 1}, "1e99999"],
)
def test_values_that_are_not_decimals(value):
    assert "not a decimal number" in rule(Kind.DECIMAL, value)


@pytest.mark.parametrize("value", [10**18, "1" * 19, "1e18", 1e-320, 5e300, "0." + "1" * 31, Decimal("1E-31")])
def test_decimals_that_are_too_long_are_refused_and_never_rounded(value):
    assert "18 digits" in rule(Kind.DECIMAL, value)


class Rounding(Decimal):
    def __str__(self):
        return f"{self:.2f}"


class Service(str, Enum):
    S3 = "s3"


class Number(int, Enum):
    SEVEN = 7


def test_a_subclass_counts_as_what_it_is_and_not_as_what_it_prints():
    assert texts(Kind.DECIMAL, Rounding("5.005"), Rounding("0.004")) == ["5.005", "0.004"]
    assert texts(Kind.TEXT, Service.S3, Number.SEVEN) == ["s3", "7"]
    assert texts(Kind.DECIMAL, Number.SEVEN) == ["7"]


def test_an_integer_that_python_would_not_write_is_too_long():
    for kind in (Kind.DECIMAL, Kind.TEXT):
        assert "18 digits" in rule(kind, 10**5000)


def test_booleans_among_integers_are_not_taken_for_numbers():
    assert list(convert(Kind.DECIMAL, [1, True, 1.0, False]).bad) == [1, 3]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e17, max_value=1e17))
def test_a_float_is_sent_as_text_that_reads_back_as_the_same_float(value):
    converted = convert(Kind.DECIMAL, [value])
    if not converted.bad:
        assert float(converted.strings[0]) == value
        assert "e" not in converted.strings[0].lower()


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-16T13:00:00Z",
        "2026-03-16 13:00",
        "2026-03-16T13:00:00.000+00:00",
        "2026-03-16T14:00:00+01:00",
        "2026-03-16T14:00:00+0100",
        datetime(2026, 3, 16, 13),
        datetime(2026, 3, 16, 15, tzinfo=timezone(timedelta(hours=2))),
        pendulum.datetime(2026, 3, 16, 14, tz="Europe/Berlin"),
        "2026-03-16T13:59:59.999Z",
    ],
)
def test_timestamps_become_the_start_of_their_hour_in_utc(value):
    assert texts(Kind.HOUR, value) == ["2026-03-16T13:00:00Z"]


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 30)))
def test_the_engine_and_python_read_the_same_timestamps(moment):
    canonical = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    same = texts(Kind.HOUR, canonical, canonical.replace("Z", "+00:00"), moment)
    assert len(set(same)) == 1
    assert texts(Kind.TIMESTAMP, canonical) == [canonical]


def test_dates_are_midnight_in_utc():
    assert texts(Kind.HOUR, date(2026, 3, 16), "2026-03-16") == ["2026-03-16T00:00:00Z"] * 2


def test_cut_timestamps_are_counted():
    converted = convert(Kind.HOUR, ["2026-03-16T13:00:00Z", "2026-03-16T13:30:00Z", "2026-03-16T13:30:00Z", None])
    assert converted.truncated == 2
    assert convert(Kind.HOUR, ["2026-03-16T13:00:00Z"]).truncated == 0


def test_the_end_of_usage_keeps_minutes_and_seconds():
    assert texts(Kind.TIMESTAMP, "2026-03-16T13:59:59Z") == ["2026-03-16T13:59:59Z"]


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2026-02-30",
        "2026-03-16T25:00",
        "16.03.2026",
        "2026-03-30T23:59:60Z",
        "2026-03-30T24:00:00Z",
        "0000-01-01T00:00:00Z",
        1773666000,
        1.5,
        True,
        "2026-03",
    ],
)
def test_values_that_are_not_timestamps(value):
    assert "ISO 8601" in rule(Kind.HOUR, value)


@pytest.mark.parametrize(
    "value", ["0001-01-01T00:00:00+05:00", datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))]
)
def test_a_time_before_year_one_is_not_a_timestamp(value):
    assert "ISO 8601" in rule(Kind.HOUR, value)


def test_text_columns_accept_text_and_whole_numbers_only():
    assert texts(Kind.TEXT, "a", 123456789012, None, "") == ["a", "123456789012", None, None]
    assert "expected text, not float" in rule(Kind.TEXT, float("nan"))
    assert "expected text, not bool" in rule(Kind.TEXT, True)
    assert "not valid Unicode" in rule(Kind.TEXT, "\ud800")


def test_line_item_types_are_those_of_the_guide():
    assert texts(Kind.LINEITEM_TYPE, "Usage", "CommittedUseVacancy", None) == ["Usage", "CommittedUseVacancy", None]
    assert "not one of Usage, Tax" in rule_of_text(Kind.LINEITEM_TYPE, "usage")


def test_labels_are_a_json_object():
    assert texts(Kind.JSON_OBJECT, '{"app": "a"}') == ['{"app": "a"}']
    for value in ("[]", "app=a", "{"):
        assert "JSON object" in rule_of_text(Kind.JSON_OBJECT, value)


def rule_of_text(kind, value):
    return convert(kind, pl.Series(values=[value])).bad[0]


# The four traps: each is what a plain tool gets wrong.


def test_a_sum_of_more_than_38_digits_does_not_wrap():
    big = "999999999999999999." + "9" * 30
    exact = str(10**48 * 1000 - 1000)
    assert exact_sum(pl.Series([big] * 1000)) == f"{exact[:-30]}.{exact[-30:]}".rstrip("0")
    plain = pl.Series([big], dtype=pl.String).cast(pl.Decimal(38, 30), strict=False)
    assert plain.null_count() == 1 or str(plain[0]) != big  # so polars' own Decimal would not do


def test_long_decimals_do_not_become_nulls():
    values = [Decimal("123456789012345678.123456789012345678901234567891"), Decimal("0.1")]
    assert texts(Kind.DECIMAL, *values) == [str(value) for value in values]


def test_text_is_added_up_as_numbers():
    assert exact_sum(pl.Series(["1", "2"])) == "3"


def test_a_sum_keeps_more_than_28_digits():
    assert getcontext().prec == 28
    assert exact_sum(pl.Series(["123456789012345678", "0." + "0" * 29 + "1"])) == "123456789012345678." + "0" * 29 + "1"


WIRE = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{1,30})?", fullmatch=True)


@given(st.lists(st.none() | WIRE, max_size=30))
def test_sums_equal_those_of_a_wide_decimal_context(values):
    with localcontext() as wide:
        wide.prec = 200
        expected = sum((Decimal(value) for value in values if value is not None), Decimal(0))
        assert Decimal(exact_sum(pl.Series(values, dtype=pl.String))) == expected


def test_a_sum_of_nothing_is_zero_and_zeros_are_taken_off_the_end():
    assert exact_sum(pl.Series([], dtype=pl.String)) == "0"
    assert exact_sum(pl.Series(["1.50", "-1.5"])) == "0"
    assert exact_sum(pl.Series(["0.30", "99.70", None])) == "100"
    assert exact_sum(pl.Series(["-0.25"])) == "-0.25"
