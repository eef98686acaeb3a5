"""Containers as a careless receiver opens them: no signature, no signed attributes, no tag is looked at.

It exists for controls: what a check is worth shows where it is off. AES-GCM without its tag is a stream that anybody on
the way can change bit by bit.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sim.pki import content_ciphers, der, sealed_content
from sim.pki.der import BadDer
from sim.pki.sealed_content import ContentError, Receiver

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


def _unseal(data: bytes, receiver: Receiver) -> bytes:
    body = der.read(der.read(data, der.SEQUENCE).items()[1].content, der.SEQUENCE).items()
    keys = sealed_content.content_key(body[1], receiver)
    _, algorithm, sealed = der.expect(body[2], der.SEQUENCE).items()
    nonce = der.expect(algorithm.items()[1].items()[0], der.OCTETS).content
    return content_ciphers.gcm_stream(keys, nonce, sealed.content)
