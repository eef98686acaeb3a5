"""Content for one receiver: CMS AuthEnvelopedData (RFC 5083), its key agreed by ECKA-EG (RFC 5753).

What is read: one originator key that is used once, uncompressed, on the receiver's curve; either name of the key
derivation, ecka-eg-X963KDF-SHA256 of TR-03111 or that of RFC 5753, which OpenSSL writes; id-aes128-wrap; AES-128-GCM
with a nonce of 12 bytes and a tag of 16, or AES-128-CBC with CMAC. The identifier of the last one, and that its two
keys travel as one of 32 bytes, are constants of this model: their source could not be opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sim.core.refused import Refusal
from sim.pki import content_ciphers as ciphers
from sim.pki import der
from sim.pki.der import BadDer, Tlv
from sim.pki.sm_chain import subject_key
from wmbus.security import KEY_BYTES

AUTH_ENVELOPED: Final = "1.2.840.113549.1.9.16.1.23"
KDFS: Final = {"ecka-eg": "0.4.0.127.0.7.1.1.5.1.1.3", "rfc5753": "1.3.132.1.11.1"}
CONTENTS: Final = {"gcm": "2.16.840.1.101.3.4.1.6", "cbc-cmac": "0.4.0.127.0.7.1.3.1.1.2"}
CURVES: Final[tuple[type[ec.EllipticCurve], ...]] = (ec.BrainpoolP256R1, ec.BrainpoolP384R1, ec.BrainpoolP512R1)
CONTENT_MOST_BYTES: Final = 1 << 24
_DATA, _EC_KEY, _WRAP = "1.2.840.113549.1.7.1", "1.2.840.10045.2.1", "2.16.840.1.101.3.4.1.5"
_KARI, _ORIGINATOR_KEY, _UKM, _KEY_ID = 0xA1, 0xA1, 0xA1, 0xA0
_CONTENT, _ATTRIBUTES, _PLAIN_ATTRIBUTES = 0x80, 0xA1, 0xA2


REASONS: Final = {
    "not-cms": "it is CMS, and whole",
    "algorithm": "it is sealed and signed by algorithms that are agreed",
    "curve": "the receiver's key is on a curve that is agreed",
    "foreign-receiver": "a content key in it is for this receiver",
    "not-sealed": "it opens, and its tag is right",
    "signer": "one signer, and the one whose content it is said to be",
    "signature": "the signature is the signer's",
    "no-signed-attributes": "type, digest and time are signed, each once",
    "content-type": "what is signed is of the type that it is said to be",
    "message-digest": "the content is the one that was signed",
    "old": "nothing signed later was taken before",
    "delivery": "it is a delivery of this gateway to this receiver",
    "value-signature": "each value in it is signed for itself",
}
"""Reason of a refusal -> what did not hold."""


class ContentError(Refusal):
    """Content that is refused. `reason`: one of REASONS."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whose content it is: the certificate that names the key, and the key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def seal(
    content: bytes, receiver: x509.Certificate, *, way: str = "gcm", kdf: str = "ecka-eg",
    draw: Callable[[int], bytes] = ciphers.library_bytes,
) -> bytes:  # fmt: skip
    """AuthEnvelopedData in a ContentInfo. `draw` gives the content key, the nonce and the originator's key, so that a
    seed can. Raises ContentError (curve) for a receiver whose key is on another curve."""
    public = public_key(receiver)
    once = _key_once(public.curve, draw)
    keys = draw(KEY_BYTES if way == "gcm" else 2 * KEY_BYTES)
    parameters = b""
    if way == "gcm":
        nonce = draw(ciphers.NONCE_BYTES)
        sealed, mac = ciphers.gcm_seal(keys, nonce, content, None)
        parameters = der.write(der.SEQUENCE, der.write(der.OCTETS, nonce), der.integer(ciphers.TAG_BYTES))
    else:
        sealed, mac = ciphers.cbc_seal(keys, content, None)
    kek = ciphers.derived_key(ciphers.agreed_secret(once, public), _shared_info(b""))
    own = once.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    wrapping = der.write(der.SEQUENCE, der.oid(_WRAP))
    kari = der.write(
        _KARI,
        der.integer(3),
        der.write(
            0xA0, der.write(_ORIGINATOR_KEY, der.write(der.SEQUENCE, der.oid(_EC_KEY)), der.write(0x03, b"\0", own))
        ),
        der.write(der.SEQUENCE, der.oid(KDFS[kdf]), wrapping),
        der.write(
            der.SEQUENCE,
            der.write(der.SEQUENCE, issuer_and_serial(receiver), der.write(der.OCTETS, ciphers.wrap(kek, keys))),
        ),
    )
    algorithm = der.write(der.SEQUENCE, der.oid(CONTENTS[way]), parameters)
    body = der.write(
        der.SEQUENCE,
        der.integer(0),
        der.write(der.SET, kari),
        der.write(der.SEQUENCE, der.oid(_DATA), algorithm, der.write(_CONTENT, sealed)),
        der.write(der.OCTETS, mac),
    )
    return der.write(der.SEQUENCE, der.oid(AUTH_ENVELOPED), der.write(0xA0, body))


