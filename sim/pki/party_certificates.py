"""The SM-PKI of a world, or of a few programs: one root, one sub-CA, and the parties that these certify.

Keys, serial numbers and dates come from the world, and signatures are deterministic: equal worlds have equal
certificates and lists. Gateways come by it as they do by any: sealed by their maker, and operational by a request that
their administrator authorises.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sim.pki import sm_authorities
from sim.pki.authority import Pair, PkiError, write_key
from sim.pki.content_ciphers import point
from sim.pki.sealed_content import Receiver, public_key
from sim.pki.slot_keys import CURVE, SlotKey
from sim.pki.sm_authorities import SmRoot
from sim.pki.sm_chain import ChainError, Trust, list_bytes, read_list
from sim.pki.sm_forms import Purpose, common_name
from sim.pki.sm_triples import PURPOSES, Keys, Registration, Request, Triple, request, slot_of

MAKER: Final = "maker.GWH"
ADMINISTRATOR: Final = "administrator.GWA"
SUB_CA: Final = "wmbench-Energy.CA"
ROOT: Final = "root.crt"
AUTHORITIES: Final = "authorities.crt"
LISTS: Final = "lists.crl"
"""Files of a program's folder, PEM."""
_END: Final = b"-----END X509 CRL-----"


def drawn_key(draw: Callable[[int], bytes]) -> ec.EllipticCurvePrivateKey:
    """A key of a party that keeps it in software."""
    return sm_authorities.drawn_key(draw, CURVE)


def drawn_slot_key(draw: Callable[[int], bytes]) -> SlotKey:
    """The same, as what signs."""
    return SlotKey.of(drawn_key(draw))


class SoftwareKeys:
    """Keys of a party that has no module."""

    def __init__(self, draw: Callable[[int], bytes]) -> None:
        self._draw = draw
        self.private: dict[str, ec.EllipticCurvePrivateKey] = {}

    def make_key(self, slot: str) -> bytes:
        """See sm_triples.Keys."""
        key = self.private[slot] = drawn_key(self._draw)
        return uncompressed(key.public_key())

    def sign(self, slot: str, message: bytes) -> bytes:
        """See sm_triples.Keys."""
        return SlotKey.of(self.private[slot]).sign(message)


