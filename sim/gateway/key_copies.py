"""Where a gateway's certificate and private key were and are: in its flash memory, and at the factory that made it.

A world's certificates are issued by its endpoint. What differs between worlds is in whose hands the key's bytes have
been, and that is laid out here as files, which an attacker with the capability for it reads:

    flash/NAME/      the certificate; the key only where no secure element has it
    factory/NAME/    the certificate; the key only where it was made there, and a copy was kept

A secure element stands for what answers a handshake and gives no key away: nobody reads the endpoint's own files.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from sim.endpoint.port import Identity
from sim.gateway.gateway_spec import GatewaySpec


class KeyCopies:
    """Of one world. Nothing is laid where certificates are not used."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._with_keys: dict[Path, None] = {}

    @property
    def with_keys(self) -> tuple[Path, ...]:
        """The places in which keys lie because the world's settings say so."""
        return tuple(self._with_keys)

    def lay(self, identity: Identity, group: GatewaySpec) -> None:
        """What the factory and the gateway have of this one when it goes into service."""
        if identity.certificate is None or identity.key is None:
            return
        for place, has_key in (("flash", group.private_key == "file"), ("factory", group.key_made == "factory")):
            folder = self._directory / place / identity.client_id
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copyfile(identity.certificate, folder / "device.crt")
            if has_key:
                shutil.copy(identity.key, folder / "device.key")  # with its mode: 0600
                self._with_keys[self._directory / place] = None

    def flash(self, name: str) -> dict[str, bytes]:
        """Every file that lies in a gateway's flash memory of its identity."""
        return self._files("flash", name)

    def factory(self, name: str) -> dict[str, bytes]:
        """Every file that the factory has of a gateway."""
        return self._files("factory", name)

    def _files(self, place: str, name: str) -> dict[str, bytes]:
        folder = self._directory / place / name
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}
