"""FOCUS to CBF: each rule of the table, each option, and what a person is told."""

from __future__ import annotations

import logging
import subprocess
import sys
from functools import partial

import polars as pl
import pytest
from support.charges import GOOD, SEPTEMBER, charge, check, converted, frame_of, problem_of, problems_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.anycost.focus.mapping import FOCUS_COLUMNS, REQUIRED
from cloudzero_provider.exceptions import ConfigurationError, InputError, InvalidRowsError
from cloudzero_provider.values.time_formats import NOT_TIMESTAMP


@pytest.fixture(autouse=True)
def _all_is_logged(caplog):
    caplog.set_level(logging.INFO)


def test_importing_it_loads_no_data_frame_library():
    program = "import cloudzero_provider.anycost.focus, sys; print('polars' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_a_charge_with_all_columns():
    [row] = converted(
        charge(
            BilledCost="0.00000080000",
            EffectiveCost="0.5",
            ListCost="3",
            ChargeDescription="Requests",
            ChargePeriodEnd="2024-09-18 23:00:00",
            ServiceProviderName="AWS",
            ServiceName="Queues",
            ServiceSubcategory="Messaging",
            SkuMeter="API Request",
            SkuId="HSRF",
            PricingCategory="Standard",
            SubAccountId="12",
            BillingAccountId="1",
            RegionId="us-west-2",
            ResourceType="queue",
            ResourceId="q-1",
            ConsumedQuantity="2.000",
            ConsumedUnit="Requests",
            PricingQuantity="3",
            PricingUnit="Millions",
            InvoiceId="I-7",
            Tags='{"team": "web"}',
        )
    )
    assert row == {
        "cost/cost": "0.00000080000",
        "cost/amortized_cost": "0.5",
        "cost/discounted_amortized_cost": "0.5",
        "cost/on_demand_cost": "3",
        "lineitem/type": "Usage",
        "lineitem/description": "Requests",
        "lineitem/cloud_provider": "AWS",
        "time/usage_start": "2024-09-18T22:00:00Z",
        "time/usage_end": "2024-09-18T23:00:00Z",
        "resource/id": "queue/q-1",
        "resource/service": "Queues",
        "resource/usage_family": "Messaging",
        "resource/account": "12",
        "resource/region": "us-west-2",
        "action/usage_type": "API Request",
        "action/operation": "Standard",
        "usage/amount": "2.000",
        "usage/units": "Requests",
        "bill/invoice_id": "I-7",
        "resource/tag:team": "web",
    }


def test_a_charge_with_what_is_required_only():
    assert converted({name: GOOD[name] for name in ("BilledCost", "ChargePeriodStart", "ChargeCategory")}) == [
        {
            "cost/cost": "1.50",
            "lineitem/type": "Usage",
            "time/usage_start": "2024-09-18T22:00:00Z",
            "resource/region": "no-region",
        }
    ]


@pytest.mark.parametrize(
    ("cbf", "columns", "expected"),
    [
        ("resource/usage_family", {"SkuMeter": "Meter"}, "Meter"),
        ("resource/usage_family", {"ServiceSubcategory": "NULL", "SkuMeter": "Meter"}, "Meter"),
        ("action/usage_type", {"SkuId": "Sku"}, "Sku"),
        ("action/usage_type", {"SkuMeter": "", "SkuId": "Sku"}, "Sku"),
        ("resource/account", {"BillingAccountId": "1"}, "1"),
        ("resource/account", {"SubAccountId": None, "BillingAccountId": "1"}, "1"),
        ("lineitem/cloud_provider", {"ProviderName": "Microsoft"}, "Microsoft"),
        ("lineitem/cloud_provider", {"ServiceProviderName": "A", "ProviderName": "B"}, "A"),
        ("lineitem/cloud_provider", {"ServiceProviderName": "NULL", "ProviderName": "B"}, "B"),
        ("resource/region", {"RegionId": "NULL"}, "no-region"),
        ("resource/region", {"RegionId": "Global"}, "no-region"),
        ("resource/region", {"RegionId": "global-1"}, "global-1"),
    ],
)
def test_what_comes_first(cbf, columns, expected):
    assert converted(charge(**columns))[0][cbf] == expected


