"""A twin with a meter's key: telegrams of its own, properly sealed, with a counter far ahead of the meter's."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.core.settings import without
from sim.truth.ground_truth import Truth
from wmbus.link import Address
from wmbus.telegram import build, parse

AHEAD = "counter a million ahead"
LAST = "one telegram with the last counter"


@attack(
    id="radio.key_twin",
    title="Speak in a meter's name with its key",
    threats=["M02"],
    can=Can.HEAR | Can.SPEAK | Can.METER_KEY,
    ics=["T0856", "T0814"],
    weakness={"portal.checks": without("jump")},
    seen_as="alarm: freshness; refused: counter jump",
    forms={AHEAD: form("mode 7", changed=None), LAST: form("mode 7", changed=None)},
)
@dataclass
class KeyTwin:
    """Take meters of mode 7 apart, read their keys, and speak in their names beside them: "counter a million ahead"
    after each of the meter's telegrams, so that the portal takes the twin's for new and the meter's for old; "one
    telegram with the last counter" once, after which no counter would ever be new. Counted are records that hold the
    twin's units; the evidence says how many of the meter's own were refused since.
    """

    learn_s: float = 600.0
    each: int = 3
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
        loudest = self.survey.loudest("mode7", makers=self.makers, least=2)[: 2 * self.each]
        for place, known in enumerate(loudest):
            self._twins[known.address] = (AHEAD, LAST)[place % 2], reach.meter_key(known.address)
            reach.note("take apart", known.address)

    def _heard(self, reach: Reach, heard: Heard) -> None:
        known = self.survey.note(heard)
        if known is None or known.address not in self._twins:
            return
        afl = parse(heard.telegram).afl
        if afl is None or afl.mcr is None or heard.telegram in self._own:
            return
        reach.go(self._speak(reach, known.address, heard.telegram, afl.mcr))

    def _speak(self, reach: Reach, address: str, frame: bytes, counter: int) -> Steps:
        variant, key = self._twins[address]
        if variant == LAST:
            del self._twins[address]
        yield reach.wait(65.0)  # another minute than the meter's own telegram shows
        number = 2**32 - 1 if variant == LAST else 1_000_000 + counter
        records = forgery.records_now(self.units, reach.today())
        who: Address = parse(frame).address
        acc = (forgery.access_number(frame) + 1) % 256
        forged = build(who, acc, 0, records, security="mode7", key=key, counter=number)
        self._own.add(forged)
        self.shots.append(Shot(variant, "mode7", address, reach.speak(forged), frame))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = outcomes_of(self.shots, truth, wanted=lambda row, _shot: row.units == self.units)
        for outcome in found:
            meters = {shot.address for shot in self.shots if shot.variant == outcome.variant}
            outcome.evidence["meters' own telegrams refused since"] = sum(
                self._refused(truth, address) for address in meters
            )
        return found

    def _refused(self, truth: Truth, address: str) -> int:
        sent = truth.sent(self.begun_ns, meter=truth.world.fleet.find(address))
        stored = {row.fingerprint for row in truth.world.stored.readings(address)}
        return sum(one.mark not in stored and bool(truth.refused_as(one.mark)) for one in sent)
