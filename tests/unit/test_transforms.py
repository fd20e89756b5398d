from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from uuid import UUID

import polars as pl
import pytest
from hypothesis import given, strategies as st

from cloudzero_provider.anycost import aggregate
from cloudzero_provider.anycost.column_values import convert
from cloudzero_provider.anycost.columns import Kind
from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError, TransformError
from cloudzero_provider.sources import apply_transforms, from_files, from_frame, from_records, joined
from cloudzero_provider.sources.typed_frame import to_frame
from cloudzero_provider.transforms import dates, decimals, money
from cloudzero_provider.values.problems import Problems

BERLIN = timezone(timedelta(hours=2))
NEW_YORK = timezone(timedelta(hours=-5))


def bill(folder, *lines, name="bill.csv"):
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return from_files(str(path))


def frame_of(*values):
    return to_frame(from_records([{"a": value} for value in values]))["a"]


class TestWhatArrives:
    @pytest.mark.parametrize(
        ("values", "dtype", "found"),
        [
            (["x", "", None], pl.String, ["x", None, None]),
            ([1, None, -(2**63)], pl.Int64, [1, None, -(2**63)]),
            ([1, 2**63], pl.String, ["1", "9223372036854775808"]),
            ([1, Decimal("0.10")], pl.Decimal(38, 1), [Decimal(1), Decimal("0.1")]),
            ([Decimal("1E-30"), None], pl.Decimal(38, 30), [Decimal("1E-30"), None]),
            ([Decimal("1E-30"), 10**9], pl.String, ["1E-30", "1000000000"]),
            ([Decimal("NaN"), 1], pl.Int64, [None, 1]),
            ([Decimal("sNaN"), 1], pl.String, ["sNaN", "1"]),
            ([float("nan"), 0.5], pl.Float64, [None, 0.5]),
            ([0.1, None], pl.Float64, [0.1, None]),
            ([True, None], pl.Boolean, [True, None]),
            ([date(2026, 3, 1)], pl.Date, [date(2026, 3, 1)]),
            ([datetime(2026, 3, 1, 5)], pl.Datetime("us"), [datetime(2026, 3, 1, 5)]),
            (
                [datetime(2026, 3, 1, 5, tzinfo=BERLIN), None],
                pl.Datetime("us", "UTC"),
                [datetime(2026, 3, 1, 3, tzinfo=timezone.utc), None],
            ),
            (
                [datetime(2026, 3, 1), datetime(2026, 3, 1, tzinfo=BERLIN)],
                pl.String,
                ["2026-03-01T00:00:00", "2026-03-01T00:00:00+02:00"],
            ),
            ([1, "x", 0.5, True], pl.String, ["1", "x", "0.5", "True"]),
            ([{"ü": [1, Decimal("0.10")]}, None, ["x"]], pl.String, ['{"ü": [1, "0.10"]}', None, '["x"]']),
            ([None, None], pl.String, [None, None]),
            ([b"\xff", memoryview(b"x"), None], pl.Binary, [b"\xff", b"x", None]),
            ([UUID(int=1)], pl.String, ["00000000-0000-0000-0000-000000000001"]),
            # No time in UTC: Python's calendar ends before it.
            ([datetime.max.replace(tzinfo=NEW_YORK)], pl.String, ["9999-12-31T23:59:59.999999-05:00"]),
        ],
    )
    def test_python_objects(self, values, dtype, found):
        series = frame_of(*values)
        assert (series.dtype, series.to_list()) == (dtype, found)

    @pytest.mark.parametrize("value", ["\ud800", {"x": "\ud800"}])
    def test_text_that_is_no_unicode_is_named(self, value):
        with pytest.raises(InvalidRowsError, match=r"row 2, column 'a', value .*: not valid Unicode text"):
            frame_of("x", value)

    @pytest.mark.parametrize("value", [b"x", memoryview(b"x"), object()])
    def test_what_has_no_text_is_named(self, value):
        with pytest.raises(
            InvalidRowsError, match=r"row 2, column 'a', value .*: expected text, a number or a time, not"
        ):
            frame_of("x", value)

    def test_what_means_missing_in_a_frame_is_missing(self):
        assert frame_of("x", float("nan")).to_list() == ["x", None]
        pandas = pytest.importorskip("pandas")
        assert frame_of("x", pandas.NA, pandas.NaT).to_list() == ["x", None, None]
        assert frame_of(pandas.Timestamp(0), pandas.NaT).to_list() == [datetime(1970, 1, 1), None]

    def test_csv_is_text_and_an_empty_cell_is_null(self, tmp_path):
        (tmp_path / "a.csv").write_text("a,b\n1.50,\n")
        assert to_frame(from_files(tmp_path / "a.csv")).to_dict(as_series=False) == {"a": ["1.50"], "b": [None]}

    def test_columns_of_the_engine_stay_as_they_are(self):
        frame = pl.DataFrame({"a": [1.5], "b": [{"c": 1}], "d": [[1]]})
        assert to_frame(from_frame(frame)).equals(frame)

    @given(
        st.lists(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**20), max_value=10**20))
    )
    def test_decimals_arrive_exactly(self, values):
        found = to_frame(from_records([{"a": value} for value in values]))
        assert [Decimal(value) for value in (found["a"].to_list() if values else [])] == values


