"""Stand between a display in the home and its smart meter gateway."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, altered_values
from attacks.reach import Reach
from attacks.reach_homes import Look
from sim.systems._smgw_running import smgw
from sim.truth.ground_truth import Truth

DISPLAY = "values changed on a display in the home"
BILL = "values changed on the bill, by way of the display"
SELF_SIGNED = "self-signed certificate"  # in OpenSSL's words
DELIVERED = "the bill is made of what the gateway delivered"
MORE = 1_000


@attack(
    id="smgw.han_mitm",
    title="Man in the middle between a display and its smart meter gateway",
    threats=[],
    can=Can.HOME,
    ics=["T0830", "T0832"],
    weakness={"system.display_verifies": False, "system.bill_from_display": True},
    seen_as="display: the gateway's certificate is another one",
    refused_as=(SELF_SIGNED, DELIVERED),
)
@dataclass
class SmgwHanMitm:
    """A real TLS server in the home network answers displays with a certificate of its own, hands what they ask on to
    the gateway, password proof included, and adds a thousand to every value. A display that checks the certificate
    shows nothing; free clients in the field check none, and show what they are given. The bill is another matter: it is
    made of what the gateway seals for the supplier. Control: displays that check nothing, and a supplier who bills what
    consumers tell him of their displays."""

    gateway: int = 0
    first_s: float = 5_400.0
    at_s: float = 10_800.0
    before: list[Look] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.first_s)
        self.before = reach.let_displays_read(self.gateway)
        yield reach.wait_until(self.at_s)
        self.looks = reach.let_displays_read(self.gateway, _more)
        refused = next((one.refused for one in self.looks if one.refused), "shown")
        reach.note("answer displays", f"{len(self.looks)} meters: {refused}")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        changed = [one for one in self.looks if one.shown is not None and one.shown != one.genuine]
        refused = next((one.refused for one in self.looks if one.refused), "")
        shown = f"{len(changed)} of {len(self.looks)} values on displays are not the gateway's"
        if smgw(truth.world.system).settings.bill_from_display:
            wrong = self._told_wrongly()
            why = f"the supplier bills what consumers told him: {wrong} meters billed wrongly"
        else:
            wrong = len(altered_values(truth))
            why = DELIVERED
        return [
            Outcome(DISPLAY, SECURITY, len(self.looks), len(changed), why=shown if changed else f"refused: {refused}",
                    evidence={"meters": len(self.looks), "values changed": len(changed)}),
            Outcome(BILL, SECURITY, len(self.looks), wrong, why=why, evidence={"meters billed wrongly": wrong}),
        ]  # fmt: skip

    def _told_wrongly(self) -> int:
        """Meters whose consumption by two readings of the display is not what the gateway has."""
        first = {(one.meter, one.obis): one for one in self.before}
        return sum(
            one.shown - before.shown != one.genuine - before.genuine
            for one in self.looks
            if one.shown is not None and (before := first.get((one.meter, one.obis))) and before.shown is not None
        )


def _more(path: str, body: bytes) -> bytes:
    """Answers with values, each a thousand higher."""
    try:
        told = json.loads(body)
        for one in told["values"]:
            one["value"] = str(int(one["value"]) + MORE)
    except (ValueError, TypeError, KeyError):
        return body
    return json.dumps(told).encode()
