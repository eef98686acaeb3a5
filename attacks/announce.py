"""Onboarding: announce a known identification, and be believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth, fingerprint
from wmbus.link import SND_IR
from wmbus.telegram import build, parse

ANNOUNCED: Final = "announced in clear, then read in clear"
UNITS: Final = 4_711


@attack(
    id="radio.onboarding",
    title="Announce a known identification at onboarding",
    threats=["L24"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0860"],
    weakness={"portal.onboarding": "overwrite"},
    seen_as="alarm: onboarding; refused: profile",
    forms={ANNOUNCED: form("mode 0, own address, units and a clock in clear at the end", changed=None)},
)
@dataclass
class Announce:
    """An installation request (SND-IR) in a known meter's name that says it sends in clear; a quarter of an hour later
    telegrams in clear with units of our choice. Where the portal took the announcement into its books, the clear
    telegrams are what was agreed, and the meter's own are not. Counted are readings with these units.
    """

    learn_s: float = 600.0
    settle_s: float = 900.0
    each: int = 3
    makers: tuple[str, ...] = ("QDS",)
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)
    announced_ns: dict[str, int] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.learn_s)
        chosen = [
            (security, known)
            for security in SECURITIES
            for known in self.survey.loudest(security, makers=self.makers, least=2)[: self.each]
        ]
        for security, known in chosen:
            frame = self._telegram(reach, known, c_field=SND_IR)
            reach.note("announce", f"{known.address} ({security}) as a meter that sends in clear")
            self.announced_ns[known.address] = reach.now_ns
            reach.speak(frame)
            yield reach.wait(0.5)
        yield reach.wait_until(self.learn_s + self.settle_s)
        for security, known in chosen:
            latest = known.recordings[-1].telegram
            frame = self._telegram(reach, known)
            reach.note("speak", f"{ANNOUNCED}: {known.address}, telegram {fingerprint(frame)}")
            self.shots.append(Shot(ANNOUNCED, security, known.address, reach.speak(frame), latest))
            yield reach.wait(0.5)

    @staticmethod
    def _telegram(reach: Reach, known: Known, c_field: int = 0x44) -> bytes:
        latest = known.recordings[-1].telegram
        acc = (forgery.access_number(latest) + 1) % 256
        records = forgery.records_now(UNITS, reach.today())
        return build(parse(latest).address, acc, 0, records, security="none", c_field=c_field)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = outcomes_of(self.shots, truth, lambda row, _shot: row.units == UNITS)
        for outcome in found:
            meters = [shot.address for shot in self.shots if shot.security == outcome.security]
            alarms = [
                truth.alarms(["onboarding"], subject=meter, since_ns=self.announced_ns[meter]) for meter in meters
            ]
            late_s = [(raised[0].time_ns - self.announced_ns[meter]) / 1e9
                      for meter, raised in zip(meters, alarms, strict=True) if raised]  # fmt: skip
            outcome.evidence["meters with an onboarding alarm"] = f"{len(late_s)} of {len(meters)}"
            outcome.evidence["its latency, s"] = round(max(late_s)) if late_s else "none"
        return found
