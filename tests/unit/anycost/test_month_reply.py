"""The reply that holds a month: rows, or an error that says what it holds instead; never "no rows"."""

from __future__ import annotations

import io
import json

import ijson
import polars as pl
import pytest

from cloudzero_provider.anycost import month_reply, readback
from cloudzero_provider.anycost.month_reply import rows_of
from cloudzero_provider.anycost.readback import hours_of, read_month, total_cost
from cloudzero_provider.exceptions import UnexpectedReplyError
from cloudzero_provider.months import Month


def rows(text):
    file = io.BytesIO(text if isinstance(text, bytes) else text.encode())
    file.seek(0, io.SEEK_END)
    return list(rows_of(file))


#: So much of a reply is looked at in one piece.
BLOCK = 256 * 1024


def nested(depth, inside="[]"):
    return '{"a":' * depth + inside + "}" * depth


def test_values_are_text_and_what_is_null_is_left_out():
    text = '{"message":"m","billing_drop":[{"a":"x","b":null,"c":1.50,"d":7},{"a":""}],"n":1,"done":true}'
    assert rows(text) == [{"a": "x", "c": "1.50", "d": "7"}, {"a": ""}]


@pytest.mark.parametrize(
    "text",
    [
        '{"billing_drop":[]}',
        "[]",
        nested(8),
        # Neither many texts nor many objects side by side are deep.
        "{" + '"a":"x",' * 9 + '"billing_drop":[]}',
        "{" + '"a":{},' * 9 + '"billing_drop":[]}',
    ],
)
def test_an_empty_list_means_no_rows(text):
    assert rows(text) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{}", "no list"),
        ('{"a":"[]"}', "no list"),
        ('{"a":[],"b":[]}', "more than one list"),
        ('{"billing_drop":["x"]}', "a list of something else"),
        ('{"billing_drop":[[]]}', "a list of something else"),
        ('{"billing_drop":[{}]}', "a row without a value"),
        ('{"billing_drop":[{"a":null}]}', "a row without a value"),
        ('{"billing_drop":[{"a":true}]}', "a value that is not text, in column 'a'"),
        ('{"billing_drop":[{"b":"x","a":{"b":1}}]}', "a value that is not text, in column 'a'"),
        ('{"billing_drop":[{"' + "k" * 81 + '":[]}]}', f"a value that is not text, in column '{'k' * 80}'"),
        (nested(9), "something that is nested too deeply"),
        ('{"b":{},"a":' + nested(8) + "}", "something that is nested too deeply"),
        ('{"billing_drop":[{"a":1e4001}]}', "a number of thousands of digits"),
        ('{"billing_drop":[{"a":1e-4001}]}', "a number of thousands of digits"),
    ],
)
def test_the_error_names_what_is_not_a_list_of_rows(text, what):
    with pytest.raises(UnexpectedReplyError) as error:
        rows(text)
    assert str(error.value) == f"The contents of the month are not the documented list of rows: they hold {what}."


@pytest.mark.parametrize("text", ["", '{"a":[{"b":"c"', "{x"])
def test_a_body_that_is_not_json(text):
    with pytest.raises(
        UnexpectedReplyError, match=r"^The contents of the month are not valid JSON \(\w*JSONError\)\.$"
    ):
        rows(text)


@pytest.mark.parametrize("exponent", [4000, -4000])
def test_a_number_with_an_exponent_is_written_out(exponent):
    ((written,),) = (row.values() for row in rows(f'[{{"a":1.0e{exponent}}}]'))
    assert float(written[:3]) == (100 if exponent > 0 else 0)
    assert len(written) == (4001 if exponent > 0 else 4003)


@pytest.mark.parametrize("character", ["x", '\\"'], ids=["letters", "quotes"])
def test_a_text_without_end_is_refused(character):
    with pytest.raises(UnexpectedReplyError) as error:
        rows('[{"a":"' + character * BLOCK + '"}]')
    assert str(error.value) == "The contents of the month hold a string without an end."


def test_a_reply_of_little_text_and_much_space_is_read():
    spaces = " " * BLOCK
    assert rows('[{"a":"x"},{"a":"x"},{"a":"x"},{"a":"x"}' + spaces[40:] + "]") == [{"a": "x"}] * 4


def test_a_reply_that_is_nothing_but_a_number_of_thousands_of_digits_is_refused():
    with pytest.raises(UnexpectedReplyError, match="hold a number of thousands of digits"):
        rows("9" * 4000)


