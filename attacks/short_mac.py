"""Every MAC of two bytes for one telegram, where a portal lets the sender say how long its MAC is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from attacks.attack import Can, Outcome, Steps, Watch, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of, published
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.bundle import UP, Bundle, Heard
from sim.radio.link_modes import Mode, air_time_ns
from sim.truth.ground_truth import Truth, fingerprint

GUESSED = "status changed, every MAC of two bytes"
MACS: Final = 1 << 16
FLIP: Final = 0x10  # temporary error
DUTY_CYCLE: Final = 0.001
"""Of 868.7 to 869.2 MHz, where mode T meters send; not verified against the regulation itself."""
NS_PER_HOUR: Final = 3_600 * 10**9


@attack(
    id="gateway.short_mac",
    title="Guess a MAC of two bytes",
    threats=["L20"],
    can=Can.HEAR | Can.SHAPE | Can.CERTIFICATE,
    ics=["T0856", "T0860"],
    weakness={"portal.pin_profile": False},
    seen_as="refused: profile; alarm: freshness",
    forms={GUESSED: form("MAC of two bytes", "authentication, status")},
)
@dataclass
class ShortMac:
    """Keep one telegram of a mode 7 meter from its gateway, change its status byte, announce an authentication type of
    two bytes, and try all 65 536 of them. By the air that takes hours; with a gateway's certificate they go in bundles,
    at once, and nothing says which one was right. The expected number of tries is half of them. Every try but one is
    refused, in the meter's name. `a_bundle`: tries in one."""

    gateway: int = 0
    act_at_s: float = 600.0
    a_bundle: int = 512
    first_sequence: int = 900_000_000
    tries: list[bytes] = field(default_factory=list)
    original: bytes = b""
    address: str = ""
    gateway_id: str = ""
    at_ns: int = 0
    survey: Survey = field(default_factory=Survey)

    def run(self, reach: Reach) -> Steps:
        identity = reach.steal(self.gateway)
        self.gateway_id = identity.client_id
        reach.listen(self._heard)
        yield reach.wait_until(self.act_at_s)
        target = self.survey.loudest("mode7", least=2)
        if not target:
            return
        reach.note("jam", f"the next telegram of {target[0].address}")
        wire = target[0].recordings[-1].telegram[2:10]
        reach.on_header(lambda header: not self.original and header[2:10] == wire)
        self.address = target[0].address
        while not self.original:
            yield reach.wait(1.0)
        changed = forgery.with_status(self.original, FLIP)
        self.tries = [forgery.with_short_mac(changed, mac.to_bytes(2, "big")) for mac in range(MACS)]
        self.at_ns = reach.now_ns
        bodies = []
        for sequence, begin in enumerate(range(0, MACS, self.a_bundle), self.first_sequence):
            rows = tuple(Heard(raw, self.at_ns, -61.0) for raw in self.tries[begin : begin + self.a_bundle])
            bodies.append(Bundle(self.gateway_id, sequence, self.at_ns, rows).encode())
        topic = UP.format(gateway=self.gateway_id)
        reach.leave(identity, topic, bodies[:-1])
        if not reach.publish(identity, topic, bodies[-1], self.tries):
            self.tries = []

    def _heard(self, heard: Heard) -> None:
        known = self.survey.note(heard)
        if known is not None and known.address == self.address and not self.original:
            self.original = heard.telegram

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        if not self.tries:
            return []
        places = {fingerprint(raw): place for place, raw in enumerate(self.tries)}
        right = sorted({places[row.fingerprint] for row in truth.readings if row.fingerprint in places})
        refused = sum(bool(truth.refused_as(mark)) for mark in places)
        shown = sorted({0, 1, MACS - 1, *right})
        shots = [
            Shot(GUESSED, "mode7", self.address, published(self.tries[place], self.gateway_id, self.at_ns),
                 self.original)
            for place in shown
        ]  # fmt: skip
        [outcome] = outcomes_of(shots, truth)
        airtime_h = MACS / 2 * air_time_ns(Mode.T1, len(self.tries[0])) / NS_PER_HOUR
        outcome.evidence.update({
            "sent": MACS, "delivered": MACS, "judged by the portal": refused + len(right), "bytes shown of": len(shown),
            "tries until it was right": right[0] + 1 if right else "none was",
            "expected tries": MACS // 2, "airtime of these, h": round(airtime_h, 2),
            "by the air at 0.1 % duty cycle, h": round(airtime_h / DUTY_CYCLE),
        })  # fmt: skip
        watch = Watch(("freshness", "twin"), (self.address, self.gateway_id), self.at_ns, share=0.5)
        return [replace(outcome, reached=refused + len(right), achieved=len(right), watch=watch)]
