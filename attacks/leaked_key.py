"""One meter's key, tried on all the others."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.survey import Survey, reads_units
from attacks.reach import Reach
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth, fingerprint


@attack(
    id="meter.leaked-key",
    title="Try one meter's key on all others",
    threats=["L06"],
    can=Can.HEAR | Can.METER_KEY,
    ics=["T0812", "T0891"],
    weakness={"fleet.key": "shared"},
    seen_as="nothing: listening leaves no trace",
)
@dataclass
class LeakedKey:
    """Take one meter of each mode and maker apart, the loudest, read its key, and decrypt what the others send with it.
    A meter counts as opened when its units were read as it sent them. Where each meter has its own key the leak ends at
    the meter that was taken apart."""

    learn_s: float = 600.0
    makers: tuple[str, ...] = ("QDS", "TCH")
    survey: Survey = field(default_factory=Survey)
    _keys: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.learn_s)
        for security in SECURITIES[1:]:
            for maker in self.makers:
                for known in self.survey.loudest(security, makers=(maker,))[:1]:
                    self._keys[security, maker] = known.address, reach.meter_key(known.address)
                    reach.note("take apart", known.address)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        others: dict[str, int] = defaultdict(int)
        opened: dict[str, int] = defaultdict(int)
        heard: dict[str, set[str]] = defaultdict(set)
        for known in self.survey.meters.values():
            address, key = self._keys.get((known.security, known.maker), (known.address, b""))
            if known.address == address:
                continue
            others[known.security] += 1
            heard[known.security].update(fingerprint(one.telegram) for one in known.recordings)
            opened[known.security] += any(reads_units(heard.telegram, key, truth) for heard in known.recordings)
        return [
            Outcome(
                "other meters read",
                security,
                reached=count,
                achieved=opened[security],
                why=f"{opened[security]} of {count} other meters opened with keys of others",
                evidence={
                    "other meters heard": count,
                    "opened": opened[security],
                    "meters taken apart": sum(mode == security for mode, _ in self._keys),
                },
                heard=frozenset(heard[security]),
            )
            for security, count in others.items()
        ]
