"""Certificates: an authority that issues to servers and devices, and takes certificates back.

Rules kept here. Key files are 0600 from the moment they exist, in a directory of 0700. Certificates are dated by wall
time, because TLS checks wall time; keys and serial numbers come from the library's own randomness. Neither is a part
of a world's digest: two equal runs have different certificates. A rogue authority is nothing special, just another
`Authority` in another directory that no party trusts.

EC P-256 throughout: a thousand devices are issued in well under a second, where RSA would take minutes.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sim.core import clock, whole_file

CA_DAYS = 3_650
LEAF_DAYS = 1_825
RSA_LEAST_BITS = 2_048
_SLACK = timedelta(days=1)  # devices whose clock is a little behind still accept a fresh certificate
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")  # an X.509 common name has at most 64 characters


class PkiError(Exception):
    """A certificate cannot be issued, read or written; the message names the cause and the way out."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, PEM files; the key is 0600."""

    certificate: Path
    key: Path


class Authority:
    """A certification authority kept in a directory: made at first use, the same one afterwards.

    Files: ca.crt, ca.key, ca.crl, <name>.crt, <name>.key. Raises PkiError.
    """

    def __init__(self, directory: Path, name: str = "wmbench CA") -> None:
        self.directory = directory
        self.name = name
        self.certificate = directory / "ca.crt"
        self.crl = directory / "ca.crl"
        key_file = directory / "ca.key"
        try:
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.certificate.exists() and key_file.exists():
                self._key = _read_key(key_file)
                self._ca = x509.load_pem_x509_certificate(self.certificate.read_bytes())
                self._refuse_expired()
            else:
                self._key = ec.generate_private_key(ec.SECP256R1())
                self._ca = self._make_ca()
                write_key(key_file, self._key)
                self.certificate.write_bytes(self._ca.public_bytes(serialization.Encoding.PEM))
            self._revoked = self._read_crl()
            if not self.crl.exists():
                self.write_crl()
        except (OSError, ValueError) as error:
            raise PkiError(f"cannot use the authority in {directory}: {_cause(error)}; free or remove it") from None

    # --- issuing -----------------------------------------------------------------------------------------------

    def server(
        self,
        hostnames: tuple[str, ...] = ("localhost", "127.0.0.1"),
        *,
        file_name: str = "server",
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Pair:
        """A server certificate for these host names and IP addresses; issued anew at each call."""
        names = [_general_name(name) for name in hostnames]
        return self._issue(file_name, hostnames[0][:64], ExtendedKeyUsageOID.SERVER_AUTH, names, not_before, not_after)

    def device(self, name: str) -> Pair:
        """The device's own certificate, its common name equal to `name`; issued at first use, kept afterwards."""
        pair = self._pair(name)
        if pair.certificate.exists() and pair.key.exists():
            return pair
        if pair.certificate.exists():
            raise PkiError(
                f"{name} has a certificate for a key that it keeps to itself: {pair.certificate}; sign its request "
                "again, or remove that file"
            )
        return self._issue(name, name, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName(name)], None, None)

    def renewed(self, name: str) -> Pair:
        """The same, and another one with a key of its own where nobody lets it in with what it has: that has expired,
        or was revoked."""
        pair = self.device(name)
        try:
            has = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        except (OSError, ValueError) as error:
            raise PkiError(f"{pair.certificate}: {_cause(error)}; remove it, and enrol {name} again") from None
        if has.not_valid_after_utc > clock.wall_now() and has.serial_number not in self._revoked:
            return pair
        return self._issue(name, name, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName(name)], None, None)

    def sign(self, name: str, request: bytes) -> Path:
        """A certificate for the key of a signing request (PKCS #10, PEM or DER), its common name `name` whatever the
        request says; replaces what this name had. The key stays where it is."""
        public = _public_of(name, request)
        pair = self._pair(name)
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        made = self._certificate(name, public, ExtendedKeyUsageOID.CLIENT_AUTH, names, None, None)
        try:
            pair.key.unlink(missing_ok=True)
            pair.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise PkiError(f"cannot write {pair.certificate}: {_cause(error)}") from None
        return pair.certificate

    def issue(self, common_name: str, request: bytes) -> bytes:
        """The same without a file here, PEM, and for any common name of 1 to 64 characters: the caller keeps it."""
        if not 0 < len(common_name) <= 64 or not common_name.isprintable():
            raise PkiError("a common name has 1 to 64 printable characters")
        public = _public_of(common_name, request)
        made = self._certificate(common_name, public, ExtendedKeyUsageOID.CLIENT_AUTH, [], None, None)
        return made.public_bytes(serialization.Encoding.PEM)

    def expired(self) -> Pair:
        """A server certificate that was good until yesterday."""
        yesterday = clock.wall_now() - timedelta(days=1)
        return self.server(file_name="expired", not_before=yesterday - timedelta(days=30), not_after=yesterday)

    def private_values(self) -> dict[str, bytes]:
        """Name -> the number, big-endian, that makes its key private; of all that this authority issued, and its own.
        For the leak check."""
        keys = {path.stem: _read_key(path) for path in sorted(self.directory.glob("*.key"))}
        return {name: key.private_numbers().private_value.to_bytes(32, "big") for name, key in keys.items()}

    # --- taking back -------------------------------------------------------------------------------------------

    def revoke(self, name: str) -> None:
        """Put the certificate issued to `name` on the revocation list and write the list."""
        pair = self._pair(name)
        try:
            serial = x509.load_pem_x509_certificate(pair.certificate.read_bytes()).serial_number
        except OSError:
            raise PkiError(f"cannot revoke {name!r}: this authority never issued it a certificate") from None
        self._revoked.setdefault(serial, clock.wall_now())
        self.write_crl()

    def write_crl(self) -> None:
        """Write the list, replacing the old one at once: a broker that reads half a list refuses all clients. It is
        good as long as the authority, since an expired list refuses the whole fleet."""
        now = clock.wall_now()
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=self._ca.subject,
            last_update=now - timedelta(minutes=1),
            next_update=self._ca.not_valid_after_utc,
        )
        for serial, when in self._revoked.items():
            entry = x509.RevokedCertificateBuilder(serial_number=serial, revocation_date=when).build()
            builder = builder.add_revoked_certificate(entry)
        crl = builder.sign(self._key, hashes.SHA256())
        try:
            whole_file.write(self.crl, crl.public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise PkiError(f"cannot write {self.crl}: {_cause(error)}") from None

    def _read_crl(self) -> dict[int, datetime]:
        if not self.crl.exists():
            return {}
        return revocations(self.crl)

    # --- the certificates themselves ---------------------------------------------------------------------------

    def _refuse_expired(self) -> None:
        until = self._ca.not_valid_after_utc
        if until <= clock.wall_now():
            raise ValueError(f"it expired on {until:%Y-%m-%d}, and all that trust it must be enrolled again")

    def _pair(self, name: str) -> Pair:
        device_name(name)
        return Pair(self.directory / f"{name}.crt", self.directory / f"{name}.key")

    def _make_ca(self) -> x509.Certificate:
        now = clock.wall_now()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        public = self._key.public_key()
        usage = _key_usage(sign_certificates=True)
        return (
            x509.CertificateBuilder(subject, subject, public, x509.random_serial_number())
            .not_valid_before(now - _SLACK)
            .not_valid_after(now + timedelta(days=CA_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _issue(
        self,
        file_name: str,
        common_name: str,
        purpose: x509.ObjectIdentifier,
        names: list[x509.GeneralName],
        not_before: datetime | None,
        not_after: datetime | None,
    ) -> Pair:
        pair = self._pair(file_name)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certificate(common_name, key.public_key(), purpose, names, not_before, not_after)
        try:
            write_key(pair.key, key)
            pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise PkiError(f"cannot write {pair.key.parent}: {_cause(error)}") from None
        return pair

    def _certificate(
        self,
        common_name: str,
        public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
        purpose: x509.ObjectIdentifier,
        names: list[x509.GeneralName],
        not_before: datetime | None,
        not_after: datetime | None,
    ) -> x509.Certificate:
        now = clock.wall_now()
        builder = (
            x509.CertificateBuilder(
                self._ca.subject,
                x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]),
                public,
                x509.random_serial_number(),
            )
            .not_valid_before(not_before or now - _SLACK)
            .not_valid_after(not_after or now + timedelta(days=LEAF_DAYS))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _public_of(name: str, request: bytes) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    """The key of a signing request that is signed by it, and is good enough. Raises PkiError."""
    try:
        load = x509.load_pem_x509_csr if request.lstrip().startswith(b"-----") else x509.load_der_x509_csr
        csr = load(request)
        if not csr.is_signature_valid:
            raise PkiError(f"the signing request for {name} is not signed by its own key; make it again")
        public = csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PkiError(f"the signing request for {name} is no PKCS #10 file: {error}") from None
    if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise PkiError(f"the signing request for {name} has a key that is neither elliptic curve nor RSA")
    if isinstance(public, rsa.RSAPublicKey) and public.key_size < RSA_LEAST_BITS:
        raise PkiError(f"the RSA key of {name} has {public.key_size} bits; {RSA_LEAST_BITS} are the least")
    return public


def revocations(crl: Path) -> dict[int, datetime]:
    """Serial number -> since when, of a list in PEM. Raises OSError, ValueError."""
    entries = x509.load_pem_x509_crl(crl.read_bytes())
    return {entry.serial_number: entry.revocation_date_utc for entry in entries}


def device_name(name: str) -> str:
    """The name itself, where it can be one of a device and of its files. Raises PkiError."""
    if not _NAME.fullmatch(name) or name == "ca":
        raise PkiError(f"{name!r} cannot be a device name: 1 to 64 letters, digits and . _ : - (and not 'ca')")
    return name


def fingerprint(certificate: Path) -> str:
    """SHA-256 of a PEM file's certificate, as people compare it. Raises PkiError."""
    try:
        made = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise PkiError(f"{certificate}: {_cause(error)}") from None
    return made.fingerprint(hashes.SHA256()).hex(":").upper()


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """PEM, 0600 before the first byte is in it."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)


def _read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError(f"{path.name} is not an elliptic curve key")
    return key


def _key_usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _cause(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
