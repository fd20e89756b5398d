"""What is added by a recipe of CONTRIBUTING.md is added everywhere: in the code, the sandbox and the documentation."""

from __future__ import annotations

import re
import sqlite3
import time
from contextlib import suppress
from dataclasses import fields, replace
from itertools import product
from pathlib import Path

import pytest
from support.documentation import section, text_of
from support.fire.telemetry_scenarios import OPERATIONS
from support.formats import EXACT_FILES
from support.paths import ROOT

from cloudzero_provider import exceptions
from cloudzero_provider.anycost.columns import COLUMNS, COST_COLUMNS
from cloudzero_provider.client.outcome import Action, Effect, Outcome, action_for, certainly_not_applied
from cloudzero_provider.client.retry import _GAVE_UP as GAVE_UP
from cloudzero_provider.client.telemetry import TelemetryOperation
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sandbox.anycost import cbf
from cloudzero_provider.sandbox.common.database import Database
from cloudzero_provider.sandbox.http.replies import RefusedError
from cloudzero_provider.sandbox.server.endpoints import find_target
from cloudzero_provider.sandbox.settings.all_settings import Settings, possible_values
from cloudzero_provider.sandbox.settings.anycost import UnknownColumns
from cloudzero_provider.sandbox.settings.parsing import ParsingSettings
from cloudzero_provider.sandbox.telemetry import model
from cloudzero_provider.sandbox.telemetry.records import read_telemetry
from cloudzero_provider.sandbox.telemetry.store import apply_batch
from cloudzero_provider.sources import ENDINGS
from cloudzero_provider.sources.files import _READERS as READERS, from_files
from cloudzero_provider.telemetry.claim import _REPLACES as REPLACES

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


class TestCbfColumn:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_the_documentation_lists_it(self, name):
        assert f"`{name}`" in text_of("rows")

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
        [table] = re.findall(r"^\| ending \|.*?\n\n", text_of("rows"), re.DOTALL | re.MULTILINE)
        assert f"`{ending}`" in table
        for documented in (AnyCostBillingDropOperator, TelemetrySendOperator, from_files):
            assert f"``{ending}``" in documented.__doc__

    def test_the_documentation_names_the_formats_that_are_never_gzipped(self):
        [named] = re.findall(r"^All but (.*) also with `\.gz`", text_of("rows"), re.MULTILINE)
        never = {ending[1:] for ending in FORMATS if f"{ending}.gz" not in ENDINGS}
        assert set(re.findall(r"\w+", named.lower())) - {"and"} == never

    @pytest.mark.parametrize("ending", FORMATS)
    def test_its_exactness_is_tested(self, ending):
        assert ending in {Path(name.removesuffix(".gz")).suffix for _, name in EXACT_FILES.values()}


class TestTelemetryOperation:
    @pytest.mark.parametrize("operation", TelemetryOperation)
    def test_the_documentation_lists_it(self, operation):
        [row] = re.findall(r"^\| `operation` \|.*", text_of("telemetry"), re.MULTILINE)
        assert f'`"{operation.value}"`' in row

    @pytest.mark.parametrize("operation", TelemetryOperation)
    def test_the_sandbox_has_its_endpoint(self, operation):
        target = find_target("POST", f"/unit-cost/v1/telemetry/metric/orders/{operation.value}")
        assert target.telemetry.operation is model.TelemetryOperation(operation.value)

    @pytest.mark.parametrize("operation", TelemetryOperation)
    def test_the_operator_documents_it(self, operation):
        assert (
            f"``{operation.value}``" in TelemetrySendOperator.__doc__.split(":param operation:")[1].split(":param")[0]
        )

    @pytest.mark.parametrize("operation", TelemetryOperation)
    def test_it_has_an_effect(self, operation):
        assert isinstance(operation.effect, Effect)

    def test_a_claim_knows_which_operations_replace(self):
        assert REPLACES.keys() == set(TelemetryOperation)

    @pytest.mark.parametrize("operation", model.TelemetryOperation)
    def test_the_sandbox_applies_it(self, operation, tmp_path):
        database = Database(tmp_path)
        try:
            database.write_now(lambda connection: apply_to_old_and_new_stream(connection, operation))
        finally:
            database.close()

    def test_scenarios_of_random_faults_draw_it(self):
        assert set(OPERATIONS) == {operation.value for operation in TelemetryOperation}