class TestApplying:
    def test_functions_are_applied_one_after_the_other(self):
        rows = apply_transforms(
            from_records([{"a": "x"}, {"a": "y"}]),
            [lambda frame: frame.with_columns(b=pl.col("a") + "1"), lambda frame: frame.filter(pl.col("b") == "y1")],
        )
        assert (rows.count, rows.columns["b"].to_list(), rows.is_table) == (1, ["y1"], True)
        assert rows.where(0) == "row 1 after the transform"

    def test_a_lazy_frame_is_collected(self):
        assert apply_transforms(from_records([{"a": 1}]), lambda frame: frame.lazy()).columns["a"].to_list() == [1]

    def test_a_lazy_frame_has_its_rows_in_the_order_of_the_query(self):
        def long(frame):
            return frame.lazy().unpivot(["b", "c"], index="a")

        rows = from_records([{"a": number, "b": number, "c": number} for number in range(5000)])
        assert apply_transforms(rows, long).columns["value"].to_list() == [*range(5000), *range(5000)]

    def test_without_a_row_nothing_is_called(self):
        assert apply_transforms(from_records([]), lambda frame: 1 / 0).count == 0

    def test_an_error_of_the_function_names_it_its_columns_and_its_files(self, tmp_path):
        def costs(frame):
            return frame.select(cost=pl.col("Amuont"))

        with pytest.raises(TransformError) as error:
            apply_transforms(bill(tmp_path, "Date,Amount", "2026-03-01,1"), costs)
        assert isinstance(error.value.__cause__, pl.exceptions.ColumnNotFoundError)
        assert str(error.value).startswith(
            f"transform: costs failed on the rows of {tmp_path / 'bill.csv'}, so nothing was sent. ColumnNotFoundError: "
        )
        assert str(error.value).endswith(" The columns it was given: Date, Amount.")
        with pytest.raises(
            TransformError, match=r"failed, so nothing was sent\. ZeroDivisionError: division by zero\. The"
        ):
            apply_transforms(from_records([{"a": 1}]), lambda frame: 1 / 0)

    def test_a_panic_of_polars_is_an_error_of_the_function(self):
        def panics(frame):
            raise pl.exceptions.PanicException("out of bounds")

        with pytest.raises(TransformError, match=r"panics failed, so nothing was sent\. PanicException: out of bounds"):
            apply_transforms(from_records([{"a": 1}]), panics)

    def test_our_own_errors_stay_as_they_are(self):
        with pytest.raises(InputError, match=r"^decimals: 'b' is not a column; the columns are a\.$"):
            apply_transforms(from_records([{"a": 1}]), decimals("b"))

    @pytest.mark.parametrize("wrong", ["my.module.function", 7, [len, "x"], {}])
    def test_what_is_no_function_is_refused(self, wrong):
        with pytest.raises(ConfigurationError, match="expected a function from a polars frame to a polars frame, or a"):
            apply_transforms(from_records([{"a": 1}]), wrong)

    def test_a_frame_without_columns_is_not_taken_for_no_rows(self):
        with pytest.raises(InputError, match=r"without columns\. To send no rows, .*clear\(\)\. Nothing was sent\."):
            apply_transforms(from_records([{"a": 1}]), lambda frame: frame.select(pl.col("^cost.*$")))
        assert apply_transforms(from_records([{"a": 1}]), lambda frame: frame.clear()).count == 0

    def test_what_returns_no_frame_is_named(self):
        def forgetful(frame):
            frame.with_columns(b=1)

        with pytest.raises(ConfigurationError, match=r"forgetful returned a NoneType, .* Does it end with a return\?"):
            apply_transforms(from_records([{"a": 1}]), forgetful)
        with pytest.raises(ConfigurationError, match=r"functools\.partial.* returned a list"):
            apply_transforms(from_records([{"a": 1}]), partial(lambda frame: [frame]))


