"""Man in the middle: stand between a gateway and the broker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack, form
from attacks.parts import forgery
from attacks.parts.sent_frames import Shot, outcomes_of, published
from attacks.reach import Reach
from sim.core.bundle import BadBundle, Bundle, Heard
from sim.core.vocabulary import SERVER_CERTIFICATES
from sim.truth.ground_truth import Truth
from wmbus.errors import BadTelegram
from wmbus.telegram import parse

ALTERED = "altered in transit"


@attack(
    id="wan.mitm",
    title="Man in the middle between gateway and broker",
    threats=["W01", "W02", "W03"],
    can=Can.PATH,
    ics=["T0830"],
    weakness={
        "gateway.verify_server": False,
        "endpoint.require_certificate": False,
        "portal.checks": [],
        "portal.strict": False,
        "portal.pin_profile": False,
    },
    seen_as="gateway: the server's certificate is refused",
    needs={"tls", "sockets"},
    forms={
        ALTERED: form("units in clear at the end", "N lowered, cut behind the first block"),
        f"{ALTERED} / none": form("mode 0", "units in clear"),
    },
)
@dataclass
class Mitm:
    """A real TLS server on the path of one gateway, showing in turn a certificate of a CA of its own, a genuine one
    made out for another host, and an expired one. The proxy relays to the real broker what the gateway sends it, and
    alters bundles: units replaced where no key is needed for it.

    Three times the attacker plays the broker, so that what opens or does not open a session is the gateway's own check
    and nothing else: "rogue CA", "wrong host name", "expired certificate" count sessions opened, and name the telegrams
    read. The fourth time the proxy relays to the real broker and replaces units where no key is needed for it ("altered
    in transit" counts portal records changed); for that it also needs a broker that asks for no client certificate.
    With verification off everything a bundle holds is read, and what protects a reading then is only the telegram's own
    MAC.
    """

    gateway: int = 0
    from_s: float = 1_800.0
    window_s: float = 1_800.0
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    altered: list[Shot] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.from_s)
        for certificate in SERVER_CERTIFICATES:
            middle = reach.intercept(self.gateway, certificate)
            yield reach.wait(self.window_s)
            reach.stay(self.gateway)
            self.seen[certificate] = _securities(middle.publishes)
            self.tries[certificate] = middle.connections
            self.opened[certificate] = middle.accepted
            self.reasons[certificate] = middle.last_refusal
            # How often it tried depends on the machine's speed, so it is evidence and no part of the history.
            reach.note("intercept", f"{certificate}: {'session opened' if middle.accepted else 'refused'}")
            reach.release(self.gateway)
            yield reach.wait(self.window_s)
        middle = reach.intercept(self.gateway, SERVER_CERTIFICATES[0], lambda payload: self._alter(reach, payload))
        yield reach.wait(self.window_s)
        reach.stay(self.gateway)
        self.tries[ALTERED] = middle.connections
        self.reasons[ALTERED] = middle.last_refusal or middle.last_upstream
        reach.note("intercept", f"{ALTERED}: {len(self.altered)} telegrams")
        reach.release(self.gateway)
        yield reach.wait(self.window_s)

    def _alter(self, reach: Reach, payload: bytes) -> bytes | None:
        """A bundle with the first telegrams of each security mode altered; None leaves a message as it is."""
        try:
            bundle = Bundle.decode(payload)
        except BadBundle:
            return None
        heard = []
        for entry in bundle.heard:
            forged = self._forge(entry.telegram)
            if forged is not None:
                spoken = published(forged, bundle.gateway, reach.now_ns)
                address = str(parse(entry.telegram).address)
                self.altered.append(Shot(ALTERED, security_of(entry.telegram), address, spoken, entry.telegram))
                entry = Heard(forged, entry.received_ns, entry.rssi_dbm)
            heard.append(entry)
        # The bundle is the attacker's now: its gateway gets no acknowledgement for its own, and sends that again.
        reach.note_sent([one.telegram for one in heard])
        return Bundle(bundle.gateway, bundle.sequence, bundle.closed_ns, tuple(heard)).encode()

    def _forge(self, telegram: bytes) -> bytes | None:
        """Three of each security mode, so that the rest of the bundle shows what is left alone."""
        security = security_of(telegram)
        if self._counts.get(security, 0) >= 3:
            return None
        try:
            parsed = parse(telegram)
            forged = forgery.with_units(telegram, 4_711, parsed.address.manufacturer)
        except (BadTelegram, ValueError):
            return None
        self._counts[security] = self._counts.get(security, 0) + 1
        return forged

    # --- what came of it ----------------------------------------------------------------------------------------

    def outcomes(self, truth: Truth) -> list[Outcome]:
        securities = sorted(truth.securities)
        victim = frozenset((truth.world.gateways[self.gateway].id,))  # what comes through it comes late
        found = []
        for certificate, seen in self.seen.items():
            for security in securities:
                opened, read = self.opened[certificate], seen.get(security, 0)
                found.append(
                    Outcome(
                        certificate,
                        security,
                        reached=self.tries[certificate],
                        achieved=opened,
                        why=f"the gateway took it for the broker; {read} telegrams were read"
                        if opened
                        else f"the gateway broke the handshake off: {self.reasons[certificate]}",
                        evidence={
                            "connections": self.tries[certificate],
                            "sessions opened": opened,
                            "telegrams read": read,
                        },
                        attacked=victim,
                    )
                )
        altered = outcomes_of(self.altered, truth)
        silent = set(securities) - {outcome.security for outcome in altered}
        return [*found, *altered, *(self._no_session(security) for security in sorted(silent))]

    def _no_session(self, security: str) -> Outcome:
        """Nothing of this mode passed that could be altered: what is counted are the tries for a session."""
        return Outcome(
            ALTERED,
            security,
            reached=self.tries.get(ALTERED, 0),
            achieved=0,
            why=f"no session, nothing to alter: {self.reasons.get(ALTERED, '')}",
            evidence={"connections": self.tries.get(ALTERED, 0)},
        )


def security_of(telegram: bytes) -> str:
    try:
        return parse(telegram).security
    except BadTelegram:
        return "unreadable"


def _securities(payloads: list[bytes]) -> Counter[str]:
    """Telegrams by security mode in the messages that passed in clear."""
    counts: Counter[str] = Counter()
    for payload in payloads:
        try:
            counts.update(security_of(h.telegram) for h in Bundle.decode(payload).heard)
        except BadBundle:
            continue
    return counts
