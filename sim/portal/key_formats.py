"""Lists of keys of other programs, and of ours, in clear: for the door through which keys come in and go out.

    csv           `address,key[,until]`, see keyring
    wmbusmeters   a folder of one file a meter, as wmbusmeters reads it from /etc/wmbusmeters.d:

                      name=QDS_10000001_36_08
                      driver=auto
                      id=10000001.M=QDS.V=36.T=08
                      key=00112233445566778899AABBCCDDEEFF

An `id=` of eight digits alone names no whole address and is refused: add `.M=`, `.V=` and `.T=`. wmbusmeters knows one
key a meter, so the key before a renewal does not go out this way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal, get_args

from sim.portal.keyring import KEY_BYTES, Keyring, KeyringError, lines_of, parse_address, private_text, write_private
from wmbus.link import Address

Format = Literal["csv", "wmbusmeters"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
_WHOLE = re.compile(r"([0-9A-Fa-f]{8})\.M=([A-Z]{3})\.V=([0-9A-Fa-f]{2})\.T=([0-9A-Fa-f]{2})")


def load(path: Path) -> Keyring:
    """CSV or TOML from a file; what wmbusmeters has from a folder, or from one file of it. Raises KeyringError."""
    if path.is_dir():
        files = [one for one in sorted(path.iterdir()) if one.is_file() and not one.name.startswith(".")]
    elif path.suffix not in (".csv", ".toml") and any(line.startswith("id=") for _, line in _lines(path)):
        files = [path]
    else:
        return Keyring.load(path)
    keyring = Keyring()
    for one in files:
        for address, key in _of_wmbusmeters(one):
            keyring.take_in(address, key, None, str(one))
    if not len(keyring):
        raise KeyringError(f"{path}: no meter with a key is in it")
    return keyring


def save(keyring: Keyring, path: Path, form: Format) -> None:
    """Files of mode 0600. Raises KeyringError where something stands there, OSError."""
    if path.exists():
        raise KeyringError(f"{path} is there already; name another place, or move it away")
    if form == "csv":
        keyring.save(path)
        return
    path.mkdir(mode=0o700, parents=True)
    for address, key, until in keyring.every():
        if until is None:
            name = str(address).replace(" ", "_")
            maker, number, version, kind = str(address).split()
            whole = f"{number}.M={maker}.V={version}.T={kind}"
            write_private(path / name, f"name={name}\ndriver=auto\nid={whole}\nkey={key.hex().upper()}\n")


def _lines(path: Path) -> list[tuple[int, str]]:
    return lines_of(private_text(path))


def _of_wmbusmeters(path: Path) -> Iterator[tuple[Address, bytes]]:
    """The meter of one file, if it has a key."""
    told: dict[str, tuple[int, str]] = {}
    for number, line in _lines(path):
        name, equals, value = line.partition("=")
        if equals:
            told[name.strip().lower()] = (number, value.strip())
    if "id" not in told or not told.get("key", (0, ""))[1]:
        return
    number, text = told["id"]
    whole = _WHOLE.fullmatch(text)
    if whole is None:
        raise KeyringError(f"{path}, line {number}: {text!r} is no whole address; write it as 10000001.M=QDS.V=36.T=08")
    try:
        address = parse_address(f"{whole[2]} {whole[1]} {whole[3]} {whole[4]}")
        key = bytes.fromhex(told["key"][1])
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyringError(f"{path}, line {told['key'][0]}: the key of {text} is not {2 * KEY_BYTES} hex digits")
    yield address, key
