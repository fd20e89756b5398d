"""
Billing drops under fire: whatever is lost, refused, slow, killed, retried or cleared, the promise holds.

``CLOUDZERO_SCENARIOS=10000`` runs as many, other ones each time (``fire_settings.py``); ``scripts/fire.py`` spreads
them over processes.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowSkipException
from drops_scenario import SCENARIOS, Scenario
from drops_trial import Trial, heals
from fire_script import Killed
from fire_settings import scenarios, tally
from fire_world import World
from hypothesis import given

COUNTS = tally("drops")


@scenarios(300)
@given(scenario=SCENARIOS)
def test_the_promise_holds_after_every_try_and_a_quiet_run_heals(world: World, scenario: Scenario) -> None:
    fired = world.fired.copy()
    trial = Trial(world, scenario)
    endings = [trial.attempt(script) for script in scenario.tries]
    heals(trial)
    COUNTS.update({f"fired: {name}": count for name, count in (world.fired - fired).items()})
    COUNTS["scenarios"] += 1
    COUNTS[f"with {scenario.operation}"] += 1
    COUNTS["tries"] += len(endings) + 1
    for number, ending in enumerate(endings):
        COUNTS[_ended(ending.raised)] += 1
        COUNTS["succeeded at the first try, under fire"] += number == 0 and ending.raised is None and ending.fired > 0
    COUNTS["scenarios in which a try failed or was killed, then healed"] += any(ending.raised for ending in endings)


def _ended(raised: BaseException | None) -> str:
    if raised is None:
        return "tries that succeeded"
    if isinstance(raised, Killed):
        return "tries that were killed"
    kind = "skipped" if isinstance(raised, AirflowSkipException) else type(raised).__name__
    return f"tries that ended as {kind}"
