"""What is compared: for each topic and each system the scenario and the variants whose verdict is its answer.

A topic is one attack in words. Where the systems differ in what there is to attack, each has a scenario of its own,
with its own control and clean twin. What no scenario answers says what is missing, and is never a verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

KEYLESS, SMGW = "keyless", "smgw"
SYSTEMS: Final = (KEYLESS, SMGW)
"""Those that are compared where nobody says which."""


@dataclass(frozen=True, slots=True)
class Look:
    """The verdicts of these variants of an attack in a scenario, under one set of its defences. `securities`: of these
    meters only; none: of all that there are."""

    scenario: str
    variants: tuple[str, ...]
    defences: str = "on"
    securities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A scenario without an attacker: whether it holds is the answer."""

    scenario: str
    says: str


@dataclass(frozen=True, slots=True)
class NoSurface:
    """There is nothing to attack."""

    why: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """No scenario answers this for this system."""

    missing: str


Side = Look | Measured | NoSurface | NotYet


@dataclass(frozen=True, slots=True)
class Topic:
    """`id`: "card-1" to "card-5", "pair-01" to "pair-19". `sides`: by kind of system."""

    id: str
    title: str
    sides: Mapping[str, Side]

    def side(self, system: str) -> Side:
        """What answers for a system; of one that nobody thought of, that nothing does yet."""
        return self.sides.get(system, NotYet(f"no scenario is named for system '{system}'"))


def _topic(id_: str, title: str, keyless: Side, smgw: Side, **others: Side) -> Topic:
    return Topic(id_, title, {KEYLESS: keyless, SMGW: smgw, **others})


_CARD = "card/test_"
_SNIFF = f"{_CARD}sniffing.py"
_REPLAY = f"{_CARD}replay.py"
_JAM = f"{_CARD}jamming.py"
_MITM = f"{_CARD}man_in_the_middle.py"
_CLONE = f"{_CARD}cloned_gateway.py"
_CLOCK = "wan/test_disorder_and_flood.py"
_RELAY = "smgw/test_between_gateway_and_supplier.py"
_BOX = "smgw/test_cloned_smart_gateway.py"
_DISK = "smgw/test_stolen_gateway_disk.py"
_TIME = "smgw/test_smart_gateways_clock.py"
_OLD = ("after 10 s", "after more than ten others", "after a wrap of 256", "after a portal restart")
_READS, _CHANGES = "values read from what is relayed", "values changed in what is relayed"
_IN_HOME = "smgw/test_in_the_home.py"
_HOME, _HEATS = "smgw/test_who_is_at_home.py", "portal/test_who_heats.py"
_RECEIVED = "heating guessed from the values that a receiver gets"
_RELAYED = "heating guessed from messages that are handed on"
_WAKE_UPS = (
    "the administrator's datagram, played again at once", "a datagram of an hour ago, which did not arrive then",
    "a datagram signed by a key of one's own", "a datagram for another gateway",
    "three datagrams that were held back, all at once",
)  # fmt: skip

CARD: Final = (
    _topic("card-1", "sniffing", Look(_SNIFF, ("values",)), Look(_SNIFF, ("values",))),
    _topic("card-2", "replay", Look(_REPLAY, _OLD), Look(_REPLAY, _OLD)),
    _topic("card-3", "jamming: readings", Look(_JAM, ("continuous: readings",)), Look(_JAM, ("continuous: readings",))),
    _topic(
        "card-3b", "jamming: the bill", Look(_JAM, ("continuous: billing at the set date",)),
        Look(_JAM, ("continuous: billing at the set date",)),
    ),
    _topic(
        "card-4", "man in the middle", Look(_MITM, ("rogue CA", "wrong host name", "altered in transit")),
        Look(_RELAY, (_READS, _CHANGES)),
    ),
    _topic(
        "card-5", "cloned gateway",
        Look(_CLONE, ("backfill of recordings", "forged without meter keys, sent first")),
        Look(_BOX, ("values forged, signed by a key of one's own", "an old container handed in again")),
    ),
)  # fmt: skip