def test_the_first_that_has_a_value_is_found_in_each_row():
    rows = converted(charge(SubAccountId="12", BillingAccountId="1"), charge(BillingAccountId="2"))
    assert [row["resource/account"] for row in rows] == ["12", "2"]


class TestCosts:
    def test_text_is_not_touched(self):
        given = ["0.00000000000", "-2.61370000000", "1e-7", "+.5", "123456789012345678.000000000000000000000000000001"]
        rows = converted(*(charge(BilledCost=cost, EffectiveCost=cost, ListCost=cost) for cost in given))
        for name in ("cost/cost", "cost/amortized_cost", "cost/discounted_amortized_cost", "cost/on_demand_cost"):
            assert [row[name] for row in rows] == given

    def test_an_effective_cost_of_0_is_not_blank(self):
        [row] = converted(charge(ChargeCategory="Purchase", CommitmentDiscountId="sp-1", EffectiveCost="0"))
        assert (row["cost/cost"], row["cost/amortized_cost"], row["cost/discounted_amortized_cost"]) == (
            "1.50",
            "0",
            "0",
        )

    def test_discounts_are_in_the_billed_cost_already(self):
        assert "cost/discounted_cost" not in converted(charge())[0]

    def test_the_difference_of_the_totals_is_logged_exactly(self, caplog):
        converted(
            charge(BilledCost="100000000000000000.1", EffectiveCost="0"),
            charge(BilledCost="0.0000000000000000000000000001", EffectiveCost="1e-3"),
        )
        assert (
            "BilledCost is 100000000000000000.1000000000000000000000000001 and the total EffectiveCost 0.001: "
            "a difference of -100000000000000000.0990000000000000000000000001" in caplog.text
        )

    def test_the_totals_hold_for_many_rows(self, caplog, monkeypatch):
        monkeypatch.setattr("cloudzero_provider.values.exact_sums._SLICE", 7)
        converted(*[charge(BilledCost="0.1", EffectiveCost="0.3")] * 100)
        assert "BilledCost is 10 and the total EffectiveCost 30: a difference of 20" in caplog.text

    def test_charges_without_effective_cost_count_with_cloudzeros_fallback(self, caplog):
        rows = converted(charge(EffectiveCost="NULL"), charge(EffectiveCost="1"))
        assert "cost/amortized_cost" not in rows[0]
        assert "1 row without EffectiveCost" in caplog.text
        assert "BilledCost is 3 and the total EffectiveCost 2.5: a difference of -0.5" in caplog.text

    def test_values_that_are_not_numbers_are_left_to_the_checks(self, caplog):
        frame = to_cbf(frame_of(charge(BilledCost="1,50")))
        assert "a difference of" not in caplog.text
        with pytest.raises(InvalidRowsError, match=r"row 1, column 'cost/cost', value '1,50': not a decimal number"):
            check(frame)


class TestMissing:
    @pytest.mark.parametrize("missing", ["", "NULL"])
    @pytest.mark.parametrize("name", sorted(set(FOCUS_COLUMNS) - set(REQUIRED) - {"BillingCurrency"}))
    def test_in_every_column(self, name, missing):
        assert converted(charge(**{name: missing})) == converted(charge(**{name: None}))

    @pytest.mark.parametrize("word", ["null", "Null", " NULL", "NULL ", "None", "N/A"])
    def test_other_words_are_words(self, word):
        assert converted(charge(ServiceName=word))[0]["resource/service"] == word

    @pytest.mark.parametrize("name", ["BilledCost", "ChargePeriodStart", "ChargeCategory"])
    def test_what_a_charge_must_have(self, name):
        problem = problem_of(charge(), charge(**{name: "NULL"}))
        assert str(problem) == f"row 2, column '{name}': every charge needs a value (not an empty string or NULL)"


