"""Rows in batches are checked as those that are given at once: the same values, totals and errors, word for word."""

from __future__ import annotations

import csv
import gzip
import io
import logging
import tempfile
from collections import defaultdict
from contextlib import nullcontext
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st
from support.rows import MARCH, row

from cloudzero_provider import sources
from cloudzero_provider.anycost.batch_checks import check_batches
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError
from cloudzero_provider.sources import Rows, joined, read_batches, read_files
from cloudzero_provider.values.problems import every_problem, kept_problems


def frames_of(batches, **options):
    return list(check_batches(batches, MARCH, **options))


def result(check, kept=None):
    """What checks come to: columns with values, and totals; or the error, and all problems."""
    try:
        checked = check()
    except InputError as error:
        problems = list(kept.of(error)) if kept and isinstance(error, InvalidRowsError) else None
        return type(error), str(error), getattr(error, "problems", None), getattr(error, "total", None), problems
    parts = checked if isinstance(checked, list) else [checked]
    frame = pl.concat([part.frame for part in parts], how="diagonal")
    totals = defaultdict(Decimal)
    for part in parts:
        for name, total in part.totals.items():
            totals[name] += Decimal(total)
    filled = sorted(name for name in frame.columns if frame[name].null_count() < frame.height)
    places = [part.where(index) for part in parts for index in range(part.frame.height)]
    return (
        frame.select(filled).to_dict(as_series=False),
        {name: totals[name].normalize() for name in filled if name in totals},
        places,
    )


def assert_same(read, **options):
    """Compare batches with the same rows at once, in each way that errors are listed."""
    for listing in (nullcontext, kept_problems, every_problem):
        with listing() as kept:
            whole = result(lambda: check_rows(joined(list(read())), MARCH, **options), kept)
        with listing() as kept:
            assert result(lambda: frames_of(read(), **options), kept) == whole
    return whole


def split(rows, size):
    """Batches of rows; each has all columns, as those of a file."""
    return [
        Rows(
            {name: values[start : start + size] for name, values in rows.columns.items()},
            min(size, rows.count - start),
            lambda index, start=start: rows.where(start + index),
            source=rows.source,
        )
        for start in range(0, rows.count or 1, size)
    ]


GOOD = row(resource__id="r")
PROBLEMS = {
    "a bad cost": {"cost__cost": "twelve"},
    "no cost": {"cost__cost": ""},
    "a bad time": {"time__usage_start": "soon"},
    "no time": {"time__usage_start": ""},
    "another month": {"time__usage_start": "2026-04-01"},
    "a bad type": {"lineitem__type": "usage"},
    "a tag without a resource": {"resource__id": "", "resource/tag:a": "x"},
    "an unknown column": {"zzz": "1"},
    "an unknown column without a value": {"zzz": ""},
    "a bad tag key": {"resource/tag:a b": "x"},
    "two columns and a value": {"aaa": "1", "cost__cost": "x", "zzz": "1"},
}


@pytest.mark.parametrize("size", [1, 4, 9])
@pytest.mark.parametrize("places", [[0], [4], [8], [0, 8], [2, 3], [*range(9)], [*range(1, 9)]], ids=str)
@pytest.mark.parametrize("changes", PROBLEMS.values(), ids=PROBLEMS)
def test_a_problem_in_any_batch(changes, places, size):
    made = [GOOD | row(**changes) if number in places else GOOD for number in range(9)]
    kind, *_ = assert_same(lambda: split(sources.from_records(made), size))
    assert kind is InvalidRowsError


@pytest.mark.parametrize("size", [1, 2, 4, 9])
def test_good_rows(size):
    made = [row(cost__cost=str(number), resource__service="a" if number > 6 else None) for number in range(9)]
    cells, totals, _ = assert_same(lambda: split(sources.from_records(made), size))
    assert cells["cost/cost"] == [str(number) for number in range(9)]
    assert totals == {"cost/cost": 36}


