"""A twin with a meter's key: telegrams of its own, properly sealed, far ahead of the meter's counter or one ahead."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from attacks.attack import Can, Outcome, Steps, Watch, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.settings import without
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth
from wmbus.telegram import build, parse

AHEAD = "counter a million ahead"
LAST = "one telegram with the last counter"
NEXT = "one telegram with the next number"


@attack(
    id="radio.key_twin",
    title="Speak in a meter's name with its key",
    threats=["M02"],
    can=Can.HEAR | Can.SPEAK | Can.METER_KEY,
    ics=["T0856", "T0814"],
    weakness={"portal.checks": without("jump")},
    seen_as="alarm: freshness; refused: counter jump",
    forms={
        AHEAD: form("mode 7", changed=None), LAST: form("mode 7", changed=None),
        **{f"{NEXT} / {security}": form(f"mode {mode}", changed=None)
           for security, mode in (("none", 0), ("mode5", 5), ("mode7", 7))},
    },
)
@dataclass
class KeyTwin:
    """Take meters of mode 7 apart, read their keys, and speak in their names beside them: "counter a million ahead"
    after each of the meter's telegrams, so that the portal takes the twin's for new and the meter's for old; "one
    telegram with the last counter" once, after which no counter would ever be new. `keeps_pace`: of each mode, once,
    under the number that the meter would use next, with which the meter then collides. Counted are records that hold
    the twin's units; the evidence says how many of the meter's own were refused since.
    """

    learn_s: float = 600.0
    each: int = 3
    keeps_pace: bool = False
    makers: tuple[str, ...] = ("QDS",)
    units: int = 5
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)
    _twins: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _own: set[bytes] = field(default_factory=set)
    begun_ns: int = 0

    def run(self, reach: Reach) -> Steps:
        reach.listen(lambda heard: self._heard(reach, heard))
        yield reach.wait_until(self.learn_s)
        self.begun_ns = reach.now_ns
        for security in SECURITIES if self.keeps_pace else ("mode7",):
            variants = (NEXT,) if self.keeps_pace else (AHEAD, LAST)
            loudest = self.survey.loudest(security, makers=self.makers, least=2)[: len(variants) * self.each]
            for place, known in enumerate(loudest):
                key = b"" if security == "none" else reach.meter_key(known.address)
                self._twins[known.address] = variants[place % len(variants)], key
                reach.note("take apart", known.address)

    def _heard(self, reach: Reach, heard: Heard) -> None:
        known = self.survey.note(heard)
        if known is None or known.address not in self._twins:
            return
        if heard.telegram not in self._own:
            reach.go(self._speak(reach, known, heard.telegram))

    def _speak(self, reach: Reach, known: Known, frame: bytes) -> Steps:
        variant, key = self._twins[known.address]
        if variant != AHEAD:
            del self._twins[known.address]
        yield reach.wait(65.0)  # another minute than the meter's own telegram shows
        telegram = parse(frame)
        counter = None
        if telegram.afl is not None and telegram.afl.mcr is not None:
            counter = {LAST: 2**32 - 1, NEXT: telegram.afl.mcr + 1}.get(variant, 1_000_000 + telegram.afl.mcr)
        records = forgery.records_now(self.units, reach.today())
        acc = (forgery.access_number(frame) + 1) % 256
        security = next(one for one in SECURITIES if one == known.security)
        forged = build(telegram.address, acc, 0, records, security=security, key=key or None, counter=counter)
        self._own.add(forged)
        self.shots.append(Shot(variant, known.security, known.address, reach.speak(forged), frame))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = outcomes_of(self.shots, truth, wanted=lambda row, _shot: row.units == self.units)
        return [self._seen(truth, outcome) for outcome in found]

    def _seen(self, truth: Truth, outcome: Outcome) -> Outcome:
        meters = tuple(dict.fromkeys(shot.address for shot in outcome.shots))
        refused = sum(self._refused(truth, address) for address in meters)
        outcome.evidence["meters' own telegrams refused since"] = refused
        if outcome.variant != NEXT:
            return outcome
        return replace(outcome, watch=Watch(("freshness",), meters, self.begun_ns))

    def _refused(self, truth: Truth, address: str) -> int:
        sent = truth.sent(self.begun_ns, meter=truth.world.fleet.find(address))
        stored = {row.fingerprint for row in truth.world.stored.readings(address)}
        return sum(one.mark not in stored and bool(truth.refused_as(one.mark)) for one in sent)
