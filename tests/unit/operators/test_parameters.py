"""
Every switch and every number that a user can set takes what it says, and nothing else.

What there is to set is found in the signatures, so that a new parameter which nobody reads strictly fails here.
"""

from __future__ import annotations

import inspect
import math
import pkgutil
import re
from dataclasses import is_dataclass
from importlib import import_module
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowException, BaseOperator, BaseSensorOperator, task
from airflow.triggers.base import BaseTrigger

import cloudzero_provider
from cloudzero_provider.client import Client
from cloudzero_provider.exceptions import ConfigurationError
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator

#: Modules whose functions the documentation uses.
OF_FUNCTIONS = (
    "anycost",
    "anycost.checks",
    "anycost.focus",
    "anycost.send",
    "anycost.readback",
    "anycost.file_writers",
) + (*("sources", "transforms", "telemetry.batches", "telemetry.checks", "telemetry.send", "telemetry.table_records"),)
#: Functions that are public for the other modules only: what they take has been read by then.
INSIDE = {"row_number", "summarize", "summarize_cleared"}
#: Classes of settings are called so.
SETTINGS = re.compile(r"\w*(Options|Limits|Config|Rules)|Wanted[A-Z]\w*")
#: Parameters that Airflow reads when it parses the DAG, with what it says of wrong ones.
OF_AIRFLOW = {
    "max_active_tis_per_dag": (TypeError, "max_active_tis_per_dag"),
    "poke_interval": ((ValueError, AirflowException), "poke_interval"),
}


class Untouched:
    """Rows that nobody may look at."""

    def __getattr__(self, name):
        raise AssertionError(f"the rows were looked at ({name})")

    __iter__ = __len__ = __call__ = lambda self, *_: self.__getattr__("as a whole")


#: Values for what has no default, by the name of the parameter.
NEEDED = {
    "task_id": "send",
    "stream_name": "orders",
    "stream_type": "metric",
    "path": "march.csv",
    "cloudzero_conn_id": "no_such_connection",
    "poll_interval": 60.0,
    "deadline": 2e9,
    "api_key": "a-key",
    "connection_id": "1234abcd",
    "anycost_connection_id": "1234abcd",
    "month": "2026-03",
}


def modules():
    found = pkgutil.walk_packages(cloudzero_provider.__path__, "cloudzero_provider.")
    # The command line needs an extra, and its options are read by Typer first.
    return [import_module(name) for _, name, _ in found if not {"cli", "sandbox"} & set(name.split("."))]


def own(kind, module):
    return [
        (name, member)
        for name, member in inspect.getmembers(module, kind)
        if not name.startswith("_") and member.__module__.startswith("cloudzero_provider.")
    ]


def signature_of(kind):
    """The parameters that a class, and its base classes in this package, name themselves."""
    named = {}
    for base in kind.__mro__:
        if base.__module__.startswith("cloudzero_provider.") and "__init__" in vars(base):
            named = {**inspect.signature(vars(base)["__init__"]).parameters, **named}
    return named


def settable(parameters):
    """The switches and numbers: name → the types that its annotation has."""
    found = {}
    for parameter in parameters.values():
        kinds = set(re.sub(r"\[[^]]*\]", "", str(parameter.annotation)).split(" | "))
        if kinds & {"bool", "int", "float"} and parameter.kind is not parameter.VAR_KEYWORD:
            found[parameter.name] = kinds
    return found


def needed(parameters):
    """What a call can't do without."""
    given = {}
    for parameter in parameters.values():
        has_none = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD,
            parameter.VAR_POSITIONAL,
        )
        if has_none and parameter.name != "self":
            given[parameter.name] = NEEDED.get(parameter.name, Untouched())
    return given


def context(of):
    ti = SimpleNamespace(try_number=1, max_tries=0, xcom_push=lambda **_: None)
    return {"ti": ti, "task": of, "dag_run": None}


def executed(kind):
    def call(**arguments):
        defaults = needed(signature_of(kind))
        if "records" in signature_of(kind):
            defaults["records"] = Untouched()
        if issubclass(kind, BaseSensorOperator):
            defaults["mode"] = "poke"
        made = kind(**{"task_id": "send", **defaults, **arguments})
        made.execute(context(made))

    return call


def decorated(flavour, kind):
    def call(**arguments):
        with DAG("decorated", schedule=None):
            given = {**needed(signature_of(kind)), **arguments}
            made = flavour(**given)(Untouched().__getattr__)("called").operator
        made.execute(context(made))

    return call


def plainly(function, parameters):
    def call(**arguments):
        result = function(**{**needed(parameters), **arguments})
        if inspect.isgenerator(result):
            list(result)

    return call


def operators_and_triggers():
    for module in modules():
        for name, kind in own(inspect.isclass, module):
            # Bases are in private modules.
            if issubclass(kind, BaseOperator) and "._" not in kind.__module__:
                yield name, executed(kind), signature_of(kind)
            elif issubclass(kind, BaseTrigger):
                yield name, plainly(kind, signature_of(kind)), signature_of(kind)
            elif is_dataclass(kind) and SETTINGS.fullmatch(name):
                yield name, plainly(kind, inspect.signature(kind).parameters), inspect.signature(kind).parameters