def test_a_batch_keeps_columns_without_a_value_in_the_order_of_the_documentation():
    columns = {
        "zzz": ["", "x"],
        "cost/cost": ["1", "2"],
        "resource/service": [None, None],
        "time/usage_start": ["2026-03-01"] * 2,
    }
    rows = Rows(columns, 2, lambda index: f"row {index + 1}")
    first, second = frames_of(split(rows, 1), allow_unknown_columns=True)
    assert first.frame.columns == second.frame.columns == ["time/usage_start", "resource/service", "cost/cost", "zzz"]
    assert set(first.frame.dtypes) == set(second.frame.dtypes) == {pl.String}
    assert first.frame["zzz"].to_list() == [None]
    assert (first.totals, second.totals) == ({"cost/cost": "1"}, {"cost/cost": "2"})
    assert (first.where(0), second.where(0), second.month) == ("row 1", "row 2", MARCH)


def part(name, columns, count=3):
    """Rows of a file; a column is a list of values, or one for all rows."""
    filled = {
        column: values if isinstance(values, (list, pl.Series)) else [values] * count
        for column, values in columns.items()
    }
    return Rows(filled, count, lambda index: f"{name}, line {index + 2:,}", source=name)


TIME, COST = "time/usage_start", "cost/cost"
FILES = {
    "the second lacks a required column": [{TIME: "2026-03-01", COST: "1"}, {TIME: "2026-03-01"}],
    "the first lacks a required column": [{TIME: "2026-03-01"}, {TIME: "2026-03-01", COST: "1"}],
    "the first lacks one, the second the other": [{TIME: "2026-03-01"}, {COST: "1"}],
    "both lack one": [{TIME: "2026-03-01"}, {TIME: "2026-03-01", "resource/id": "x"}],
    "both lack both": [{"resource/id": "x"}, {"resource/service": "x"}],
    "the first lacks one, and has problems": [
        {TIME: ["2026-03-01", "soon", "x"], "zzz": "1"},
        {TIME: "2026-04-01", COST: "x"},
    ],
    "the second has an unknown column": [
        {TIME: "2026-03-01", COST: "1"},
        {TIME: "2026-03-01", COST: "1", "zzz": [None, "1", None]},
    ],
    "an unknown column without a value in both": [
        {TIME: "2026-03-01", COST: ["x", "1", "1"], "aaa": None},
        {TIME: "2026-03-01", COST: "1", "zzz": None, "bbb": "1", "lineitem/type": "y"},
    ],
    "an unknown column has its first value in the second": [
        {TIME: "2026-03-01", COST: "1", "zzz": None},
        {TIME: "2026-03-01", COST: "1", "zzz": [None, "1", "2"]},
    ],
    "an unknown column has its first value in the first row": [
        {TIME: "2026-03-01", COST: "x", "zzz": ["1", None, None], "aaa": ["2", None, "3"]},
        {TIME: "2026-03-01", COST: "1", "zzz": "2"},
    ],
    "neither is in the format": [{"BilledCost": "1"}, {"b": "2"}],
    "only the second is in the format": [{"BilledCost": "1"}, {TIME: "2026-03-01", COST: "1"}],
    "other months in both": [
        {TIME: ["2026-05-01", "2026-03-01", "2026-01-01"], COST: "1"},
        {TIME: "2026-04-01", COST: "1"},
    ],
    "many other months": [
        {TIME: [f"2025-{number:02}-01" for number in (3, 2, 1)], COST: "1"},
        {TIME: "2024-01-01", COST: "1"},
    ],
    "tags without a resource": [
        {TIME: "2026-03-01", COST: "1", "resource/tag:a": "x"},
        {TIME: "2026-03-01", COST: "1", "resource/id": "x"},
    ],
    "columns of two types": [
        {TIME: pl.Series([date(2026, 3, 1)] * 3), COST: pl.Series([1, 2, None])},
        {TIME: pl.Series([datetime(2026, 3, 1, 5)] * 3), COST: pl.Series([0.1, float("1e-7"), 3])},
        {TIME: "2026-03-01", COST: [Decimal("1.50"), float("inf"), True]},
    ],
    "good columns of two types": [
        {TIME: pl.Series([date(2026, 3, 1)] * 3), COST: pl.Series([1, 2, 3])},
        {TIME: pl.Series([datetime(2026, 3, 1, 5)] * 3), COST: pl.Series([0.1, 2, 3])},
        {TIME: ["2026-03-01", date(2026, 3, 2), "2026-03-02T05:30:00+05:30"], COST: [Decimal("1.50"), 1, "1e3"]},
    ],
}


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("empty", ["", "between", "around", "with columns"])
@pytest.mark.parametrize("files", FILES.values(), ids=FILES)
def test_files_of_different_columns(files, empty, size):
    parts = [part(f"{number}.csv", columns) for number, columns in enumerate(files)]
    if empty:
        nothing = part("empty.csv", {COST: [], "yyy": []} if empty == "with columns" else {}, count=0)
        parts = [*parts[:1], nothing, *parts[1:]] if empty == "between" else [nothing, *parts, nothing]
    for unknown in (False, True):
        assert_same(lambda: [rows for each in parts for rows in split(each, size)], allow_unknown_columns=unknown)


