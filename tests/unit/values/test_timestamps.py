"""One reader of times: rows, FOCUS, telemetry and months take the same spellings, whatever the version of polars."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import example, given, strategies as st
from support.charges import charge, converted, problem_of
from support.rows import MARCH, checked, row

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.exceptions import InvalidRowsError, MonthError
from cloudzero_provider.months import Month
from cloudzero_provider.telemetry.checks import RecordRules, check_records
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.values.conversion import Converted
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP, read_time
from cloudzero_provider.values.timestamps import utc_timestamps

FIVE = "2026-03-03T05:00:00Z"
#: All the same moment, as warehouses, languages and people write it.
SPELLINGS = [
    "2026-03-03T05:00:00Z",
    "2026-03-03 05:00:00",  # MySQL, ClickHouse; without a zone, it is UTC
    "2026-03-03 05:00:00 UTC",  # BigQuery
    "2026-03-03 05:00:00UTC",
    "2026-03-03 05:00:00 utc",
    "2026-03-03 05:00:00.000 UTC",  # Trino
    "2026-03-03T05:00:00 GMT",
    "2026-03-03T05:00:00Gmt",
    "2026-03-03t05:00:00z",
    "2026-03-03 05:00:00 Z",
    "2026-03-03 05:00:00+00",  # PostgreSQL, DuckDB
    "2026-03-03 05:00:00-00",
    "2026-03-03 10:30:00+05:30",
    "2026-03-03 00:00:00-05",
    "2026-03-03 00:00:00 -05",
    "2026-03-03 05:00:00.000 +0000",  # Snowflake
    "2026-03-02 22:00:00.000 -0700",
    "2026-03-03 05:00:00.0000000 +00:00",  # SQL Server
    "2026-03-03 05:00:00 +0000 UTC",  # Go
    "2026-03-03T05:00Z[UTC]",  # Java
    "2026-03-03T05:00:00+00:00[Etc/UTC]",
    "2026-03-03T05:00:00,000Z",
    "2026-03-03T05:00",
    "2026-03-03 05:00 UTC",
    "2026-03-03T05Z",
    "2026-03-03 05",
    "2026/03/03 05:00:00",
    "20260303T050000Z",
    "20260303T0500Z",
    "20260303T05",
    "20260303 050000.000+0000",
    "20260303T10:30:00+0530",
    "2026-03-03T050000Z",
]
#: What could be meant in two ways, or is not a time at all.
DOUBTFUL = [
    "03/03/2026",
    "03-03-2026 05:00:00",
    "03.03.2026",
    "26-03-03",
    "2026-03-03 05:00:00 CST",
    "2026-03-03 05:00:00 EST",
    "2026-03-03 05:00:00 Europe/Paris",
    "2026-03-03 05:00:00 AM",
    "1772514000",
    "1772514000000",
    "20260303050000",
    "2026-03-03T24:00:00Z",
    "2026-03-03T05:00:60Z",
    "2026-03-03T05:60:00Z",
    "2026-03-03T05:00:00+24:00",
    "2026-03-03T05:00:00+05:60",
    "2026-03-03T05:00:00  UTC",
    "2026-03-03T05:00:00+0100 UTC",
    "2026-03-03  05:00:00",
    " 2026-03-03T05:00:00Z",
    "2026-03-03T05:00:00Z\n",
    "2026-03-03-05",
    "20260303-0530",
    "2026-0303",
    "2026/03-03",
    "2026-03-03T05:0000",
    "2026-03-03T05:00.5",
    "2026-3-3",
    "2026-02-30",
    "2026-13-01",
    "2026-00-01",
    "0000-01-01",
    "0001-01-01T00:00:00+05:00",
    "9999-12-31T23:00:00-05",
    "٢٠٢٦-٠٣-٠٣",
    "2026-03",
    "2026",
    "Z",
]
ALLOCATION = KINDS[StreamType.ALLOCATION]


def rows_take(text):
    return checked([row(time__usage_start=text)]).frame["time/usage_start"][0]


def focus_takes(text):
    [line] = converted(charge(ChargePeriodStart=text))
    return line["time/usage_start"]


def telemetry_takes(text, **options):
    rules = RecordRules(ALLOCATION, TelemetryOperation.REPLACE, "HOURLY", **options)
    record = {"timestamp": text, "element_name": "a", "value": 1}
    return check_records(sources.from_records([record]), rules).frame["timestamp"][0]


def written(*texts):
    column = utc_timestamps(Converted(pl.Series(texts, dtype=pl.String)))
    assert set(column.bad.values()) <= {NOT_TIMESTAMP}
    return column.strings.to_list()


@pytest.mark.parametrize("text", SPELLINGS)
@pytest.mark.parametrize("takes", [rows_take, focus_takes])
def test_every_spelling_that_leaves_no_doubt_is_read(takes, text):
    assert takes(text) == FIVE


@pytest.mark.parametrize("text", SPELLINGS)
def test_telemetry_accepts_them_too(text):
    assert telemetry_takes(text, month=MARCH) == FIVE


@pytest.mark.parametrize("text", SPELLINGS)
def test_the_parameter_month_accepts_them_too(text):
    assert Month.parse(text) == MARCH


@pytest.mark.parametrize("text", DOUBTFUL)
def test_an_ambiguous_time_is_an_error_that_lists_the_accepted_formats(text):
    for takes in (rows_take, telemetry_takes):
        with pytest.raises(InvalidRowsError) as caught:
            takes(text)
        assert f"value {text!r}: {NOT_TIMESTAMP}" in str(caught.value)
    assert problem_of(charge(ChargePeriodStart=text)).rule == NOT_TIMESTAMP


@pytest.mark.parametrize("text", sorted(set(DOUBTFUL) - {"2026-03", " 2026-03-03T05:00:00Z", "2026-03-03T05:00:00Z\n"}))
def test_what_leaves_a_doubt_is_not_a_month_either(text):
    with pytest.raises(MonthError):
        Month.parse(text)


def test_a_bare_date_is_midnight_in_its_zone():
    days = ["2026-03-03", "20260303", "2026/03/03", "2026-03-03Z", "2026-03-03 UTC", "2026-03-03+00:00", "20260303+00"]
    assert set(written(*days)) == {"2026-03-03T00:00:00Z"}
    assert written("2026-03-03+05:30", "2026-03-03 -05:00") == ["2026-03-02T18:30:00Z", "2026-03-03T05:00:00Z"]


def test_one_column_may_be_of_many_spellings():
    assert written(*SPELLINGS, "soon", None) == [FIVE] * len(SPELLINGS) + [None, None]


def test_what_is_cut_is_counted_in_every_spelling():
    texts = ["2026-03-03 05:00:00.000 UTC", "20260303T050000,0000001Z", "2026-03-03 05:00:01Z", "2026-03-03T05:30+00"]
    whole, cut = (utc_timestamps(Converted(pl.Series(texts)), **to) for to in ({}, {"minute": 0, "second": 0}))
    assert (whole.truncated, cut.truncated) == (1, 3)
    assert set(cut.strings) == {FIVE}


@pytest.mark.parametrize("text", ["20260401T013000+0200", "2026-04-01 01:30:00 +02", "2026-02-28 23:30-01:00"])
def test_telemetry_refuses_a_spelling_of_another_month_than_its_own(text):
    with pytest.raises(InvalidRowsError, match="its UTC offset moves it into another month"):
        telemetry_takes(text)


OFFSETS = st.integers(-14 * 60, 14 * 60)


@st.composite
def spelled(draw):
    """A moment, to the second, and one way to write it."""
    moment = draw(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31))).replace(microsecond=0)
    offset = draw(OFFSETS)
    local = moment + timedelta(minutes=offset)
    dash, colon = draw(st.sampled_from(["-", "/", ""])), draw(st.sampled_from([":", ""]))
    day = dash.join((f"{local.year:04}", f"{local.month:02}", f"{local.day:02}"))
    time = colon.join((f"{local.hour:02}", f"{local.minute:02}", f"{local.second:02}"))
    fraction = draw(st.sampled_from(["", ".0", ",000", ".123456789"]))
    return moment, day + draw(st.sampled_from("T t")) + time + fraction + draw(zones(offset))


@st.composite
def zones(draw, offset):
    hours, minutes = divmod(abs(offset), 60)
    sign = "-" if offset < 0 else "+"
    ways = [f"{sign}{hours:02}:{minutes:02}", f"{sign}{hours:02}{minutes:02}"]
    if not minutes:
        ways.append(f"{sign}{hours:02}")
    if not offset:
        ways += ["Z", "z", "UTC", "Utc", "GMT"]
        return draw(st.sampled_from(["", *ways, *(f" {way}" for way in ways)]))
    return draw(st.sampled_from(["", " "])) + draw(st.sampled_from(ways))


@given(st.lists(spelled(), min_size=1, max_size=20))
def test_it_is_the_same_moment_however_it_is_written(drawn):
    moments, texts = zip(*drawn, strict=True)
    assert written(*texts) == [f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0") for moment in moments]
    assert [read_time(text).replace(microsecond=0, tzinfo=None) for text in texts] == list(moments)


@given(spelled())
def test_written_values_are_read_back_unchanged(drawn):
    [once] = written(drawn[1])
    assert written(once) == [once]


@given(st.lists(st.text("0123456789-/:.,+ TtZzUCGM[]", max_size=30) | st.from_regex(r"\d{4}-\d\d-\d\d[T ].{0,9}\Z")))
@example(["2026-03-03T05:00:00Z\n"])
@example(["2026-02-29", "2024-02-29", "1900-02-29", "2000-02-29"])
def test_columns_and_single_times_are_read_alike(texts):
    texts = [text for text in texts if text]
    moments = [read_time(text) for text in texts]
    cut = [moment and moment.replace(microsecond=0, tzinfo=timezone.utc) for moment in moments]
    assert written(*texts) == [moment and f"{moment:%Y-%m-%dT%H:%M:%SZ}".rjust(20, "0") for moment in cut]


@given(st.lists(spelled().map(lambda drawn: drawn[1]) | st.sampled_from(["", None, "x", "2026-02-30"]), min_size=1))
def test_times_that_repeat_are_read_like_others(texts):
    columns = [
        utc_timestamps(Converted(pl.Series(values=texts * times, dtype=pl.String)), day=1, hour=0, minute=0, second=0)
        for times in (1, 3)
    ]
    once, thrice = (
        [found.strings.to_list(), found.moved.to_list(), sorted(found.bad), found.truncated] for found in columns
    )
    count = len(texts)
    assert thrice == [
        once[0] * 3,
        once[1] * 3,
        sorted(row + repeat * count for row in once[2] for repeat in range(3)),
        once[3] * 3,
    ]
