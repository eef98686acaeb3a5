"""The meters' keys. Nobody else in the system has any: not a gateway, not the broker, not the history.

Rules kept: a key is found by the whole address (maker, id, version, type), because the initialisation vector of mode 5
holds all four and a key found by id alone accepts a telegram whose version was changed (L13); a key file is 0600 and
one that others may read is refused, not mended in silence; a key is never printed: repr shows how many there are, and
errors name line and column, never the value.

Files: see key_files. `save` writes CSV. Lists that people keep often name a meter by its id alone; `load` takes those
only from a caller who says which meters are meant, so a key still belongs to whole addresses.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Collection
from pathlib import Path

from sim.portal.key_files import KeyringError, rows
from wmbus.link import Address

KEY_BYTES = 16
__all__ = ["KEY_BYTES", "Keyring", "KeyringError", "parse_address"]
_ID = re.compile("[0-9A-Fa-f]{8}")


def parse_address(text: str) -> Address:
    """ "QDS 10000001 36 08" -> Address; raises ValueError without quoting more than the address."""
    parts = text.split()
    if len(parts) != 4:
        raise ValueError(f"{text!r} is not an address: maker, id, version, type, as in 'QDS 10000001 36 08'")
    maker, number, version, kind = parts
    if not (len(maker) == 3 and maker.isascii() and maker.isalpha() and maker.isupper()):
        raise ValueError(f"{maker!r} is not a maker of three letters A-Z")
    if len(number) != 8:
        raise ValueError(f"{number!r} is not an id of eight digits")
    try:
        bytes.fromhex(number)
        return Address(maker, number.upper(), bytes.fromhex(version)[0], bytes.fromhex(kind)[0])
    except (ValueError, IndexError):
        raise ValueError(f"{text!r}: id, version and type are hex digits, as in 'QDS 10000001 36 08'") from None


class Keyring:
    """Address -> 16-byte key. `version` grows with each key."""

    __slots__ = ("_by_address", "_by_id", "version")

    def __init__(self, keys: dict[Address, bytes] | None = None) -> None:
        self._by_address: dict[Address, bytes] = {}
        self._by_id: dict[str, bytes] = {}
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

    def key(self, address: Address, *, whole_address: bool = True) -> bytes | None:
        """The key, or None. `whole_address=False` is the weakness that only looks at the id."""
        return self._by_address.get(address) if whole_address else self._by_id.get(address.id)

    def save(self, path: Path) -> None:
        """Atomic: a crash leaves the old file or the new one, 0600 from its first byte."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write("# address,key: keep this file 0600\n")
                for address, key in self._by_address.items():
                    file.write(f"{address},{key.hex()}\n")
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(name).unlink()
            raise

    @classmethod
    def load(cls, path: Path, *, known: Collection[Address] | None = None) -> Keyring:
        """A key file or a folder of them. With `known` an id alone stands for every address there that has it,
        and for none if none has. Raises KeyringError."""
        keyring = cls()
        for where, address_text, key_text in rows(path):
            keyring._take(where, address_text, key_text, known)
        return keyring

    def _take(self, where: str, address_text: object, key_text: object, known: Collection[Address] | None) -> None:
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
            raise KeyringError(f"{where}: the key of {address_text} is not {2 * KEY_BYTES} hex digits")
        for address in addresses:
            if address in self._by_address:
                raise KeyringError(f"{where}: {address} has a key already; keep one line")
            self.add(address, key)