@pytest.mark.parametrize("before", [0, BLOCK - 2000, BLOCK - 1, BLOCK - 4100])
def test_a_number_of_thousands_of_digits_is_refused_anywhere(before):
    rows_before, spaces = divmod(before, len('{"a":"x"},'))
    text = "[" + '{"a":"x"},' * rows_before + " " * spaces + '{"b":%s}]'
    assert rows(text % ("9" * 3999))[-1] == {"b": "9" * 3999}
    with pytest.raises(UnexpectedReplyError) as error:
        rows(text % ("9" * 4000))
    assert str(error.value) == "The contents of the month hold a number of thousands of digits."


class Month2026:
    """A client whose CloudZero holds these rows."""

    def __init__(self, rows):
        self.rows = rows

    def download_month(self, connection_id, month, save_to):
        assert (connection_id, month) == ("stream", "2026-03")
        save_to.write(json.dumps({"billing_drop": self.rows}).encode())


def read(rows):
    return read_month(Month2026(rows), "stream", Month(2026, 3))


def test_columns_that_later_rows_bring_are_there_in_the_order_of_the_documentation():
    given = [{"resource/tag:b": "1", "cost/cost": str(n)} for n in range(10_000)]
    frame = read([*given, {"lineitem/id": "last", "resource/tag:a": "2", "cost/cost": "7"}])
    assert frame.columns == ["lineitem/id", "cost/cost", "resource/tag:a", "resource/tag:b"]
    assert frame.dtypes == [pl.String] * 4
    assert frame["cost/cost"].to_list() == [str(n) for n in range(10_000)] + ["7"]
    assert frame.row(-1) == ("last", "7", "2", None)


def test_a_month_without_rows_is_an_empty_frame():
    assert read([]).shape == (0, 0)


@pytest.mark.parametrize("row", [{"a": "\ud800"}, {"\ud800": "x"}])
def test_an_unpaired_surrogate_is_not_valid_text(monkeypatch, row):
    # The parser of ijson that is there on every machine.
    monkeypatch.setattr(month_reply.ijson, "basic_parse", ijson.get_backend("python").basic_parse)
    with pytest.raises(UnexpectedReplyError) as error:
        read([row])
    assert str(error.value) == "The contents of the month hold something that is not valid Unicode."


def test_costs_of_every_column_are_summed_exactly():
    frame = read([{"cost/cost": "0.1", "cost/amortized_cost": "1e-3"}, {"cost/cost": "123456789012345678.2"}])
    assert total_cost(frame) == "123456789012345678.3"
    assert total_cost(frame, "cost/amortized_cost") == "0.001"
    assert total_cost(frame, "cost/discounted_cost") == "0"


def test_costs_that_are_no_numbers_are_counted():
    with pytest.raises(UnexpectedReplyError) as error:
        total_cost(read([{"cost/cost": "x"}] * 1000 + [{"cost/cost": "1"}]))
    assert str(error.value).startswith(
        "CloudZero holds 1,000 values of cost/cost that can't be summed: expected decimal numbers of up to 18"
    )


def test_the_hours_of_rows():
    given = [{"time/usage_start": "2026-03-01T05:30:00Z"}, {"cost/cost": "1"}]
    assert hours_of(read(given)).to_list() == ["2026-03-01T05:00:00Z", None]
    none = hours_of(read([{"cost/cost": "1"}] * 2))
    assert (none.to_list(), none.dtype) == ([None] * 2, pl.String)


def test_as_many_columns_as_can_be_read_and_no_more():
    given = [{f"column {n}": "x" for n in range(2500)}, {f"column {n}": "x" for n in range(2500, 5000)}]
    assert read(given).shape == (2, 5000)
    with pytest.raises(UnexpectedReplyError) as error:
        read([*given, {"one more": "x"}])
    assert str(error.value) == "The contents of the month have 5,001 columns within 3 rows: more than can be read."


def test_as_many_cells_as_can_be_read_and_no_more(monkeypatch):
    monkeypatch.setattr(readback, "_MOST_CELLS", 30_000)
    given = [{"a": "x"}] * 10_000 + [{"b": "x"}] * 5_000
    assert read(given).shape == (15_000, 2)
    with pytest.raises(UnexpectedReplyError) as error:
        read([*given, {"b": "x"}])
    assert str(error.value) == "The contents of the month have 2 columns within 15,001 rows: more than can be read."
