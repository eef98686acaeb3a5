"""Wormhole: tunnel telegrams to another gateway, live."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts.jam_and_capture import InBetween
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.settings import without
from sim.truth.ground_truth import Truth, fingerprint

TUNNEL = "live, through a gateway that cannot hear the meter"


@attack(
    id="radio.wormhole",
    title="Tunnel telegrams to another gateway",
    threats=["L12"],
    can=Can.HEAR | Can.SPEAK | Can.SHAPE,
    ics=["T0830", "T0856", "T0860"],
    weakness={"portal.checks": without("bind")},
    seen_as="refused: foreign gateway",
    forms={TUNNEL: form(age_s=(0, 5), behind=(0, 0))},
)
@dataclass
class Wormhole(InBetween):
    """A receiver near the meters, a transmitter beside a gateway that is out of their reach, a line between them: each
    telegram is spoken there a fraction of a second after it was heard here, and the meter's own gateway is kept from
    hearing it. Bytes, counter and time are genuine and fresh; only the place is false, so a meter that was carried
    away, or hangs on a colder wall, goes on being read.
    """

    until_s: float = 2_400.0
    delay_s: float = 0.2
    makers: tuple[str, ...] = ("QDS", "TCH")
    shots: list[Shot] = field(default_factory=list)

    def deliver(self, reach: Reach, known: Known, heard: Heard) -> Steps:
        yield reach.wait(self.delay_s)
        reach.note("speak", f"tunnelled: {known.address}, telegram {fingerprint(heard.telegram)}")
        spoken = self.shadow.speak(reach, heard.telegram)
        self.shots.append(Shot(TUNNEL, known.security, known.address, spoken, heard.telegram))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = outcomes_of(self.shots, truth)
        for outcome in found:
            through = {row.gateway for one in outcome.shots for row in one.rows}
            if outcome.achieved:
                outcome.evidence["stored through"] = ", ".join(sorted(through))
        return found
