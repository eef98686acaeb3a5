"""Certificates of the parties to sealed and signed content inside a world: one root, and what it certifies.

Keys, serial numbers and dates come from the world, and signatures are deterministic: equal worlds have equal
certificates. It stands for the SM-PKI's triples in a world; it issues no sub-CAs and no revocation lists.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sim.pki.authority import Pair, write_key
from sim.pki.content_ciphers import point
from sim.pki.sealed_content import Receiver, public_key
from sim.pki.slot_keys import CURVE, DRAWN_BYTES

Purpose = Literal["ENC", "SIG", "TLS"]
LIFE: Final = timedelta(days=730)
"""Of end users (facts: certificates seen live two years)."""
_SERIAL_BYTES: Final = 15


def drawn_key(draw: Callable[[int], bytes]) -> ec.EllipticCurvePrivateKey:
    """A key of a party that keeps it in software."""
    value = int.from_bytes(draw(DRAWN_BYTES), "big") % (CURVE.group_order - 1) + 1
    return ec.derive_private_key(value, CURVE)


class PartyRoot:
    """One root. `draw` gives its key and the serial numbers; certificates are good from `since` on."""

    def __init__(self, name: str, draw: Callable[[int], bytes], since: datetime) -> None:
        self._draw, self._since = draw, since
        self._key = drawn_key(draw)
        self._name = _named(name)
        self.issued = 0
        self.certificate = self._certificate(self._name, self._key.public_key(), None)

    def certify(self, name: str, public: bytes, purpose: Purpose) -> x509.Certificate:
        """For an uncompressed point. Raises NotSealed for none of the curve."""
        self.issued += 1
        return self._certificate(_named(name), point(CURVE, public), purpose)

    def receiver(self, name: str, draw: Callable[[int], bytes]) -> Receiver:
        """A party that keeps its key ENC in software, and its certificate."""
        key = drawn_key(draw)
        self.issued += 1
        return Receiver(self._certificate(_named(name), key.public_key(), "ENC"), key)

    def tls_pair(self, name: str, folder: Path, draw: Callable[[int], bytes]) -> Pair:
        """Certificate and key of a party to TLS, as files: ssl takes no others. The key is 0600."""
        key = drawn_key(draw)
        self.issued += 1
        made = self._certificate(_named(name), key.public_key(), "TLS")
        pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        write_key(pair.key, key)
        pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return pair

    def receiver_files(self, receiver: Receiver, folder: Path) -> None:
        """ENC.crt and ENC.key (0600) of a party."""
        (folder / "ENC.crt").write_bytes(receiver.certificate.public_bytes(serialization.Encoding.PEM))
        write_key(folder / "ENC.key", receiver.key)

    def write(self, path: Path) -> Path:
        """The root's certificate, PEM."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def _certificate(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, purpose: Purpose | None
    ) -> x509.Certificate:
        serial = int.from_bytes(self._draw(_SERIAL_BYTES), "big") | 1
        usage = x509.KeyUsage(
            digital_signature=purpose in ("SIG", "TLS"), content_commitment=False, key_encipherment=purpose == "ENC",
            data_encipherment=False, key_agreement=purpose == "ENC", key_cert_sign=purpose is None,
            crl_sign=purpose is None, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        return (
            x509.CertificateBuilder(self._name, subject, public, serial)
            .not_valid_before(self._since)
            .not_valid_after(self._since + LIFE)
            .add_extension(x509.BasicConstraints(ca=purpose is None, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)
        )


def private_value(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The number that makes it private, for whoever looks whether it leaked."""
    return key.private_numbers().private_value.to_bytes(CURVE.key_size // 8, "big")


def certified_point(certificate: x509.Certificate) -> bytes:
    """The public key that it certifies, as an uncompressed point. Raises ContentError (curve)."""
    encoding, form = serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    return public_key(certificate).public_bytes(encoding, form)


def as_der(certificate: x509.Certificate) -> bytes:
    """Its bytes."""
    return certificate.public_bytes(serialization.Encoding.DER)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


Certificate = x509.Certificate
"""For those who hand certificates on and do not look into them."""
