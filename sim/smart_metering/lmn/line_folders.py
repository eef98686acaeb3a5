"""What a gateway and meters on a line keep in files: who is paired with whom, and keys. Each file is one JSON object,
readable by its owner alone and replaced as a whole.

    gateway/lmn.json            its own certificate and key for the meter bus
    gateway/meters/<name>.json  a paired meter: number, CRC kind, certificate or the maker's key with its counter
    gateway/wired.sqlite        rows
    meters/<name>/meter.json    a meter: number, CRC kind, house, and its keys
    meters/<name>/rows.sqlite   its load profile
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from sim.core import whole_file
from sim.core.crc16 import KINDS
from sim.core.seeds import Seeds
from sim.meters.physics.household_power import Household
from sim.pki.authority import PkiError
from sim.pki.content_ciphers import library_bytes
from sim.pki.link_certificates import LinkEnd, made, of_parts
from sim.smart_metering.lmn.wired_bus import Paired
from sim.smart_metering.lmn.wired_meter import MeterKeys, WiredMeter, name_of, server_of
from sim.smart_metering.lmn.wired_store import FileProfile

GATEWAY, METERS = "gateway", "meters"
_FIRST_NUMBER: Final = 70_000_001
_KEY_BYTES: Final = 16


class FolderError(ValueError):
    """A file that is missing or none of this kind; the message names it."""


def make(
    folder: Path, count: int, seed: int, since: datetime, *, crc: str = "X25",
    pairing: Literal["certificates", "meter key"] = "certificates",
) -> None:  # fmt: skip
    """Folders of a gateway and of so many meters that are paired with it."""
    own = made("gateway.LMN", library_bytes, since)
    write(folder / GATEWAY / "lmn.json", _end(own))
    for index in range(count):
        server = server_of(_FIRST_NUMBER + index)
        name = name_of(server)
        meter: dict[str, Any] = {"server": server.hex(), "crc": crc, "seed": seed, "house": index}
        paired: dict[str, Any] = {"server": server.hex(), "crc": crc}
        if pairing == "certificates":
            end = made(name, library_bytes, since)
            meter |= {**_end(end), "gateway": own.certificate.hex()}
            paired["certificate"] = end.certificate.hex()
        else:
            meter["makers"] = paired["makers"] = library_bytes(_KEY_BYTES).hex()
        write(folder / METERS / name / "meter.json", meter)
        write(folder / GATEWAY / METERS / f"{name}.json", paired)


def own_end(folder: Path) -> LinkEnd:
    """The gateway's own. Raises FolderError."""
    end = _end_of(_read(folder / "lmn.json"), folder / "lmn.json")
    if end is None:
        raise FolderError(f"{folder / 'lmn.json'}: there is no private and no certificate in it")
    return end


def paired_in(folder: Path) -> list[Paired]:
    """Meters that are paired with the gateway. Raises FolderError."""
    out = []
    for path in sorted((folder / METERS).glob("*.json")):
        given = _read(path)
        out.append(
            Paired(
                _hex(given, "server", path),
                _hex(given, "certificate", path, b""),
                _hex(given, "makers", path, b""),
                int(given.get("counter", 0)),
                _crc(given, path),
            )
        )
    return out


def keep_paired(folder: Path, meter: Paired) -> None:
    """As it is now."""
    given = {
        "server": meter.server.hex(), "crc": meter.crc, "certificate": meter.certificate.hex(),
        "makers": meter.makers.hex(), "counter": meter.counter,
    }  # fmt: skip
    write(folder / METERS / f"{meter.name}.json", given)


def meters_in(folder: Path, period_s: int) -> list[WiredMeter]:
    """Every meter of a folder, as it was when it lost its power. Raises FolderError."""
    return [_meter(path, period_s) for path in sorted(folder.glob("*/meter.json"))]


def _meter(path: Path, period_s: int) -> WiredMeter:
    given = _read(path)

    def keep(keys: MeterKeys) -> None:
        assert keys.end is not None
        left = {name: value for name, value in given.items() if name != "makers"}
        write(path, {**left, **_end(keys.end), "gateway": keys.gateway.hex(), "counter": keys.counter})

    keys = MeterKeys(
        path.parent, _end_of(given, path), _hex(given, "gateway", path, b""), _hex(given, "makers", path, b""),
        int(given.get("counter", 0)), keep,
    )  # fmt: skip
    try:
        house = Household(Seeds(given["seed"]), int(given["house"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FolderError(f"{path}: seed and house are whole numbers ({error})") from None
    profile = FileProfile(path.parent / "rows.sqlite")
    server, crc = _hex(given, "server", path), _crc(given, path)
    return WiredMeter(server, house, keys, profile, _slot, period_s=period_s, crc=crc)


def _slot(below: int) -> int:
    return int.from_bytes(library_bytes(4), "big") % below


def _end(end: LinkEnd) -> dict[str, str]:
    return {"private": end.private.hex(), "certificate": end.certificate.hex()}


def _end_of(given: dict[str, Any], path: Path) -> LinkEnd | None:
    if "private" not in given:
        return None
    try:
        return of_parts(_hex(given, "private", path), _hex(given, "certificate", path))
    except PkiError as error:
        raise FolderError(f"{path}: {error}") from None


def _crc(given: dict[str, Any], path: Path) -> str:
    crc = given.get("crc", "X25")
    if crc not in KINDS:
        raise FolderError(f"{path}: crc is {crc!r:.40}; it is one of {', '.join(KINDS)}")
    return str(crc)


def _hex(given: dict[str, Any], name: str, path: Path, default: bytes | None = None) -> bytes:
    if name not in given and default is not None:
        return default
    try:
        return bytes.fromhex(given[name])
    except (KeyError, TypeError, ValueError):
        raise FolderError(f"{path}: {name} is missing, or is no hex") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        given = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise FolderError(f"{path}: {error}; make the folders with `on_line make`") from None
    if not isinstance(given, dict):
        raise FolderError(f"{path}: it is no object")
    return given


def write(path: Path, given: dict[str, Any]) -> None:
    """Whole or not at all, and on the disk when this returns; 0600 before the first byte is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole_file.write(path, json.dumps(given, indent=1), private=True, durable=True)
