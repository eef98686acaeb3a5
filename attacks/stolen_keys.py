"""The portal's disk is stolen, and what was recorded from the air before is read with what lies on it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.survey import Survey, reads_units
from attacks.reach import Reach
from sim.core.vocabulary import SECURITIES
from sim.pki.wrapping import KEK_BYTES, CannotUnwrap, unwrap
from sim.truth.ground_truth import Truth
from wmbus.link import Address

DISK = "the disk alone"
WITH_KEK = "the disk and one partition's key-encryption key"
_ADDRESS = rb"([A-Z]{3} [0-9A-F]{8} [0-9A-F]{2} [0-9A-F]{2})"
_CLEAR = re.compile(_ADDRESS + rb"[^\n]*?(?<![0-9A-Fa-f])([0-9A-Fa-f]{32})(?![0-9A-Fa-f])")
_WRAPPED = re.compile(_ADDRESS + rb",([^,\n]*),([0-9A-Fa-f]{64})(?![0-9A-Fa-f])")
_PLACE = re.compile(rb"^partition: (.+)$", re.MULTILINE)
_KEK = re.compile(rb"(?<![0-9A-Fa-f])[0-9A-Fa-f]{%d}(?![0-9A-Fa-f])" % (2 * KEK_BYTES))

Keys = dict[str, list[bytes]]  # address -> what may be its key


@attack(
    id="portal.stolen_keys",
    title="Steal the portal's disk, and read what was recorded before",
    threats=["P01"],
    can=Can.HEAR | Can.DISK | Can.KEK,
    ics=["T0811", "T0882"],
    weakness={"portal.key_store": "clear"},
    seen_as="nothing: reading a copy leaves no trace",
)
@dataclass
class StolenKeys:
    """Record the air, then take a copy of every file of the portal's disk. Keys in clear beside an address are keys;
    wrapped ones open with every key-encryption key that lies on the disk too, and in the second variant with the one of
    a single partition, whose keeper was robbed or bribed. A meter is open when the units in a recording of it, made
    before the theft, are read as it sent them. In the second variant meters of other flats than the partition's are
    counted, where it holds one flat."""

    learn_s: float = 900.0
    partition: str = "flat 3"
    survey: Survey = field(default_factory=Survey)
    keys: dict[str, Keys] = field(default_factory=dict)
    place: str = ""
    opened_share: float = 0.0  # of the encrypted meters heard, by the second variant

    def run(self, reach: Reach) -> Steps:
        reach.listen(self.survey.note)
        yield reach.wait_until(self.learn_s)
        files = reach.portal_files()
        self.place, kek = reach.key_encryption_key(self.partition)
        self.keys = {DISK: found_in(files, {}), WITH_KEK: found_in(files, {self.place: kek} if kek else {})}
        reach.note("copy", f"{len(files)} files, and the key of {self.place or 'nobody'}")

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return [one for variant, keys in self.keys.items() for one in self._outcomes(variant, keys, truth)]

    def _outcomes(self, variant: str, keys: Keys, truth: Truth) -> Iterator[Outcome]:
        flats = {entry.name: entry.flat for entry in truth.world.system.registry}
        heard: dict[str, set[str]] = defaultdict(set)
        opened: dict[str, set[str]] = defaultdict(set)
        for known in self.survey.meters.values():
            if known.security in SECURITIES[1:]:
                heard[known.security].add(known.address)
                recordings = [one.telegram for one in known.recordings]
                if any(reads_units(raw, key, truth) for raw in recordings for key in keys.get(known.address, ())):
                    opened[known.security].add(known.address)
        everyone = sum(map(len, heard.values()))
        if variant == WITH_KEK:
            self.opened_share = sum(map(len, opened.values())) / max(everyone, 1)
        for security, meters in sorted(heard.items()):
            read = opened[security]
            beyond = {one for one in read if variant == DISK or flats.get(one) != self.place}
            yield Outcome(
                variant, security, reached=len(meters), achieved=len(beyond),
                why=f"{len(read)} of {len(meters)} meters opened, {len(beyond)} of them not given with the theft",
                evidence={"meters heard": len(meters), "opened": len(read), "not given": len(beyond)},
            )  # fmt: skip


def found_in(files: Mapping[str, bytes], keks: Mapping[str, bytes]) -> Keys:
    """What files give away: keys in clear, and wrapped ones under these KEKs or under those that lie in the files."""
    found: Keys = defaultdict(list)
    lying = {bytes.fromhex(one.decode()) for content in files.values() for one in _KEK.findall(content)}
    for content in files.values():
        for address, key in _CLEAR.findall(content):
            found[address.decode()].append(bytes.fromhex(key.decode()))
        place = _PLACE.search(content)
        if place is None:
            continue
        for address, until, wrapped in _WRAPPED.findall(content):
            context = (place[1], _wire(address.decode()), until)
            for kek in {*lying, *keks.values()}:
                try:
                    found[address.decode()].append(unwrap(kek, bytes.fromhex(wrapped.decode()), *context))
                except CannotUnwrap:
                    continue
    return dict(found)


def _wire(address: str) -> bytes:
    maker, number, version, kind = address.split()
    return Address(maker, number, int(version, 16), int(kind, 16)).wire()