def decorators():
    for flavour, kind in (
        (task.cloudzero_billing_drop, AnyCostBillingDropOperator),
        (task.cloudzero_telemetry, TelemetrySendOperator),
    ):
        taken = {name: value for name, value in signature_of(kind).items() if name != "allow_equal_files"}
        yield f"@task of {kind.__name__}", decorated(flavour, kind), taken


def functions():
    for name in OF_FUNCTIONS:
        module = import_module(f"cloudzero_provider.{name}")
        for function_name, function in own(inspect.isfunction, module):
            if function_name in INSIDE or not function.__module__.startswith(module.__name__):
                continue
            parameters = inspect.signature(function).parameters
            yield function_name, plainly(function, parameters), parameters


def methods():
    client = Client("a-key", base_url="http://127.0.0.1:1", max_retry_seconds=0)
    for of in (client, CloudZeroHook()):
        for name, method in inspect.getmembers(type(of), inspect.isfunction):
            if not name.startswith("_") and method.__module__.startswith("cloudzero_provider."):
                bound = vars(type(of)).get(name, method).__get__(of)
                parameters = inspect.signature(bound).parameters
                yield f"{type(of).__name__}.{name}", plainly(bound, parameters), parameters


def everything():
    found = {}
    for name, call, parameters in (*operators_and_triggers(), *decorators(), *functions(), *methods()):
        for parameter, kinds in settable(parameters).items():
            found[f"{name}({parameter})"] = (call, parameter, kinds)
    return found


EVERYTHING = everything()
READ_HERE = {key: value for key, value in EVERYTHING.items() if value[1] not in OF_AIRFLOW}


def wrong_values(kinds):
    """What the types of a parameter do not allow."""
    if "bool" in kinds:
        wrong = ["no", "yes", "1", "None", "", 0, 1, []]
        wrong += [] if "str" in kinds else ["true", "False"]
    else:
        wrong = ["many", "", "1,5", "None", True, False, math.nan, math.inf, []]
        wrong += [] if "str" in kinds else ["1", "0.5"]
        wrong += [10**400] if "float" in kinds else [1.0, 2.5]
    return wrong if "None" in kinds else [*wrong, None]


def test_what_is_looked_at_is_all_there_is():
    names = set(EVERYTHING)
    assert names >= {
        *(
            f"AnyCostBillingDropOperator({name})"
            for name in ("check_only", "verify", "min_rows_ratio", "max_month_rows")
        ),
        *(f"TelemetrySendOperator({name})" for name in ("check_only", "clear_periods", "max_batch_records")),
        *(f"@task of TelemetrySendOperator({name})" for name in ("check_only", "max_body_bytes")),
        *("AnyCostBillingDropSensor(rows)", "CloudZeroStreamStatusSensor(deferrable)"),
        *("AnyCostBillingDropTrigger(deadline)", "SendOptions(min_rows_ratio)", "TelemetryOptions(clear_periods)"),
        *("Limits(max_body_bytes)", "BatchLimits(max_batch_records)", "ClientConfig(timeout)", "WantedDrop(or_more)"),
        *("check_rows(allow_unknown_columns)", "make_batches(clear_periods)"),
        *("Client.delete_stream(force)", "Client.list_connections(limit)", "Client.processed_records(limit)"),
    }


@pytest.mark.parametrize("entry", READ_HERE)
def test_anything_else_is_refused_before_anything_is_read(entry):
    call, parameter, kinds = READ_HERE[entry]
    for value in wrong_values(kinds):
        with pytest.raises(ConfigurationError) as refused:
            call(**{parameter: value})
        shown = repr(value)[:60]
        assert str(refused.value).startswith(f"{parameter} is {shown}"), value
        assert ": expected " in str(refused.value)


@pytest.mark.parametrize("entry", [entry for entry in EVERYTHING if entry not in READ_HERE])
def test_what_airflow_reads_is_refused_when_the_dag_is_parsed(entry):
    call, parameter, _ = EVERYTHING[entry]
    kind, words = OF_AIRFLOW[parameter]
    with pytest.raises(kind, match=words):
        call(**{parameter: "2"})


@pytest.mark.parametrize("kind", [AnyCostBillingDropOperator, TelemetrySendOperator])
def test_text_is_allowed_where_templates_are(kind):
    """What a template renders to is text; what is no template field takes none."""
    found = settable(signature_of(kind))
    assert {name for name, kinds in found.items() if "str" in kinds} == found.keys() & set(kind.template_fields)


@pytest.mark.parametrize("name", ["soft_fail", "silent_fail", "never_fail"])
def test_a_sensor_reads_the_switches_of_airflow_too(name):
    """A failure that is taken for a skipped task is green enough for what comes after it."""
    from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor

    with pytest.raises(ConfigurationError, match=rf"^{name} is 'false': expected True or False\.$"):
        executed(AnyCostBillingDropSensor)(**{name: "false"})


def test_client_options_are_read():
    with pytest.raises(ConfigurationError, match=r"^timeout is '60': expected a number, 0 to 604,800 seconds"):
        Client("a-key", timeout="60")
    assert Client("a-key", timeout=60).config.timeout == 60.0
