"""Adding rows up: what CloudZero shows for the sums is what it would have shown for the rows."""

from __future__ import annotations

import copy
import logging
import random
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings, strategies as st
from support.rows import MARCH, row

from cloudzero_provider import sources
from cloudzero_provider.anycost import aggregate
from cloudzero_provider.anycost.checks import check_rows
from cloudzero_provider.anycost.columns import COLUMNS, Kind
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError

START = "time/usage_start"
COST = "cost/cost"
DISCOUNTED = "cost/discounted_cost"
AMORTIZED = "cost/amortized_cost"
BOTH = "cost/discounted_amortized_cost"
ON_DEMAND = "cost/on_demand_cost"
TEAM, ENV = "resource/tag:team", "resource/tag:env"

#: CloudZero's page of the format, "Precedence for cost columns".
TAKEN_FROM = {
    COST: [COST],
    DISCOUNTED: [DISCOUNTED, COST],
    AMORTIZED: [AMORTIZED, COST],
    BOTH: [BOTH, AMORTIZED, DISCOUNTED, COST],
    ON_DEMAND: [ON_DEMAND, COST],
}


def frame_of(rows):
    names = list(dict.fromkeys(name for line in rows for name in line))
    return pl.DataFrame({name: [line.get(name) for line in rows] for name in names}, strict=False)


def added(rows, by=(), period="hour"):
    return aggregate(by=list(by), period=period)(frame_of(rows)).to_dicts()


def line(**changes):
    """A row without a type, so that a test shows what it is about."""
    return row(**{"lineitem__type": None, **changes})


def shown(line, cost):
    """What CloudZero takes for a cost of a row."""
    return next(Fraction(line[name]) for name in TAKEN_FROM[cost] if line.get(name) not in (None, ""))


class TestTime:
    def test_it_becomes_the_start_of_the_hour_or_day_in_utc(self):
        starts = ["2026-03-16T13:59:59Z", "2026-03-16T23:30:00-01:00", "2026-03-17", "2026-03-17 00:10:00.5"]
        rows = [line(time__usage_start=start, cost__cost="1") for start in starts]
        hours = [(out[START], out[COST]) for out in added(rows)]
        assert hours == [("2026-03-16T13:00:00Z", "1"), ("2026-03-17T00:00:00Z", "3")]
        days = [(out[START], out[COST]) for out in added(rows, period="day")]
        assert days == [("2026-03-16T00:00:00Z", "1"), ("2026-03-17T00:00:00Z", "3")]

    @pytest.mark.parametrize(
        "start",
        [
            datetime(2026, 3, 16, 23, 5),
            datetime(2026, 3, 17, 0, 5, tzinfo=timezone(timedelta(hours=1))),
            pl.Series([datetime(2026, 3, 16, 19, 5)]).dt.replace_time_zone("America/New_York")[0],
        ],
    )
    def test_typed_times_are_read_as_text_is(self, start):
        [out] = added([line(time__usage_start=start)])
        assert out[START] == "2026-03-16T23:00:00Z"

    def test_dates(self):
        [out] = added([line(time__usage_start=date(2026, 3, 16))])
        assert out[START] == "2026-03-16T00:00:00Z"


class TestLineItemType:
    def test_it_is_kept_and_a_blank_one_is_usage(self):
        types = ["Tax", "Usage", None, ""]
        rows = [row(lineitem__type=kind, cost__cost="1") for kind in types]
        assert [(out["lineitem/type"], out[COST]) for out in added(rows)] == [("Tax", "1"), ("Usage", "3")]

    def test_rows_without_the_column_get_none(self):
        assert [list(out) for out in added([line(), line()])] == [[START, COST]]