class TestTimes:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("2024-09-18 22:00:00", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00:00", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00:00Z", "2024-09-18T22:00:00Z"),
            ("2024-09-18T22:00:00+02:00", "2024-09-18T20:00:00Z"),
            ("2024-09-18 22:00:00.123-0530", "2024-09-19T03:30:00Z"),
            ("2024-09-18", "2024-09-18T00:00:00Z"),
        ],
    )
    def test_in_utc(self, given, expected):
        [row] = converted(charge(ChargePeriodStart=given, ChargePeriodEnd=given))
        assert (row["time/usage_start"], row["time/usage_end"]) == (expected, expected)

    def test_each_row_has_its_own(self):
        given = ["2024-09-18", "2024-09-17 05:06:07", "2024-09-18"]
        rows = converted(*(charge(ChargePeriodStart=time) for time in given))
        assert [row["time/usage_start"][8:] for row in rows] == ["18T00:00:00Z", "17T05:06:07Z", "18T00:00:00Z"]

    def test_the_checks_take_the_hour(self):
        checked = check(to_cbf(frame_of(charge(ChargePeriodStart="2024-09-18 22:59:59"))))
        assert checked.frame["time/usage_start"].to_list() == ["2024-09-18T22:00:00Z"]

    @pytest.mark.parametrize("name", ["ChargePeriodStart", "ChargePeriodEnd"])
    def test_values_that_are_not_times(self, name):
        problem = problem_of(charge(), charge(**{name: "18.09.2024"}))
        assert str(problem) == (f"row 2, column '{name}', value '18.09.2024': {NOT_TIMESTAMP}")


class TestMonth:
    late = charge(
        ChargePeriodStart="2024-08-31 23:00:00", ChargePeriodEnd="2024-09-01 00:00:00", BillingPeriodStart="2024-09-01"
    )
    by_billing_period = staticmethod(partial(converted, month_from="billing_period"))

    def test_is_that_of_the_charge_period_and_others_are_counted(self, caplog):
        rows = converted(charge(), self.late, self.late)
        assert [row["time/usage_start"] for row in rows[1:]] == ["2024-08-31T23:00:00Z"] * 2
        assert "2 charges with a billing period of another month than the ChargePeriodStart" in caplog.text
        assert "month_from='billing_period'" in caplog.text

    def test_the_checks_refuse_a_charge_of_another_month(self):
        with pytest.raises(InvalidRowsError, match="row 2, column 'time/usage_start'"):
            check(to_cbf(frame_of(charge(), self.late)))

    def test_by_billing_period(self, caplog):
        rows = self.by_billing_period(charge(ChargePeriodEnd="2024-09-18 23:00:00"), self.late)
        assert [(row["time/usage_start"], row.get("time/usage_end")) for row in rows] == [
            ("2024-09-18T22:00:00Z", "2024-09-18T23:00:00Z"),
            ("2024-09-01T00:00:00Z", None),
        ]
        assert "1 charge of another month (UTC) than the billing period, sent at the start of" in caplog.text
        check(to_cbf(frame_of(charge(), self.late), month_from="billing_period"))

    def test_a_month_is_one_in_utc(self):
        [row] = self.by_billing_period(charge(ChargePeriodStart="2024-08-31T23:00:00-02:00"))
        assert row["time/usage_start"] == "2024-09-01T01:00:00Z"

    def test_nothing_is_said_when_all_is_in_one_month(self, caplog):
        converted(charge(), charge(BillingPeriodStart=""))
        self.by_billing_period(charge())
        assert "another month" not in caplog.text

    def test_the_billing_period_is_looked_at_only_where_it_is_needed(self):
        assert converted(charge(BillingPeriodStart="2024-09"), charge(BillingPeriodStart=""))
        problems = problems_of(
            charge(BillingPeriodStart="2024-09"), charge(BillingPeriodStart=""), month_from="billing_period"
        )
        assert [str(problem) for problem in problems] == [
            f"row 1, column 'BillingPeriodStart', value '2024-09': {NOT_TIMESTAMP}",
            "row 2, column 'BillingPeriodStart': every charge needs a value with month_from='billing_period'",
        ]

    def test_the_billing_period_must_be_there_to_go_by_it(self):
        with pytest.raises(InputError, match="The rows have no column BillingPeriodStart"):
            to_cbf(frame_of(charge()).drop("BillingPeriodStart"), month_from="billing_period")


