"""Key files as people keep them, row by row: CSV, TOML, and the meter files of wmbusmeters.

    CSV     address,key[,until]  comma, semicolon or tab; # begins a comment; a first row of names says which column is
                           which
    TOML    [[meter]] tables with `address` and `key` (by the ending .toml)
    folder  wmbusmeters' meter files, `id=12345678` and `key=00112233...`, one meter a file; NOKEY is none

An address is whole ("QDS 10000001 36 08") or, where the caller allows it, an id alone. A file that others may read is
refused, not mended in silence; errors name line and column, never a value.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sim.core.quoting import hidden

_WHOLE = re.compile(r"([0-9A-Fa-f]{8})\.M=([A-Z]{3})\.V=([0-9A-Fa-f]{2})\.T=([0-9A-Fa-f]{2})")
_SEPARATORS = re.compile(r"[;,\t]")
_ADDRESS_NAMES = frozenset({"address", "id", "meter", "meter_id", "meterid", "serial", "number"})
_KEY_NAMES = frozenset({"key", "aes", "aeskey", "aes_key", "aes-key"})
_NO_KEY = frozenset({"", "NOKEY"})


class KeyringError(ValueError):
    """A key file that cannot be used; the message names file and line and the way out, never a key."""


class Row(NamedTuple):
    """One meter's row: where it stands, and what is written there, None where a cell is missing. `until`: the moment
    until which a key before the present one is good, "" for the present one."""

    where: str
    address: object
    key: object
    until: str = ""


def rows(path: Path) -> Iterator[Row]:
    """Every row of a file or folder. Raises KeyringError."""
    if path.is_dir():
        files = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
        if not files:
            raise KeyringError(f"{path}: a folder without meter files")
        for file in files:
            yield from _meter_file(file, private_text(file))
    elif path.suffix == ".toml":
        yield from _toml(path, private_text(path))
    else:
        text = private_text(path)
        is_meter_file = path.suffix != ".csv" and any(line.lstrip().startswith("id=") for line in text.splitlines())
        yield from (_meter_file if is_meter_file else _csv)(path, text)


def private_text(path: Path) -> str:
    """A file of secrets that nobody else may read. Raises KeyringError."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyringError(f"{path}: others may read it (mode {mode:04o}); run: chmod 600 {path}")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise KeyringError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise KeyringError(f"{path}: byte {error.start} is not UTF-8 text") from None


def lines_of(text: str) -> list[tuple[int, str]]:
    """(number, line) of those that say something; `#` begins a comment."""
    lines = ((number, raw.partition("#")[0].strip()) for number, raw in enumerate(text.splitlines(), start=1))
    return [(number, line) for number, line in lines if line]


def _csv(path: Path, text: str) -> Iterator[Row]:
    address_at, key_at, until_at, first = 0, 1, 2, True
    for number, line in lines_of(text):
        cells = [cell.strip().strip('"') for cell in _SEPARATORS.split(line)]
        names = [cell.lower() for cell in cells]
        if first and not _ADDRESS_NAMES.isdisjoint(names) and not _KEY_NAMES.isdisjoint(names):
            address_at = next(at for at, name in enumerate(names) if name in _ADDRESS_NAMES)
            key_at = next(at for at, name in enumerate(names) if name in _KEY_NAMES)
            until_at = names.index("until") if "until" in names else len(names)
            first = False
            continue
        first = False
        cell = dict(enumerate(cells))
        yield Row(f"{path}, line {number}", cell.get(address_at), cell.get(key_at), cell.get(until_at, ""))


def _toml(path: Path, text: str) -> Iterator[Row]:
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
    for line, meter in zip(lines, meters, strict=True):
        yield Row(f"{path}, line {line}", meter.get("address"), meter.get("key"))


def _meter_file(path: Path, text: str) -> Iterator[Row]:
    """A file that says no id is another one of wmbusmeters' and passed over; an id may be a list, or end in a star."""
    said: dict[str, tuple[int, str]] = {}
    for number, line in lines_of(text):
        name, equals, value = line.partition("=")
        if equals:
            said[name.strip().lower()] = (number, value.strip())
    if "id" not in said or said.get("key", (0, ""))[1].upper() in _NO_KEY:
        return
    number, ids = said["id"]
    for one in ids.split(","):
        if not one.strip().startswith("!") and "*" not in one:
            whole = _WHOLE.fullmatch(one.strip())
            address = f"{whole[2]} {whole[1]} {whole[3]} {whole[4]}" if whole else one.strip()
            yield Row(f"{path}, line {number}", address, said["key"][1])
