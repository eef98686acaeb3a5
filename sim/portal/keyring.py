"""The meters' keys. Nobody else in the system has any: not a gateway, not the broker, not the history.

Rules kept: a key is found by the whole address (maker, id, version, type), because the initialisation vector of mode 5
holds all four and a key found by id alone accepts a telegram whose version was changed (L13); a key file is 0600 and
one that others may read is refused, not mended in silence; a key is never printed: repr shows how many there are, and
errors name line and column, never the value.

Files: CSV lines `address,key` (address as "QDS 10000001 36 08", key as 32 hex digits, `#` begins a comment), or TOML
`[[meter]]` tables with `address` and `key`. `save` writes CSV. Lists that people keep often name a meter by its id
alone; `load` takes those only from a caller who says which meters are meant, so a key still belongs to whole addresses.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import tomllib
from collections.abc import Collection
from pathlib import Path

from sim.core.quoting import hidden, named, quoted
from wmbus.link import Address

KEY_BYTES = 16
_ID = re.compile("[0-9A-Fa-f]{8}")


class KeyringError(ValueError):
    """A key file that cannot be used; the message names file and line and the way out, never a key."""


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
        """A key file, CSV or (by its ending) TOML. With `known` an id alone stands for every address there that has it,
        and for none if none has. Raises KeyringError."""
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & 0o077:
                raise KeyringError(f"{path}: others may read it (mode {mode:04o}); run: chmod 600 {path}")
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror or error}") from None
        except UnicodeDecodeError as error:
            raise KeyringError(f"{path}: byte {error.start} is not UTF-8 text") from None
        keyring = cls()
        rows = _toml_rows(path, text) if path.suffix == ".toml" else _csv_rows(text)
        for line, address_text, key_text in rows:
            keyring._take(f"{path}, line {line}", address_text, key_text, known)
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
            raise KeyringError(f"{where}: the key of {named(address_text)} is not {2 * KEY_BYTES} hex digits")
        for address in addresses:
            if address in self._by_address:
                raise KeyringError(f"{where}: {address} has a key already; keep one line")
            self.add(address, key)


def _csv_rows(text: str) -> list[tuple[int, str | None, str | None]]:
    rows: list[tuple[int, str | None, str | None]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].strip()
        if not line or (number == 1 and line.replace(" ", "") == "address,key"):
            continue
        address, comma, key = line.partition(",")
        rows.append((number, address.strip(), key.strip() if comma else None))
    return rows


def _toml_rows(path: Path, text: str) -> list[tuple[int, object, object]]:
    try:
        meters = tomllib.loads(text).get("meter", [])
    except tomllib.TOMLDecodeError as error:
        # tomllib's message says line and column; it may quote one character, never a value.
        raise KeyringError(f"{path}: not TOML: {hidden(str(error))}") from None
    except (RecursionError, ValueError):
        raise KeyringError(f"{path}: brackets too deep or a number too long for a key file") from None
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if line.strip().startswith("[[meter]]")]
    if not isinstance(meters, list) or len(lines) != len(meters):
        raise KeyringError(f"{path}: write each meter as a [[meter]] table with 'address' and 'key'")
    return [(line, meter.get("address"), meter.get("key")) for line, meter in zip(lines, meters, strict=True)]
