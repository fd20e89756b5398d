"""Runs sensors as Airflow does: in a worker, or deferred to a trigger and resumed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred

from support.tasks import context

POKE, DEFERRABLE = "poke", "deferrable"


@dataclass
class Waited:
    """The result of a wait: how often the task was deferred, and what Airflow logs of it."""

    result: Any = None
    triggers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)


def made_again(path: str, arguments: dict[str, Any]) -> Any:
    """Recreate a trigger from its serialized form, as a triggerer does on start."""
    from importlib import import_module

    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)(**json.loads(json.dumps(arguments)))


def first_event(trigger: Any) -> dict[str, Any]:
    """Run a trigger until its event."""

    async def run() -> Any:
        async for event in trigger.run():
            return event.payload
        raise AssertionError("the trigger ended without an event")

    return json.loads(json.dumps(asyncio.run(run())))


def wait(sensor_class: type[Any], mode: str, waited: Waited | None = None, **arguments: Any) -> Waited:
    """Run a sensor to its end; raise errors as the worker gets them."""
    waited = waited or Waited()

    def made() -> Any:
        options = {"task_id": "wait", "poke_interval": 0.2, "timeout": 20, "mode": "poke", **arguments}
        return sensor_class(deferrable=mode == DEFERRABLE, **options)

    sensor = made()
    try:
        waited.result = sensor.execute(context(sensor))
    except TaskDeferred as deferred:
        while True:
            path, given = deferred.trigger.serialize()
            waited.triggers.append((path, given))
            waited.events.append(first_event(made_again(path, given)))
            sensor = made()
            try:
                kwargs = {"event": waited.events[-1]}
                waited.result = sensor.resume_execution(deferred.method_name, kwargs, context(sensor))
            except TaskDeferred as again:
                deferred = again
            else:
                return waited
    return waited
