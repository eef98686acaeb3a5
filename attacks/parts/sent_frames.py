"""What an attacker sent, by radio or by the network, and what came of it at the portal. No attack by itself.

What a gateway took and the portal neither stored nor refused did not reach its target: it is no evidence for any
defence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

from attacks.attack import Landed, Outcome
from sim.core.clock import world_time
from sim.portal.store import Reading
from sim.truth.ground_truth import Spoken, Truth


class Shot(NamedTuple):
    """Bytes sent in a variant, in the name of a meter of a security mode. `of`: the genuine telegram that they were
    made from."""

    variant: str
    security: str
    address: str
    spoken: Spoken
    of: bytes = b""


SAID: Final = frozenset({"units", "set_date", "set_date_units", "status", "tamper", "volume_m3", "energy_kwh"})
"""Columns of a reading that are what its meter said of itself."""
NOTHING_STORED: Final = "nothing the attacker wanted was stored"
Wanted = Callable[[Reading, Shot], bool]


def published(telegram: bytes, gateway: str, at_ns: int) -> Spoken:
    """The receipt of bytes that were brought by the network, in the name of a gateway."""
    return Spoken(-1, 0, at_ns, telegram, [(gateway, at_ns)])


def landed(shot: Shot, truth: Truth) -> Landed:
    """What came of one shot. Rows are the shot's by their bytes alone; a frame that nobody took has none."""
    spoken = shot.spoken
    rows = truth.rows_of(spoken.telegram) if spoken.taken else []
    return Landed(
        shot.address, spoken.start_ns, shot.of, spoken.telegram, tuple(spoken.taken),
        tuple(dict.fromkeys(truth.refused(spoken.telegram))), tuple(rows), spoken.source, spoken.k,
    )  # fmt: skip


def alters(row: Reading, shot: Shot, truth: Truth) -> frozenset[str]:
    """Columns in which a row says something else of the meter than the genuine telegram did. The time that stands
    beside it and the numbers that tell one telegram from the other do not count. What was made from no telegram of the
    fleet's is new in all."""
    differing = truth.differing(row, shot.of)
    return SAID if differing is None else differing & SAID


def outcomes_of(shots: Sequence[Shot], truth: Truth, wanted: Wanted = lambda row, shot: True) -> list[Outcome]:
    """One outcome a (variant, security): shots the portal judged, what it stored of them, and why not. `wanted` says of
    a stored row whether it is what the attacker was after. "records changed": shots of which a row says something else
    than the telegram they were made from; "stored again": those whose rows say the same once more."""
    return [_outcome(variant, security, rows, truth, wanted) for (variant, security), rows in by_variant(shots)]


def by_variant(shots: Sequence[Shot]) -> Iterable[tuple[tuple[str, str], list[Shot]]]:
    """((variant, security), its shots), in the order of the first ones."""
    groups: dict[tuple[str, str], list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[shot.variant, shot.security].append(shot)
    return groups.items()


def _outcome(variant: str, security: str, shots: list[Shot], truth: Truth, wanted: Wanted) -> Outcome:
    came = [landed(shot, truth) for shot in shots]
    judged = sum(one.arrived for one in came)
    achieved = sum(any(wanted(row, shot) for row in one.rows) for shot, one in zip(shots, came, strict=True))
    altered = [
        frozenset[str]().union(*(alters(row, shot, truth) for row in one.rows if wanted(row, shot)))
        for shot, one in zip(shots, came, strict=True)
    ]
    changed = sum(map(bool, altered))
    reasons = sorted({reason for one in came if not one.rows for reason in one.reasons})
    evidence: dict[str, int | float | str] = {
        "sent": len(shots),
        "delivered": sum(bool(one.taken) for one in came),
        "judged by the portal": judged,
        "records changed": changed,
        "stored again": achieved - changed,
        "alarms": sum(bool(truth.alarms(["freshness"], subject=s.address, since_ns=s.spoken.start_ns)) for s in shots),
    }
    if changed:
        evidence["changed in them"] = ", ".join(sorted(frozenset[str]().union(*altered)))
    if reasons:
        evidence["refused as"] = ", ".join(reasons)
    evidence["first at"] = f"{world_time(shots[0].spoken.start_ns)}, meter {shots[0].address}"
    if achieved:
        why = "the portal stored it as a reading"
        if achieved < judged:
            others = f"refused: {', '.join(reasons)}" if reasons else "not what the attacker wanted"
            why += f", {achieved} of {judged} shots; the others {others}"
    else:
        why = f"refused: {', '.join(reasons)}" if reasons else NOTHING_STORED
    return Outcome(variant, security, judged, achieved, why=why, evidence=evidence, shots=tuple(came))
