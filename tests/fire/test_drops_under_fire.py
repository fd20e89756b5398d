"""
Billing drops under fire: whatever is lost, refused, slow, killed, retried or cleared, the promise holds.

``CLOUDZERO_SCENARIOS=10000`` runs as many, other ones each time (``support/fire/settings.py``); ``scripts/fire.py`` spreads
them over processes.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from support.fire.drops_scenario import SCENARIOS, Scenario
from support.fire.drops_trial import DROPS, Trial, heals
from support.fire.drops_truth import Rows
from support.fire.script import Killed, Script, Stop
from support.fire.settings import count_scenario, scenarios, tally
from support.fire.world import Ending, World

COUNTS = tally("drops")
SEEN: set[int] = set()


#: Sent, cleared, killed before its journal was open: the retry took what was sent before the clear for its own.
CLEARED_AND_KILLED = Scenario(
    Rows(count=1),
    operation="sum",
    tries=(Script(), Script(stop=Stop("store", 0, "before"), cleared=True), Script()),
)


@scenarios(200)
@given(scenario=SCENARIOS)
@example(scenario=CLEARED_AND_KILLED)
def test_the_promise_holds_after_every_attempt_and_a_run_without_faults_heals(world: World, scenario: Scenario) -> None:
    fired = world.fired.copy()
    trial = Trial(world, scenario)
    endings = [trial.attempt(script) for script in scenario.tries]
    heals(trial)
    _count(scenario, endings, world.fired - fired)


def _count(scenario: Scenario, endings: list[Ending], fired: Counter[str]) -> None:
    """Keep the books, for those who want to see that it was a fire."""
    SEEN.add(hash(repr(scenario)))
    COUNTS["different scenarios"] = len(SEEN)
    count_scenario(COUNTS)
    COUNTS[f"scenarios with {scenario.operation}"] += 1
    COUNTS["scenarios in which a try failed or was killed, then healed"] += any(ending.raised for ending in endings)
    COUNTS["scenarios with hours that need several requests"] += bool(scenario.giant_hours)
    COUNTS.update({f"fired: {name}": count for name, count in fired.items()})
    COUNTS["tries"] += len(endings) + 1
    for ending in endings:
        writes = [request for request in ending.requests if request["path"] == DROPS and request["method"] == "POST"]
        COUNTS["requests"] += len(ending.requests)
        COUNTS["writes"] += len(writes)
        COUNTS["writes that a fault hit"] += sum(request["fault"] is not None for request in writes)
        COUNTS[_ended(ending)] += 1


def _ended(ending: Ending) -> str:
    if ending.raised is None:
        return "tries that succeeded" + (" under fire" if ending.fired else "")
    if isinstance(ending.raised, Killed):
        return "tries that were killed"
    return f"tries that ended as {type(ending.raised).__name__}"
