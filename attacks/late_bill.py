"""Write a bill with telegrams that are refused as late."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of, published
from attacks.parts.survey import Known, Survey
from attacks.reach import Reach
from sim.core.bundle import UP, Bundle, Heard
from sim.core.clock import NS_PER_S
from sim.truth.ground_truth import Truth
from wmbus.dates import encode_f
from wmbus.records import parse_records
from wmbus.telegram import parse

REWRITTEN = "set date units rewritten, two hours late"
UNITS = 4_711


@attack(
    id="gateway.late_bill",
    title="Bill with late telegrams",
    threats=["G02", "L10"],
    can=Can.HEAR | Can.CERTIFICATE,
    ics=["T0859", "T0836"],
    weakness={"portal.billing": "newest record"},
    seen_as="refused: late",
    forms={REWRITTEN: form("mode 0", changed=None)},
)
@dataclass
class LateBill:
    """With a gateway's certificate: take a clear telegram, write other units at the set date over its own, set its
    clock and the time of reception two hours back, and give it an access number that is new. The portal refuses it as
    late and keeps its values, because after an outage a late telegram is the only witness. Counted are meters whose
    bill is the thief's."""

    gateway: int = 0
    act_at_s: float = 10_790.0  # what comes later repairs the bill of a portal that takes the newest
    survey: Survey = field(default_factory=Survey)
    shots: list[Shot] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        identity = reach.steal(self.gateway)
        reach.listen(self.survey.note)
        yield reach.wait_until(self.act_at_s)
        rows = []
        for known in self.survey.loudest("none", least=2):
            frame = known.recordings[-1].telegram
            back_ns = _between(known, reach.now_ns)  # of which the meter has not shown the minute
            shown = (reach.today() - timedelta(seconds=back_ns // NS_PER_S)).replace(second=0, microsecond=0)
            raw = with_set_date_units(frame, shown, (known.acc + 100) % 256)
            spoken = published(raw, identity.client_id, reach.now_ns)
            rows.append(Heard(raw, reach.now_ns - back_ns, -61.0))
            self.shots.append(Shot(REWRITTEN, "none", known.address, spoken, frame))
        forged = [shot.spoken.telegram for shot in self.shots]
        body = Bundle(identity.client_id, 900_000_000, reach.now_ns, tuple(rows)).encode()
        reach.publish(identity, UP.format(gateway=identity.client_id), body, forged)

    def outcomes(self, truth: Truth) -> list[Outcome]:
        found = []
        for outcome in outcomes_of(self.shots, truth):
            late = [one.address for one in outcome.shots if "late" in one.reasons]
            billed = sum(bill_of(truth, address) for address in late)
            outcome.evidence.update({"refused as late": len(late), "bills": billed})
            why = "the bill is the thief's" if billed else "refused: late; what readings tell is billed"
            found.append(replace(outcome, achieved=billed, why=why))
        return found


def _between(known: Known, now_ns: int) -> int:
    """Some two hours back, two minutes or more from each telegram that was heard of this meter."""
    heard = [one.received_ns for one in known.recordings]
    return next(
        back_ns for minutes in range(120, 180) if (back_ns := minutes * 60 * NS_PER_S)
        and all(abs(now_ns - back_ns - at_ns) > 120 * NS_PER_S for at_ns in heard)
    )  # fmt: skip


def with_set_date_units(frame: bytes, shown: datetime, acc: int) -> bytes:
    """A clear telegram with UNITS at its set date, another time and another access number."""
    out, clock = bytearray(frame), encode_f(shown)
    begin = parse(frame).payload_offset
    for one in parse_records(frame[begin:], strict=False, offset=begin):
        value = one.offset + len(one.dif_vif)
        if (one.quantity, one.function, one.storage) == ("heat cost allocation", "instantaneous", 1):
            out[value : value + len(one.raw)] = one.chain.encode(UNITS)
        elif one.dif_vif == forgery.CLOCK_RECORD:
            out[value : value + len(one.raw)] = clock
    return forgery.with_access_number(bytes(out), acc)


def bill_of(truth: Truth, address: str) -> bool:
    """Whether a meter is billed UNITS."""
    fleet = truth.world.fleet
    meter = fleet.find(address)
    set_date = fleet.truth(meter, 1).set_date
    return set_date is not None and truth.world.stored.billed_units(address, set_date) == UNITS
