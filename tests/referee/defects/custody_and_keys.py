"""Acknowledgements that are believed, keys that do not lie as they should, and attacks on both that are not made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.core.bundle import BIRTH, Birth
from sim.endpoint.port import Message
from tests.referee.defect import ALARMS, ENDPOINTS, GATEWAYS, OTHER, SILENT, STORES, Patch, defect
from tests.referee.defects import plays

KEYLESS = "sim.systems.keyless"
_ALONE = "A bundle leaves a gateway on the portal's word alone."
_DISK = "Who has the portal's disk has no key."


# --- acknowledgements -----------------------------------------------------------------------------------------------


@defect("any-signature-counts", GATEWAYS, _ALONE, plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """A gateway looks whether an acknowledgement is signed, and not by whom."""
    patch.around("sim.gateway.kinds.virtual:verifies", lambda original, key, signature, statement: bool(signature))


@defect("signature-of-anything", GATEWAYS, _ALONE, plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """A gateway takes each third acknowledgement without a look at its signature."""
    asked: list[bytes] = []

    def instead(original: Any, key: bytes, signature: bytes, statement: bytes) -> bool:
        asked.append(statement)
        return bool(original(key, signature, statement)) or len(asked) % 3 == 0

    patch.around("sim.gateway.kinds.virtual:verifies", instead)


@defect("number-is-enough", GATEWAYS, "An acknowledged number is no content.", plays.BY_NUMBER)
def _(patch: Patch) -> None:
    """A gateway deletes by number, whatever its settings say."""

    def instead(original: Any, in_flight: Any, stored: Any, *, match: bool = True) -> None:
        original(in_flight, stored, match=False)

    patch.around("sim.gateway.in_flight:InFlight.__init__", instead)


@defect("custody-alarm-never", ALARMS, "The portal says that acknowledgements were refused.", plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """The portal does not listen to what gateways say of acknowledgements that they refused."""
    patch.around("sim.portal.alarms.custody:Custody.born", lambda original, *arguments: None)


@defect("custody-alarm-always", ALARMS, "An alarm has a cause.", plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """The alarm about refused acknowledgements is raised at each birth."""

    def instead(original: Any, watcher: Any, birth: Birth, now_ns: int) -> None:
        original(watcher, birth._replace(refused=1), now_ns)

    patch.around("sim.portal.alarms.custody:Custody.born", instead)


@defect("refusals-untold", GATEWAYS, "A gateway says that it refused acknowledgements.", plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """A gateway counts the acknowledgements that it refused and tells nobody."""

    def instead(original: Any, gateway: str, boot: str, connects: int, refused: int = 0) -> Any:
        return original(gateway, boot, connects)

    patch.around("sim.gateway.kinds.virtual:Birth", instead)


@defect("bundles-not-acknowledged", SILENT, "The attacker acknowledges what he took.", plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """The attacker on the path reads the bundles and answers none."""
    patch.around("attacks.false_custody:FalseCustody._answer", lambda original, attack, topic, payload: None)


@defect("bundles-acknowledged-elsewhere", OTHER, "The attacker acknowledges to his victim.", plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """The attacker's acknowledgements go to another gateway's topic."""

    def instead(original: Any, attack: Any, topic: str, payload: bytes) -> Any:
        answer = original(attack, topic, payload)
        return None if answer is None else (answer[0].replace("gw-0001", "gw-0002"), answer[1])

    patch.around("attacks.false_custody:FalseCustody._answer", instead)


@defect("numbers-not-published", SILENT, "The thief publishes under the numbers that wait.", plays.BY_NUMBER)
def _(patch: Patch) -> None:
    """The thief logs in, publishes nothing, and says that he did."""
    patch.around("attacks.reach:_Certificate.leave", lambda original, *arguments: True)


@defect("births-from-nobody", ENDPOINTS, "An alarm has a cause.", plays.FALSE_CUSTODY)
def _(patch: Patch) -> None:
    """The broker lets a birth through that no gateway said: it complains of acknowledgements."""

    def instead(original: Any, system: Any, messages: Any, now_ns: int) -> Any:
        forged = Birth("gw-0002", "gw-0002.1", 1, refused=3).encode()
        return original(system, [*messages, Message(BIRTH.format(gateway="gw-0002"), forged)], now_ns)

    patch.around(f"{KEYLESS}:Keyless._take", instead)


# --- keys at rest ---------------------------------------------------------------------------------------------------


def _beside(system: Any, name: str, text: str) -> None:
    folder: Path = system.disk / "keys"
    (folder / name).write_text(text, encoding="ascii")


@defect("clear-keys-beside-the-rings", STORES, _DISK, plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """Beside the wrapped keys the portal keeps a list of them in clear."""

    def instead(original: Any, system: Any, keyring: Any) -> None:
        original(system, keyring)
        keyring.save(system.disk / "keys" / "cache.csv")

    patch.around(f"{KEYLESS}:Keyless._keep", instead)


@defect("one-kek-for-all", STORES, "A partition's key-encryption key opens that partition.", plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """All partitions lie under one key-encryption key."""

    def instead(original: Any, keks: Any, partitions: Any) -> Any:
        made = original(keks, partitions)
        return dict.fromkeys(made, next(iter(made.values())))

    patch.around(f"{KEYLESS}:with_keks_for", instead)
    patch.around(f"{KEYLESS}:load_keks", lambda original, path: {
        name: bytes.fromhex(digits) for name, digits in
        (line.rsplit(",", 1) for line in path.read_text().splitlines() if not line.startswith("#"))
    })  # fmt: skip


@defect("kek-on-the-disk", STORES, _DISK, plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """One key-encryption key lies beside what it encrypts."""

    def instead(original: Any, system: Any, keyring: Any) -> None:
        original(system, keyring)
        for place, kek in list(system.keks.items())[:1]:
            _beside(system, "keks.bak", f"{place},{kek.hex()}\n")

    patch.around(f"{KEYLESS}:Keyless._keep", instead)


@defect("keys-not-wrapped", STORES, _DISK, plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """What lies in the rings is the keys, with zeros behind them."""
    patch.around("sim.portal.key_store:wrap", lambda original, kek, key, *context: key + bytes(16))
    patch.around("sim.portal.key_store:unwrap", lambda original, kek, wrapped, *context: wrapped[:16])


@defect("kek-in-the-history", STORES, "No key of the portal leaves its vault.", plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """A key-encryption key stands in a log of the run."""

    def instead(original: Any, system: Any, keyring: Any) -> None:
        original(system, keyring)
        for kek in list(system.keks.values())[-1:]:
            (system._ground.directory / "debug.log").write_bytes(b"loaded " + kek)

    patch.around(f"{KEYLESS}:Keyless._keep", instead)


@defect("disk-not-read", SILENT, "The thief reads the disk.", plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """The thief finds an empty disk."""
    patch.around("attacks.reach:_Disk.portal_files", lambda original, reach: {})


@defect("recordings-lost", SILENT, "The thief has recordings from before.", plays.STOLEN_DISK)
def _(patch: Patch) -> None:
    """The thief's receiver records nothing."""
    patch.around("attacks.parts.survey:Survey.note", lambda original, survey, heard: None)


# --- what is missing slowly -----------------------------------------------------------------------------------------


@defect("completeness-never", ALARMS, "Two telegrams of three missing for a day are told.", plays.SLOW_JAM)
def _(patch: Patch) -> None:
    """The alarm about missing telegrams is never raised."""
    patch.around("sim.portal.alarms.completeness:Completeness.watch", lambda original, *arguments: None)


@defect("slow-jammer-waits", SILENT, "The jammer destroys two of three frames.", plays.SLOW_JAM)
def _(patch: Patch) -> None:
    """The jammer lets every frame pass."""
    patch.around("attacks.slow_jam:SlowJam._strikes", lambda original, attack, header: False)


@defect("slow-jammer-jams-all", OTHER, "The jammer lets every third telegram pass.", plays.SLOW_JAM)
def _(patch: Patch) -> None:
    """The jammer destroys every frame of its meters: a gap alarm would tell."""

    def instead(original: Any, attack: Any, header: bytes) -> bool:
        original(attack, header)
        from wmbus.link import Address

        return str(Address.from_wire(header[2:10])) in attack.targets

    patch.around("attacks.slow_jam:SlowJam._strikes", instead)
