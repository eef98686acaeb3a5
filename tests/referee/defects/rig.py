"""The bench itself: what it runs is not what it says it ran."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.referee.defect import RIG, Patch, defect
from tests.referee.defects import plays

RUN_ONE = "bench.rig.scenario_run:Bout._run_one"
CONTROL = "The control shows that the attack works."


@defect("control-without-weakness", RIG, CONTROL, plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """The control runs with all defences on, and its outcomes are counted as the weak ones."""
    patch.around(
        RUN_ONE,
        lambda original, bout, defences, spec: original(bout, defences, bout._spec() if defences == "off" else spec),
    )


@defect("named-defences-not-set", RIG, "Each named run has its own settings.", plays.HOLD_BACK)
def _(patch: Patch) -> None:
    """Runs under named defences run with all of them on."""
    patch.around(
        RUN_ONE,
        lambda original, bout, defences, spec: original(
            bout, defences, spec if defences in ("on", "off") else bout._spec()
        ),
    )


@defect("control-of-another-world", RIG, CONTROL, plays.WORMHOLE)
def _(patch: Patch) -> None:
    """In the control the attacker stands where nobody hears it."""
    from attacks.reach import Place

    def instead(original: Any, record: Any, world: Any, place: Place) -> Any:
        if "bind" not in world.spec.portal.checks:
            place = replace(place, mouth=Place(metres=500.0, power_dbm=-60.0))
        return original(record, world, place)

    patch.around("bench.rig.scenario:reach_for", instead)


@defect("deaf-world", RIG, "A world in which nothing was heard shows nothing.", plays.WORMHOLE)
def _(patch: Patch) -> None:
    """No gateway hears anything: their sensitivity is 0 dBm."""
    from bench.rig.scenario_run import Bout

    def instead(original: Any, bout: Bout) -> Any:
        return original(bout).with_setting("gateway.sensitivity_dbm", 0.0)

    patch.around("bench.rig.scenario_run:Bout._spec", instead)


@defect("deaf-world-without-attack", RIG, "A world in which nothing was heard shows nothing.", plays.POWER)
def _(patch: Patch) -> None:
    """No gateway hears anything: their sensitivity is 0 dBm."""
    from bench.rig.scenario_run import Bout

    def instead(original: Any, bout: Bout) -> Any:
        return original(bout).with_setting("gateway.sensitivity_dbm", 0.0)

    patch.around("bench.rig.scenario_run:Bout._spec", instead)


@defect("attack-never-begins", RIG, "Each attack on stage is made.", plays.WORMHOLE)
def _(patch: Patch) -> None:
    """The attacks on stage are left out of the world."""
    patch.around("attacks.wormhole:Wormhole.run", lambda original, attack, reach: (_ for _ in ()))
    patch.around("attacks.wormhole:Wormhole.outcomes", lambda original, attack, truth: [])


@defect("one-shot-is-enough", RIG, "Three shots at least arrived.", plays.DOWNGRADE)
def _(patch: Patch) -> None:
    """Of each variant one frame is sent, and no more."""
    from sim.truth.ground_truth import Spoken

    seen: dict[int, int] = {}

    def instead(original: Any, reach: Any, telegram: bytes, **named: Any) -> Any:
        kind = len(telegram)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] > 1:
            return Spoken(-1, 0, reach.now_ns, telegram)
        return original(reach, telegram, **named)

    def fresh(original: Any, bout: Any, defences: str, spec: Any) -> Any:
        seen.clear()
        return original(bout, defences, spec)

    patch.around("attacks.reach:_Speak.speak", instead)
    patch.around(RUN_ONE, fresh)
