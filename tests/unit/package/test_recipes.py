"""What is added by a recipe of CONTRIBUTING.md is added everywhere: in the code, the sandbox and the documentation."""

from __future__ import annotations

import re
from itertools import product

import pytest
from support.formats import EXACT_FORMS
from support.paths import ROOT

from cloudzero_provider import exceptions
from cloudzero_provider.anycost.columns import COLUMNS, COST_COLUMNS
from cloudzero_provider.client.outcome import Action, Effect, Outcome, action_for
from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sandbox.anycost import cbf
from cloudzero_provider.sandbox.server.endpoints import find_target
from cloudzero_provider.sandbox.settings.all_settings import Settings, possible_values
from cloudzero_provider.sandbox.settings.anycost import UnknownColumns
from cloudzero_provider.sandbox.telemetry import model
from cloudzero_provider.sources import ENDINGS
from cloudzero_provider.sources.files import _READERS as READERS

#: In CloudZero's guide, but not in the API's schema, which the sandbox follows.
GUIDE_ONLY_COLUMNS = {"lineitem/cloud_provider"}
FORMATS = sorted({ending.removesuffix(".gz") for ending in ENDINGS})
#: Base classes that are not raised themselves.
BASE_ERRORS = {"CloudZeroError", "ReplyError"}
ERRORS = [
    kind
    for kind in vars(exceptions).values()
    if isinstance(kind, type) and issubclass(kind, exceptions.CloudZeroError) and kind.__name__ not in BASE_ERRORS
]


def section(title: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [found] = re.findall(rf"^##+ {title}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    return found


class TestCbfColumn:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_the_readme_lists_it(self, name):
        assert f"`{name}`" in section("Rows")

    @pytest.mark.parametrize("name", sorted(COLUMNS.keys() - GUIDE_ONLY_COLUMNS))
    def test_the_sandbox_knows_it(self, name):
        assert cbf.column_problem(name, Settings(unknown_columns=UnknownColumns.REFUSE)) is None

    def test_costs_are_costs_in_the_sandbox_too(self):
        assert set(cbf.COST_COLUMNS) == set(COST_COLUMNS)


class TestFileFormat:
    def test_it_has_a_reader_and_an_ending(self):
        assert sorted(READERS) == FORMATS

    @pytest.mark.parametrize("ending", FORMATS)
    def test_it_is_documented(self, ending):
        [table] = re.findall(r"^\| ending \|.*?\n\n", section("Rows"), re.DOTALL | re.MULTILINE)
        assert f"`{ending}`" in table
        for operator in (AnyCostBillingDropOperator, TelemetrySendOperator):
            assert f"``{ending}``" in operator.__doc__

    @pytest.mark.parametrize("ending", FORMATS)
    def test_its_exactness_is_tested(self, ending):
        assert any(re.match(rf"{ending[1:]}\b", form) for form in EXACT_FORMS)


class TestTelemetryOperation:
    @pytest.mark.parametrize("operation", TelemetryOperation)
    def test_the_readme_lists_it(self, operation):
        [row] = re.findall(r"^\| `operation` \|.*", section("Telemetry"), re.MULTILINE)
        assert f'`"{operation.value}"`' in row

    @pytest.mark.parametrize("operation", TelemetryOperation)
    def test_the_sandbox_has_its_endpoint(self, operation):
        target = find_target("POST", f"/unit-cost/v1/telemetry/metric/orders/{operation.value}")
        assert target.telemetry.operation is model.TelemetryOperation(operation.value)


class TestError:
    @pytest.mark.parametrize("kind", ERRORS)
    def test_the_readme_lists_it_and_whether_it_is_retried(self, kind):
        rows = re.findall(r"^\| (.*Error.*) \| .* \| (yes|no) \|$", section("Errors"), re.MULTILINE)
        assert [retried for names, retried in rows if f"`{kind.__name__}`" in names] == [
            "yes" if kind.retry_can_help else "no"
        ]


class TestRetryRule:
    @pytest.mark.parametrize(("effect", "outcome"), list(product(Effect, Outcome)))
    def test_every_outcome_has_an_action_for_every_effect(self, effect, outcome):
        assert isinstance(action_for(outcome, effect), Action)


class TestSandboxSetting:
    @pytest.mark.parametrize("name", possible_values())
    def test_its_class_describes_it(self, name):
        [owner] = (kind for kind in Settings.__mro__ if name in vars(kind).get("__annotations__", {}))
        assert f"``{name}``" in owner.__doc__
