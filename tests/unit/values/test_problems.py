from __future__ import annotations

import polars as pl
import pytest
from support.rows import MARCH, row

from cloudzero_provider import sources
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.exceptions import InvalidRowsError
from cloudzero_provider.transforms import decimals
from cloudzero_provider.values.problems import every_problem

BAD = [row(cost__cost="x", lineitem__type=None if number % 2 else "Fees") for number in range(20)]


def refused(rows):
    with pytest.raises(InvalidRowsError) as error:
        check_rows(rows, MARCH)
    return error.value


def test_the_first_few_problems_are_described_and_all_are_counted():
    error = refused(sources.from_records(BAD))
    assert (len(error.problems), error.total) == (5, 30)


def test_every_problem_is_described_on_request_in_the_order_of_the_rows():
    with every_problem():
        error = refused(sources.from_records(BAD))
    assert len(error.problems) == error.total == 30
    assert [problem.where for problem in error.problems[:4]] == ["row 1", "row 1", "row 2", "row 3"]
    assert error.problems[-1].where == "row 20"
    assert {problem.value for problem in error.problems} == {"'x'", "'Fees'"}


def test_the_message_lists_the_first_few_either_way():
    few = refused(sources.from_records(BAD))
    with every_problem():
        every = refused(sources.from_records(BAD))
    assert str(every) == str(few)
    assert every.problems[:5] == few.problems


def test_values_are_the_same_in_a_series_and_in_a_list():
    rows = sources.from_records([row(time__usage_start="2026-02-01", cost__cost="1") for _ in range(3)])
    series = sources.from_frame(pl.DataFrame(dict(rows.columns)))
    with every_problem():
        assert [p.value for p in refused(rows).problems] == [p.value for p in refused(series).problems]


def test_a_transform_describes_every_problem_too():
    frame = pl.DataFrame({"cost": ["x"] * 9})
    with every_problem(), pytest.raises(InvalidRowsError) as error:
        decimals("cost")(frame)
    assert len(error.value.problems) == 9
    with pytest.raises(InvalidRowsError) as error:
        decimals("cost")(frame)
    assert len(error.value.problems) == 5