class TestLineItemTypes:
    @pytest.mark.parametrize(
        ("columns", "expected"),
        [
            ({"ChargeCategory": "Usage"}, "Usage"),
            ({"ChargeCategory": "usage"}, "Usage"),
            ({"ChargeCategory": "Tax"}, "Tax"),
            ({"ChargeCategory": "Credit"}, "Credit"),
            ({"ChargeCategory": "Adjustment"}, "Adjustment"),
            ({"ChargeCategory": "Purchase"}, "Purchase"),
            ({"ChargeCategory": "Purchase", "ChargeFrequency": "Recurring"}, "Purchase"),
            ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "NULL"}, "Purchase"),
            ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "sp"}, "CommittedUsePurchase"),
            ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "sp", "ChargeFrequency": "One-Time"}, "CommittedUsePurchase"),
            ({"ChargeCategory": "Purchase", "CommitmentDiscountId": "sp", "ChargeFrequency": "Recurring"}, "CommittedUsePurchase"),
            ({"ChargeCategory": "Usage", "CommitmentDiscountId": "sp", "ChargeFrequency": "Recurring"}, "Usage"),
            ({"ChargeCategory": "Usage", "CommitmentDiscountId": "sp", "CommitmentDiscountStatus": "Used"}, "Usage"),
            ({"ChargeCategory": "Usage", "CommitmentDiscountId": "sp", "CommitmentDiscountStatus": "Unused"}, "Usage"),
        ],
    )  # fmt: skip
    def test_by_default(self, columns, expected):
        assert converted(charge(**columns))[0]["lineitem/type"] == expected

    @pytest.mark.parametrize("spelled", ["Unused", "unused", "UNUSED"])
    def test_unused_commitment(self, spelled):
        charges = [
            charge(CommitmentDiscountStatus=spelled),
            charge(CommitmentDiscountStatus="Used"),
            charge(),
            charge(ChargeCategory="Tax", CommitmentDiscountStatus=spelled),
        ]
        rows = converted(*charges, unused_commitment="CommittedUseVacancy")
        assert [row["lineitem/type"] for row in rows] == ["CommittedUseVacancy", "Usage", "Usage", "Tax"]

    @pytest.mark.parametrize("spelled", ["Recurring", "recurring"])
    def test_recurring_commitment(self, spelled):
        bought = charge(ChargeCategory="Purchase", CommitmentDiscountId="sp", ChargeFrequency=spelled)
        rows = converted(
            bought,
            bought | {"ChargeFrequency": "One-Time"},
            bought | {"CommitmentDiscountId": None},
            bought | {"ChargeCategory": "Usage"},
            recurring_commitment="CommittedUseRecurringFee",
        )
        assert [row["lineitem/type"] for row in rows] == [
            "CommittedUseRecurringFee",
            "CommittedUsePurchase",
            "Purchase",
            "Usage",
        ]

    def test_an_unknown_category(self):
        assert str(problem_of(charge(), charge(ChargeCategory="Refund"))) == (
            "row 2, column 'ChargeCategory', value 'Refund': not a valid charge category of FOCUS: expected one of Usage, Purchase, "
            "Tax, Credit, Adjustment"
        )