class TestCosts:
    @pytest.mark.parametrize(
        "values",
        [
            ["0.1", "0.2", "-12"],
            [Decimal("0.1"), Decimal("0.2"), Decimal(-12)],
            [0.1, 0.2, -12.0],
            ["1e-1", "+.2", "-12."],
        ],
    )
    def test_text_decimals_and_floats_are_added_up_exactly(self, values):
        assert [out[COST] for out in added([line(cost__cost=value) for value in values])] == ["-11.7"]

    def test_whole_numbers_and_18_digits_before_and_30_behind_the_point(self):
        assert added([line(cost__cost=value) for value in (1, -3, 10**17)])[0][COST] == "99999999999999998"
        long = ["123456789012345678." + "9" * 30, "-123456789012345677." + "9" * 30, "0." + "0" * 29 + "1"]
        assert added([line(cost__cost=value) for value in long])[0][COST] == "1." + "0" * 29 + "1"

    @pytest.mark.parametrize("cost", [DISCOUNTED, AMORTIZED, ON_DEMAND, BOTH])
    def test_a_blank_among_others_counts_as_the_cost_and_zero_as_zero(self, cost):
        rows = [
            line(cost__cost="5", **{cost: "1"}),
            line(cost__cost="7", **{cost: ""}),
            line(cost__cost="9", **{cost: "0"}),
        ]
        [out] = added(rows)
        assert (out[COST], out[cost]) == ("21", "8")

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            ({AMORTIZED: "2", DISCOUNTED: "3"}, "2"),
            ({DISCOUNTED: "3"}, "3"),
            ({}, "5"),
            ({BOTH: "0", AMORTIZED: "2", DISCOUNTED: "3"}, "0"),
        ],
    )
    def test_a_blank_discounted_amortized_cost_uses_all_its_fallbacks(self, changes, expected):
        rows = [line(cost__cost="100", **{BOTH: "100"}), line(cost__cost="5", **changes)]
        assert added(rows)[0][BOTH] == str(100 + int(expected))

    def test_where_all_are_blank_it_stays_blank(self):
        rows = [
            line(resource__service="A", cost__cost="1", **{AMORTIZED: "4"}),
            line(resource__service="B", cost__cost="2", **{AMORTIZED: None}),
            line(resource__service="B", cost__cost="3", **{AMORTIZED: ""}),
        ]
        assert [(out[COST], out[AMORTIZED]) for out in added(rows, ["resource/service"])] == [("1", "4"), ("5", None)]

    def test_a_column_without_a_value_is_left_out(self):
        assert list(added([line(**{AMORTIZED: None}), line(**{AMORTIZED: ""})])[0]) == [START, COST]

    def test_rows_that_fall_back_to_different_columns_get_the_sum_that_cloudzero_could_not_find(self):
        """Their amortized costs alone would give 38 - 12, not 38 + 0."""
        rows = [
            line(cost__cost="12", **{AMORTIZED: "38", DISCOUNTED: "8"}),
            line(cost__cost="-12", **{DISCOUNTED: "0"}),
        ]
        [out] = added(rows)
        assert (out[AMORTIZED], out[DISCOUNTED], out[BOTH]) == ("26", "8", "38")

    @pytest.mark.parametrize(
        "second", [{AMORTIZED: "1"}, {AMORTIZED: "1", DISCOUNTED: "2"}, {}], ids=["amortized", "both", "neither"]
    )
    def test_rows_that_do_not_stay_without_a_discounted_amortized_cost(self, second):
        first = {AMORTIZED: "38", DISCOUNTED: "8"}
        assert BOTH not in added([line(**first), line(**second)])[0]

    def test_nor_do_rows_without_amortized_cost_that_others_have(self):
        rows = [
            line(resource__service="A", **{AMORTIZED: "1"}),
            line(resource__service="B", cost__cost="2", **{DISCOUNTED: "1"}),
        ]
        assert BOTH not in added(rows, ["resource/service"])[0]

    def test_the_example_of_cloudzeros_page_still_amounts_to_its_bill(self):
        bill = [
            ("Usage", "12", "8", "38"),
            ("Usage", "20", "16", "46"),
            ("Usage", "15.3", "11.3", "41.3"),
            ("Purchase", "90", "90", "0"),
            ("Discount", "-12", "0", ""),
            ("Discount", "-20", "-20", ""),
        ]
        rows = [
            row(lineitem__type=kind, cost__cost=cost, **{DISCOUNTED: discounted, AMORTIZED: amortized})
            for kind, cost, discounted, amortized in bill
        ]
        for given_rows in (rows, [line(**{**r, "lineitem/type": "Usage"}) for r in rows]):
            result = added(given_rows, period="day")
            for cost in TAKEN_FROM:
                assert sum(shown(out, cost) for out in result) == sum(shown(r, cost) for r in rows), cost


