"""What a run was made with, beside wmbench itself: Python's packages, the TLS library, the broker."""

from __future__ import annotations

import importlib.metadata
import re
import ssl
from collections.abc import Iterable
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements.in"
_NAME = re.compile(r"^([A-Za-z0-9._-]+)")


def versions(endpoints: Iterable[str]) -> dict[str, str]:
    """Name -> version. `endpoints`: the kinds that the run used; a broker's program is asked only when it ran."""
    found = {"OpenSSL": ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")}
    if "mosquitto" in endpoints:
        from sim.endpoint.mosquitto_program import Found, find_mosquitto

        program = find_mosquitto()
        found["Mosquitto"] = program.version if isinstance(program, Found) else "unknown"
    return found | dict(sorted(_packages()))


def _packages() -> Iterable[tuple[str, str]]:
    """Those that requirements.in names and this Python has."""
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        name = _NAME.match(line.strip())
        if name is not None:
            try:
                yield name[1], importlib.metadata.version(name[1])
            except importlib.metadata.PackageNotFoundError:
                continue
