"""A gateway that decodes is given meters' keys as its entry says (`keys`): a file a meter, where its installer would
write them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from sim.core.settings import SpecError
from sim.desk.inventory import GatewayEntry
from sim.desk.placeholders import UnknownPlaceholder, filled


def with_keys(entry: GatewayEntry, keys: Mapping[str, str]) -> GatewayEntry:
    """The same gateway with a file for each of these meters, eight digits -> 32 hex digits, "" for one in clear. One
    whose entry does not say how it is given keys stays as it is. Raises SpecError for a placeholder that is none."""
    if not entry.keys.path:
        return entry
    files = {name: content for name, content in entry.run.files.items() if name != entry.keys.instead_of}
    for path, (meter, key) in _paths(entry, keys).items():
        files[path] = _filled(entry, entry.keys.content, meter, key)
    return dataclasses.replace(entry, run=dataclasses.replace(entry.run, files=files))


def key_files(entry: GatewayEntry, keys: Mapping[str, str]) -> list[str]:
    """Those of them that hold a key, below the gateway's own directory. Raises SpecError."""
    return [path for path, (_, key) in _paths(entry, keys).items() if key] if entry.keys.path else []


def _paths(entry: GatewayEntry, keys: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    return {_filled(entry, entry.keys.path, meter, key): (meter, key) for meter, key in keys.items()}


def _filled(entry: GatewayEntry, text: str, meter: str, key: str) -> str:
    try:
        return filled(text, {"meter": meter, "meterkey": key})
    except UnknownPlaceholder as error:
        raise SpecError(f"{entry.name}: keys: {error}") from None