class TestPlaces:
    """The place of a row after a transform, for errors."""

    LINES = "id,day,cost", "a,2026-03-01,1", "b,2026-03-01,2", "c,2026-03-02,2", "c,2026-03-02,2"

    def places(self, folder, transform):
        rows = apply_transforms(bill(folder, *self.LINES), transform)
        return [rows.where(index) for index in range(rows.count)]

    @pytest.mark.parametrize(
        "transform",
        [
            lambda frame: frame.select(pl.col("id").alias("resource/id"), pl.col("cost").cast(pl.Int64) * 2),
            lambda frame: frame.with_columns(pl.lit("x").alias("account")),
            [lambda frame: frame.rename({"id": "resource/id"}), lambda frame: frame.drop("day")],
        ],
    )
    def test_rows_that_keep_something_of_their_own_keep_file_and_line(self, tmp_path, transform):
        file = tmp_path / "bill.csv"
        assert self.places(tmp_path, transform) == [
            f"{file}, line 2",
            f"{file}, line 3",
            # Equal rows can't be told apart.
            f"row 3 after the transform ({file})",
            f"row 4 after the transform ({file})",
        ]

    @pytest.mark.parametrize(
        "transform",
        [
            lambda frame: frame.reverse(),
            lambda frame: frame.head(3),
            lambda frame: pl.concat([frame, frame]),
            lambda frame: frame.select(currency=pl.repeat("USD", 4)),
            lambda frame: frame.select(day="day"),
        ],
    )
    def test_all_others_are_numbered_and_the_file_is_named(self, tmp_path, transform):
        places = self.places(tmp_path, transform)
        expected = [
            f"row {number} after the transform ({tmp_path / 'bill.csv'})" for number in range(1, len(places) + 1)
        ]
        assert places == expected

    def test_several_files(self, tmp_path):
        parts = [bill(tmp_path, *self.LINES, name=f"{number}.csv") for number in range(3)]
        first = tmp_path / "0.csv"
        for count, expected in ((1, f"{first}"), (2, f"{first} and 1 other file"), (3, f"{first} and 2 other files")):
            rows = apply_transforms(joined(parts[:count]), lambda frame: frame.reverse())
            assert rows.where(0) == f"row 1 after the transform ({expected})"

    def test_our_own_functions_name_the_line_of_the_frame_that_they_are_given(self, tmp_path):
        rows = bill(tmp_path, "id,cost", "a,1", "b,x")
        for transform in (decimals("cost"), [lambda frame: frame.with_columns(c=pl.lit(1)), decimals("cost")]):
            with pytest.raises(InvalidRowsError, match=r"bill\.csv, line 3, column 'cost', value 'x': not a decimal"):
                apply_transforms(rows, transform)
        lines = ["time/usage_start,cost/cost", "2026-03-01,1", "2026-03-01,x"]
        with pytest.raises(InvalidRowsError, match=r"cbf\.csv, line 3, column 'cost/cost', value 'x': not a decimal"):
            apply_transforms(bill(tmp_path, *lines, name="cbf.csv"), aggregate(by=[]))
        charges = [
            "BilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart",
            "1,USD,Usage,2026-03-01",
            "1,USD,,soon",
        ]
        with pytest.raises(InvalidRowsError, match=r"focus\.csv, line 3, column 'ChargePeriodStart', value 'soon'"):
            apply_transforms(bill(tmp_path, *charges, name="focus.csv"), to_cbf)
        with pytest.raises(InvalidRowsError, match=r"\n  row 1, column 'cost', value 'x': not a decimal"):
            apply_transforms(rows, lambda frame: decimals("cost")(frame.tail(1)))


