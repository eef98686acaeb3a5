"""SignedData of others, made into another one without a key. No attack by itself."""

from __future__ import annotations

from sim.pki import der
from sim.pki.der import Tlv
from sim.pki.sealed_content import AUTH_ENVELOPED
from sim.pki.signed_content import SIGNED

_SIGNED_ATTRIBUTES = 0xA0


def stripped(container: bytes) -> tuple[bytes, bytes]:
    """The same signature without signed attributes, over their own bytes as content; and that content."""
    parts, signer = _opened(container)
    attributes = next(one for one in signer if one.tag == _SIGNED_ATTRIBUTES)
    content = bytes((der.SET,)) + attributes.raw[1:]
    return _closed(parts, content, [one for one in signer if one is not attributes]), content


def exchanged(container: bytes, content: bytes) -> bytes:
    """The same signature and signed attributes beside another content."""
    parts, signer = _opened(container)
    return _closed(parts, content, signer)


def _opened(container: bytes) -> tuple[list[Tlv], list[Tlv]]:
    body = der.read(der.read(container, der.SEQUENCE).items()[1].content, der.SEQUENCE).items()
    return body, body[-1].items()[0].items()


def _closed(parts: list[Tlv], content: bytes, signer: list[Tlv]) -> bytes:
    inside = der.write(der.SEQUENCE, der.oid(AUTH_ENVELOPED), der.write(0xA0, der.write(der.OCTETS, content)))
    infos = der.write(der.SET, der.write(der.SEQUENCE, *(one.raw for one in signer)))
    body = der.write(der.SEQUENCE, parts[0].raw, parts[1].raw, inside, *(one.raw for one in parts[3:-1]), infos)
    return der.write(der.SEQUENCE, der.oid(SIGNED), der.write(0xA0, body))