class TestUsage:
    def amounts(self, rows, by=()):
        return [out.get("usage/amount") for out in added(rows, by)]

    def test_amounts_are_added_up_per_unit_when_units_are_kept(self):
        rows = [
            line(usage__amount=amount, usage__units=unit) for amount, unit in [("1.5", "GB"), (2, "h"), ("0.5", "GB")]
        ]
        assert self.amounts(rows, ["usage/units"]) == ["2", "2"]

    def test_amounts_are_left_out_when_units_are(self):
        rows = [line(usage__amount="1", usage__units="GB"), line(usage__amount="2", usage__units="h")]
        assert [list(out) for out in added(rows)] == [[START, COST]]

    @pytest.mark.parametrize("units", [{}, {"usage/units": ""}], ids=["no column", "no value"])
    def test_rows_without_units_have_amounts_of_one_kind(self, units):
        assert self.amounts([line(usage__amount="1", **units), line(usage__amount="2", **units)]) == ["3"]

    def test_a_blank_amount_counts_as_one_as_in_cloudzero_and_zero_as_zero(self):
        rows = [
            line(usage__amount=amount, resource__service=service)
            for amount, service in [("2.5", "A"), (None, "A"), ("0", "A"), ("", "B"), (None, "B")]
        ]
        assert self.amounts(rows, ["resource/service"]) == ["3.5", "2"]

    def test_rows_of_which_none_has_an_amount_get_none(self):
        assert list(added([line(usage__amount=None), line(usage__amount="")])[0]) == [START, COST]


class TestColumns:
    def test_other_columns_are_left_out_and_logged_once(self, caplog):
        rows = [
            row(resource__service="A", resource__account="1", lineitem__id=str(n), loaded_at="x", cost__cost="1")
            for n in range(3)
        ]
        with caplog.at_level(logging.INFO):
            [out] = added(rows, ["resource/service"], period="day")
        assert set(out) == {START, "lineitem/type", "resource/service", COST}
        [message] = [record.getMessage() for record in caplog.records]
        assert message == (
            "Aggregated 3 rows to 1, one per day and lineitem/type, resource/service. "
            "Left out: resource/account, lineitem/id, loaded_at"
        )

    def test_nothing_left_out(self, caplog):
        with caplog.at_level(logging.INFO):
            added([line()])
        assert caplog.messages == ["Aggregated 1 row to 1, one per hour and nothing else. Left out: nothing"]

    def test_rows_are_grouped_by_every_kept_column_and_blank_is_a_value(self):
        rows = [
            line(resource__service=service, resource__account=account, cost__cost="1")
            for service, account in [("A", 1), ("A", 2), (None, 1), ("", 1), ("A", 1)]
        ]
        result = added(rows, ["resource/service", "resource/account"])
        found = [(out["resource/service"], out["resource/account"], out[COST]) for out in result]
        assert found == [(None, "1", "2"), ("A", "1", "2"), ("A", "2", "1")]

    def test_columns_are_in_the_order_of_the_format_for_any_order_of_by(self):
        rows = [row(resource__region="eu", resource__service="A", resource__id="r", **{ENV: "e", TEAM: "t"})]
        names = ["lineitem/type", START, "resource/id", "resource/service", "resource/region", COST, ENV, TEAM]
        by = [TEAM, "resource/region", ENV, "resource/service", "resource/id"]
        assert list(added(rows, by)[0]) == list(added(rows, by[::-1])[0]) == names

    def test_a_missing_column_is_an_error_that_lists_the_columns(self):
        with pytest.raises(
            InputError, match=r"the rows have no column resource/region, k8s/cluster; their columns are .*cost/cost"
        ):
            added([line()], ["resource/region", "k8s/cluster"])

    def test_a_tag_that_no_row_has_is_logged_and_not_an_error(self, caplog):
        [out] = added([line(resource__id="r", **{TEAM: "a"})], ["resource/id", TEAM, ENV])
        assert set(out) == {START, "resource/id", COST, TEAM}
        assert f"aggregate: no row has {ENV}; the tags present are: {TEAM}" in caplog.messages

    @pytest.mark.parametrize(
        ("tags", "found"), [({}, "none"), ({TEAM: "a", "resource/tag:x": "y"}, f"{TEAM}, resource/tag:x")]
    )
    def test_all_tags_that_there_are_are_named(self, caplog, tags, found):
        added([line(resource__id="r", **tags)], [ENV])
        assert f"aggregate: no row has {ENV}; the tags present are: {found}" in caplog.messages

    def test_all_tags(self):
        rows = [line(resource__id="r", **{TEAM: "a", ENV: "p"}), line(resource__id="r", **{"resource/tag:x": "y"})]
        result = added(rows, ["resource/id", "resource/tag:*"])
        assert [{name for name in out if name.startswith("resource/tag:")} for out in result] == [
            {TEAM, ENV, "resource/tag:x"}
        ] * 2

    def test_categories_are_text(self):
        frame = frame_of([line(resource__service="A", cost__cost="1"), line(resource__service="A", cost__cost="2")])
        frame = frame.with_columns(pl.col("resource/service").cast(pl.Categorical))
        result = aggregate(by=["resource/service"])(frame)
        assert result.rows() == [("2026-03-16T13:00:00Z", "A", "3")]

    def test_no_rows_stay_none(self):
        assert aggregate(by=["resource/service"])(pl.DataFrame()).is_empty()