class TestQuantities:
    def test_consumed_else_priced_each_with_its_unit(self):
        priced = {"PricingQuantity": "2", "PricingUnit": "Millions"}
        rows = converted(
            charge(ConsumedQuantity="7", ConsumedUnit="GB", **priced),
            charge(ConsumedQuantity="NULL", ConsumedUnit="GB", **priced),
            charge(ConsumedQuantity="0", ConsumedUnit="NULL", **priced),
            charge(),
        )
        assert [(row.get("usage/amount"), row.get("usage/units")) for row in rows] == [
            ("7", "GB"),
            ("2", "Millions"),
            ("0", None),
            (None, None),
        ]

    def test_a_unit_without_a_quantity_is_left_out_and_counted(self, caplog):
        rows = converted(charge(ConsumedUnit="GB", PricingUnit="Millions"), charge(ConsumedQuantity="1"))
        assert [(row.get("usage/amount"), row.get("usage/units")) for row in rows] == [(None, None), ("1", None)]
        assert "1 row with a unit but no quantity: the unit is left out" in caplog.text

    def test_below_zero_is_kept_and_counted(self, caplog):
        rows = converted(*(charge(ConsumedQuantity=text) for text in ("-1.5", "-0.00", "2")))
        assert [row["usage/amount"] for row in rows] == ["-1.5", "-0.00", "2"]
        assert "1 row with a quantity below zero, which is sent unchanged" in caplog.text

    def test_below_zero_can_be_sent_as_zero(self, caplog):
        rows = converted(
            *(charge(ConsumedQuantity=text, ConsumedUnit="GB", BilledCost="-1") for text in ("-1.5", "2")),
            negative_quantity="zero",
        )
        assert [(row["usage/amount"], row["usage/units"], row["cost/cost"]) for row in rows] == [
            ("0", "GB", "-1"),
            ("2", "GB", "-1"),
        ]
        assert "1 row with a quantity below zero, which is sent as 0" in caplog.text

    def test_numbers_and_what_has_none(self, caplog):
        amounts = pl.Series([-1.0, 0.0, 0.5, None])
        frame = frame_of(*[charge()] * 4).with_columns(ConsumedQuantity=amounts, PricingQuantity=amounts)
        assert to_cbf(frame, negative_quantity="zero")["usage/amount"].to_list() == [0, 0, 0.5, None]
        assert "1 row with a quantity below zero, which is sent as 0" in caplog.text

    @pytest.mark.parametrize("text", ["-0.5", "-.05", "-10", "-5.", "-1e-7", "-2.50E+3", "-007"])
    def test_each_way_to_write_it(self, text):
        [row] = converted(charge(ConsumedQuantity=text), negative_quantity="zero")
        assert row["usage/amount"] == "0"

    @pytest.mark.parametrize("text", ["-1,000", "-$5", "-1.2.3", "--1", "-2024-09-01", "-1 GB"])
    def test_a_value_that_is_not_a_number_never_becomes_zero(self, text):
        rows = to_cbf(frame_of(charge(ConsumedQuantity=text)), negative_quantity="zero")
        with pytest.raises(InvalidRowsError, match=r"row 1, column 'usage/amount', value .*: not a decimal number"):
            check(rows)


class TestCurrency:
    def test_another_is_an_error(self):
        problem = problem_of(charge(), charge(BillingCurrency="EUR"))
        assert str(problem) == (
            "row 2, column 'BillingCurrency', value 'EUR': expected USD: CBF has no currency, so all costs of a stream must "
            "have the same one (convert the others first, or set currency=)"
        )

    def test_none_in_a_row_is_an_error(self):
        assert problem_of(charge(), charge(BillingCurrency="NULL")).column == "BillingCurrency"

    def test_another_can_be_the_one(self):
        assert converted(charge(BillingCurrency="EUR"), currency="EUR")[0]["cost/cost"] == "1.50"
        assert problem_of(charge(), currency="EUR").value == "'USD'"

    def test_no_column_is_a_warning(self, caplog):
        to_cbf(frame_of(charge()).drop("BillingCurrency"), currency="EUR")
        assert "The rows have no column BillingCurrency: all costs are assumed to be in EUR" in caplog.text


