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


WHOLE = "A reason is one that there is, and stands there whole."


@defect("part-of-a-reason-is-enough", RIG, WHOLE, plays.VERDICTS)
def _(patch: Patch) -> None:
    """Any part of a reason that was given counts as the one that was expected."""

    def instead(original: Any, subject: Any, because: tuple[str, ...]) -> list[str]:
        given = {reason for shot in subject.shots for reason in shot.reasons} or {subject.why}
        return [one for one in given if because and not any(part in one for part in because)]

    patch.around("bench.rig.verdict:_other_reasons", instead)


@defect("unknown-reason-is-believed", RIG, WHOLE, plays.REASONS)
def _(patch: Patch) -> None:
    """What a scenario expects as a reason is not looked up."""
    patch.around("bench.rig.whole_reasons:read", lambda original, because, record: tuple(because.split(" | ")))


@defect("one-lucky-control-is-enough", RIG, CONTROL, plays.VERDICTS)
def _(patch: Patch) -> None:
    """One success of six proves as much as six of six."""
    patch.around("bench.rig.verdict:_share", lambda original, control: 1.0)


@defect("first-control-is-borrowed", RIG, CONTROL, plays.VERDICTS)
def _(patch: Patch) -> None:
    """Of another mode's controls the first is taken, however seldom it succeeded."""
    patch.around("bench.rig.verdict:_best", lambda original, worked: worked[0])


NAMES = "What a scenario names, there is."


@defect("unknown-threat-is-believed", RIG, NAMES, plays.WORDS)
def _(patch: Patch) -> None:
    """A threat that is not on the list counts as one."""
    patch.around("bench.rig.attack_record:known_threats", lambda original, ids, whose="": None)


@defect("setting-of-no-world-is-believed", RIG, NAMES, plays.ATTACK_RECORDS)
def _(patch: Patch) -> None:
    """A control may set what no world has: it is the run with all defences then."""
    patch.around("bench.rig.attack_record:_refused", lambda original, key, value: "")


@defect("unknown-word-is-believed", RIG, NAMES, plays.WORDS)
def _(patch: Patch) -> None:
    """A form's words are not looked up."""
    patch.around("bench.rig.frame_words:_known", lambda original, *arguments: None)


@defect("misspelt-variant-is-silent", RIG, NAMES, plays.WORDS)
def _(patch: Patch) -> None:
    """A scenario may speak of a variant that the attack has not."""
    patch.around("bench.rig.judgement:_misspelt", lambda original, *arguments: {})