class TestResources:
    BY = ("resource/account", TEAM, ENV)

    def ids(self, rows, by=BY):
        return [out["resource/id"] for out in added(rows, by)]

    def test_each_combination_of_tags_has_a_resource_of_its_own_the_same_at_any_time(self):
        rows = [
            line(time__usage_start=start, resource__id="r", cost__cost="1", **tags)
            for start in ("2026-03-01", "2026-03-02")
            for tags in ({TEAM: "a"}, {TEAM: "b"}, {TEAM: "a", ENV: "a"}, {ENV: "a"})
        ]
        rows[0]["resource/account"] = ""
        first, second = (self.ids(rows)[part] for part in (slice(4), slice(4, 8)))
        assert first == second
        assert len(set(first)) == 4

    def test_it_is_the_same_in_every_month_and_version(self):
        tagged = line(resource__account="1", resource__id="r", **{TEAM: "a"})
        assert self.ids([tagged]) == self.ids([tagged | {ENV: ""}]) == ["aggregate/c2dd52e82e4fdbc3347786a8"]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({TEAM: "ab"}, {TEAM: "a", ENV: "b"}),
            ({TEAM: "a"}, {ENV: "a"}),
            ({"resource/tag:a": "b1:c"}, {"resource/tag:a4:b1": "c"}),
            ({TEAM: "ü"}, {TEAM: "u"}),
            ({TEAM: "a", "resource/account": "1"}, {TEAM: "a", "resource/account": "2"}),
            ({TEAM: "a", "resource/service": "1"}, {TEAM: "a", "resource/service": "2"}),
            ({TEAM: "a", "resource/region": "1"}, {TEAM: "a", "resource/region": "2"}),
        ],
    )
    def test_no_two_combinations_share_one(self, one, other):
        by = ["resource/tag:*", *dict.fromkeys(n for n in (*one, *other) if "tag:" not in n)]
        assert len(set(self.ids([line(**one), line(**other)], by))) == 2

    def test_many_combinations_are_made_part_by_part(self, monkeypatch):
        rows = [line(**{TEAM: str(number), ENV: "a"}) for number in range(7)] + [line(**{TEAM: "", ENV: None})]
        at_once = self.ids(rows, [TEAM, ENV])
        monkeypatch.setattr("cloudzero_provider.anycost.aggregation.resource_ids._SLICE", 3)
        assert self.ids(rows, [TEAM, ENV]) == at_once
        assert len(set(at_once)) == 8

    def test_a_discount_has_the_resource_of_the_usage_it_is_for(self):
        rows = [row(lineitem__type=kind, **{TEAM: "a"}) for kind in ("Usage", "Discount")]
        assert len(set(self.ids(rows, [TEAM]))) == 1

    def test_rows_without_a_tag_get_none(self):
        rows = [line(resource__id="r", resource__account="1", **{TEAM: tag}) for tag in (None, "a", "")]
        assert [made and made.split("/")[0] for made in self.ids(rows, ["resource/account", TEAM])] == [
            None,
            "aggregate",
        ]
        assert self.ids([line(**{TEAM: ""})], [TEAM]) == [None]

    def test_one_that_is_kept_stays(self):
        assert self.ids([line(resource__id="r", **{TEAM: "a"})], ["resource/id", TEAM]) == ["r"]

    def test_without_tags_there_is_none(self):
        assert "resource/id" not in added([line(resource__id="r", **{TEAM: "a"})])[0]


