"""TLS records, as far as they can be read without a key (RFC 5246, 6.2 and 7.4): kind, version, length.

    kind(1) version(2) length(2) | body

The body of a handshake record shows its messages until the sender has changed its cipher; what follows then is not
read.  Which side changed it when is not for one message to say: a body whose lengths do not come out is encrypted.

The rule kept here: records fill the bytes they stand in, but for fill bytes 2F, which are no kind of record.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wmbus.errors import BadTelegram, Reason

HEADER_BYTES: Final = 5
BODY_MOST: Final = (1 << 14) + 2048
CHANGE_CIPHER, ALERT, HANDSHAKE, APPLICATION = 20, 21, 22, 23
KINDS: Final = {
    CHANGE_CIPHER: "change cipher spec", ALERT: "alert", HANDSHAKE: "handshake", APPLICATION: "application data",
}  # fmt: skip
VERSIONS: Final = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1", 0x0303: "TLS 1.2"}
"""TLS 1.3 says 0303 here as well."""
CLIENT_HELLO, SERVER_KEY_EXCHANGE, CERTIFICATE_VERIFY = 1, 12, 15
MESSAGES: Final = {
    0: "hello request", CLIENT_HELLO: "client hello", 2: "server hello", 4: "new session ticket", 11: "certificate",
    SERVER_KEY_EXCHANGE: "server key exchange", 13: "certificate request", 14: "server hello done",
    CERTIFICATE_VERIFY: "certificate verify", 16: "client key exchange", 20: "finished",
}  # fmt: skip
FILL: Final = 0x2F
FILL_MOST: Final = 15
_MESSAGE_HEADER: Final = 4


class HandshakeMessage(NamedTuple):
    kind: int
    body: bytes


class TlsRecord(NamedTuple):
    """``offset``: of its first byte in what was read.  ``missing``: so many bytes of the body are not there."""

    offset: int
    kind: int
    version: int
    body: bytes
    missing: int = 0

    @property
    def messages(self) -> tuple[HandshakeMessage, ...]:
        """Of a handshake record in the clear; none where it is encrypted or cut off."""
        if self.kind != HANDSHAKE or self.missing:
            return ()
        found = []
        at = 0
        while at < len(self.body):
            end = at + _MESSAGE_HEADER + int.from_bytes(self.body[at + 1 : at + 4], "big")
            if self.body[at] not in MESSAGES or end > len(self.body) or at + _MESSAGE_HEADER > len(self.body):
                return ()
            found.append(HandshakeMessage(self.body[at], self.body[at + _MESSAGE_HEADER : end]))
            at = end
        return tuple(found)

    @property
    def words(self) -> str:
        """For people: ``TLS 1.2 handshake: client hello, 190 bytes``."""
        size = len(self.body) + self.missing
        what = ""
        if self.kind == HANDSHAKE and self.body and self.missing:
            what = ": begins with " + MESSAGES[self.body[0]] if self.body[0] in MESSAGES else ""
        elif self.kind == HANDSHAKE:
            what = ": " + (", ".join(MESSAGES[one.kind] for one in self.messages) or "encrypted")
        behind = f", {self.missing} of them in later fragments" if self.missing else ""
        return f"{VERSIONS[self.version]} {KINDS[self.kind]}{what}, {size} bytes{behind}"


def records(data: bytes, offset: int = 0, *, whole: bool = True) -> list[TlsRecord]:
    """Every record in these bytes.  ``offset`` is that of the first byte, for errors and records; ``whole`` False: the
    last one may be cut off, as in the first fragment of a message.

    Raises BadTelegram (bad-tls): no record of TLS, one that is longer than what is there, more fill than there may be.
    """
    found = []
    at = 0
    while at < len(data) and data[at] != FILL:
        head = data[at : at + HEADER_BYTES]
        if head[0] not in KINDS:
            raise BadTelegram(Reason.BAD_TLS, f"{head[0]:02X} is no kind of TLS record", offset + at)
        if len(head) < HEADER_BYTES:
            if whole:
                raise BadTelegram(Reason.BAD_TLS, "a TLS record's header is cut off", offset + at)
            break
        version, size = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
        if version not in VERSIONS:
            raise BadTelegram(Reason.BAD_TLS, f"{version:04X} is no version of TLS", offset + at + 1)
        if size > BODY_MOST:
            raise BadTelegram(Reason.BAD_TLS, f"a TLS record of {size} bytes; {BODY_MOST} are allowed", offset + at + 3)
        body = data[at + HEADER_BYTES : at + HEADER_BYTES + size]
        if whole and len(body) < size:
            words = f"a TLS record of {size} bytes, {len(body)} are there"
            raise BadTelegram(Reason.BAD_TLS, words, offset + at + 3)
        found.append(TlsRecord(offset + at, head[0], version, body, size - len(body)))
        at += HEADER_BYTES + size
    fill = data[at:]
    if whole and (len(fill) > FILL_MOST or fill.strip(bytes((FILL,)))):
        words = f"{len(fill)} bytes behind the TLS records; at most {FILL_MOST} of fill may be"
        raise BadTelegram(Reason.BAD_TLS, words, offset + at)
    return found
