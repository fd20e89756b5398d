"""
Telemetry under fire: whatever is lost, refused, throttled, slow, killed, retried or cleared, the promise holds.

``CLOUDZERO_SCENARIOS=10000`` runs as many, other ones each time (``support/fire/settings.py``); ``scripts/fire.py`` spreads
them over processes.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowSkipException
from hypothesis import given
from support.fire.script import Killed
from support.fire.settings import count_scenario, scenarios, tally
from support.fire.telemetry_scenarios import SCENARIOS, Scenario
from support.fire.telemetry_trial import Trial, heals
from support.fire.world import World

COUNTS = tally("telemetry")
SEEN: set[int] = set()


@scenarios(300)
@given(scenario=SCENARIOS)
def test_telemetry_is_exact_after_every_attempt_and_a_run_without_faults_heals(
    world: World, scenario: Scenario
) -> None:
    fired = world.fired.copy()
    trial = Trial(world, scenario)
    endings = [
        trial.attempt(script, shuffled=shuffled)
        for script, shuffled in zip(scenario.scripts, scenario.shuffled, strict=True)
    ]
    healed = heals(trial)
    COUNTS.update({f"fired: {name}": count for name, count in (world.fired - fired).items()})
    SEEN.add(hash(repr(scenario)))
    COUNTS["different scenarios"] = len(SEEN)
    count_scenario(COUNTS)
    COUNTS[f"with {scenario.order.operation}"] += 1
    for name in ("replace_match", "key_set_per_stream"):
        COUNTS[f"with {name}={scenario.settings[name]}"] += 1
    COUNTS["with records that others of the task replace by their properties"] += (
        not scenario.order.is_refused() and any(map(scenario.order.is_replaced, scenario.order.sums))
    )
    COUNTS["records"] += len(scenario.order.records)
    COUNTS["requests of the task"] += len(world.requests())
    for ending in endings:
        COUNTS[_ended(ending.raised)] += 1
        COUNTS["tries that succeeded under fire"] += ending.raised is None and ending.fired > 0
    COUNTS["scenarios in which a try failed or was killed, then healed"] += healed.raised is None and any(
        ending.raised for ending in endings
    )


def _ended(raised: BaseException | None) -> str:
    if raised is None:
        return "tries that succeeded"
    if isinstance(raised, Killed):
        return "tries that were killed"
    kind = "skipped" if isinstance(raised, AirflowSkipException) else type(raised).__name__
    return f"tries that ended as {kind}"
