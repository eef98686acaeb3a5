"""Statements that one party signs and others verify, without certificates: Ed25519 (RFC 8032).

The public key is 32 bytes and is handed over once, when a device is enrolled. Signatures are of 64 bytes, and the same
statement under the same key has the same one. The private key lies in a file of mode 0600.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from sim.pki.authority import PkiError

_KEY_BYTES = 32


class StatementKey:
    """Signs. `public`: what others verify with."""

    def __init__(self, private: bytes | None = None) -> None:
        """A new one, or that of these 32 bytes. Raises ValueError for another number of bytes."""
        self._key = Ed25519PrivateKey.from_private_bytes(private) if private else Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"<StatementKey, public {self.public.hex()}>"

    def sign(self, statement: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(statement)

    @property
    def private(self) -> bytes:
        """The 32 bytes that nobody else may have: for the leak check."""
        return self._key.private_bytes_raw()

    @classmethod
    def kept(cls, path: Path) -> StatementKey:
        """The one in this file, which is made at first use. Raises PkiError."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not path.exists():
                made = cls()
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(made.private.hex() + "\n")
                return made
            private = bytes.fromhex(path.read_text(encoding="ascii"))
        except OSError as error:
            raise PkiError(f"{path}: {error.strerror or error}; free the place or name another") from None
        except ValueError:
            private = b""
        if len(private) != _KEY_BYTES:
            raise PkiError(
                f"{path}: not a signing key of {2 * _KEY_BYTES} hex digits; remove it, and enrol gateways anew"
            )
        return cls(private)

    @classmethod
    def of_pem(cls, path: Path) -> StatementKey:
        """The private key in this file, as openssl writes it. Raises PkiError for what is no Ed25519 key without a
        passphrase."""
        way_out = "openssl genpkey -algorithm ed25519 -out KEY makes one"
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise PkiError(f"{path}: {error.strerror or error}; {way_out}") from None
        except TypeError:
            raise PkiError(f"{path}: the key has a passphrase; give one without") from None
        except (ValueError, UnsupportedAlgorithm):
            raise PkiError(f"{path}: not a private key in PEM; {way_out}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise PkiError(f"{path}: not an Ed25519 key; {way_out}")
        return cls(key.private_bytes_raw())

    @property
    def public_pem(self) -> str:
        """The public key as openssl reads it."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def verifies(public: bytes | None, signature: bytes, statement: bytes) -> bool:
    """The holder of the private key signed this very statement. Never so without a public key."""
    key = _public(public) if public else None
    if key is None:
        return False
    try:
        key.verify(signature, statement)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _public(raw: bytes) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        return None