class TestBadRows:
    def problems(self, rows):
        with pytest.raises(InvalidRowsError) as error:
            added(rows, ["resource/service"])
        return [(found.where, found.column, found.value, found.rule) for found in error.value.problems]

    @pytest.mark.parametrize(
        ("changes", "column", "value", "rule"),
        [
            ({"cost__cost": "1,5"}, COST, "'1,5'", "not a decimal number"),
            ({AMORTIZED: "x"}, AMORTIZED, "'x'", "not a decimal number"),
            ({"cost__cost": "1" * 19}, COST, f"'{'1' * 19}'", "more than 18 digits"),
            ({"usage__amount": "much"}, "usage/amount", "'much'", "not a decimal number"),
            ({"time__usage_start": "soon"}, START, "'soon'", "ISO 8601"),
            ({"lineitem__type": "usage"}, "lineitem/type", "'usage'", "not one of Usage"),
        ],
    )
    def test_a_value_that_can_not_be_read_is_named_with_its_row(self, changes, column, value, rule):
        [(where, *found, told)] = self.problems(
            [row(resource__service="A"), row(**{"resource/service": "A", **changes})]
        )
        assert (where, *found) == ("row 2", column, value)
        assert rule in told

    @pytest.mark.parametrize(
        ("column", "values", "value"),
        [
            (COST, pl.Series([1.0, float("nan")]), "nan"),
            (COST, pl.Series([False, True]), "False"),
            ("resource/service", pl.Series([1.5, None]), "1.5"),
            ("resource/service", pl.Series([{"a": 1}, None]), "{'a': 1}"),
            (START, pl.Series([None, 7]), "7"),
        ],
    )
    def test_so_is_one_of_a_type_that_does_not_fit(self, column, values, value):
        frame = frame_of([row(resource__service="A")] * 2).with_columns(values.alias(column))
        with pytest.raises(InvalidRowsError) as error:
            aggregate(by=["resource/service"])(frame)
        assert value in [found.value for found in error.value.problems]

    @pytest.mark.parametrize("name", [START, COST])
    @pytest.mark.parametrize("blank", [None, ""])
    def test_time_and_cost_are_needed_in_every_row(self, name, blank):
        rows = [row(resource__service="A"), row(resource__service="A") | {name: blank}]
        [(where, column, _, rule)] = self.problems(rows)
        assert (where, column) == ("row 2", name)
        assert "required in every row" in rule
        [(where, column, *_)] = self.problems(
            [{"resource/service": "A"} | {n: v for n, v in row().items() if n != name}]
        )
        assert (where, column) == ("row 1", name)

    @pytest.mark.parametrize(
        ("name", "like"),
        [("cost/amortised_cost", AMORTIZED), ("Cost/Amortized_Cost", AMORTIZED), ("lineitem/typ", "lineitem/type")],
    )
    def test_what_looks_like_a_misspelled_column_is_not_left_out_in_silence(self, name, like):
        [(_, column, _, rule)] = self.problems([row(resource__service="A", **{name: "1"})])
        assert column == name
        assert repr(like) in rule

    def test_nor_is_a_column_of_a_category_that_has_more_parts(self):
        [(_, column, _, rule)] = self.problems([row(resource__service="A", **{"resource/service/name": "A"})])
        assert column == "resource/service/name"
        assert rule.startswith("not a column of the Common Bill Format")

    def test_all_problems_are_counted(self):
        with pytest.raises(InvalidRowsError) as error:
            added([row(cost__cost="x", **{AMORTIZED: "y"})] * 10)
        assert error.value.total == 20