def unseal(data: bytes, receiver: Receiver) -> bytes:
    """The content. Raises ContentError (not-cms, foreign-receiver, algorithm, curve, not-sealed)."""
    try:
        return _unseal(data, receiver)
    except (BadDer, ValueError) as error:
        reason = "not-sealed" if isinstance(error, ciphers.NotSealed) else "not-cms"
        raise ContentError(reason, str(error)) from None


def _unseal(data: bytes, receiver: Receiver) -> bytes:
    if len(data) > CONTENT_MOST_BYTES:
        raise BadDer(f"more than {CONTENT_MOST_BYTES} bytes")
    kind, explicit = _exactly(der.read(data, der.SEQUENCE), 2)
    if kind.raw != der.oid(AUTH_ENVELOPED):
        raise BadDer("no AuthEnvelopedData")
    body = der.read(der.expect(explicit, 0xA0).content, der.SEQUENCE).items()
    if len(body) < 4 or der.number(body[0]) != 0:
        raise BadDer("no AuthEnvelopedData of version 0")
    recipients, info, rest = body[1], body[2], body[3:]
    attributes = [one for one in rest if one.tag == _ATTRIBUTES]
    macs = [one for one in rest if one.tag == der.OCTETS]
    plain = [one for one in rest if one.tag == _PLAIN_ATTRIBUTES]
    if len(macs) != 1 or [*attributes[:1], *macs, *plain[:1]] != rest:
        raise BadDer("AuthEnvelopedData has other parts")
    associated = bytes((der.SET,)) + attributes[0].raw[1:] if attributes else None
    keys = content_key(recipients, receiver)
    kind, algorithm, sealed = _exactly(der.expect(info, der.SEQUENCE), 3)
    content = der.expect(sealed, _CONTENT).content
    name, *parameters = algorithm.items()
    if name.raw == der.oid(CONTENTS["gcm"]) and len(parameters) == 1:
        nonce, *tag_bytes = parameters[0].items()
        if [der.number(one) for one in tag_bytes] != [ciphers.TAG_BYTES] or len(nonce.content) != ciphers.NONCE_BYTES:
            raise ContentError("algorithm", "AES-GCM has a nonce of 12 bytes and a tag of 16")
        if len(macs[0].content) != ciphers.TAG_BYTES or len(keys) != KEY_BYTES:
            raise ContentError("algorithm", "a tag of 16 bytes and a key of 16 are needed")
        return ciphers.gcm_open(keys, der.expect(nonce, der.OCTETS).content, content, macs[0].content, associated)
    if name.raw == der.oid(CONTENTS["cbc-cmac"]) and not parameters:
        if len(keys) != 2 * KEY_BYTES:
            raise ContentError("algorithm", "AES-CBC with CMAC has two keys of 16 bytes")
        return ciphers.cbc_open(keys, content, macs[0].content, associated)
    raise ContentError("algorithm", "neither AES-128-GCM nor AES-128-CBC with CMAC")