class TestDecimals:
    def test_they_add_up_exactly(self):
        frame = pl.DataFrame({"a": ["0.1", "1e-7", None], "b": ["0.2", "1", "1"], "c": ["x", "y", "z"]})
        found = decimals("a", "b")(frame).with_columns(sum=pl.col("a") + pl.col("b"))
        assert found["sum"].to_list() == [Decimal("0.3"), Decimal("1.0000001"), None]
        assert found["c"].to_list() == ["x", "y", "z"]

    def test_typed_columns(self):
        frame = pl.DataFrame({"a": [1, 2], "b": [0.1, None], "c": [Decimal("1.50"), None]})
        found = decimals("a", "b", "c")(frame).to_dict(as_series=False)
        assert found == {"a": [1, 2], "b": [Decimal("0.1"), None], "c": [Decimal("1.50"), None]}

    def test_what_is_no_number_is_named(self):
        frame = pl.DataFrame({"cost": ["1", "1,50", "NULL"]})
        with pytest.raises(InvalidRowsError) as error:
            decimals("cost")(frame)
        assert str(error.value) == (
            "2 problems in the rows; nothing was sent.\n"
            "  row 2, column 'cost', value '1,50': not a decimal number\n"
            "  row 3, column 'cost', value 'NULL': not a decimal number"
        )

    def test_a_list_of_columns_is_refused_when_the_dag_is_parsed(self):
        with pytest.raises(
            ConfigurationError,
            match=r"each column as its own argument, like decimals\('cost', 'discount'\), not \[\['cost'",
        ):
            decimals(["cost", "tax"])

    def test_a_column_that_is_not_there(self):
        with pytest.raises(InputError, match="'cots' is not a column; the columns are cost, day"):
            decimals("cots")(pl.DataFrame({"cost": ["1"], "day": ["x"]}))

    def test_numbers_that_the_engine_can_not_hold(self):
        with pytest.raises(InputError, match="'a' contains numbers that need more than 38 digits"):
            decimals("a")(pl.DataFrame({"a": ["123456789", "1e-30"]}))


def rows_by_python(values, kind):
    """What the same values give as Python objects, one by one."""
    return convert(kind, values).strings.to_list()


NUMBERS = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))).map(
        lambda values: pl.Series(values, dtype=pl.Int64)
    ),
    st.lists(st.one_of(st.none(), st.decimals(-(10**12), 10**12, places=12))).map(
        lambda values: pl.Series(values, dtype=pl.Decimal(38, 12))
    ),
    st.lists(st.one_of(st.none(), st.floats())).map(lambda values: pl.Series(values, dtype=pl.Float64)),
)


class TestTypedColumns:
    @given(NUMBERS)
    def test_numbers_are_written_as_one_by_one(self, series):
        assert convert(Kind.DECIMAL, series).strings.to_list() == rows_by_python(series.to_list(), Kind.DECIMAL)

    @given(st.lists(st.one_of(st.none(), st.datetimes(datetime(1000, 1, 1), datetime(9998, 12, 30)))))
    def test_times_are_written_as_one_by_one(self, values):
        for unit in ("us", "ms"):
            series = pl.Series(values, dtype=pl.Datetime(unit))
            for zoned in (series, series.dt.replace_time_zone("UTC")):
                assert convert(Kind.HOUR, zoned).strings.to_list() == rows_by_python(zoned.to_list(), Kind.HOUR)

    @pytest.mark.parametrize(("number", "dtype"), [(2**60, pl.Datetime("ms")), (10**8, pl.Date), (6_680_873, pl.Date)])
    def test_a_time_beyond_the_calendar_is_shown_as_the_number_it_is(self, number, dtype):
        problems = Problems(from_records([{"a": 1}]))
        problems.add(0, "a", "rule", pl.Series([number]).cast(pl.Int32 if dtype == pl.Date else pl.Int64).cast(dtype))
        with pytest.raises(InvalidRowsError, match=f"value {number}: rule"):
            problems.raise_if_any()

    def test_a_time_with_a_zone_is_converted(self):
        series = pl.Series([datetime(2026, 3, 29, 0, 30)]).dt.replace_time_zone("Europe/Berlin")
        assert convert(Kind.HOUR, series).strings.to_list() == ["2026-03-28T23:00:00Z"]
        assert convert(Kind.TIMESTAMP, series).strings.to_list() == ["2026-03-28T23:30:00Z"]

    def test_a_date_is_its_first_hour(self):
        assert convert(Kind.HOUR, pl.Series([date(2026, 3, 1)])).strings.to_list() == ["2026-03-01T00:00:00Z"]

    def test_a_short_float_is_written_as_short(self):
        assert convert(Kind.DECIMAL, pl.Series([0.1], dtype=pl.Float32)).strings.to_list() == ["0.1"]

    @pytest.mark.parametrize(
        ("series", "kind", "rule"),
        [
            (pl.Series([float("nan")]), Kind.DECIMAL, "not a decimal number"),
            (pl.Series([True]), Kind.DECIMAL, "not a decimal number"),
            (pl.Series([date(2026, 3, 1)]), Kind.DECIMAL, "not a decimal number"),
            (pl.Series([1.5]), Kind.TEXT, "expected text, not float"),
            (pl.Series([b"x"]), Kind.TEXT, "expected text, not bytes"),
            (pl.Series([{"a": 1}]), Kind.TEXT, "expected text, not dict"),
            (pl.Series([5]), Kind.HOUR, "not an ISO 8601"),
            (pl.Series([2**60]).cast(pl.Datetime("ms")), Kind.HOUR, "not an ISO 8601"),
            (pl.Series([2**60]).cast(pl.Datetime("ms")), Kind.DECIMAL, "more than 18 digits"),
            (pl.Series([10**8], dtype=pl.Int32).cast(pl.Date), Kind.HOUR, "not an ISO 8601"),
            # The year 20261.
            (pl.Series([6_680_873], dtype=pl.Int32).cast(pl.Date), Kind.TIMESTAMP, "not an ISO 8601"),
        ],
    )
    def test_types_that_do_not_fit_are_named(self, series, kind, rule):
        converted = convert(kind, series)
        assert converted.strings.to_list() == [None]
        assert converted.bad[0].startswith(rule)