PAIRS: Final = (
    _topic(
        "pair-01", "memory and disk of a running gateway are read",
        Measured("wan/test_gateway_memory.py", "no key and no plaintext is in a gateway's memory"),
        Look(_DISK, ("meters' keys read from a gateway's disk", "stored readings read from a gateway's disk")),
    ),
    _topic(
        "pair-02", "the central key store is stolen",
        Look("portal/test_stolen_disk.py", ("the disk and one partition's key-encryption key",), "undivided"),
        Look(_DISK, ("readings of single quarter hours",)),
    ),
    _topic(
        "pair-03", "broker or administrator reads payloads", Look(_MITM, ("rogue CA",), "unverified"),
        Look(_RELAY, (_READS,)),
    ),
    _topic(
        "pair-04", "the supplier infers who is at home from what he lawfully gets",
        Look(_HEATS, (_RECEIVED,), securities=("mode7",)), Look(_HOME, (_RECEIVED,)),
    ),
    _topic(
        "pair-05", "landlord or supplier differencing",
        Look("portal/test_views.py", ("two sums that differ by one flat",)),
        Look("smgw/test_values_on_demand.py", ("a load profile by snapshots, differenced",)),
    ),
    _topic(
        "pair-06", "gateway cloned without device keys, forges values",
        Look(_CLONE, ("forged without meter keys, sent first",)),
        Look(_BOX, ("values forged, signed by a key of one's own",)),
    ),
    _topic(
        "pair-07", "gateway's processor taken over, module used live",
        Look(_CLONE, ("forged without meter keys, sent first",), securities=("mode7",)),
        Look(_BOX, ("values forged, signed by the gateway's module",)),
    ),
    _topic(
        "pair-08", "telegram replayed on the meter link after a power cut", Look(_REPLAY, ("after a portal restart",)),
        Look("smgw/test_power_cut_replay.py", ("after a portal restart",)),
    ),
    _topic(
        "pair-09", "gateway clock wrong", Look(_CLOCK, ("telegrams refused afterwards",)),
        Look(_TIME, ("a clock that is 28 s ahead: values billed wrongly",)),
    ),
    _topic(
        "pair-10", "forged time service", Look(_CLOCK, ("telegrams refused afterwards",)),
        Look(_TIME, ("an hour's false time from a forged service: values billed wrongly",)),
    ),
    _topic(
        "pair-11", "inbound connection, port scan on the WAN", NoSurface("no claim: it is the operator's firewall"),
        Measured("smgw/test_port_scan.py", "no port lets anybody in, and the one that listens never answers"),
    ),
    _topic(
        "pair-12", "wake-up replayed, stale, foreign, flooded", NoSurface("its gateways are never called"),
        Look("smgw/test_wake_up.py", _WAKE_UPS),
    ),
    _topic(
        "pair-13", "man in the middle with a rogue CA that is trusted", Look(_MITM, ("rogue CA",), "unverified"),
        Look(_RELAY, (_READS, _CHANGES)),
    ),
    _topic(
        "pair-14", "certificate revoked during a live session",
        Look("wan/test_broker_rules.py", ("a live session after revocation",)),
        Look("smgw/test_revoked_smart_gateway.py",
             ("containers relayed once a session had to end", "values stored after the revocation")),
    ),
    _topic(
        "pair-15", "ten days without WAN", Measured("wan/test_outages.py", "a broker that is down costs time only"),
        Measured("smgw/test_ten_days.py", "every value waits and arrives, of radio meters and of wired ones"),
    ),
    _topic(
        "pair-15-link", "a meter's link is jammed while the tariff zone changes",
        Look(_JAM, ("reactive on one meter: readings",)),
        Look("smgw/test_jammed_link.py",
             ("meter link jammed: readings missing at the gateway",
              "meter link jammed over a change of zone: its consumption billed in a tariff")),
    ),
    _topic(
        "pair-16", "man in the middle on the HAN, a client that verifies nothing", NoSurface("it has no HAN"),
        Look(_IN_HOME, ("values changed on a display in the home", "values changed on the bill, by way of the display"),
             "believing"),
    ),
    _topic(
        "pair-17", "a consumer checks a false bill",
        Look("portal/test_false_bill.py", ("a bill that is higher, and a portal that shows the same",)),
        Look(_IN_HOME, ("registers billed higher than they were delivered",)),
    ),
    _topic(
        "pair-18", "signed attributes stripped from the sealed content", NoSurface("nothing is signed that way"),
        Look("smgw/test_signed_attributes.py",
             ("signed attributes stripped: bytes that pass for signed content",
              "another content under a genuine signature: values stored")),
    ),
    _topic(
        "pair-19", "malicious tariff profile (TAF 2 to TAF 7) from the administrator",
        NoSurface("everything leaves its houses anyway"),
        Look("smgw/test_false_rule_set.py", ("a load profile by a false rule set",)),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Looker:
    """Somebody who might see that somebody is at home; the scenarios are those of pair 4, and of whoever listens, which
    a comparison shows where a run has it."""

    party: str
    system: str
    look: Look


AT_HOME: Final = (
    Looker(
        "whoever listens by radio", KEYLESS,
        Look("radio/test_habits.py", ("heating guessed, hour by hour",), securities=("mode7",)),
    ),
    Looker("the broker's operator", KEYLESS, Look(_HEATS, (_RELAYED,), securities=("mode7",))),
    Looker("the portal's operator", KEYLESS, Look(_HEATS, (_RECEIVED,), securities=("mode7",))),
    Looker("the administrator", SMGW, Look(_HOME, (_RELAYED,))),
    Looker("a supplier under TAF 1, a sum a month", SMGW, Look(_HOME, (_RECEIVED,), "taf 1")),
    Looker("a supplier under TAF 2, two sums a month", SMGW, Look(_HOME, (_RECEIVED,))),
    Looker("a supplier under TAF 2, two sums a day", SMGW, Look(_HOME, (_RECEIVED,), "daily")),
    Looker("a supplier under TAF 7, every quarter hour", SMGW, Look(_HOME, (_RECEIVED,), "off")),
)  # fmt: skip


def scenarios_of(topics: tuple[Topic, ...], system: str) -> list[str]:
    """The scenario files that answer for a system, each once."""
    sides = (topic.side(system) for topic in topics)
    return list(dict.fromkeys(side.scenario for side in sides if isinstance(side, (Look, Measured))))
