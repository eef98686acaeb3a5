"""Noise across the end of a month: consumption of the month is known where a reading is near its end."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.attack import Can, Outcome, Steps, Watch, attack
from attacks.parts.silenced import silenced
from attacks.reach import Reach
from sim.core.clock import ns
from sim.core.vocabulary import SECURITIES
from sim.truth.ground_truth import Truth

MONTH = "continuous across the end of a month: consumption of the month"


@attack(
    id="radio.month_end_jam",
    title="Jam the air across the end of a month",
    threats=["L25"],
    can=Can.SHAPE,
    ics=["T0814", "T0815", "T0826"],
    weakness={"portal.alarms": []},
    seen_as="alarm: gap or jam; no reading near the end of the month",
)
@dataclass
class MonthEndJam:
    """Whoever must tell a tenant what a month's heat was needs a reading at its end. Noise from `from_s` to `until_s`,
    with the end of the month, at `month_end_s`, between them, takes those readings; what comes afterwards is of the
    next month. Counted are meters of which the portal has no reading that was sent within one interval of the end.
    This portal reads no history of months; where meters send one (Techem, Sontex, Zenner, Qundis), a portal that does
    could go without that reading."""

    from_s: float
    until_s: float
    month_end_s: float

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        reach.note("jam", f"continuous noise until {self.until_s:g} s")
        reach.jam(self.until_s - self.from_s)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        fleet = truth.world.fleet
        everybody = frozenset(str(fleet.address(meter)) for meter in range(fleet.n))
        found = []
        for security in SECURITIES:
            meters = [meter for meter in range(fleet.n) if fleet.security(meter) == security]
            known = sum(knows_month(truth, meter, ns(self.month_end_s)) for meter in meters)
            if not meters:
                continue
            quiet = silenced(truth, meters, ns(self.from_s))
            found.append(Outcome(
                MONTH, security, reached=len(meters), achieved=len(meters) - known,
                watch=Watch(("gap",), quiet, ns(self.from_s)),
                attacked=everybody, why=f"of {len(meters)} meters the month's consumption is known of {known}",
                evidence={"meters": len(meters), "known": known, "heard through the noise": len(meters) - len(quiet),
                          "share of meters known": round(known / len(meters), 4)},
            ))  # fmt: skip
        return found


def knows_month(truth: Truth, meter: int, end_ns: int) -> bool:
    """Whether the portal has a reading that was sent within one interval of the end of a month."""
    interval_ns = int(truth.world.fleet.population.period_ns[meter])
    near = truth.sent(max(0, end_ns - interval_ns), end_ns + interval_ns, meter=meter)
    return any(one.reading is not None for one in near)