EUROPEAN = {"decimal_point": ",", "thousands": "."}


def problems_in(transform, *values):
    with pytest.raises(InvalidRowsError) as error:
        transform(pl.DataFrame({"a": list(values)}))
    return error.value.problems


class TestMoney:
    @pytest.mark.parametrize(
        ("text", "options", "expected"),
        [
            ("$1,234.56", {}, "1234.56"),
            ("1,234,567", {}, "1234567"),
            ("1234567.891", {}, "1234567.891"),
            ("(12.50)", {}, "-12.50"),
            ("($1,000)", {}, "-1000"),
            ("$(12.50)", {}, "-12.50"),
            ("-$12.50", {}, "-12.50"),
            ("$-12.50", {}, "-12.50"),
            ("12.50-", {}, "-12.50"),
            ("\u221212.50", {}, "-12.50"),
            ("+3", {}, "3"),
            (" US$ 7 ", {}, "7"),
            ("7.00 USD", {}, "7.00"),
            ("EUR 7", {}, "7"),
            (".5", {}, "0.5"),
            ("5.", {}, "5"),
            ("0.000000000000000001", {}, "0.000000000000000001"),
            ("1.234,56 €", EUROPEAN, "1234.56"),
            ("1234,56", EUROPEAN, "1234.56"),
            ("1.234", EUROPEAN, "1234"),
            ("1\u202f234,56\u00a0€", {"decimal_point": ",", "thousands": " "}, "1234.56"),
            ("CHF 1\u2019234.50", {"thousands": "'"}, "1234.50"),
            ("1234.5", {"thousands": ""}, "1234.5"),
        ],
    )
    def test_amounts_as_vendors_write_them(self, text, options, expected):
        frame = money("a", **options)(pl.DataFrame({"a": [text, "", None]}))
        assert frame["a"].to_list() == [Decimal(expected), None, None]

    @pytest.mark.parametrize(
        ("text", "options"),
        [
            ("$1.234,56", {}),
            ("1,234.56", EUROPEAN),
            ("12,34", {}),
            ("1,2345", {}),
            ("1234,567", {}),
            (",123", {}),
            ("1,234", {"thousands": ""}),
            ("1 234", {}),
            ("(12.50", {}),
            ("12.50)", {}),
            ("(-12.50)", {}),
            ("--1", {}),
            ("-1-", {}),
            ("$1 USD", {}),
            ("$", {}),
            ("-", {}),
            (".", {}),
            ("n/a", {}),
            ("1e3", {}),
            ("1$2", {}),
            ("١", {}),
        ],
    )
    def test_what_is_not_such_an_amount_is_named(self, text, options):
        [problem] = problems_in(money("a", **options), "1", text)
        example = {"": "$1234.56", ".": "$1.234,56", ",": "$1,234.56"}[options.get("thousands", ",")]
        assert (problem.where, problem.column, problem.value) == ("row 2", "a", repr(text))
        assert problem.rule.startswith(f"not an amount like {example} or (12")

    def test_amounts_in_two_currencies_are_named(self):
        [problem] = problems_in(money("a"), "$1", "2", "3 EUR", "$4")
        assert (problem.where, problem.rule) == (
            "row 3",
            "an amount in EUR, but others of the column are in $: convert them first",
        )

    def test_numbers_stay_as_they_are(self):
        frame = pl.DataFrame({"a": [1, 2], "b": [0.1, None], "c": ["(3)", "4"]})
        assert money("a", "b", "c")(frame).rows() == [
            (Decimal(1), Decimal("0.1"), Decimal(-3)),
            (Decimal(2), None, Decimal(4)),
        ]

    @given(st.decimals(-(10**15), 10**15, places=4), st.sampled_from([{}, EUROPEAN, {"thousands": " "}]))
    def test_what_python_formats_is_read(self, amount, options):
        separators = {".": options.get("decimal_point", "."), ",": options.get("thousands", ",")}
        text = f"{amount:,}".translate(str.maketrans(separators))
        assert money("a", **options)(pl.DataFrame({"a": [text]}))["a"].to_list() == [amount]

    @pytest.mark.parametrize(
        "options",
        [{"decimal_point": ""}, {"decimal_point": ".."}, {"thousands": "3"}, {"thousands": "-"}, {"thousands": None}],
    )
    def test_separators_are_single_characters(self, options):
        with pytest.raises(ConfigurationError, match=r"^money: .* expected a single character, like '\.' or ','\.$"):
            money("a", **options)
        with pytest.raises(ConfigurationError, match="are both ',': they must differ"):
            money("a", decimal_point=",")


