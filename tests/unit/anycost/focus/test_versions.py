"""FOCUS to CBF: columns of all versions, of the preview, and of versions that nobody knows yet."""

from __future__ import annotations

import logging

import polars as pl
import pytest
from support.charges import charge, check, converted, frame_of, problem_of, problems_of

from cloudzero_provider.anycost.focus import to_cbf
from cloudzero_provider.anycost.focus.versions import VERSIONS, columns_of, describe_versions, unknown_columns
from cloudzero_provider.exceptions import InputError

#: A charge in the names of 1.0-preview, with the display names that some exports have.
PREVIEW = {
    "BilledCost": "0.0048",
    "EffectiveCost": "0.0048",
    "BillingCurrency": "USD",
    "ChargeCategory": "Usage",
    "ChargeSubcategory": None,
    "ChargePeriodStart": "2024-09-03T00:00Z",
    "InvoiceIssuer": "Acme",
    "Provider": "Acme",
    "Publisher": "Acme",
    "Region": "eu-north-1",
    "UsageQuantity": "0.188",
    "UsageUnit": "GB Months",
    "acme_ReferenceNumber": "7",
}


@pytest.fixture(autouse=True)
def _all_is_logged(caplog):
    caplog.set_level(logging.INFO)


def warnings_of(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


class TestRecognised:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_all_columns_of_a_version(self, version):
        later = {"1.0": " to 1.3", "1.1": " to 1.3", "1.2": " to 1.3"}
        assert describe_versions(columns_of(version)) == version + later.get(version, "")

    def test_counts(self):
        # 1.4 has 65 columns in the dataset Cost and Usage, as many as 1.3: two are gone, and two are new.
        assert [len(columns_of(version)) for version in ("1.0", "1.1", "1.2", "1.3", "1.4")] == [43, 50, 57, 65, 65]
        assert columns_of("1.4") - columns_of("1.3") == {"CommitmentProgramEligibilityDetails", "InvoiceDetailId"}
        assert columns_of("1.3") - columns_of("1.4") == {"ProviderName", "PublisherName"}

    @pytest.mark.parametrize(
        ("names", "expected"),
        [
            (["BilledCost"], "0.5 to 1.4"),
            (["BilledCost", "ProviderName", "RegionId"], "1.0 to 1.3"),
            (["InvoiceId", "x_Id", "Id"], "1.2 to 1.4"),
            (["ServiceProviderName"], "1.3 to 1.4"),
            (["ServiceProviderName", "ProviderName"], "1.3"),
            (["InvoiceDetailId"], "1.4"),
            (["Region", "ChargeCategory"], "1.0-preview"),
            (["Region", "ChargeType"], "0.5"),
            ([], "0.5 to 1.4"),
            (
                ["Provider", "Region", "BilledCost", "AllocatedTags"],
                "several versions: 1.0-preview (Provider, Region), 1.3 (AllocatedTags)",
            ),
            (["ProviderName", "InvoiceDetailId"], "several versions: 1.3 (ProviderName), 1.4 (InvoiceDetailId)"),
        ],
    )
    def test_by_some_columns(self, names, expected):
        assert describe_versions(names) == expected

    def test_of_several_versions_only_columns_of_the_newer_ones_are_named(self):
        names = ["UsageQuantity", "ResourceType", "ChargeClass", "RegionId"]
        assert describe_versions(names) == (
            "several versions: 1.0-preview (UsageQuantity), 1.0 (ChargeClass, RegionId)"
        )

    def test_the_log_says_it(self, caplog):
        converted(PREVIEW)
        assert "The columns are those of FOCUS 1.0-preview" in caplog.messages


class TestPreview:
    def test_its_names_are_read(self, caplog):
        [row] = converted(PREVIEW)
        assert row["resource/region"] == "eu-north-1"
        assert row["lineitem/cloud_provider"] == "Acme"
        assert (row["usage/amount"], row["usage/units"]) == ("0.188", "GB Months")
        assert not warnings_of(caplog)
        assert (
            "Left out columns that CBF has no place for: InvoiceIssuer, Publisher, acme_ReferenceNumber" in caplog.text
        )

    def test_names_of_0_5(self):
        [row] = converted(
            {
                "BilledCost": "2",
                "AmortizedCost": "1",
                "ChargeType": "Tax",
                "ChargePeriodStart": "2024-09-03",
                "BillingCurrency": "USD",
            }
        )
        assert (row["cost/cost"], row["cost/amortized_cost"], row["lineitem/type"]) == ("2", "1", "Tax")

    def test_rows_of_two_versions(self):
        old = PREVIEW | {"UsageQuantity": "1", "Region": "old"}
        new = charge(ConsumedQuantity="2", ConsumedUnit="Hours", RegionId="new", ServiceProviderName="B")
        rows = converted(old, new, old | new)
        assert [row["resource/region"] for row in rows] == ["old", "new", "new"]
        assert [row["usage/amount"] for row in rows] == ["1", "2", "2"]
        assert [row["usage/units"] for row in rows] == ["GB Months", "Hours", "Hours"]
        assert [row["lineitem/cloud_provider"] for row in rows] == ["Acme", "B", "B"]

    def test_quantities_and_units_of_two_versions_need_not_be_text(self):
        frame = frame_of(charge(), charge()).with_columns(
            ConsumedQuantity=pl.Series([2.5, None]),
            UsageQuantity=pl.Series([None, 3]),
            ConsumedUnit=pl.Series([7, None]),
            UsageUnit=pl.Series([None, 8]),
        )
        assert to_cbf(frame).select("usage/amount", "usage/units").rows() == [("2.5", "7"), ("3", "8")]

    def test_numbers_of_two_types_keep_their_digits(self):
        exact = "12345678901234567.123456789"
        frame = frame_of(charge(), charge()).with_columns(
            EffectiveCost=pl.Series([exact, None]).cast(pl.Decimal(38, 9)), AmortizedCost=pl.Series([1.0, 0.1])
        )
        assert to_cbf(frame)["cost/amortized_cost"].to_list() == [exact, "0.1"]

    @pytest.mark.parametrize(
        ("category", "subcategory", "expected"),
        [
            ("Usage", "Unused Commitment", "CommittedUseVacancy"),
            ("usage", "unused commitment", "CommittedUseVacancy"),
            ("Usage", "Used Commitment", "Usage"),
            ("Usage", "On-Demand", "Usage"),
            ("Usage", "Credit", "Usage"),
            ("Adjustment", "Credit", "Credit"),
            ("Adjustment", "Refund", "Adjustment"),
            ("Adjustment", "Rounding Error", "Adjustment"),
            ("Adjustment", "General Adjustment", "Adjustment"),
            ("Purchase", None, "Purchase"),
        ],
    )
    def test_subcategories(self, category, subcategory, expected, caplog):
        [row] = converted(
            charge(ChargeCategory=category, ChargeSubcategory=subcategory), unused_commitment="CommittedUseVacancy"
        )
        assert row["lineitem/type"] == expected
        assert not warnings_of(caplog)

    def test_a_subcategory_that_focus_does_not_have(self, caplog):
        converted(charge(ChargeSubcategory="Bonus"), charge(ChargeSubcategory="Credit"))
        assert warnings_of(caplog) == ["Ignored values of ChargeSubcategory that FOCUS does not list: 'Bonus'"]

    def test_subcategories_that_focus_does_not_have_are_named_in_the_order_of_the_rows(self, caplog):
        words = [f"Bonus {number}" for number in range(50)]
        converted(*(charge(ChargeSubcategory=word) for word in words))
        named = ", ".join(map(repr, words))
        assert warnings_of(caplog) == [f"Ignored values of ChargeSubcategory that FOCUS does not list: {named}"]

    def test_errors_name_the_column_that_is_there(self):
        old = {"BilledCost": "1", "ChargePeriodStart": "2024-09-03", "BillingCurrency": "USD"}
        assert problem_of(old | {"ChargeType": "Gift"}).column == "ChargeType"
        assert [problem.column for problem in problems_of(old | {"ChargeType": None})] == ["ChargeType"]
        with pytest.raises(InputError, match="Column 'Region' has the type Float64: expected text"):
            to_cbf(frame_of(charge()).with_columns(Region=1.0))

    def test_an_older_name_in_another_case_is_hinted_at(self, caplog):
        converted(charge(usage_quantity="1"))
        assert warnings_of(caplog) == [
            "Names of FOCUS columns are matched exactly, so these columns are not used: 'usage_quantity' is not 'UsageQuantity'"
        ]


class TestNewerVersions:
    def test_a_column_that_no_version_has_is_a_warning(self, caplog):
        names = {"AllocatedServiceName": "a", "CredentialId": "b", "x_Other": "c", "Id": "d", "oci_Ref": "e"}
        converted(charge(**names))
        [warning] = warnings_of(caplog)
        assert warning == (
            "Left out columns that may be from a newer version of FOCUS than 1.4, the newest supported one: "
            "AllocatedServiceName, CredentialId"
        )
        assert "Left out columns that CBF has no place for: x_Other, Id, oci_Ref" in caplog.messages

    def test_no_column_of_a_known_version_is_one(self):
        assert unknown_columns([name for version in VERSIONS for name in columns_of(version)]) == []

    def test_1_4(self, caplog):
        [row] = converted(
            charge(
                ServiceProviderName="Acme",
                HostProviderName="Host",
                InvoiceIssuerName="Seller",
                InvoiceId="I-1",
                InvoiceDetailId="I-1-7",
                CommitmentProgramEligibilityDetails='{"CommitmentPrograms": []}',
            )
        )
        assert (row["lineitem/cloud_provider"], row["bill/invoice_id"]) == ("Acme", "I-1")
        assert "The columns are those of FOCUS 1.4" in caplog.messages
        assert not warnings_of(caplog)
        check(to_cbf(frame_of(charge(ServiceProviderName="Acme"))))
