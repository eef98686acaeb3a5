"""The meters' keys. Nobody else in the system has any: not a gateway, not the broker, not the history.

Rules kept: a key is found by the whole address (maker, id, version, type), because the initialisation vector of mode 5
holds all four and a key found by id alone accepts a telegram whose version was changed (L13); a key file is 0600 and
one that others may read is refused, not mended in silence; a key is never printed: repr shows how many there are, and
errors name line and column, never the value.

Files: see key_files. `save` writes CSV. Lists that people keep often name a meter by its id alone; `load` takes those
only from a caller who says which meters are meant, so a key still belongs to whole addresses. These files hold keys in
clear: `key_store` is how keys lie at rest.

A meter's key may be renewed: the key before stays good until a moment that is written beside it (`address,key,until`,
UTC), because nobody knows when the meter changes over.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

from sim.core import whole_file
from sim.core.quoting import named, quoted
from sim.portal.key_files import KeyringError, rows
from wmbus.link import Address

KEY_BYTES = 16
__all__ = ["KEY_BYTES", "Keyring", "KeyringError", "parse_address"]
_ID = re.compile("[0-9A-Fa-f]{8}")
_PARTITION = re.compile("[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


def parse_address(text: str) -> Address:
    """ "QDS 10000001 36 08" -> Address; raises ValueError without quoting more than the address."""
    parts = text.split()
    if len(parts) != 4:
        raise ValueError(f"{quoted(text)} is not an address: maker, id, version, type, as in 'QDS 10000001 36 08'")
    maker, number, version, kind = parts
    if not (len(maker) == 3 and maker.isascii() and maker.isalpha() and maker.isupper()):
        raise ValueError(f"{quoted(maker)} is not a maker of three letters A-Z")
    if len(number) != 8:
        raise ValueError(f"{quoted(number)} is not an id of eight digits")
    try:
        bytes.fromhex(number)
        return Address(maker, number.upper(), bytes.fromhex(version)[0], bytes.fromhex(kind)[0])
    except (ValueError, IndexError):
        raise ValueError(f"{quoted(text)}: id, version and type are hex digits, as in 'QDS 10000001 36 08'") from None


class Keyring:
    """Address -> 16-byte key, and for some the key before it. `version` grows with each change."""

    __slots__ = ("_by_address", "_by_id", "_former", "version")

    def __init__(self, keys: dict[Address, bytes] | None = None) -> None:
        self._by_address: dict[Address, bytes] = {}
        self._by_id: dict[str, bytes] = {}
        self._former: dict[Address, tuple[bytes, datetime]] = {}
        self.version = 0
        for address, key in (keys or {}).items():
            self.add(address, key)

    def __repr__(self) -> str:
        return f"<Keyring of {len(self)} keys>"

    def __len__(self) -> int:
        return len(self._by_address)

    def __contains__(self, address: Address) -> bool:
        return address in self._by_address

    def __reduce__(self) -> str:
        raise TypeError("a keyring is not pickled: save it to a file of mode 0600")

    def add(self, address: Address, key: bytes) -> None:
        """The first key of an id is the one that a search by id alone finds. Raises KeyringError."""
        if len(key) != KEY_BYTES:
            raise KeyringError(f"{address}: a key has {KEY_BYTES} bytes, not {len(key)}")
        self.version += 1
        self._by_address[address] = bytes(key)
        self._by_id.setdefault(address.id, bytes(key))

    def renew(self, address: Address, key: bytes, until: datetime) -> None:
        """From now on this is the meter's key; the one before, which it has, stays good until `until` (UTC). Raises
        KeyringError where there is none, or it is the same."""
        before = self._by_address.get(address)
        if before is None or before == key:
            said = "has no key that could be renewed" if before is None else "has this key already"
            raise KeyringError(f"{address} {said}")
        self.add(address, key)
        self._former[address] = (before, until)

    def expire(self, now: datetime) -> None:
        """Forget the keys before that are good no more."""
        for address, (_, until) in list(self._former.items()):
            if until <= now:
                del self._former[address]
                self.version += 1

    def key(self, address: Address, *, whole_address: bool = True) -> bytes | None:
        """The key, or None. `whole_address=False` is the weakness that only looks at the id."""
        return self._by_address.get(address) if whole_address else self._by_id.get(address.id)

    def former(self, address: Address) -> bytes | None:
        """The key before, while it is good."""
        before = self._former.get(address)
        return None if before is None else before[0]

    def every(self) -> Iterator[tuple[Address, bytes, datetime | None]]:
        """All keys; with the moment until which they are good where they are keys before."""
        for address, key in self._by_address.items():
            yield address, key, None
            if address in self._former:
                yield address, *self._former[address]

    def take_in(self, address: Address, key: bytes, until: datetime | None, where: str) -> None:
        """One of `every`, read again from `where`. Raises KeyringError where it is there already."""
        if address in (self._by_address if until is None else self._former):
            raise KeyringError(f"{where}: {address} has a key already; keep one line")
        if until is None:
            self.add(address, key)
        elif len(key) != KEY_BYTES:
            raise KeyringError(f"{where}: a key has {KEY_BYTES} bytes, not {len(key)}")
        else:
            self._former[address] = (bytes(key), until)
            self.version += 1

    def save(self, path: Path) -> None:
        """As CSV, see write_private."""
        lines = [f"{address},{key.hex()}" + ("" if until is None else f",{until.isoformat()}")
                 for address, key, until in self.every()]  # fmt: skip
        write_private(path, "# address,key: keep this file 0600\n" + "".join(f"{line}\n" for line in lines))

    @classmethod
    def load(cls, path: Path, *, known: Collection[Address] | None = None) -> Keyring:
        """A key file or a folder of them. With `known` an id alone stands for every address there that has it,
        and for none if none has. Raises KeyringError."""
        keyring = cls()
        for row in rows(path):
            keyring._take(row.where, row.address, row.key, row.until, known)
        return keyring

    def _take(
        self, where: str, address_text: object, key_text: object, until: str, known: Collection[Address] | None
    ) -> None:
        if not isinstance(address_text, str) or not isinstance(key_text, str):
            raise KeyringError(f"{where}: needs 'address' and 'key', both text")
        try:
            if known is not None and _ID.fullmatch(address_text):
                addresses = [address for address in known if address.id == address_text.upper()]
            else:
                addresses = [parse_address(address_text)]
        except ValueError as error:
            raise KeyringError(f"{where}: {error}") from None
        try:
            key = bytes.fromhex(key_text)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise KeyringError(f"{where}: the key of {named(address_text)} is not {2 * KEY_BYTES} hex digits")
        try:
            good_until = moment(until.strip())
        except ValueError:
            said = f"behind the key of {named(address_text)} stands no date and time (UTC)"
            raise KeyringError(f"{where}: {said}") from None
        for address in addresses:
            self.take_in(address, key, good_until, where)


def write_private(path: Path, text: str) -> None:
    """Atomic: a crash leaves the old file or the new one, 0600 from its first byte. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.write(path, text, private=True, durable=True)


def partition_name(text: str) -> str:
    """The same text, if it can name a partition and its file. Raises KeyringError."""
    if not _PARTITION.fullmatch(text):
        raise KeyringError(f"{text!r} is no name of a partition: 1 to 64 letters, digits, spaces and . _ -")
    return text


def moment(text: str) -> datetime | None:
    """An instant in ISO 8601, UTC where it says nothing; None for no text. Raises ValueError."""
    if not text:
        return None
    told = datetime.fromisoformat(text)
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told.astimezone(UTC)
