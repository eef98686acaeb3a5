"""Be the grid operator, and find out whose grid values one has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY
from attacks.reach import Reach
from sim.pki.sealed_content import issuer_and_serial
from sim.smgw.obis_codes import of_text
from sim.systems.port import Delivered
from sim.truth.ground_truth import Truth

BY_NAME = "grid values that tell whose they are"
BY_VALUE = "grid values that a supplier's registers tell whose they are"
NO_NAME = "no name and no gateway's signature came with them"


@attack(
    id="smgw.grid_link",
    title="Be the grid operator, and find out whose grid values one has",
    threats=["P02"],
    can=Can.LAWFUL,
    ics=["T0887"],
    weakness={"system.pseudonymise": False},
    seen_as="nothing: everything was meant for him",
    refused_as=(NO_NAME,),
)
@dataclass
class SmgwGridLink:
    """He opens what is meant for him and looks who it is from: the meter's name, the gateway's name, and under whose
    certificate it was signed, all of which stand in his books of who is connected to his grid. Control: a world without
    pseudonyms. "A supplier's registers": he also has all that a supplier got, and looks which meter's feed-in grew as
    an unknown one's did, period by period; a pseudonym does not change a value. Counted are values whose house he
    names rightly."""

    at_s: float = 14_000.0
    named: dict[str, str] = field(default_factory=dict)
    """A meter as he knows it -> the meter that he takes it for."""
    matched: dict[str, str] = field(default_factory=dict)
    values: list[Delivered] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.values = list(reach.grid_values())
        books = reach.connections()
        houses = {meter: gateway for gateway, one in books.items() for meter in one.meters}
        senders = {
            passed.gateway: gateway
            for passed in reach.grid_containers()
            for gateway, one in books.items()
            if gateway == passed.gateway or issuer_and_serial(one.certificate) in passed.payload
        }
        for one in self.values:
            if one.meter in houses or one.gateway in senders:
                self.named[one.meter] = one.meter if one.meter in houses else senders[one.gateway]
        self.matched = _matched(self.values, reach.values_received())
        reach.note("look", f"{len(self.values)} values, {len(self.named)} meters named")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        grid = truth.world.system.grid  # type: ignore[attr-defined]  # of system smgw
        own = {grid.named(meter): (box.id, meter) for box in truth.world.gateways for meter in _wired(box)}
        named = [one for one in self.values if self.named.get(one.meter) in own.get(one.meter, ())]
        matched = [one for one in self.values if self.matched.get(one.meter) in own.get(one.meter, ())]
        wrong = sum(guess not in own.get(meter, ()) for meter, guess in self.matched.items())
        evidence: dict[str, int | float | str] = {"values": len(self.values), "meters": len(own)}
        return [
            Outcome(BY_NAME, SECURITY, len(self.values), len(named), evidence=evidence,
                    why=f"{len(self.named)} meters are named" if named else NO_NAME),
            Outcome(BY_VALUE, SECURITY, len(self.values), len(matched), evidence=evidence | {"wrongly named": wrong},
                    why=f"{len(self.matched)} of {len(own)} meters feed in as a supplier's do"),
        ]  # fmt: skip


def _wired(box: object) -> Iterable[str]:
    side = getattr(box, "wired", None)
    return () if side is None else side.meters


def _matched(grid: Iterable[Delivered], supplied: Iterable[Delivered]) -> dict[str, str]:
    """An unknown meter -> the only one of a supplier's whose feed-in grew in each period as its own did."""
    unknown: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for one in grid:
        if _is_fed_in(one) and one.amount is not None:
            unknown[one.meter][one.until_s] = one.amount
    sums: dict[str, dict[tuple[int, int], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for one in supplied:
        if _is_fed_in(one) and one.amount is not None and one.from_s is not None:
            sums[one.meter][one.from_s, one.until_s] += one.amount
    found: dict[str, list[str]] = defaultdict(list)
    for name, shown in unknown.items():
        for meter, periods in sums.items():
            grown = {
                (from_s, until_s): shown[until_s] - shown[from_s]
                for from_s, until_s in periods
                if from_s in shown and until_s in shown
            }
            if sum(amount > 0 for amount in grown.values()) and all(periods[one] == grown[one] for one in grown):
                found[name].append(meter)
    return {name: meters[0] for name, meters in found.items() if len(meters) == 1}


def _is_fed_in(one: Delivered) -> bool:
    code = of_text(one.obis)
    return (code.a, code.c, code.d) == (1, 2, 8)
