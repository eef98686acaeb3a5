"""Jamming: transmit over others, all the time or just when one meter speaks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.survey import Survey
from sim.core.clock import ns
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth
from wmbus.link import Address

SILENCE = "continuous: readings"
BILLING = "continuous: billing at the set date"
REACTIVE = "reactive on one meter: readings"


@attack(
    id="radio.jam",
    title="Jam the air",
    threats=["L25", "L26"],
    can=Can.HEAR | Can.SHAPE,
    ics=["T0814", "T0815", "T0826"],
    weakness={"portal.alarms": [], "portal.billing": "last reading"},
    seen_as="alarm: gap or jam; readings missing",
)
@dataclass
class Jam:
    """First react to single meters (the loudest of each security mode) from `from_s` to `until_s`: wait for the header,
    which carries the address in clear, and destroy the rest of the frame. Then jam the channel without a pause from
    `noise_from_s` to `noise_until_s`.

    Whoever can transmit can silence a radio; encryption changes nothing. What a design can do is notice it and lose no
    billing by it, so the outcomes are: readings missing (noticed or not), the value at the set date right or wrong
    after the noise. A bill is at stake where a silenced meter went on counting until the set date. What a jammer of one
    meter does to the others is told beside it: their share delivered before and meanwhile.
    """

    from_s: float = 3_600.0
    until_s: float = 10_800.0
    noise_from_s: float = 14_400.0
    noise_until_s: float = 25_200.0
    survey: Survey = field(default_factory=Survey)
    targets: dict[str, str] = field(default_factory=dict)  # security -> address

    def run(self, reach: Any) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.from_s)
        wires = set()
        for security in SECURITIES:
            loudest = self.survey.loudest(security, least=2)
            if loudest:
                self.targets[security] = loudest[0].address
                reach.note("jam", f"from now on every frame of {loudest[0].address} ({security})")
                wires.add(_wire_of(loudest[0].recordings[-1].telegram))
        reach.on_header(lambda header: self._now(reach) and bytes(header[2:10]) in wires)
        yield reach.wait_until(self.noise_from_s)
        reach.note("jam", f"continuous noise until {self.noise_until_s:g} s")
        reach.jam(self.noise_until_s - self.noise_from_s)

    def _now(self, reach: Any) -> bool:
        return bool(ns(self.from_s) <= reach.now_ns < ns(self.until_s))

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return [*self._reactive(truth), *self._continuous(truth)]

    def _reactive(self, truth: Truth) -> list[Outcome]:
        start_ns, end_ns = ns(self.from_s), ns(self.until_s)
        found = []
        for security, address in self.targets.items():
            silence = truth.silence(start_ns, end_ns, only=address)
            alarms = truth.alarms(["gap", "jam"], subject=address, since_ns=start_ns)
            others = list(self.targets.values())
            before = truth.delivery(2 * start_ns - end_ns, start_ns, security, but=others)
            meanwhile = truth.delivery(start_ns, end_ns, security, but=others)
            found.append(
                Outcome(
                    REACTIVE,
                    security,
                    reached=silence.sent,
                    achieved=silence.lost,
                    detected=bool(alarms),
                    why=_noticed(int(bool(alarms)), 1, silence.lost),
                    evidence={
                        "telegrams sent": silence.sent,
                        "lost": silence.lost,
                        "meter": address,
                        "alarms": len(alarms),
                        "of others delivered before": _share(before),
                        "of others delivered meanwhile": _share(meanwhile),
                    },
                )
            )
        return found

    def _continuous(self, truth: Truth) -> list[Outcome]:
        start_ns, end_ns = ns(self.noise_from_s), ns(self.noise_until_s)
        found = []
        for security in SECURITIES:
            meters, silenced = truth.silenced(start_ns, end_ns, security)
            sent = sum(s.sent for s in silenced.values())
            alarmed = sum(bool(truth.alarms(["gap", "jam"], subject=a, since_ns=start_ns)) for a in silenced)
            found.append(
                Outcome(
                    SILENCE,
                    security,
                    reached=meters,
                    achieved=len(silenced),
                    detected=bool(silenced) and alarmed >= 0.99 * len(silenced),
                    why=_noticed(alarmed, len(silenced), len(silenced)),
                    evidence={
                        "meters sending": meters,
                        "meters silenced": len(silenced),
                        "telegrams lost": sent,
                        "meters alarmed": alarmed,
                    },
                )
            )
            wrong = [a for a in silenced if truth.billing_error(a) != 0]
            # A last telegram that was lost before the noise puts a bill at stake as well; then it only shows as wrong.
            at_stake = {a for a in silenced if truth.moved_before_set_date(a, start_ns)} | set(wrong)
            found.append(
                Outcome(
                    BILLING,
                    security,
                    reached=len(at_stake),
                    achieved=len(wrong),
                    bounded=True,
                    why="billing used a value other than the one at the set date"
                    if wrong
                    else "the next telegram after the noise carries the value at the set date",
                    evidence={
                        "meters silenced": len(silenced),
                        "of them counting until the set date": len(at_stake),
                        "billing wrong": len(wrong),
                    },
                )
            )
        return found


def _noticed(alarmed: int, of: int, lost: int) -> str:
    if not lost:
        return "nothing was lost"
    return f"readings are missing; alarms for {alarmed} of {of} meters" if alarmed else "readings are missing, no alarm"


def _share(counts: tuple[int, int]) -> float:
    sent, heard = counts
    return round(heard / sent, 4) if sent else 0.0


def _wire_of(frame: bytes) -> bytes:
    """The link address as it stands in the first block."""
    return Address.from_wire(frame[2:10]).wire()


__all__ = ["BILLING", "REACTIVE", "SILENCE", "Jam"]