def content_key(recipients: Tlv, receiver: Receiver) -> bytes:
    """The content key that is wrapped for this receiver. Raises ContentError, BadDer, ValueError."""
    own = [issuer_and_serial(receiver.certificate)]
    if (subject := subject_key(receiver.certificate)) is not None:
        own.append(der.write(_KEY_ID, der.write(der.OCTETS, subject)))
    for one in der.expect(recipients, der.SET).items():
        if one.tag != _KARI:
            continue
        parts = one.items()
        ukm = [part for part in parts if part.tag == _UKM]
        version, originator, agreement, keys = (
            [part for part in parts if part.tag != _UKM] if len(parts) > 3 else (None,) * 4
        )
        if version is None or originator is None or agreement is None or keys is None or der.number(version) != 3:
            raise BadDer("a key agreement of another form")
        for encrypted in der.expect(keys, der.SEQUENCE).items():
            who, wrapped = _exactly(der.expect(encrypted, der.SEQUENCE), 2)
            if who.raw in own:
                return _agreed(receiver, originator, agreement, ukm, der.expect(wrapped, der.OCTETS).content)
    raise ContentError("foreign-receiver", "no content key in it is for this certificate")


def _agreed(receiver: Receiver, originator: Tlv, agreement: Tlv, ukm: list[Tlv], wrapped: bytes) -> bytes:
    name, wrapping = _exactly(der.expect(agreement, der.SEQUENCE), 2)
    if name.raw not in map(der.oid, KDFS.values()):
        raise ContentError("algorithm", "the key is not derived by X9.63 with SHA-256")
    if [part.raw for part in wrapping.items()] != [der.oid(_WRAP)]:
        raise ContentError("algorithm", "the content key is not wrapped by id-aes128-wrap")
    (key,) = _exactly(der.expect(originator, 0xA0), 1)
    _, bits = _exactly(der.expect(key, _ORIGINATOR_KEY), 2)
    if der.expect(bits, 0x03).content[:1] != b"\0":
        raise BadDer("a key of no whole bytes")
    public = ciphers.point(public_key(receiver.certificate).curve, bits.content[1:])
    secret = ciphers.agreed_secret(receiver.key, public)
    return ciphers.unwrap(ciphers.derived_key(secret, _shared_info(ukm[0].content if ukm else b"")), wrapped)


def _shared_info(ukm: bytes) -> bytes:
    """ECC-CMS-SharedInfo (RFC 5753, 7.2): the wrap's algorithm, what the originator added, and 128 bits."""
    bits = der.write(0xA2, der.write(der.OCTETS, (8 * KEY_BYTES).to_bytes(4, "big")))
    more = der.write(0xA0, ukm) if ukm else b""
    return der.write(der.SEQUENCE, der.write(der.SEQUENCE, der.oid(_WRAP)), more, bits)


def _key_once(curve: ec.EllipticCurve, draw: Callable[[int], bytes]) -> ec.EllipticCurvePrivateKey:
    """Of drawn bytes; eight more than the order has, so that no key is likelier than another."""
    order = curve.group_order
    value = int.from_bytes(draw(curve.key_size // 8 + 8), "big") % (order - 1) + 1
    return ec.derive_private_key(value, curve)


# --- certificates ----------------------------------------------------------------------------------------------------


def public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """On one of the curves of this model. Raises ContentError (curve)."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, CURVES):
        raise ContentError("curve", "the certificate's key is on none of brainpoolP256r1, P384r1, P512r1")
    return key


def issuer_and_serial(certificate: x509.Certificate) -> bytes:
    """IssuerAndSerialNumber, which names a certificate."""
    return der.write(der.SEQUENCE, certificate.issuer.public_bytes(), der.integer(certificate.serial_number))


def _exactly(one: Tlv, count: int) -> list[Tlv]:
    items = one.items()
    if len(items) != count:
        raise BadDer(f"{len(items)} values where {count} are expected")
    return items