class TestColumns:
    def test_a_required_column_is_missing(self):
        with pytest.raises(InputError) as caught:
            to_cbf(pl.DataFrame({"ChargePeriodStart": ["2024-09-01"], "ChargeCategory": ["Usage"], "Cost": ["1"]}))
        assert str(caught.value) == (
            "The rows have no column BilledCost. The columns are: ChargePeriodStart, ChargeCategory, Cost."
        )

    def test_no_focus_at_all(self):
        with pytest.raises(InputError) as caught:
            to_cbf(pl.DataFrame({"date": ["2024-09-01"], "cost": ["1"]}))
        assert str(caught.value) == (
            "These are not FOCUS rows: they have no column BilledCost and no ChargePeriodStart and no ChargeCategory. "
            "The columns are: date, cost."
        )

    def test_names_are_matched_exactly(self):
        with pytest.raises(InputError) as caught:
            to_cbf(frame_of(charge()).rename({"BilledCost": "billedcost", "ChargeCategory": "charge_category"}))
        assert (
            "no column BilledCost and no ChargeCategory. Names are matched exactly: 'billedcost' is not 'BilledCost', "
            "'charge_category' is not 'ChargeCategory' (in SQL, quote the name)." in str(caught.value)
        )

    def test_a_name_that_is_nearly_right_is_not_left_out_in_silence(self, caplog):
        [row] = to_cbf(frame_of(charge()).rename({"EffectiveCost": "effectivecost"})).rows(named=True)
        assert row["cost/amortized_cost"] is None
        assert "'effectivecost' is not 'EffectiveCost'" in caplog.text

    def test_what_has_no_place_is_named_once(self, caplog):
        converted(charge(ContractedCost="1", x_Team="web", Id="7"))
        lines = [record.getMessage() for record in caplog.records if "left out" in record.getMessage().lower()]
        assert lines == ["Left out columns that CBF has no place for: ContractedCost, x_Team, Id"]

    def test_the_line_item_id(self):
        rows = converted(charge(x_Id="7"), charge(x_Id="NULL"), lineitem_id_column="x_Id")
        assert [row.get("lineitem/id") for row in rows] == ["7", None]

    def test_as_many_rows_in_the_same_order(self):
        given = [charge(BilledCost=str(number), ChargeDescription=str(number % 3)) for number in range(500)]
        assert [row["cost/cost"] for row in converted(*given)] == [str(number) for number in range(500)]

    def test_no_rows(self):
        assert to_cbf(frame_of(charge()).clear()).height == 0

    def test_first_few_problems_and_a_count(self):
        with pytest.raises(InvalidRowsError) as caught:
            to_cbf(frame_of(*[charge(BillingCurrency="EUR", ChargeCategory="x", Tags="[")] * 100))
        assert caught.value.total == 300
        assert [problem.where for problem in caught.value.problems] == ["row 1", "row 1", "row 1", "row 2", "row 2"]


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("month_from", "billing", "expected one of charge_period, billing_period"),
        ("currency", "usd", "expected a code of three capital letters, like USD"),
        ("currency", None, "expected a code of three capital letters, like USD"),
        ("unused_commitment", "Vacancy", "expected one of Usage, CommittedUseVacancy"),
        ("recurring_commitment", "Fee", "expected one of CommittedUsePurchase, CommittedUseRecurringFee"),
        ("negative_quantity", 0, "expected one of keep, zero"),
        ("id_separator", "/", "expected one printable ASCII character other than ':' and '/'"),
        ("id_separator", ":", "expected one printable ASCII character other than ':' and '/'"),
        ("id_separator", "", "expected one printable ASCII character other than ':' and '/'"),
        ("id_separator", " ", "expected one printable ASCII character other than ':' and '/'"),
        ("id_separator", "||", "expected one printable ASCII character other than ':' and '/'"),
        ("tag_columns", "SubAccountName", "expected a list of column names"),
        ("tag_columns", [1], "expected a list of column names"),
        ("tag_columns", None, "expected a list of column names"),
    ],
)
def test_an_option_that_can_not_be(option, value, expected):
    with pytest.raises(ConfigurationError) as caught:
        to_cbf(frame_of(charge()), **{option: value})
    assert str(caught.value) == f"{option} is {value!r}: {expected}."


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        (
            "tag_columns",
            ["x_Team"],
            "tag_columns names 'x_Team', which is not a column. The columns are: BilledCost, ",
        ),
        ("lineitem_id_column", "", "lineitem_id_column names '', which is not a column."),
        (
            "tag_columns",
            ["BilledCost"],
            "tag_columns names 'BilledCost', which contains numbers: expected a column of text.",
        ),
        (
            "lineitem_id_column",
            "ChargePeriodStart",
            "lineitem_id_column names 'ChargePeriodStart', which contains times",
        ),
    ],
)
def test_an_option_that_names_a_column_that_can_not_be(option, value, expected):
    with pytest.raises(ConfigurationError) as caught:
        to_cbf(frame_of(charge()), **{option: value})
    assert str(caught.value).startswith(expected)


def test_mapped_rows_pass_the_checks():
    assert check(to_cbf(frame_of(charge()))).month == SEPTEMBER
