"""Frames an attacker sent, and what came of them at the portal. No attack by itself.

A frame that a gateway took and the portal neither stored nor refused did not reach its target: it is no evidence for
any defence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from attacks.attack import Outcome
from sim.core.clock import world_time
from sim.portal.store import Reading
from sim.truth.ground_truth import Spoken, Truth


class Shot(NamedTuple):
    """One frame sent in a variant, in the name of a meter of a security mode. `of`: the genuine telegram it was made
    from, where there is one."""

    variant: str
    security: str
    address: str
    spoken: Spoken
    of: bytes = b""


Wanted = Callable[[Reading, Shot], bool]


def outcomes_of(shots: Sequence[Shot], truth: Truth, wanted: Wanted = lambda row, shot: True) -> list[Outcome]:
    """One outcome a (variant, security): frames the portal judged, portal records they changed, and why not. `wanted`
    says of a stored row whether it is what the attacker was after."""
    groups: dict[tuple[str, str], list[Shot]] = defaultdict(list)
    for shot in shots:
        groups[shot.variant, shot.security].append(shot)
    return [_outcome(variant, security, rows, truth, wanted) for (variant, security), rows in groups.items()]


def _outcome(variant: str, security: str, shots: list[Shot], truth: Truth, wanted: Wanted) -> Outcome:
    stored = [truth.rows_of(shot.spoken) for shot in shots]
    refused = [truth.refused(shot.spoken.telegram) for shot in shots]
    taken = sum(bool(shot.spoken.taken) for shot in shots)
    judged = sum(bool(s.spoken.taken and (rows or why)) for s, rows, why in zip(shots, stored, refused, strict=True))
    achieved = sum(any(wanted(row, shot) for row in rows) for shot, rows in zip(shots, stored, strict=True))
    reasons = sorted({reason for rows, why in zip(stored, refused, strict=True) if not rows for reason in why})
    evidence: dict[str, int | float | str] = {
        "sent": len(shots),
        "delivered": taken,
        "judged by the portal": judged,
        "records changed": achieved,
        "alarms": sum(bool(truth.alarms(["freshness"], subject=s.address, since_ns=s.spoken.start_ns)) for s in shots),
    }
    if reasons:
        evidence["refused as"] = ", ".join(reasons)
    evidence["first at"] = f"{world_time(shots[0].spoken.start_ns)}, meter {shots[0].address}"
    if achieved:
        why = "the portal stored it as a reading"
    else:
        why = f"refused: {', '.join(reasons)}" if reasons else "nothing the attacker wanted was stored"
    return Outcome(variant, security, judged, achieved, why=why, evidence=evidence)