def test_no_rows_are_no_problem():
    assert frames_of([]) == []
    assert frames_of([part("a.csv", {"zzz": []}, count=0)] * 2) == []


def test_a_batch_is_yielded_before_the_next_is_read_until_there_is_a_problem():
    reached = []

    def batches():
        for number, cost in enumerate(["1", "2", "x", "4", "y"]):
            reached.append(number)
            yield part("a.csv", {TIME: "2026-03-01", COST: cost}, count=1)

    checked = check_batches(batches(), MARCH)
    assert [next(checked).totals, next(checked).totals, reached] == [{COST: "1"}, {COST: "2"}, [0, 1]]
    with pytest.raises(InvalidRowsError, match=r"^2 problems in the rows; nothing was sent\."):
        next(checked)
    assert reached == [0, 1, 2, 3, 4]


def test_an_unknown_column_stops_the_batches_also_without_a_value():
    good, bad = {TIME: "2026-03-01", COST: "1"}, {TIME: "2026-03-01", COST: "1", "zzz": None}
    checked = check_batches([part("a.csv", good), part("b.csv", bad), part("c.csv", good)], MARCH)
    assert next(checked).where(0) == "a.csv, line 2"
    with pytest.raises(
        InvalidRowsError, match=r"^1 problem in the rows; nothing was sent\.\n  a\.csv, line 2, column 'zzz'"
    ):
        next(checked)


def test_the_hint_about_other_months_is_that_of_the_last_batch_that_has_one():
    batches = [part("a.csv", {TIME: "2026-04-01", COST: "1"}, count=1) for _ in range(4)]
    hinted = [
        Rows(rows.columns, 1, rows.where, month_hint=hint)
        for rows, hint in zip(batches, ("", "1 a", "2 a", ""), strict=True)
    ]
    with pytest.raises(InvalidRowsError) as error:
        frames_of(hinted)
    assert all(problem.rule.endswith("and the rows include 2026-04; 2 a") for problem in error.value.problems)


def test_values_are_logged_once_for_all_batches(caplog):
    made = [row(time__usage_start="2026-03-01T05:30:00Z", lineitem__type="CommittedUseVacancy") for _ in range(9)]

    def logged(check):
        caplog.clear()
        with caplog.at_level(logging.INFO):
            check()
        return caplog.messages

    whole = logged(lambda: check_rows(sources.from_records(made), MARCH))
    assert whole[-1] == "time/usage_start: truncated 9 timestamps to the start of their hour"
    assert logged(lambda: frames_of(split(sources.from_records(made), 2))) == whole


