"""A gateway that leaks, loses, repeats or changes what it carries."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from typing import Any

from sim.core.bundle import Taken
from tests.referee.defect import GATEWAYS, Defect, Patch, Play, add, defect
from tests.referee.defects import plays

GATEWAY = "sim.gateway.kinds.virtual:VirtualGateway"
RECEIVE = f"{GATEWAY}.receive"


# --- keys -----------------------------------------------------------------------------------------------------------


def _keys(system: Any) -> list[bytes]:
    fleet = system._ground.fleet
    return [key for meter in range(fleet.n) if (key := fleet.key(meter)) is not None]


def _beside_outboxes(written: Callable[[bytes], bytes], play: Play = plays.TAMPERING) -> Callable[[Patch], None]:
    """Each gateway writes one meter's key into a file beside its outbox."""

    def apply(patch: Patch) -> None:
        def instead(original: Any, system: Any) -> None:
            original(system)
            keys = _keys(system)
            for place, gateway in enumerate(system.gateways):
                file = system._ground.directory / "gateways" / f"{gateway.id}.cache"
                file.write_bytes(b"cached " + written(keys[(7 * place + 3) % len(keys)]) + b" end")

        patch.around("sim.systems.keyless:Keyless.start", instead)

    return apply


_UNTRUE = "No key leaves the portal."
for _id, _what, _written in (
    ("key-in-base64", "A gateway writes a meter's key as base64 beside its outbox (M31).", base64.b64encode),
    ("key-in-base64-shifted", "The same, behind one other byte.", lambda key: base64.b64encode(b"k" + key)),
    ("key-in-base64-of-text", "The same, behind two other bytes.", lambda key: base64.b64encode(b"k=" + key)),
    ("key-in-urlsafe-base64", "The same, in the alphabet for URLs.", base64.urlsafe_b64encode),
    ("key-raw", "A gateway writes a meter's key as it is.", bytes),
    ("key-in-hex", "A gateway writes a meter's key in hex.", lambda key: key.hex().encode()),
    ("key-in-upper-hex", "A gateway writes a meter's key in capital hex.", lambda key: key.hex().upper().encode()),
    ("key-reversed", "A gateway writes a meter's key backwards.", lambda key: key[::-1]),
    ("key-reversed-in-hex", "A gateway writes a meter's key backwards in hex.", lambda key: key[::-1].hex().encode()),
    ("key-as-json", "A gateway writes a meter's key as a list of numbers.",
     lambda key: str(list(key)).encode()),
):  # fmt: skip
    add(Defect(_id, GATEWAYS, _what, _UNTRUE, plays.TAMPERING, _beside_outboxes(_written)))


@defect("key-in-a-payload", GATEWAYS, _UNTRUE, plays.TAMPERING)
def _(patch: Patch) -> None:
    """With its birth a gateway tells a meter's key, in a field that nobody reads."""
    leaked: list[bytes] = []

    def start(original: Any, system: Any) -> None:
        leaked.extend(_keys(system))
        original(system)

    def birth(original: Any, *arguments: Any) -> bytes:
        payload: bytes = original(*arguments)
        return payload[:-1] + b',"k":"' + leaked[-1].hex().encode() + b'"}'

    patch.around("sim.systems.keyless:Keyless.start", start)
    patch.around("sim.core.bundle:Birth.encode", birth)


