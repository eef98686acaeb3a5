"""Replay the fragments of a radio meter of security profile C, under the access numbers that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.parts.radio_cycles import Cycles, asks
from attacks.reach import Reach
from sim.core.bundle import Heard
from sim.smart_metering.lmn.radio_frames import numbered
from sim.smart_metering.lmn.radio_link import RadioLink
from sim.truth.ground_truth import Spoken, Truth
from sim.truth.radio_values import wrong_rows
from sim.truth.wrong_rows import altered
from wmbus.link import Address

REPLAYED = "recorded fragments replayed in a demand of the attacker's: values stored"
TLS = "tls"  # as a link says of a record that is damaged, or old
_REFUSED = "refused: "


@attack(
    id="smgw.fragments",
    title="Replay a radio meter's fragments of security profile C",
    threats=["L08"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856", "T0860", "T0842"],
    weakness={"system.wireless_tls": False},
    seen_as="gateway: session refused",
    refused_as=(TLS,),
)
@dataclass
class SmgwFragments:
    """Nothing of the link is secured: who has a transmitter can demand access in a meter's name, and put the access
    number that the gateway's request has into a frame that was recorded. From `from_s` on, between the meter's own
    cycles, its last message with values before `learn_s` is played to the gateway so. Counted are values that the
    gateway stored and no meter said then. Control: messages without TLS."""

    learn_s: float = 1_200.0
    from_s: float = 3_000.0
    shots_each: int = 2
    apart_s: float = 100.0
    cycles: Cycles = field(default_factory=Cycles)
    spoken: list[Spoken] = field(default_factory=list)
    recorded: dict[Address, list[bytes]] = field(default_factory=dict)
    _waiting: dict[Address, list[bytes]] = field(default_factory=dict)
    _reach: Reach | None = None

    def run(self, reach: Reach) -> Steps:
        self._reach = reach
        reach.listen(self._heard)
        yield reach.wait_until(self.learn_s)
        self.recorded = {meter: frames for meter in self.cycles.demands if (frames := self.cycles.values(meter))}
        yield reach.wait_until(self.from_s)
        for _ in range(self.shots_each):
            for number, meter in enumerate(sorted(self.recorded, key=str)):
                demand = self.cycles.demands[meter]
                self._waiting[meter] = list(self.recorded[meter])
                reach.note("speak", f"a demand in the name of {meter}, then {len(self.recorded[meter])} old frames")
                reach.speak(numbered(demand, (demand[12] + 128 + number) % 256))
                yield reach.wait(self.apart_s / 10)
                self._waiting.pop(meter, None)
            yield reach.wait(self.apart_s)

    def _heard(self, heard: Heard) -> None:
        telegram = self.cycles.note(heard)
        if telegram is None or self._reach is None:
            return
        for meter, frames in self._waiting.items():
            if frames and telegram.ell is not None and asks(telegram, meter):
                self._reach.go(self._answer(self._reach, numbered(frames.pop(0), telegram.ell.acc)))

    def _answer(self, reach: Reach, frame: bytes) -> Steps:
        yield reach.wait(0.003)
        self.spoken.append(reach.speak(frame))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        reached = sum(bool(one.taken) for one in self.spoken)
        wrong = altered(wrong_rows(truth.world))
        links = [link for box in truth.world.gateways for link in _links(box)]
        refused = sorted({name for link in links for name in (*link.counts, *link.sessions.counts)
                          if name.startswith(_REFUSED)})  # fmt: skip
        why = f"{len(wrong)} wrong values stored: {wrong[0]}" if wrong else ", ".join(refused) or "nothing refused"
        evidence: dict[str, int | float | str] = {
            "meters recorded": len(self.recorded), "old frames sent": len(self.spoken),
            "wrong values stored": len(wrong),
            "handshakes": sum(link.sessions.counts["full"] + link.sessions.counts["resumed"] for link in links),
        }  # fmt: skip
        return [Outcome(REPLAYED, SECURITY, reached, len(wrong), why=why, evidence=evidence)]


def _links(box: object) -> list[RadioLink]:
    side = getattr(box, "radio", None)
    return [] if side is None else list(side.links.values())
