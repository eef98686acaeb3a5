"""Meter keys at rest: a folder of wrapped keys, one file a partition, each under a key-encryption key (KEK) of its own
that lies elsewhere.

Rules kept: whoever has the folder has no key; whoever has the folder and one KEK has the keys of that partition and no
other; an entry opens only in its partition and for its address (see sim.pki.wrapping); files are replaced whole.
Partitions are whatever the operator takes them for: a house, a property, a group of tenants.

A partition's file, `<partition>.ring`, is text:

    wmbench wrapped keys 1
    partition: house 1
    kek: 5f0c2a91                                   which KEK, by a name that tells nothing of it
    QDS 10000001 36 08,,<64 hex digits>
    QDS 10000002 36 08,,<64 hex digits>
    QDS 10000002 36 08,2026-03-01T00:00:00,<64 hex digits>     the key before, good until then (UTC)

A file of KEKs is lines `partition,<128 hex digits>`, mode 0600; the environment variable WMBENCH_KEKS may hold the same
lines, with `;` between them, where no file should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from sim.pki.wrapping import KEK_BYTES, CannotUnwrap, name_of, new_kek, unwrap, wrap
from sim.portal.key_files import lines_of, private_text
from sim.portal.keyring import (
    Keyring,
    KeyringError,
    moment,
    parse_address,
    partition_name,
    write_private,
)
from wmbus.link import Address

SUFFIX: Final = ".ring"
_FIRST: Final = "wmbench wrapped keys 1"

Keks = Mapping[str, bytes]
"""Partition -> its key-encryption key."""


class Entry(NamedTuple):
    """One wrapped key; `until` None: it is the meter's present one."""

    address: Address
    until: datetime | None
    wrapped: bytes

    @property
    def line(self) -> str:
        return f"{self.address},{'' if self.until is None else self.until.isoformat()},{self.wrapped.hex()}"

    def context(self, partition: str) -> tuple[bytes, ...]:
        """What it is bound to."""
        until = "" if self.until is None else self.until.isoformat()
        return (partition.encode(), self.address.wire(), until.encode())


class Ring(NamedTuple):
    """One partition at rest. `kek`: the name of the KEK."""

    partition: str
    kek: str
    entries: tuple[Entry, ...]


