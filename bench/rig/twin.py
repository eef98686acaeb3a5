"""What an attacked world is held against: the same world without its attackers, and what nobody may have changed.

The clean twin has the seed, the settings and the faults of the run with the defences on; only the attackers stay away.
An alarm that it raises too is no detection, and readings that meters nobody attacks give there must come here as well.
Who only listens changes nothing: his world is its own clean twin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from attacks.attack import ACTIVE, Outcome
from bench.rig.scenario import Stage
from sim.core.events import AlarmRaised
from sim.portal.portal_spec import PortalSpec
from sim.truth.bills import wrong_bills

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Twin:
    """Of a world that is over. `readings`: meter -> how many of its telegrams became readings."""

    readings: dict[int, int] = field(default_factory=dict)
    alarms: Sequence[AlarmRaised] = ()

    @property
    def false_alarms(self) -> dict[str, int]:
        """Kind -> how many; what a clean world raises is false."""
        return dict(sorted(Counter(alarm.kind for alarm in self.alarms).items()))


def twin_of(stage: Stage) -> Twin:
    tampered = stage.truth.tampered()  # by the scenario, with or without an attacker
    alarms = [a for a in stage.history.of(AlarmRaised) if not (a.kind == "tamper" and a.subject in tampered)]
    return Twin(stage.truth.readings_by_meter(), tuple(alarms))


def active(stage: Stage) -> bool:
    """Does an attacker on stage do more than listen?"""
    return any(staged.attack.record.can & ACTIVE for staged in stage.staged)


def unwanted(stage: Stage, outcomes: Iterable[tuple[Any, Outcome]], twin: Twin | None) -> list[str]:
    """What is not as it must be in an attacked world, whatever the attack was after."""
    found = [outcome for _, outcome in outcomes]
    return [*_unexplained(stage, found), *_bills(stage), *(_service(stage, found, twin) if twin is not None else [])]


def _unexplained(stage: Stage, outcomes: Sequence[Outcome]) -> list[str]:
    """Records that are not genuine, and that no attacker's bytes explain. (Wrong values have a check of their own.)
    What comes late through a gateway whose path is attacked is genuine and late."""
    delayed = {name for one in outcomes for name in one.attacked}
    found = [
        one
        for one in stage.truth.unexplained()
        if one.how != "wrong" and not (one.how == "stale" and one.row.gateway in delayed)
    ]
    if not found:
        return []
    counts = ", ".join(f"{count} {how}" for how, count in sorted(Counter(one.how for one in found).items()))
    return [f"nothing else changed: {counts} readings that no attacker's bytes explain, first {found[0].row}"]


def _bills(stage: Stage) -> list[str]:
    """Bills are right, but of meters of which a forged reading was taken. Where bills are weak by setting, that is the
    scenario's business."""
    if stage.spec.portal.billing != PortalSpec().billing:
        return []
    truth = stage.truth
    forged = {one.row.meter for one in truth.altered() if one.how != "wrong"}
    wrong = [bill for bill in wrong_bills(truth) if bill.meter not in forged]
    shown = "; ".join(map(str, wrong[:SHOWN]))
    return [f"bills at the set date: {len(wrong)} meters are billed wrongly ({shown})"] if wrong else []


def _service(stage: Stage, outcomes: Sequence[Outcome], twin: Twin) -> list[str]:
    """Readings of meters that are not attacked, next to the clean twin's."""
    fleet = stage.inner.fleet
    attacked = {name for one in outcomes for name in (*one.attacked, *(shot.address for shot in one.shots))}
    others = [meter for meter in range(fleet.n) if str(fleet.address(meter)) not in attacked]
    now = stage.truth.readings_by_meter()
    here, there = (sum(readings.get(meter, 0) for meter in others) for readings in (now, twin.readings))
    if here >= stage.service_floor * there:
        return []
    return [
        f"service: {here} readings of {len(others)} meters that nobody attacked, {there} in the clean twin "
        f"(at least {stage.service_floor:.0%})"
    ]
