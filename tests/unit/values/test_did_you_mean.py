"""Names that differ in capital letters only, as Snowflake writes them, get a hint wherever names are matched."""

from __future__ import annotations

import polars as pl
import pytest
from support.rows import checked, row

from cloudzero_provider import sources
from cloudzero_provider.client.telemetry import StreamType, TelemetryOperation
from cloudzero_provider.exceptions import InputError, InvalidRowsError
from cloudzero_provider.telemetry.checks import RecordRules, check_records
from cloudzero_provider.telemetry.record_kinds import KINDS
from cloudzero_provider.telemetry.table_records import as_records
from cloudzero_provider.transforms import decimals
from cloudzero_provider.values.did_you_mean import suggestion

ALLOCATION, METRIC = KINDS[StreamType.ALLOCATION], KINDS[StreamType.METRIC]


@pytest.mark.parametrize(
    ("names", "kind", "hint"),
    [
        (("TIMESTAMP", "VALUE", "TEAM"), METRIC, "'TIMESTAMP' is not 'timestamp', 'VALUE' is not 'value'"),
        (
            ("timestamp", "VALUE", "ELEMENT_NAME", "FILTER"),
            ALLOCATION,
            "'VALUE' is not 'value', 'ELEMENT_NAME' is not 'element_name', 'FILTER' is not 'filter'",
        ),
        (("timestamp", "value", "elementName"), ALLOCATION, "'elementName' is not 'element_name'"),
        (("timestamp", "value", "Element Name"), ALLOCATION, "'Element Name' is not 'element_name'"),
    ],
)
def test_fields_of_a_telemetry_table(names, kind, hint):
    with pytest.raises(InputError) as caught:
        as_records(sources.from_frame(pl.DataFrame({name: ["1"] for name in names})), kind)
    assert f" Names are matched exactly: {hint} (in SQL, quote the name)." in str(caught.value)


def test_fields_of_telemetry_records():
    rows = sources.from_records([{"TIMESTAMP": "2026-03-01", "VALUE": 1}])
    with pytest.raises(InvalidRowsError) as caught:
        check_records(rows, RecordRules(METRIC, TelemetryOperation.REPLACE))
    for name in ("TIMESTAMP", "VALUE"):
        hint = f"names are matched exactly: {name!r} is not {name.lower()!r} (in SQL, quote the name)"
        assert any(problem.column == name and hint in problem.rule for problem in caught.value.problems)


@pytest.mark.parametrize("name", ["COST/COST", "Time/Usage_Start", "time/usage start"])
def test_columns_of_cbf(name):
    with pytest.raises(InvalidRowsError) as caught:
        checked([row() | {name: "1"}])
    assert f"names are matched exactly: {name!r} is not " in str(caught.value)


def test_columns_that_are_reckoned_with():
    frame = pl.DataFrame({"COST": ["1"]})
    with pytest.raises(
        InputError, match="'cost' is not a column; the columns are COST; names are matched exactly: 'COST'"
    ):
        decimals("cost")(frame)


def test_what_is_like_no_name_gets_no_hint():
    assert suggestion("xyz", ["cost/cost"]) == ""
    assert suggestion("COST/COTS", ["cost/cost"]) == "; did you mean 'cost/cost'?"
