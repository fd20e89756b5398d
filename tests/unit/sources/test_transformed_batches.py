"""Transforms of batches: what they return, where its rows are from, and their errors."""

from __future__ import annotations

import logging
from itertools import pairwise

import polars as pl
import pytest
from support.charges import charge
from support.rows import MARCH

from cloudzero_provider.anycost.batch_checks import check_batches
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError, TransformError
from cloudzero_provider.sources import gathered, read_batches, read_files, transformed_batches
from cloudzero_provider.transforms import decimals

LINES = [f"{name},2026-03-0{1 + number % 3},{number}" for number, name in enumerate("abcddefgh")]


@pytest.fixture
def bill(tmp_path):
    path = tmp_path / "bill.csv"
    path.write_text("\n".join(["id,day,cost", *LINES]))
    return str(path)


def keep(frame):
    return frame.select(pl.col("id").alias("resource/id"), pl.col("cost").cast(pl.Int64) * 2)


def transformed(path, transform, rows_per_batch=2):
    return transformed_batches(read_batches(path, rows_per_batch=rows_per_batch), transform)


def places(parts):
    return [rows.where(index) for rows in parts for index in range(rows.count)]


@pytest.mark.parametrize("rows_per_batch", [1, 2, 4, 9, 10])
@pytest.mark.parametrize(
    "transform",
    [
        keep,
        lambda frame: frame.filter(pl.col("id") != "d").with_columns(pl.lit("x").alias("account")),
        [keep, lambda frame: frame.drop("cost")],
        lambda frame: frame.lazy().drop("day"),
    ],
)
def test_functions_that_treat_each_row_by_itself(bill, transform, rows_per_batch):
    whole = gathered(read_files(bill), transform)
    parts = list(transformed(bill, transform, rows_per_batch))
    assert pl.concat([pl.DataFrame(dict(rows.columns)) for rows in parts if rows.count]).equals(
        pl.DataFrame(dict(whole.columns))
    )
    assert {rows.source for rows in parts} == {whole.source}


def test_places_are_those_in_the_file_or_count_its_rows(bill):
    assert places(transformed(bill, keep)) == [f"{bill}, line {number}" for number in range(2, 11)]
    counted = [f"row {number} after the transform ({bill})" for number in range(1, 10)]
    assert places(transformed(bill, lambda frame: frame.reverse(), 3)) == counted
    assert places(transformed(bill, [keep, lambda frame: frame.reverse()], 3)) == counted
    # Two equal rows in one batch can't be told apart.
    with_equal = places(transformed(bill, lambda frame: frame.select("id"), 9))
    assert with_equal == places([gathered(read_files(bill), lambda frame: frame.select("id"))])
    assert with_equal[2:5] == [f"{bill}, line 4", counted[3], counted[4]]


def test_rows_of_each_file_are_counted(tmp_path, bill):
    other = tmp_path / "other.csv"
    other.write_text("\n".join(["id,day,cost", *LINES[:3]]))
    found = places(transformed([bill, str(other)], lambda frame: frame.reverse(), 3))
    assert found[8:] == [
        f"row 9 after the transform ({bill})",
        *(f"row {number} after the transform ({other})" for number in (1, 2, 3)),
    ]


def test_columns_only_grow(bill):
    def by_day(frame):
        return frame.select("id", *(pl.lit("x").alias(day) for day in frame["day"].unique(maintain_order=True)))

    first, second, third = (dict(rows.columns) for rows in list(transformed(bill, by_day, 2))[:3])
    assert list(first) == ["id", "2026-03-01", "2026-03-02"]
    assert list(second) == list(third) == ["id", "2026-03-01", "2026-03-02", "2026-03-03"]
    assert second["2026-03-02"].to_list() == [None, None]
    assert second["2026-03-02"].dtype == pl.String
    assert second["2026-03-03"].to_list() == third["2026-03-02"].to_list() == ["x", "x"]


def test_batches_without_rows_have_no_columns(tmp_path, bill):
    empty = tmp_path / "empty.csv"
    empty.write_text("other\n")
    parts = list(transformed([str(empty), bill], lambda frame: frame.filter(pl.col("id") == "c"), 2))
    assert [(rows.count, [*rows.columns]) for rows in parts] == [
        (0, []),
        (0, []),
        (1, ["id", "day", "cost"]),
        (0, []),
        (0, []),
        (0, []),
    ]


