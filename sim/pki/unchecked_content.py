"""Containers as careless receivers open them: one looks at no signature, no signed attributes, no tag; one at the
signature, and not at what the signed attributes say.

It exists for controls: what a check is worth shows where it is off. AES-GCM without its tag is a stream that anybody on
the way can change bit by bit. A signature alone is over the attributes where there are some, else over the content: so
it goes with another content, or with the attributes' own bytes as content (draft-ietf-lamps-cms-euf-cma-signeddata).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from sim.pki import content_ciphers, der, sealed_content
from sim.pki.der import BadDer
from sim.pki.sealed_content import ContentError, Receiver

_SIGNED_ATTRIBUTES: Final = 0xA0
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def open_unchecked(data: bytes, receiver: Receiver) -> tuple[bytes, datetime]:
    """What is in it, whoever made it, and no time; what is no container is taken for content in clear. Raises
    ContentError (not-cms, foreign-receiver, algorithm, curve, not-sealed where the content key does not unwrap)."""
    if data[:1] != bytes((der.SEQUENCE,)):
        return data, _NO_TIME
    try:
        body = der.read(der.read(data, der.SEQUENCE).items()[1].content, der.SEQUENCE).items()
        inside = der.expect(body[2], der.SEQUENCE).items()
        sealed = der.read(der.expect(inside[1], 0xA0).content, der.OCTETS).content
        return _unseal(sealed, receiver), _NO_TIME
    except (BadDer, IndexError, ValueError) as error:
        raise ContentError("not-cms", str(error)) from None


def signed_alone(data: bytes, signer: x509.Certificate) -> bytes:
    """The content whose signature is the signer's, by the signature alone. Raises ContentError (not-cms, signature)."""
    try:
        body = der.read(der.read(data, der.SEQUENCE).items()[1].content, der.SEQUENCE).items()
        content = der.read(der.expect(body[2], der.SEQUENCE).items()[1].content, der.OCTETS).content
        info = body[-1].items()[0].items()
        attributes = [bytes((der.SET,)) + one.raw[1:] for one in info if one.tag == _SIGNED_ATTRIBUTES]
        signature = [one for one in info if one.tag == der.OCTETS][-1].content
        key = sealed_content.public_key(signer)
        key.verify(signature, attributes[0] if attributes else content, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise ContentError("signature", "it is not of this signer") from None
    except (BadDer, IndexError, ValueError) as error:
        raise ContentError("not-cms", str(error)) from None
    return content


def _unseal(data: bytes, receiver: Receiver) -> bytes:
    body = der.read(der.read(data, der.SEQUENCE).items()[1].content, der.SEQUENCE).items()
    keys = sealed_content.content_key(body[1], receiver)
    _, algorithm, sealed = der.expect(body[2], der.SEQUENCE).items()
    nonce = der.expect(algorithm.items()[1].items()[0], der.OCTETS).content
    return content_ciphers.gcm_stream(keys, nonce, sealed.content)
