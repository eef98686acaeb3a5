"""Steal a gateway's certificate, wait, poison a few telegrams below every alarm, and let the bill be made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from attacks.attack import Can, Outcome, Steps, Watch, attack, form
from attacks.late_bill import bill_of, with_set_date_units
from attacks.parts.sent_frames import Shot, outcomes_of, published
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.bundle import UP, Bundle, Heard
from sim.core.clock import NS_PER_S, ns
from sim.truth.ground_truth import Truth

POISONED = "steal, wait, poison, bill: set date units"


@attack(
    id="gateway.patient_thief",
    title="Steal a certificate, wait, poison, bill",
    threats=["G03"],
    can=Can.HEAR | Can.CERTIFICATE,
    ics=["T0859", "T0856"],
    weakness={"portal.alarms": []},
    seen_as="alarm: set date; twin gateway, when the owner comes to the same number",
    forms={POISONED: form("mode 0", changed=None)},
)
@dataclass
class PatientThief:
    """Each alarm but one has a threshold, and this stays below it. One login, so the owner reconnects once; one
    bundle, whose
    number is near enough to the owner's (`sequence`: a gateway's bundles a day times its age in days, to a thousand)
    and not yet used; telegrams of the present minute with present units, each under the meter's next access number, so
    no check of freshness refuses one. Only the units at the set date are other ones. It comes in the last minutes
    before the bill, since the next genuine telegram repairs it, and to meters whose latest is at the portal already.
    Clear meters alone can be written over. The alarm `set date` has no threshold: a value that was told changes, or it
    does not. `under_way_s`: what a telegram may take to the portal; `bill_in_s`: how
    soon the bill is made."""

    gateway: int = 0
    act_at_s: float = 10_700.0
    most: int = 4
    under_way_s: float = 420.0
    bill_in_s: float = 110.0
    sequence: int = 600
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)
    gateway_id: str = ""

    def run(self, reach: Reach) -> Steps:
        identity = reach.steal(self.gateway)
        self.gateway_id = identity.client_id
        reach.listen(self.survey.note)
        yield reach.wait_until(self.act_at_s)
        rows: list[Heard] = []
        for known in self.survey.loudest("none", least=2):
            last = known.recordings[-1]
            age_s = (reach.now_ns - last.received_ns) / NS_PER_S
            if len(rows) == self.most or not self.under_way_s <= age_s <= known.interval_s - self.bill_in_s:
                continue  # its latest telegram may still be under way, or its next come before the bill
            raw = with_set_date_units(last.telegram, reach.today(), (known.acc + 1) % 256)
            rows.append(Heard(raw, reach.now_ns, -61.0))
            spoken = published(raw, identity.client_id, reach.now_ns)
            self.shots.append(Shot(POISONED, "none", known.address, spoken, last.telegram))
        body = Bundle(identity.client_id, self.sequence, reach.now_ns, tuple(rows)).encode()
        reach.publish(identity, UP.format(gateway=self.gateway_id), body, [one.spoken.telegram for one in self.shots])

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = []
        for outcome in outcomes_of(self.shots, truth):
            meters = tuple(one.address for one in outcome.shots)
            billed = sum(bill_of(truth, address) for address in meters)
            outcome.evidence.update({"bills": billed, "logins": 1, "bundles": 1, "telegrams": len(meters)})
            subjects = (self.gateway_id, *meters)
            watch = Watch(("set date", "twin", "freshness", "tamper", "gap"), subjects, ns(self.act_at_s), share=0.8)
            why = "the bill is the thief's" if billed else "the bill is the meter's"
            found.append(replace(outcome, achieved=billed, why=why, watch=watch))
        return found
