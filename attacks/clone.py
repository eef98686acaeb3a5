"""Cloned gateway: a stolen certificate, used from somewhere else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attacks.attack import Can, Curve, Outcome, Steps, Watch, attack, form
from attacks.parts import forgery
from attacks.parts.contended_sessions import sessions_within, thrown_off
from attacks.parts.sent_frames import Shot, outcomes_of, published
from attacks.parts.survey import Survey
from attacks.reach import Reach
from sim.core.bundle import UP, Bundle, Heard
from sim.core.vocabulary import SECURITIES
from sim.endpoint.port import Identity
from sim.truth.ground_truth import Truth, fingerprint

TAKEOVER = "live takeover of the client id"
BACKFILL = "backfill of recordings"
FORGED = "forged without meter keys, sent first"
TIMELESS = "backfill, no time inside, fresh access number"
REPLACED = "units replaced without meter keys"
SEQUENCES = 900_000_000
"""The clone numbers its bundles from here, far from the genuine gateway's."""


@attack(
    id="gateway.clone",
    title="Clone a gateway",
    threats=["G01", "G02", "G03"],
    can=Can.HEAR | Can.CERTIFICATE,
    ics=["T0859", "T0849", "T0856"],
    weakness={"portal.checks": [], "portal.strict": False, "portal.pin_profile": False, "portal.alarms": []},
    seen_as="alarm: twin gateway; telegrams refused",
    forms={
        BACKFILL: form(age_s=(3_600, 12_000)),
        TIMELESS: form(changed="access number"),
        FORGED: form(changed="status"),
        f"{FORGED} / none": form("mode 0", "units in clear"),
        REPLACED: form("units in clear at the end", "N lowered, cut behind the first block"),
        f"{REPLACED} / none": form("mode 0", "units in clear"),
    },
)
@dataclass
class Clone:
    """With a gateway's certificate, key and client id, and a receiver near it: take over its session while it is
    online, publish old recordings with a new receive time, and publish telegrams changed without their keys before
    the genuine ones arrive (gateways bundle; the attacker does not).

    "forged without meter keys, sent first" changes what no MAC covers: the units of a clear telegram, the status
    byte of a mode 5 one (the tamper flag), the same byte in mode 7, where the MAC covers it. "units replaced without
    meter keys" lowers N and appends a clear record.
    """

    gateway: int = 0
    record_until_s: float = 3_700.0
    act_at_s: float = 10_900.0
    takeover_logins: int = 5  # between them the gateway logs in four times, which the portal calls a twin
    targets_each: int = 3
    makers: tuple[str, ...] = ()
    timeless: tuple[str, ...] = ()
    survey: Survey = field(default_factory=Survey)
    published: list[Shot] = field(default_factory=list)
    displaced: int = 0
    clone_connects: int = 0
    gateway_id: str = ""
    takeover_ns: int = 0
    wall_ns: tuple[int, int] = (0, 0)  # of the takeover, by clock.stamp_ns: from its first act until it was over
    places: tuple[int, int] = (0, 0)
    _armed: dict[str, str] = field(default_factory=dict)
    _sequence: int = SEQUENCES
    _identity: Identity | None = None

    def run(self, reach: Reach) -> Steps:
        reach.note("hear", "recording")
        reach.listen(lambda heard: self._listen(reach, heard))
        self._identity = identity = reach.steal(self.gateway)
        self.gateway_id = identity.client_id
        yield reach.wait_until(self.record_until_s)
        old = {
            security: [(m.address, m.recordings[0]) for m in self._loudest(security, skip=0)] for security in SECURITIES
        }
        yield reach.wait_until(self.act_at_s)
        self.takeover_ns, begun_ns, place = reach.now_ns, reach.wall_ns, reach.place
        session = reach.connect(identity)
        reach.contend(session, self.takeover_logins)
        self.clone_connects = session.connects
        session.close()
        reach.come_to_rest(self.gateway)
        self.wall_ns, self.places = (begun_ns, reach.wall_ns), (place, reach.place)
        reach.note("connect", f"{TAKEOVER}: over")
        for security, recordings in old.items():
            for address, heard in recordings:
                self._publish(reach, BACKFILL, security, address, heard.telegram, heard.telegram)
        for security in SECURITIES:
            for known in self._timeless(security):
                old_one = known.recordings[0].telegram
                fresh = forgery.with_access_number(old_one, (known.acc + 1) % 256)
                self._publish(reach, TIMELESS, security, known.address, fresh, old_one)
            armed = self._loudest(security, skip=self.targets_each, count=2 * self.targets_each)
            self._armed.update({m.address: FORGED if i % 2 == 0 else REPLACED for i, m in enumerate(armed)})
        yield reach.wait(2_000.0)
        self._armed.clear()

    def _timeless(self, security: str) -> list[Any]:
        if not self.timeless:
            return []
        return self.survey.loudest(security, makers=self.timeless, least=2)[: self.targets_each]

    def _loudest(self, security: str, *, skip: int, count: int = 0) -> list[Any]:
        return self.survey.loudest(security, makers=self.makers, least=2)[skip : skip + (count or self.targets_each)]

    def _listen(self, reach: Reach, heard: Heard) -> None:
        known = self.survey.note(heard)
        if known is None or known.address not in self._armed:
            return
        variant = self._armed.pop(known.address)
        if variant == FORGED:
            if known.security == "none":
                forged = forgery.with_units(heard.telegram, 4_711, known.maker)
            else:
                forged = forgery.with_status(heard.telegram, 0x10)
        else:
            forged = forgery.with_units(heard.telegram, 4_711, known.maker)
        self._publish(reach, variant, known.security, known.address, forged, heard.telegram)

    def _publish(
        self, reach: Reach, variant: str, security: str, address: str, telegram: bytes, of: bytes
    ) -> None:
        """A bundle in the name of the gateway, as if received now."""
        assert self._identity is not None, "stolen by run"
        self._sequence += 1
        bundle = Bundle(self.gateway_id, self._sequence, reach.now_ns, (Heard(telegram, reach.now_ns, -61.0),))
        if reach.publish(self._identity, UP.format(gateway=self.gateway_id), bundle.encode(), [telegram]):
            spoken = published(telegram, self.gateway_id, reach.now_ns)
            self.published.append(Shot(variant, security, address, spoken, of))
            reach.note("publish", f"{variant}: {address}, telegram {fingerprint(telegram)}")

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        sessions = sessions_within(truth, self.gateway_id, [self.wall_ns])
        drops_ns = thrown_off(sessions)
        displaced = len(drops_ns)
        served = {s: self._served(truth, s) for s in sorted(truth.securities)}
        found = [  # the session knows no mode, so the first two figures are the same in each; whom it serves is not
            Outcome(
                TAKEOVER,
                security,
                reached=self.clone_connects,
                achieved=displaced,
                watch=Watch(("twin",), (self.gateway_id,), self.takeover_ns, places=self.places),
                why="the genuine gateway was thrown off its session (one event, told in each security mode)",
                evidence={
                    "clone's logins": self.clone_connects,
                    "genuine thrown off": displaced,
                    "meters that only this gateway hears": alone,
                    "readings through it before": before,
                    "since": since,
                },
                curve=Curve("seconds by the wall's clock after its first act", "times the owner was thrown off",
                            self._thrown_off(drops_ns)),
                sessions=sessions,
            )
            for security, (alone, before, since) in served.items()
        ]
        return [*found, *outcomes_of(self.published, truth)]

    def _thrown_off(self, drops_ns: list[int]) -> tuple[tuple[float, float], ...]:
        """(wall seconds since its first act, how often by then)."""
        begun_ns, _ = self.wall_ns
        return tuple((round((at_ns - begun_ns) / 1e9, 3), float(by)) for by, at_ns in enumerate([begun_ns, *drops_ns]))

    def _served(self, truth: Truth, security: str) -> tuple[int, int, int]:
        """Of the meters of one security mode: (those that no other gateway hears, readings of all of them that came
        through this one before the takeover, and since)."""
        ours = [entry for entry in truth.world.system.registry if entry.security == security]
        names = {entry.name for entry in ours}
        times = [r.stored_ns for r in truth.readings if r.gateway == self.gateway_id and r.meter in names]
        since = sum(time_ns >= self.takeover_ns for time_ns in times)
        return sum(entry.gateways == {self.gateway_id} for entry in ours), len(times) - since, since