def test_allow_unknown_columns_is_a_boolean():
    with pytest.raises(ConfigurationError, match="allow_unknown_columns is 'no'"):
        frames_of([], allow_unknown_columns="no")


class Counted:
    """Values that tell when they are let go of."""

    alive = 0

    def __init__(self):
        Counted.alive += 1

    def __del__(self):
        Counted.alive -= 1


@pytest.mark.parametrize("listing", [nullcontext, kept_problems])
def test_batches_are_not_held(listing):
    most = 0

    def batches():
        nonlocal most
        for number in range(20):
            most = max(most, Counted.alive)
            values = [Counted() for _ in range(100)]
            yield Rows(
                {TIME: ["2026-03-01"] * 99 + ["soon"], COST: ["1"] * 100, "resource/id": values},
                100,
                lambda index, number=number: f"row {100 * number + index + 1}",
            )

    with listing(), pytest.raises(InvalidRowsError, match=r"^2,020 problems"):
        frames_of(batches())
    # The values of the last batch, and those of the first five problems, or of all.
    assert most <= (110 if listing is nullcontext else 2_000)


# Files

CELLS = {
    TIME: ["2026-03-01", "2026-03-31T23:59:59Z", "2026-04-01", "2025-01-05", "soon", ""],
    COST: ["1", "-2.50", "1e3", "0", "x", ""],
    "lineitem/type": ["Usage", "Tax", "usage", ""],
    "resource/id": ["r", "", 'ü,"x"', "two\nlines"],
    "resource/tag:team": ["a", ""],
    "resource/tag:a b": ["", "x"],
    "usage/amount": ["1", "one", ""],
    "zzz": ["", "x"],
    "aaa": [""],
}
GOOD_CELLS = {
    TIME: ["2026-03-01", "2026-03-05 07:00"],
    COST: ["1", "2.50"],
    "resource/id": ["r", "two\nlines"],
    "resource/tag:team": ["a", ""],
}


@st.composite
def tables(draw):
    """Columns and rows, with few problems or none: a problem in each batch hides what a border does to one."""
    cells = draw(st.sampled_from([CELLS, GOOD_CELLS]))
    names = draw(st.lists(st.sampled_from([*cells]), unique=True, min_size=1))
    required = [] if draw(st.integers(0, 5)) == 0 else [TIME, COST]
    names = list(dict.fromkeys([*names, *required]))
    good = {name: values[0] for name, values in cells.items()}
    rows = []
    for _ in range(draw(st.integers(0, 12))):
        odd = draw(st.sampled_from([*names, None, None, None]))
        rows.append([draw(st.sampled_from(cells[name])) if name == odd else good[name] for name in names])
    return names, rows


def write(folder, number, kind, names, rows):
    path = folder / f"{number}.{kind}"
    if kind == "parquet":
        columns = {name: [cells[at] or None for cells in rows] for at, name in enumerate(names)}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
        frame.write_parquet(path, row_group_size=3)
        return str(path)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([names, *rows])
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if kind.endswith(".gz") else content)
    return str(path)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.sampled_from(["csv", "csv.gz", "parquet"]), tables()), min_size=1, max_size=3),
    st.integers(1, 5),
    st.booleans(),
)
def test_any_files(files, rows_per_batch, unknown):
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(Path(folder), number, kind, *table) for number, (kind, table) in enumerate(files)]
        whole = joined(list(read_files(paths, allow_equal_files=True)))
        if not whole.count:
            return

        def batches():
            return read_batches(paths, allow_equal_files=True, rows_per_batch=rows_per_batch)

        for listing in (nullcontext, kept_problems):
            with listing() as kept:
                expected = result(lambda: check_rows(whole, MARCH, allow_unknown_columns=unknown), kept)
            with listing() as kept:
                found = result(lambda: frames_of(batches(), allow_unknown_columns=unknown), kept)
            assert found == expected