class PartyRoot:
    """`draw` gives authorities' keys and all serial numbers; certificates are good from `since` on. Raises PkiError,
    RequestError."""

    def __init__(self, name: str, draw: Callable[[int], bytes], since: datetime, generation: str = "2025") -> None:
        self._draw, self._since = draw, since
        self.root = SmRoot(draw, since, generation, common=name)
        self.authority = self.root.sub_ca(SUB_CA, since)
        self.trust = Trust([self.root.certificate], [self.authority.certificate])
        self.registration = Registration(self.authority, self.trust)
        self._keys: dict[str, SoftwareKeys] = {}
        self.publish(since)

    @property
    def certificate(self) -> x509.Certificate:
        """The root's."""
        return self.root.certificate

    @property
    def issued(self) -> int:
        """Certificates of end users."""
        return self.authority.issued

    def publish(self, at: datetime) -> list[x509.CertificateRevocationList]:
        """New revocation lists of all authorities, which `trust` knows from then on."""
        lists = [one.revocation_list(at) for one in (self.root, self.authority)]
        self.trust.learn(lists)
        return lists

    # --- parties ----------------------------------------------------------------------------------------------------

    def party(self, name: str, draw: Callable[[int], bytes]) -> Triple:
        """The first triple of a party that keeps its keys in software."""
        keys = self._keys[name] = SoftwareKeys(draw)
        points = {purpose: keys.make_key(slot_of(purpose, 1)) for purpose in PURPOSES}
        return self.registration.first(name, points, self._since)

    def key_of(self, triple: Triple, purpose: Purpose) -> ec.EllipticCurvePrivateKey:
        """The private key of a party's triple, which it keeps in software."""
        return self._keys[triple.name].private[slot_of(purpose, triple.number)]

    def receiver_of(self, triple: Triple) -> Receiver:
        """What it opens content with."""
        return Receiver(triple.certificates["ENC"], self.key_of(triple, "ENC"))

    def seal(self, name: str, keys: Keys, at: datetime) -> Triple:
        """A gateway as it leaves its maker."""
        return self._granted(name, 0, keys, MAKER, at)

    def operational(self, name: str, keys: Keys, at: datetime) -> Triple:
        """A gateway's next triple: its first operational one, or a renewal."""
        known = self.registration.triples.get(name)
        return self._granted(name, known.number + 1 if known else 0, keys, ADMINISTRATOR, at)

    def renewed(self, name: str, at: datetime) -> Triple:
        """The next triple of a party that keeps its keys in software."""
        number = self.registration.triples[name].number + 1
        return self._granted(name, number, self._keys[name], name, at)

    def authorised(self, asked: Request, at: datetime) -> Triple:
        """What a gateway asked for, which its administrator authorises. Raises RequestError, ChainError."""
        return self._grant(asked, ADMINISTRATOR, at)

    def _granted(self, name: str, number: int, keys: Keys, by: str, at: datetime) -> Triple:
        return self._grant(request(name, number, keys), by, at)

    def _grant(self, asked: Request, by: str, at: datetime) -> Triple:
        return self.registration.grant(asked.authorised(by, lambda body: self._sign(by, body)), at)

    def _sign(self, by: str, body: bytes) -> bytes:
        own = self.registration.triples[by]
        return SlotKey.of(self.key_of(own, "SIG")).sign(body)

    # --- one certificate at a time ------------------------------------------------------------------------------------

    def certify(self, name: str, public: bytes, purpose: Purpose) -> x509.Certificate:
        """For an uncompressed point. Raises NotSealed for none of the curve."""
        return self.authority.issue(name, 1, point(CURVE, public), purpose, self._since)

    def receiver(self, name: str, draw: Callable[[int], bytes]) -> Receiver:
        """A party that keeps its key ENC in software, and its certificate."""
        key = drawn_key(draw)
        return Receiver(self.certify(name, uncompressed(key.public_key()), "ENC"), key)

    # --- files --------------------------------------------------------------------------------------------------------

    def tls_pair(self, name: str, folder: Path, draw: Callable[[int], bytes]) -> Pair:
        """Certificate, the sub-CA's behind it, and key of a party to TLS, as files: ssl takes no others. The key is
        0600."""
        key = drawn_key(draw)
        return self.write_pair(self.certify(name, uncompressed(key.public_key()), "TLS"), key, folder)

    def write_pair(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, folder: Path) -> Pair:
        """The same of a certificate that there is."""
        name = common_name(certificate)
        pair = Pair(folder / f"{name}.crt", folder / f"{name}.key")
        write_key(pair.key, key)
        chain = (certificate, self.authority.certificate)
        pair.certificate.write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
        return pair

    def receiver_files(self, receiver: Receiver, folder: Path) -> None:
        """ENC.crt and ENC.key (0600) of a party."""
        (folder / "ENC.crt").write_bytes(receiver.certificate.public_bytes(serialization.Encoding.PEM))
        write_key(folder / "ENC.key", receiver.key)

    def write(self, path: Path) -> Path:
        """The root's certificate, PEM; beside it what else a program goes by: authorities.crt, and lists.crl as they
        were last published."""
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        own = self.authority.certificate.public_bytes(serialization.Encoding.PEM)
        (path.parent / AUTHORITIES).write_bytes(own)
        self.write_lists(path.parent)
        return path

    def write_lists(self, folder: Path) -> None:
        """lists.crl alone, whole or not at all."""
        beside = folder / f"{LISTS}.new"
        beside.write_bytes(b"".join(map(list_bytes, self.trust.lists)))
        beside.replace(folder / LISTS)


def trust_in(folder: Path) -> Trust:
    """What a program's folder says that it goes by; without lists.crl it has none. Raises PkiError."""
    try:
        roots = x509.load_pem_x509_certificates((folder / ROOT).read_bytes())
        authorities = x509.load_pem_x509_certificates((folder / AUTHORITIES).read_bytes())
        return Trust(roots, authorities, lists_in(folder))
    except (OSError, ValueError) as error:
        raise PkiError(f"{folder}: {ROOT} and {AUTHORITIES} are to be there, in PEM ({error})") from None


def lists_in(folder: Path) -> list[x509.CertificateRevocationList]:
    """Of its lists.crl; what is no list there is none."""
    try:
        parts = (folder / LISTS).read_bytes().split(_END)[:-1]
        return [read_list(part + _END) for part in parts]
    except (OSError, ChainError):
        return []


def uncompressed(public: ec.EllipticCurvePublicKey) -> bytes:
    """SEC 1."""
    return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def private_value(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The number that makes it private, for the leak check."""
    return key.private_numbers().private_value.to_bytes(CURVE.key_size // 8, "big")


def certified_point(certificate: x509.Certificate) -> bytes:
    """The public key that it certifies, as an uncompressed point. Raises ContentError (curve)."""
    return uncompressed(public_key(certificate))


def of_der(data: bytes) -> Certificate:
    """Raises ValueError for bytes that are none."""
    return x509.load_der_x509_certificate(data)


def as_der(certificate: x509.Certificate) -> bytes:
    """Its bytes."""
    return certificate.public_bytes(serialization.Encoding.DER)


Certificate = x509.Certificate
PrivateKey = ec.EllipticCurvePrivateKey
"""For those who hand these on and do not look into them."""
