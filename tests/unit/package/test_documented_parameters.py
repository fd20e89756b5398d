"""The tables of parameters are those of the operators and sensors: names and defaults."""

from __future__ import annotations

import ast
import inspect
import re

import pytest
from support.documentation import text_of

from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.bucket import AnyCostBucketDropOperator
from cloudzero_provider.operators.plan import TelemetryPlanOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

#: The parameters of Airflow's own that our base classes name, to give them another default.
OF_AIRFLOW = {"mode", "poke_interval", "max_active_tis_per_dag"}
#: Those that every sensor has anyway, and the page explains.
EXPLAINED = {"timeout"}


def tables(page: str) -> list[dict[str, str]]:
    """The tables of parameters of a page: name → default."""
    found: list[dict[str, str]] = []
    for line in text_of(page).splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| parameter |"):
            found.append({})
        elif line.startswith("| `") and found:
            names = re.findall(r"`([a-z_]+)`", cells[0])
            defaults = cells[1].split(" · ") if " · " in cells[1] else [cells[1]] * len(names)
            found[-1] |= dict(zip(names, defaults, strict=True))
        elif not line.startswith("|---"):
            found.append({})
    return [table for table in found if table]


def signature(of: type) -> dict[str, inspect.Parameter]:
    """What the class, and its base classes in this package, name themselves."""
    named: dict[str, inspect.Parameter] = {}
    for kind in of.__mro__:
        if kind.__module__.startswith("cloudzero_provider") and "__init__" in vars(kind):
            own = inspect.signature(inspect.unwrap(vars(kind)["__init__"])).parameters.values()
            named |= {p.name: p for p in own if p.kind is p.KEYWORD_ONLY and p.name not in named}
    return named


[DROP] = [table for table in tables("billing-drops") if "operation" in table]
[BUCKET] = [table for table in tables("bucket") if "bucket_path" in table]
[SEND] = [table for table in tables("telemetry") if "replace_in_same_run" in table]
#: Besides its own table, the plan has the parameters of the sending operator, except those that only matter to a write.
[PLAN] = [table for table in tables("telemetry") if "report_file" in table]
OF_WRITES = {"check_only", "replace_in_same_run", "max_active_tis_per_dag"}
COMMON, DROP_WAIT, STREAM_WAIT = tables("waiting")


@pytest.mark.parametrize(
    ("operator", "documented"),
    [
        pytest.param(AnyCostBillingDropOperator, DROP, id="drop operator"),
        pytest.param(AnyCostBucketDropOperator, BUCKET, id="bucket operator"),
        pytest.param(TelemetrySendOperator, SEND, id="telemetry operator"),
        pytest.param(
            TelemetryPlanOperator,
            PLAN | {name: default for name, default in SEND.items() if name not in OF_WRITES},
            id="telemetry plan operator",
        ),
        pytest.param(AnyCostBillingDropSensor, COMMON | DROP_WAIT, id="drop sensor"),
        pytest.param(CloudZeroStreamStatusSensor, COMMON | STREAM_WAIT, id="stream sensor"),
    ],
)
class TestParameters:
    def test_all_are_in_the_table_and_no_others(self, operator, documented):
        assert set(documented) - EXPLAINED == set(signature(operator))

    def test_defaults(self, operator, documented):
        parameters = signature(operator)
        told = {
            name: ast.literal_eval(default.strip("`").replace(",", ""))
            for name, default in documented.items()
            if re.fullmatch(r'`("[A-Za-z_]+"|[0-9.]+|True|False)`|[0-9,]+', default)
        }
        assert told == {name: parameters[name].default for name in told}
        assert told