class KeyStore:
    """The folder. Raises KeyringError, which never holds a key."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rings(self) -> list[Ring]:
        """Everything in it, as it lies there: no KEK is needed."""
        return [_read(path) for path in sorted(self.folder.glob(f"*{SUFFIX}"))]

    def write(self, keyring: Keyring, partition: Callable[[Address], str], keks: Keks) -> None:
        """Replace what is there by these keys. Partitions that hold none any more go."""
        kept: dict[str, list[Entry]] = {}
        for address, key, until in keyring.every():
            place = partition_name(partition(address))
            bare = Entry(address, until, b"")
            kept.setdefault(place, []).append(bare._replace(wrapped=_wrap(keks, place, bare, key)))
        for place, entries in kept.items():
            self._put(Ring(place, name_of(keks[place]), tuple(entries)))
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path.name.removesuffix(SUFFIX) not in kept:
                path.unlink()

    def read(self, keks: Keks) -> Keyring:
        """The keys of the partitions whose KEKs these are; the others stay shut."""
        keyring = Keyring()
        for ring in self.rings():
            if ring.partition in keks:
                for entry, key in self._opened(ring, keks[ring.partition]):
                    keyring.take_in(entry.address, key, entry.until, str(self._path(ring.partition)))
        return keyring

    def rotate(self, partition: str, old: bytes, new: bytes) -> None:
        """Wrap a partition's keys under another KEK. The meters' own keys stay as they are: what was stolen before,
        with its KEK, stays readable until they are renewed."""
        ring = _read(self._path(partition))
        fresh = []
        for entry, key in self._opened(ring, old):
            fresh.append(entry._replace(wrapped=wrap(new, key, *entry.context(partition))))
        self._put(Ring(partition, name_of(new), tuple(fresh)))

    def _opened(self, ring: Ring, kek: bytes) -> Iterator[tuple[Entry, bytes]]:
        where = self._path(ring.partition)
        if ring.kek != name_of(kek):
            raise KeyringError(f"{where}: wrapped under KEK {ring.kek}, not {name_of(kek)}; give the KEK of that name")
        for entry in ring.entries:
            try:
                yield entry, unwrap(kek, entry.wrapped, *entry.context(ring.partition))
            except CannotUnwrap:
                said = f"{where}: the key of {entry.address} was changed or belongs elsewhere"
                raise KeyringError(f"{said}; take the file from a backup") from None

    def _put(self, ring: Ring) -> None:
        lines = [_FIRST, f"partition: {ring.partition}", f"kek: {ring.kek}", *(entry.line for entry in ring.entries)]
        write_private(self._path(ring.partition), "\n".join(lines) + "\n")

    def _path(self, partition: str) -> Path:
        return self.folder / f"{partition_name(partition)}{SUFFIX}"


def _wrap(keks: Keks, partition: str, entry: Entry, key: bytes) -> bytes:
    kek = keks.get(partition)
    if kek is None:
        raise KeyringError(f"there is no KEK for partition {partition!r}; add a line to the file of KEKs")
    return wrap(kek, key, *entry.context(partition))


def _read(path: Path) -> Ring:
    lines = lines_of(private_text(path))
    head = [line for _, line in lines[:3]]
    if len(head) < 3 or head[0] != _FIRST or head[1][:11] != "partition: " or head[2][:5] != "kek: ":
        raise KeyringError(f"{path}: does not begin with {_FIRST!r}, 'partition: NAME' and 'kek: NAME'")
    partition, kek = partition_name(head[1].removeprefix("partition: ")), head[2].removeprefix("kek: ")
    if path.name != partition + SUFFIX:
        raise KeyringError(f"{path}: holds partition {partition!r}; its name must be {partition + SUFFIX!r}")
    return Ring(partition, kek, tuple(_entry(f"{path}, line {number}", line) for number, line in lines[3:]))


def _entry(where: str, line: str) -> Entry:
    address, _, rest = line.partition(",")
    until, comma, wrapped = rest.partition(",")
    try:
        return Entry(parse_address(address), moment(until), bytes.fromhex(wrapped if comma else "-"))
    except ValueError:
        raise KeyringError(f"{where}: not 'address,until,wrapped key in hex'") from None


# --- key-encryption keys ----------------------------------------------------------------------------------------------


def load_keks(source: Path | str) -> dict[str, bytes]:
    """From a file (0600), or from the text of the environment variable. Raises KeyringError."""
    where = str(source) if isinstance(source, Path) else "WMBENCH_KEKS"
    text = private_text(source) if isinstance(source, Path) else source.replace(";", "\n")
    keks: dict[str, bytes] = {}
    for number, line in lines_of(text):
        name, _, digits = line.rpartition(",")
        try:
            kek = bytes.fromhex(digits)
        except ValueError:
            kek = b""
        if len(kek) != KEK_BYTES:
            raise KeyringError(f"{where}, line {number}: not 'partition,KEK of {2 * KEK_BYTES} hex digits'")
        place = partition_name(name.strip())
        if place in keks:
            raise KeyringError(f"{where}, line {number}: {place!r} has a KEK already; keep one line")
        if kek in keks.values():
            raise KeyringError(f"{where}, line {number}: two partitions share a KEK; make one for each")
        keks[place] = kek
    return keks


def save_keks(path: Path, keks: Keks) -> None:
    """0600, whole or not at all."""
    lines = [f"{place},{kek.hex()}" for place, kek in sorted(keks.items())]
    write_private(path, "# partition,key-encryption key: keep this file 0600, and away from the rings\n" +
                  "".join(f"{line}\n" for line in lines))  # fmt: skip


def with_keks_for(keks: Keks, partitions: Iterator[str] | set[str]) -> dict[str, bytes]:
    """These, and new ones for the partitions that have none."""
    return dict(keks) | {place: new_kek() for place in sorted(set(partitions)) if place not in keks}