class TestArguments:
    @pytest.mark.parametrize(
        ("by", "message"),
        [
            ("resource/service", "by is 'resource/service': expected a list"),
            (None, "expected a list"),
            ([1], "expected a list"),
            ([COST], "'cost/cost', which can't be kept: it is summed"),
            (["usage/amount"], "it is summed"),
            ([START], "the only time that is kept is time/usage_start, truncated to the period"),
            (["time/usage_end"], "the only time that is kept is time/usage_start"),
            (["resource/servce"], "not a column of the Common Bill Format; did you mean 'resource/service'?"),
            (["resource/tag:my team"], "a tag key is letters"),
            (["resource/tag:"], "a tag key is letters"),
            (["resource/service", "resource/service"], "it is listed twice"),
        ],
    )
    def test_what_can_not_be_kept_is_refused_when_the_dag_is_read(self, by, message):
        with pytest.raises(ConfigurationError) as error:
            aggregate(by=by)
        assert message in str(error.value)

    def test_so_is_a_period_that_there_is_not(self):
        with pytest.raises(ConfigurationError, match="period is 'month': expected one of hour, day"):
            aggregate(by=[], period="month")

    def test_every_column_that_holds_text_can_be_kept(self):
        names = [n for n, column in COLUMNS.items() if column.kind in (Kind.TEXT, Kind.LINEITEM_TYPE, Kind.JSON_OBJECT)]
        assert len(names) > 15
        [out] = added([dict.fromkeys(names, "{}") | row()], names)
        assert set(names) <= set(out)

    def test_airflow_may_copy_it(self):
        made = aggregate(by=[TEAM], period="day")
        assert copy.deepcopy(made) == made
        assert repr(made) == "aggregate(by=['resource/tag:team'], period='day')"
        assert copy.deepcopy(made)(frame_of([line(**{TEAM: "a"})])).height == 1


DECIMALS = st.from_regex(r"-?([0-9]{1,3}|[0-9]{14,16})(\.([0-9]{1,3}|0{20}[0-9]{1,10}))?", fullmatch=True)
COSTS = st.none() | st.just("") | st.just("0") | DECIMALS
LINES = st.fixed_dictionaries(
    {
        START: st.sampled_from(
            ["2026-03-01", "2026-03-01T00:59:00Z", "2026-03-01T01:30:00+01:00", "2026-03-01T23:00:00Z", "2026-03-02"]
        ),
        "lineitem/type": st.sampled_from([None, "", "Usage", "Tax"]),
        "resource/service": st.sampled_from([None, "", "A", "B"]),
        "resource/id": st.sampled_from(["r", "s"]),
        TEAM: st.sampled_from([None, "a", "b"]),
        ENV: st.sampled_from([None, "", "a"]),
        "usage/amount": COSTS,
        COST: DECIMALS,
        DISCOUNTED: COSTS,
        AMORTIZED: COSTS,
        BOTH: COSTS,
        ON_DEMAND: COSTS,
    }
)
BY = st.sampled_from([[], ["resource/service"], [TEAM], ["resource/tag:*"], ["resource/service", "resource/id", TEAM]])
PERIOD = st.sampled_from(["hour", "day"])
EXAMPLES = settings(max_examples=30)