@defect("key-in-a-topic", GATEWAYS, _UNTRUE, plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway publishes on a topic whose name is a meter's key."""
    leaked: list[bytes] = []

    def start(original: Any, system: Any) -> None:
        leaked.extend(_keys(system))
        original(system)

    def publish(original: Any, session: Any, topic: str, payload: bytes) -> None:
        original(session, topic, payload)
        if topic.endswith("/birth"):
            original(session, f"log/{leaked[-1].hex()}", b"started")

    patch.around("sim.systems.keyless:Keyless.start", start)
    patch.around("sim.endpoint.kinds.memory:MemorySession.publish", publish)


@defect("derived-key-on-disk", GATEWAYS, _UNTRUE, plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway writes down the encryption key that a meter derives for one telegram of mode 7."""
    from wmbus.security import derive_pair

    def instead(original: Any, system: Any) -> None:
        original(system)
        fleet = system._ground.fleet
        meter = next(m for m in range(fleet.n) if fleet.security(m) == "mode7")
        counter = int(fleet.population.counter0[meter]) + 1
        key = derive_pair(fleet.key(meter), counter, fleet.address(meter).wire()[2:6])[0]
        (system._ground.directory / "gateways" / "session.cache").write_bytes(key)

    patch.around("sim.systems.keyless:Keyless.start", instead)


@defect("private-key-in-a-log", GATEWAYS, "No device's private key leaves its place.", plays.CERTIFICATES)
def _(patch: Patch) -> None:
    """A gateway's private key stands in a log beside the outboxes."""

    def instead(original: Any, system: Any) -> None:
        original(system)
        key = system.endpoint.identity(system.gateways[0].id).key.read_bytes()
        (system._ground.directory / "gateways" / "debug.log").write_bytes(b"loaded " + key)

    patch.around("sim.systems.keyless:Keyless.start", instead)


@defect("consumption-on-disk", GATEWAYS, "A gateway knows no consumption.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway that knows the keys writes the records of encrypted telegrams in clear."""

    def instead(original: Any, system: Any) -> None:
        original(system)
        fleet = system._ground.fleet
        meter = next(m for m in range(fleet.n) if fleet.security(m) == "mode5")
        from wmbus.telegram import read

        seen: list[bytes] = []

        def receive(then: Any, gateway: Any, telegram: bytes, *rest: Any) -> None:
            if len(seen) < 4 and telegram[2:10] == fleet.address(meter).wire():
                records = read(telegram, fleet.key(meter)).records
                seen.append(b"".join(record.dif_vif + record.raw for record in records))
                (system._ground.directory / "gateways" / "plain.log").write_bytes(b"\n".join(seen))
            then(gateway, telegram, *rest)

        patch.around(RECEIVE, receive)

    patch.around("sim.systems.keyless:Keyless.start", instead)


# --- telegrams ------------------------------------------------------------------------------------------------------


@defect("gateway-repeats-bundles", GATEWAYS, "The portal is given each reception once.", plays.POWER)
def _(patch: Patch) -> None:
    """A gateway puts each telegram into two bundles of different sequence."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        heard, state = list(gateway._open), gateway._bundle
        original(gateway, now_ns)
        gateway._open[:], gateway._bundle = heard, state
        original(gateway, now_ns)

    patch.around(f"{GATEWAY}._close", instead)


@defect("gateway-changes-a-bit", GATEWAYS, "Gateways forward the bytes they heard.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """In each fifth telegram a gateway turns one bit of the status byte over."""

    def instead(original: Any, gateway: Any, telegram: bytes, *rest: Any) -> None:
        if telegram[-1] % 5 == 0:
            telegram = telegram[:12] + bytes([telegram[12] ^ 0x04]) + telegram[13:]
        original(gateway, telegram, *rest)

    patch.around(RECEIVE, instead)


@defect("gateway-drops-some", GATEWAYS, "What a gateway received is a reading.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway throws each twentieth telegram away before it is in a bundle."""

    def instead(original: Any, gateway: Any, telegram: bytes, *rest: Any) -> None:
        if telegram[-1] % 20:
            original(gateway, telegram, *rest)

    patch.around(RECEIVE, instead)


@defect("gateway-invents-telegrams", GATEWAYS, "Gateways forward the bytes they heard.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway adds a telegram of a meter that does not exist to each that it heard of clear ones."""
    from attacks.parts.forgery import with_units
    from wmbus.telegram import parse

    def instead(original: Any, gateway: Any, telegram: bytes, *rest: Any) -> None:
        original(gateway, telegram, *rest)
        if parse(telegram).security == "none":
            original(gateway, with_units(telegram, 4_711, "QDS"), *rest)

    patch.around(RECEIVE, instead)


@defect("deleted-on-puback", GATEWAYS, "A bundle leaves a gateway when the portal has it.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway deletes each seventh bundle when it is closed, and never publishes it."""

    def instead(original: Any, gateway: Any, now_ns: int) -> None:
        original(gateway, now_ns)
        for sequence in [one for one in gateway.waiting if one % 7 == 0]:
            gateway._in_flight._match = False
            gateway._in_flight.acknowledged([Taken(sequence, "")])
            gateway.outbox.acknowledged([sequence])

    patch.around(f"{GATEWAY}._close", instead)


@defect("gateway-clock-wrong", GATEWAYS, "A gateway says when it heard a telegram.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """A gateway's clock is ten minutes fast or slow, by turns, and its world says that it is right. (One that is
    steadily wrong is put right by the portal: scenarios/wan/test_stolen_gateway.py.)"""

    def instead(original: Any, gateway: Any, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        gateway._offset_ns = (600 if telegram[-1] & 1 else -600) * 10**9
        original(gateway, telegram, received_ns, rssi_dbm)

    patch.around(RECEIVE, instead)


@defect("gateway-hears-for-another", GATEWAYS, "A reading names the gateway that heard it.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """What the first gateway hears goes into the second one's bundles."""
    others: list[Any] = []

    def made(original: Any, gateway: Any, *arguments: Any, **named: Any) -> None:
        original(gateway, *arguments, **named)
        others.append(gateway)

    def instead(original: Any, gateway: Any, *rest: Any) -> None:
        original(others[-1], *rest)

    patch.around(f"{GATEWAY}.__init__", made)
    patch.around(RECEIVE, instead)


# --- the key of its certificate -------------------------------------------------------------------------------------


def _lays(changed: str) -> Callable[[Patch], None]:
    """The key is laid as if the world said so."""

    def apply(patch: Patch) -> None:
        def instead(original: Any, self: Any, identity: Any, group: Any) -> None:
            settings = {"private_key": "file"} if changed == "flash" else {"key_made": "factory"}
            original(self, identity, dataclasses.replace(group, **settings))

        patch.around("sim.gateway.key_copies:KeyCopies.lay", instead)

    return apply


add(Defect("key-in-flash", GATEWAYS,
           "The key lies in a file of the flash memory, though the world says that an element has it.",
           "A gateway's flash memory holds no private key.", plays.FLASH_KEY, _lays("flash")))  # fmt: skip
add(Defect("key-copied-at-the-factory", GATEWAYS,
           "The factory keeps a copy of each key, though the world says that gateways make theirs.",
           "The factory has no private key.", plays.FACTORY_COPY, _lays("factory")))  # fmt: skip


def _in_the_shadow(what: Callable[[Any, int], str]) -> Callable[[Patch], None]:
    """What stands in each shadow for the firmware, of the first meter that encrypts in the world that is played."""

    def apply(patch: Patch) -> None:
        worlds: list[Any] = []

        def made(original: Any, world: Any, *arguments: Any, **named: Any) -> None:
            original(world, *arguments, **named)
            worlds.append(world)

        def said(original: Any, report: Any, **figures: int) -> bytes:
            document = json.loads(original(report, **figures))
            document["state"]["reported"]["firmware"] = what(worlds[-1].fleet, 6)
            return json.dumps(document).encode()

        patch.around("sim.world:World.__init__", made)
        patch.around("sim.gateway.state_report:StateReport.said", said)

    return apply


def _said_in_clear(fleet: Any, meter: int) -> str:
    """The records of its first telegrams, in hex."""
    telegrams = [fleet.in_clear().telegram(meter, k) for k in range(3)]
    return " ".join(one[-fleet.kind(meter).records_bytes :].hex() for one in telegrams)


add(Defect("value-in-the-shadow", GATEWAYS,
           "A gateway's device shadow holds what an encrypted telegram of a meter says.",
           "A shadow carries no value.", plays.CLOUD, _in_the_shadow(_said_in_clear)))  # fmt: skip
add(Defect("key-in-the-shadow", GATEWAYS,
           "A gateway's device shadow holds a meter's key.",
           "A shadow carries no key.", plays.CLOUD,
           _in_the_shadow(lambda fleet, meter: (fleet.key(meter) or b"").hex())))  # fmt: skip
add(Defect("meter-in-the-shadow", GATEWAYS,
           "A gateway's device shadow names a meter.",
           "A shadow names no meter.", plays.CLOUD,
           _in_the_shadow(lambda fleet, meter: str(fleet.address(meter)).split()[1])))  # fmt: skip
