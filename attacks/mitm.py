"""Man in the middle: stand between a gateway and the broker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from attacks import forgery
from attacks.attack import Can, Outcome, Steps, attack
from sim.bundle import BadBundle, Bundle, Heard
from sim.truth import Truth
from wmbus.errors import BadTelegram
from wmbus.telegram import parse

ALTERED = "altered in transit"
CERTIFICATES = ("rogue CA", "wrong host name", "expired certificate")


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
)
@dataclass
class Mitm:
    """A real TLS proxy on the path of one gateway, showing in turn a certificate of a CA of its own, a genuine one
    made out for another host, and an expired one. The proxy relays to the real broker what a gateway is willing to
    tell it, and alters bundles: units replaced where no key is needed for it.

    Outcomes are telegrams read in clear on this hop ("rogue CA", "wrong host name", "expired certificate"), and portal
    records changed ("altered in transit"). A verified session never opens, so nothing is read; with verification off
    everything a bundle holds is, and what protects a reading then is only the telegram's own MAC. (To relay what it
    altered it needs a broker that asks for no client certificate; that is part of the control's weakness.)
    """

    gateway: int = 0
    from_s: float = 1_800.0
    window_s: float = 1_800.0
    seen: dict[str, Counter[str]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    altered: list[tuple[str, bytes, int]] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def run(self, reach: Any) -> Steps:
        yield reach.wait_until(self.from_s)
        for certificate in CERTIFICATES:
            proxy = reach.intercept(self.gateway, certificate, lambda payload: self._alter(reach, payload))
            yield reach.wait(self.window_s)
            self.seen[certificate] = _securities(proxy.publishes)
            self.tries[certificate] = proxy.connections
            self.opened[certificate] = proxy.accepted
            self.reasons[certificate] = proxy.last_refusal
            reach.note("intercept", f"{certificate}: {proxy.connections} tries, {len(proxy.publishes)} messages read")
            reach.release(self.gateway)
            yield reach.wait(self.window_s)

    def _alter(self, reach: Any, payload: bytes) -> bytes | None:
        """A bundle with the first telegrams of each security mode altered; None leaves a message as it is."""
        try:
            bundle = Bundle.decode(payload)
        except BadBundle:
            return None
        heard = []
        for entry in bundle.heard:
            forged = self._forge(entry.telegram)
            if forged is not None:
                self.altered.append((_security(entry.telegram), forged, reach.now_ns))
                reach.note_sent([forged])
                entry = Heard(forged, entry.received_ns, entry.rssi_dbm)
            heard.append(entry)
        return Bundle(bundle.gateway, bundle.sequence, bundle.closed_ns, tuple(heard)).encode()

    def _forge(self, telegram: bytes) -> bytes | None:
        """Three of each security mode, so that the rest of the bundle shows what is left alone."""
        security = _security(telegram)
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
        found = []
        for certificate, seen in self.seen.items():
            for security in securities:
                read = seen.get(security, 0)
                found.append(
                    Outcome(
                        certificate,
                        security,
                        reached=self.tries[certificate],
                        achieved=self.opened[certificate] if read else 0,
                        why="the gateway does not verify the server; its bundles were read"
                        if read
                        else f"the gateway closed the handshake: {self.reasons[certificate] or 'no session'}",
                        evidence={
                            "connections": self.tries[certificate],
                            "sessions opened": self.opened[certificate],
                            "telegrams read": read,
                        },
                    )
                )
        for security in securities:
            mine = [(forged, at_ns) for s, forged, at_ns in self.altered if s == security]
            changed = sum(bool(truth.stored_from(forged, at_ns)) for forged, at_ns in mine)
            reasons = sorted({r for forged, _ in mine for r in truth.refused(forged)})
            found.append(
                Outcome(
                    ALTERED,
                    security,
                    reached=len(mine) or sum(self.tries.values()),
                    achieved=changed,
                    why="the portal stored an altered telegram"
                    if changed
                    else (f"refused: {', '.join(reasons)}" if reasons else "no session, nothing to alter"),
                    evidence={"altered on the path": len(mine), "records changed": changed},
                )
            )
        return found


def _security(telegram: bytes) -> str:
    try:
        return parse(telegram).security
    except BadTelegram:
        return "unreadable"


def _securities(payloads: list[bytes]) -> Counter[str]:
    """Telegrams by security mode in the messages that passed in clear."""
    counts: Counter[str] = Counter()
    for payload in payloads:
        try:
            counts.update(_security(h.telegram) for h in Bundle.decode(payload).heard)
        except BadBundle:
            continue
    return counts
