"""Copy the disk of a smart meter gateway."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.delivered_forgeries import SECURITY, meters_of
from attacks.reach import Reach
from sim.portal.keyring import Keyring, KeyringError
from sim.truth.ground_truth import Truth

KEYS = "meters' keys read from a gateway's disk"
READINGS = "stored readings read from a gateway's disk"


@attack(
    id="smgw.disk",
    title="Copy the disk of a smart meter gateway",
    threats=[],
    can=Can.BOX_DISK,
    ics=["T0811", "T0882"],
    weakness={},
    seen_as="nothing: reading a copy leaves no trace",
)
@dataclass
class SmgwDisk:
    """A gateway that decrypts has what it needs for that: the keys of the meters that were paired with it, and the
    readings that it keeps. Counted are keys that are the meter's own, and readings that are what the meter sent. What
    the security module holds is not on the disk."""

    gateway: int = 0
    at_s: float = 7_200.0
    keys: dict[str, bytes] = field(default_factory=dict)
    read: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    def run(self, reach: Reach) -> Steps:
        yield reach.wait_until(self.at_s)
        self.files = reach.box_files(self.gateway)
        reach.note("copy", f"{len(self.files)} files of {reach.box_name(self.gateway)}")
        with TemporaryDirectory(prefix="wmbench-copy-") as place:
            copy = Path(place)
            for name, content in self.files.items():
                target = copy / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
                target.chmod(0o600)
            self._look_into(copy)

    def _look_into(self, copy: Path) -> None:
        for path in copy.rglob("*.csv"):
            try:
                ring = Keyring.load(path)
            except KeyringError:
                continue
            self.keys |= {str(address): key for address, key, _ in ring.every()}
        for path in copy.rglob("*.sqlite*"):
            if path.suffix == ".sqlite":
                self._rows(path)

    def _rows(self, path: Path) -> None:
        found = sqlite3.connect(path)
        try:
            for meter, mark, units in found.execute("SELECT meter, fingerprint, units FROM readings"):
                self.read.setdefault(meter, []).append((mark, units))
        except sqlite3.Error:
            pass
        finally:
            found.close()

    def outcomes(self, truth: Truth) -> list[Outcome]:
        fleet = truth.world.fleet
        own = meters_of(truth, truth.world.gateways[self.gateway].id)
        right = sum(self.keys.get(name) == fleet.key(fleet.find(name)) for name in own)
        readings = [(mark, units) for rows in self.read.values() for mark, units in rows]
        true = sum((sent := truth.known(mark)) is not None and truth.units(sent) == units for mark, units in readings)
        return [
            Outcome(KEYS, SECURITY, len(own), right, why=f"{right} keys of {len(own)} meters lie there",
                    evidence={"meters of this gateway": len(own), "keys": right}),
            Outcome(READINGS, SECURITY, max(len(readings), 3), true, why=f"{true} readings lie there in clear",
                    evidence={"readings": len(readings), "as the meter sent them": true}),
        ]  # fmt: skip