class TestDates:
    @pytest.mark.parametrize(
        ("text", "date_format", "expected"),
        [
            ("03/01/2026", "%m/%d/%Y", datetime(2026, 3, 1)),
            ("3/1/2026", "%m/%d/%Y", datetime(2026, 3, 1)),
            ("01.03.2026 13:45", "%d.%m.%Y %H:%M", datetime(2026, 3, 1, 13, 45)),
            ("20260301T0500+0200", "%Y%m%dT%H%M%z", datetime(2026, 3, 1, 3)),
            ("1 Mar 26", "%d %b %y", datetime(2026, 3, 1)),
        ],
    )
    def test_text_of_the_declared_format(self, text, date_format, expected):
        frame = dates("a", date_format)(pl.DataFrame({"a": [text, "", None, text]}))
        utc = expected.replace(tzinfo=timezone.utc)
        assert frame["a"].to_list() == [utc, None, None, utc]

    @pytest.mark.parametrize("text", ["13/01/2026", "2026-03-01", "03/01/26", "03/01/2026 ", "02/30/2026", "March"])
    def test_other_text_is_named(self, text):
        [problem] = problems_in(dates("a", "%m/%d/%Y"), "03/01/2026", text)
        assert (problem.where, problem.value, problem.rule) == ("row 2", repr(text), "not in the format '%m/%d/%Y'")

    def test_dates_stay_as_they_are_and_numbers_are_refused(self):
        frame = pl.DataFrame({"a": [date(2026, 3, 1)], "b": [20260301]})
        assert dates("a", "%Y")(frame).equals(frame)
        with pytest.raises(InputError, match=r"^dates: 'b' has the type Int64: expected text\.$"):
            dates("b", "%Y")(frame)

    def test_a_row_is_checked_and_sent_in_its_hour(self):
        rows = from_frame(dates("a", "%d.%m.%Y %H:%M")(pl.DataFrame({"a": ["01.03.2026 13:45"]})))
        assert convert(Kind.HOUR, rows.columns["a"]).strings.to_list() == ["2026-03-01T13:00:00Z"]

    def test_a_column_that_does_not_exist(self):
        with pytest.raises(InputError, match=r"^dates: 'Dat' is not a column; the columns are Date\.$"):
            dates("Dat", "%Y")(pl.DataFrame({"Date": ["2026"]}))
        with pytest.raises(ConfigurationError, match=r"^dates: expected each column as its own argument"):
            dates(["a"], "%Y")
