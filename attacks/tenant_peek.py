"""Tenants who ask for what is not theirs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.reach import Reach
from sim.core.clock import ns
from sim.portal.roles import NO_TENANT, NOT_HIS, TenantRow
from sim.truth.ground_truth import Truth

OTHER, FORMER, BEFORE = "another tenant's flat", "the former flat, after moving out", "what the predecessor used"
OWN_TIME = "own time only"
TIMES = 3


@attack(
    id="portal.tenant_peek",
    title="Ask for the consumption of others, as a tenant",
    threats=["P03", "P05"],
    can=Can.VIEW,
    ics=["T0811"],
    weakness={"portal.view_rules": []},
    seen_as="the portal's answer: denied",
    refused_as=(NOT_HIS, NO_TENANT, OWN_TIME),
)
@dataclass
class TenantPeek:
    """Three accounts, real ones: a neighbour who asks for another's flat, somebody who moved out and asks for the flat
    since, somebody who moved in and asks for it. Counted are rows of times in which who asks did not live there,
    by the list of tenancies."""

    flats: tuple[str, ...]
    neighbour: str
    former: str
    present: str
    at_s: float
    every_s: float = 60.0
    rows: dict[str, list[TenantRow]] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        for _ in range(TIMES):
            for variant, tenant in ((OTHER, self.neighbour), (FORMER, self.former), (BEFORE, self.present)):
                for flat in self.flats:
                    self._ask(reach, variant, tenant, flat)
            yield reach.wait(self.every_s)

    def _ask(self, reach: Reach, variant: str, tenant: str, flat: str) -> None:
        answer = reach.ask_as_tenant(tenant, flat)
        rows = self.rows.setdefault(variant, [])
        if isinstance(answer, str):
            self.said[variant] = answer
        else:
            rows += answer
        reach.note("ask", f"{tenant} for {flat}: {answer if isinstance(answer, str) else f'{len(answer)} rows'}")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        registry = truth.world.system.registry
        modes = {one.name: one.security for one in registry}
        who = {OTHER: self.neighbour, FORMER: self.former, BEFORE: self.present}
        lived = {(one.tenant, one.flat): (one.from_ns, one.until_ns) for one in registry.tenancies}
        asked = TIMES * len(self.flats)
        found = []
        for variant, rows in self.rows.items():
            foreign: Counter[str] = Counter()
            for row in set(rows):
                from_ns, until_ns = lived.get((who[variant], row.flat), (ns(1e9), None))
                if row.at_ns < from_ns or (until_ns is not None and row.at_ns >= until_ns):
                    foreign[modes[row.meter]] += 1
            for security in sorted({one.security for one in registry if one.flat in self.flats}):
                taken = foreign[security]
                found.append(Outcome(
                    variant, security, reached=asked, achieved=taken,
                    why=f"{taken} rows that are not theirs" if taken else self.said.get(variant, OWN_TIME),
                    evidence={"asked": asked, "rows": len(rows), "rows of others": taken},
                ))  # fmt: skip
        return found