def apply_to_old_and_new_stream(connection: sqlite3.Connection, operation: model.TelemetryOperation) -> None:
    """Apply an operation to a stream that exists, and to one that does not, which may be refused."""
    body = b'{"records": [{"timestamp": "2026-03-01", "value": 1, "associated_cost": {"custom:Team": "web"}}]}'
    settings, now = Settings(), time.time()
    added = read_telemetry(body, model.StreamKind.METRIC, model.TelemetryOperation.SUM, settings, now).batch
    assert added is not None
    batch = replace(added, operation=operation)
    apply_batch(connection, "old", added, settings, now)
    assert apply_batch(connection, "old", batch, settings, now).name == "old"
    with suppress(RefusedError):
        apply_batch(connection, "new", batch, settings, now)


class TestError:
    @pytest.mark.parametrize("kind", ERRORS)
    def test_the_documentation_lists_it_and_whether_it_is_retried(self, kind):
        rows = re.findall(r"^\| (.*Error.*) \| .* \| (yes|no) \|$", section("errors", "Errors"), re.MULTILINE)
        assert [retried for names, retried in rows if f"`{kind.__name__}`" in names] == [
            "yes" if kind.retry_can_help else "no"
        ]

    def test_the_retry_policy_names_every_outage(self):
        example = (ROOT / "dags_examples" / "anycost_retry_policy.py").read_text(encoding="utf-8")
        outages = {kind.__name__ for kind in GAVE_UP.values()} - {"RateLimitError"}
        for text in (example, section("errors", "Retries")):
            [listed] = re.findall(r"^OUTAGES = \[(.*?)\]", text, re.DOTALL | re.MULTILINE)
            assert set(re.findall(r"\w+", listed)) == outages


class TestRetryRule:
    @pytest.mark.parametrize(("effect", "outcome"), list(product(Effect, Outcome)))
    def test_every_outcome_has_an_action_for_every_effect(self, effect, outcome):
        assert isinstance(action_for(outcome, effect), Action)

    @pytest.mark.parametrize(("effect", "outcome"), list(product(Effect, Outcome)))
    def test_every_outcome_says_whether_the_request_was_certainly_not_applied(self, effect, outcome):
        not_applied = certainly_not_applied(outcome, effect)
        assert not_applied or effect is Effect.REPEATABLE or action_for(outcome, effect) is not Action.WAIT_AND_REPEAT

    @pytest.mark.parametrize("outcome", Outcome)
    def test_every_outcome_that_is_repeated_has_an_error_that_a_retry_can_help(self, outcome):
        actions = {action_for(outcome, effect) for effect in Effect}
        is_repeated = bool(actions & {Action.WAIT_AND_REPEAT, Action.SETTLE_AND_REPEAT})
        assert (outcome in GAVE_UP) is is_repeated
        assert not is_repeated or GAVE_UP[outcome].retry_can_help


class TestSandboxSetting:
    @pytest.mark.parametrize("name", possible_values())
    def test_its_class_describes_it(self, name):
        [owner] = (kind for kind in Settings.__mro__ if name in vars(kind).get("__annotations__", {}))
        assert f"``{name}``" in owner.__doc__

    @pytest.mark.parametrize("name", [field.name for field in fields(ParsingSettings)])
    def test_the_documentation_lists_how_strictly_a_request_is_read(self, name):
        assert f"\n| `{name}` |" in text_of("sandbox")