@pytest.mark.parametrize("transform", [None, []])
def test_without_a_function_batches_stay_as_they_are(bill, transform):
    given = list(read_batches(bill, rows_per_batch=2))
    assert list(transformed_batches(given, transform)) == given


def test_errors_are_those_of_all_rows(tmp_path, bill):
    def fails(frame):
        return frame.select("nothing") if "h" in frame["id"] else frame

    for transform in (lambda frame: None, lambda frame: frame.select(), "my.function", 7, [len, "x"], fails):
        messages = []
        for read in (lambda t=transform: gathered(read_files(bill), t), lambda t=transform: list(transformed(bill, t))):
            with pytest.raises((InputError, ConfigurationError, TransformError)) as error:
                read()
            messages.append((type(error.value), str(error.value), type(error.value.__cause__)))
        assert messages[0] == messages[1]


def test_rules_of_a_transform_count_the_rows_until_then(tmp_path):
    lines = ["cost", "1", "2", "x", "y", "z", "5"]
    path = tmp_path / "bill.csv"
    path.write_text("\n".join(lines))
    for rows_per_batch, count, rest in ((2, 2, 5), (3, 1, 4), (5, 3, 6), (6, 3, None)):
        with pytest.raises(InvalidRowsError) as error:
            list(transformed(str(path), decimals("cost"), rows_per_batch))
        assert error.value.total == count
        assert str(error.value.problems[0]).startswith(f"{path}, line 4, column 'cost', value 'x': not a decimal")
        unchecked = f"\nThe rows after {path}, line {rest} were not checked."
        assert ("\nThe rows after " in str(error.value)) == (rest is not None)
        assert rest is None or str(error.value).endswith(unchecked)


def test_what_a_transform_did_is_logged_for_each_file(tmp_path, bill, caplog):
    other = tmp_path / "other.csv"
    other.write_text("id,day,cost\nb,2026-03-01,1\nx,2026-03-01,1\n")
    caplog.set_level(logging.INFO)
    list(transformed([bill, str(other)], [keep, lambda frame: frame.filter(pl.col("resource/id") != "b")], 2))
    assert [message for message in caplog.messages if message.startswith("transform: ")] == [
        "transform: keep converted 9 rows to 9",
        "transform: <lambda> converted 9 rows to 8",
        "transform: keep converted 2 rows to 2",
        "transform: <lambda> converted 2 rows to 1",
    ]


def focus_file(folder):
    rows = [
        charge(
            BilledCost=str(number),
            ChargePeriodStart=f"2026-0{4 if number in (2, 5, 7) else 3}-0{1 + number}T00:00:00Z",
            BillingPeriodStart="2026-03-01T00:00:00Z",
            BillingPeriodEnd="2026-04-01T00:00:00Z",
            ResourceId=f"r{number}",
            Tags=f'{{"team{number % 4}": "x"}}',
        )
        for number in range(8)
    ]
    path = folder / "focus.parquet"
    pl.DataFrame(rows).write_parquet(path)
    return str(path)


@pytest.mark.parametrize("rows_per_batch", [1, 2, 3, 5, 8])
def test_the_hint_of_to_cbf_counts_the_charges_of_all_batches(tmp_path, rows_per_batch):
    path = focus_file(tmp_path)
    with pytest.raises(InvalidRowsError, match="; 3 charges with a billing period of another month") as whole:
        check_rows(gathered(read_files(path), to_cbf), MARCH)
    with pytest.raises(InvalidRowsError) as error:
        list(check_batches(transformed(path, to_cbf, rows_per_batch), MARCH))
    assert str(error.value) == str(whole.value)


def test_to_cbf_makes_the_same_rows(tmp_path):
    path = focus_file(tmp_path)
    april = pl.col("ChargePeriodStart").str.starts_with("2026-04")
    steps = [lambda frame: frame.filter(~april), to_cbf]
    whole = check_rows(gathered(read_files(path), steps), MARCH)
    parts = list(check_batches(transformed(path, steps, 2), MARCH))
    found = pl.concat([part.frame for part in parts], how="diagonal").select(whole.frame.columns)
    assert found.equals(whole.frame)
    tags = [[name for name in part.frame.columns if "tag:" in name] for part in parts]
    assert all(set(before) <= set(after) for before, after in pairwise(tags))
    assert tags[0] != tags[-1]


def test_places_do_not_hold_the_rows_once_they_are_asked_for(bill):
    [rows] = transformed(bill, keep, 9)
    assert rows.where(0) == f"{bill}, line 2"
    assert vars(rows.where)["_unchanged"] is None