def key(line, by, period):
    """What a row has in common with those that it becomes one with, found the plain way."""
    start = line[START].replace("T01:30:00+01:00", "T00:30:00Z")
    start = start[: 13 if period == "hour" else 10].ljust(10) if "T" in start else start
    start = f"{start[:10]}T{start[11:13] or '00'}" if period == "hour" else start[:10]
    tags = [TEAM, ENV] if "resource/tag:*" in by else []
    names = sorted({*(name for name in by if name in line), *tags})
    return (start, line["lineitem/type"] or "Usage", *(line.get(name) or None for name in names))


@EXAMPLES
@given(rows=st.lists(LINES, min_size=1, max_size=15), by=BY, period=PERIOD)
def test_every_group_shows_exactly_what_its_rows_show(rows, by, period):
    groups = {}
    for given_row in rows:
        groups.setdefault(key(given_row, by, period), []).append(given_row)
    result = added(rows, by, period)
    assert {key(out, by, period) for out in result} == groups.keys()
    assert len(result) == len(groups)
    amounts = any(given_row["usage/amount"] for given_row in rows)
    for out in result:
        members = groups[key(out, by, period)]
        for cost in TAKEN_FROM:
            assert shown(out, cost) == sum(shown(member, cost) for member in members), cost
        if amounts:
            assert Fraction(out["usage/amount"]) == sum(Fraction(m["usage/amount"] or 1) for m in members)
        for cost in (DISCOUNTED, AMORTIZED, ON_DEMAND):
            assert (out.get(cost) is None) == (not any(member[cost] for member in members)), cost


def test_thousands_of_groups_keep_apart():
    draw = random.Random(1)
    rows = [
        {
            START: f"2026-03-{draw.randint(1, 31):02d}T{draw.randint(0, 23):02d}:00:00Z",
            "resource/service": f"service {draw.randint(0, 99)}",
            COST: f"{draw.randint(-9, 9)}.{draw.randint(0, 10**12)}",
        }
        for _ in range(20_000)
    ]
    expected = {}
    for given_row in rows:
        group = given_row[START][:10], given_row["resource/service"]
        expected[group] = expected.get(group, 0) + Fraction(given_row[COST])
    result = added(rows, ["resource/service"], period="day")
    found = {(out[START][:10], out["resource/service"]): Fraction(out[COST]) for out in result}
    assert found == expected
    assert list(found) == sorted(expected)
    assert len(result) == len(expected) > 3000


@EXAMPLES
@given(rows=st.lists(LINES, min_size=1, max_size=15), by=BY, period=PERIOD, shuffle=st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(rows, by, period, shuffle):
    other = rows.copy()
    shuffle.shuffle(other)
    transform = aggregate(by=by, period=period)
    assert transform(frame_of(other)).equals(transform(frame_of(rows)))


@EXAMPLES
@given(rows=st.lists(LINES, min_size=1, max_size=15), by=BY, period=PERIOD)
def test_adding_up_twice_is_adding_up_once(rows, by, period):
    transform = aggregate(by=by, period=period)
    once = transform(frame_of(rows))
    assert transform(once).to_dicts() == once.to_dicts()


@EXAMPLES
@given(rows=st.lists(LINES, min_size=1, max_size=15), by=BY)
def test_days_of_hours_are_days(rows, by):
    hours, days = aggregate(by=by, period="hour"), aggregate(by=by, period="day")
    assert days(hours(frame_of(rows))).to_dicts() == days(frame_of(rows)).to_dicts()


@EXAMPLES
@given(rows=st.lists(LINES, min_size=1, max_size=15), by=BY, period=PERIOD)
def test_aggregated_rows_pass_the_checks_and_keep_all_totals(rows, by, period):
    checked = check_rows(sources.from_records(added(rows, by, period)), MARCH)
    assert Fraction(checked.totals[COST]) == sum(Fraction(given_row[COST]) for given_row in rows)
    assert all(dtype == pl.String for dtype in checked.frame.dtypes)
