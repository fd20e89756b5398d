from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import airflow
import jsonschema
from airflow.providers.common.compat.sdk import BaseOperatorLink, task

from cloudzero_provider.get_provider_info import get_provider_info
from cloudzero_provider.hooks.cloudzero import CloudZeroHook
from cloudzero_provider.operators.anycost import AnyCostBillingDropOperator, AnyCostBillingDropReadOperator
from cloudzero_provider.operators.telemetry import TelemetrySendOperator
from cloudzero_provider.sensors.anycost import AnyCostBillingDropSensor
from cloudzero_provider.sensors.telemetry import CloudZeroStreamStatusSensor

INFO = get_provider_info()
(CONNECTION,) = INFO["connection-types"]


def named(path):
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)


def test_airflow_finds_the_provider_by_its_entry_point():
    (found,) = entry_points(
        group="apache_airflow_provider", name="provider_info", module="cloudzero_provider.get_provider_info"
    )
    assert found.load()() == INFO


def test_the_metadata_is_what_airflow_takes():
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)
    authoring = json.loads((Path(airflow.__file__).parent / "provider.yaml.schema.json").read_text())
    allowed = authoring["properties"]["connection-types"]["items"]
    jsonschema.validate(CONNECTION, {**allowed, "definitions": authoring.get("definitions", {})})


def test_every_module_and_class_it_names_is_there():
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in INFO[kind]:
            for module in entry["python-modules"]:
                import_module(module)
    for flavour in INFO["task-decorators"]:
        assert getattr(task, flavour["name"]) is named(flavour["class-name"])
    for link in INFO["extra-links"]:
        assert issubclass(named(link), BaseOperatorLink)
    assert named(CONNECTION["hook-class-name"]) is CloudZeroHook


def test_it_names_every_link_that_a_task_has():
    classes = [AnyCostBillingDropOperator, AnyCostBillingDropReadOperator, TelemetrySendOperator]
    classes += [AnyCostBillingDropSensor, CloudZeroStreamStatusSensor]
    links = {f"{type(link).__module__}.{type(link).__name__}" for made in classes for link in made.operator_extra_links}
    assert links == set(INFO["extra-links"])
    assert all(made.operator_extra_links for made in classes)


def test_the_hook_says_the_same_as_the_metadata():
    assert CloudZeroHook.conn_type == CONNECTION["connection-type"] == "cloudzero"
    assert CloudZeroHook.hook_name == CONNECTION["hook-name"] == "CloudZero"
    form = CONNECTION["ui-field-behaviour"]
    assert CloudZeroHook.get_ui_field_behaviour() == {
        "hidden_fields": form["hidden-fields"],
        "relabeling": form["relabeling"],
        "placeholders": form["placeholders"],
    }
    assert form["relabeling"]["password"] == "API key"


def test_the_form_has_a_field_for_every_extra_that_the_hook_reads():
    fields = CONNECTION["conn-fields"]
    assert set(fields) == {"anycost_connection_id", "timeout", "max_retry_seconds", "settle_seconds", "allow_http"}
    assert all(field["label"] and field["description"] for field in fields.values())
