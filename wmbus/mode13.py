"""Security mode 13 (OMS security profile C): TLS records in a transport layer, cut into fragments of the AFL.

    front | AFL 90 | CI [address] ACC STS CFG(2) EXT(1) | TLS records | 2F ...

    CFG   b15-14 content of the message, b13 reserved, b12-8 mode = 13, b7-0 N: bytes of TLS records, 255 for more
    EXT   b3-0 the kind: 0 no records, a channel is asked for; 1 TLS records follow
    CI    5E, 5F to the meter and 9E, 9F from it: the handshake, alerts; data of an application stands under the CI of
          that application, as in the other modes

The fields of CFG and EXT and the four CIs stand so in two public programs that read such telegrams; the standards'
texts could not be opened, and no telegram in this mode is published.  This model's: that N stops at 255, that fill
bytes may follow, that the AFL always says the message's length (ML) and authenticates nothing (AT 0), since TLS does.

The rule kept here: a message says what it is to the byte (CFG, EXT, ML, records), or it is refused.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from wmbus.afl import FCL_MCL, FCL_ML, MCL_ML, Afl
from wmbus.dissect import Telegram
from wmbus.errors import BadTelegram, CannotEncode, Reason
from wmbus.fragments import cut
from wmbus.link import Address
from wmbus.tls_records import (
    APPLICATION,
    CERTIFICATE_VERIFY,
    FILL,
    FILL_MOST,
    SERVER_KEY_EXCHANGE,
    TlsRecord,
    records,
)
from wmbus.transport import CI_TLS_LONG, CI_TLS_SHORT, CI_TLS_TO_METER, TLS, Transport, parse_transport

MODE: Final = 13
CHANNEL, RECORDS = 0, 1
"""EXT, the kind."""
N_MOST: Final = 255
SIGNATURE_MOST: Final = 72
"""An ECDSA signature over a curve of 256 bits has 70 to 72 bytes as DER, sometimes fewer."""
_SIGNED: Final = {SERVER_KEY_EXCHANGE, CERTIFICATE_VERIFY}


class Message13(NamedTuple):
    """One message in mode 13.  ``kind``: CHANNEL or RECORDS.  ``stream``: its TLS records as they are, for TLS."""

    kind: int
    records: tuple[TlsRecord, ...]
    stream: bytes


def configuration(size: int) -> int:
    """CFG of so many bytes of TLS records."""
    return MODE << 8 | min(size, N_MOST)


def asks_for_channel(acc: int, address: Address | None = None) -> bytes:
    """From a meter: the transport layer that asks for a channel."""
    ci = CI_TLS_SHORT if address is None else CI_TLS_LONG
    return Transport(ci, acc, 0, configuration(0), address, bytes((CHANNEL,))).wire()


def body_of(stream: bytes, acc: int, ci: int, address: Address | None = None, *, fill: int = 0) -> bytes:
    """The transport layer and what it carries.  ``stream``: whole TLS records.  Raises CannotEncode."""
    if not 0 <= fill <= FILL_MOST:
        raise CannotEncode(f"{fill} fill bytes; at most {FILL_MOST} may follow TLS records")
    header = Transport(ci, acc, 0, configuration(len(stream)), address, bytes((RECORDS,))).wire()
    return header + stream + bytes((FILL,)) * fill


def frames_of(front: bytes, body: bytes, part_bytes: int) -> list[bytes]:
    """The frames of a message.  ``front``: C to the ELL, without L.  Raises CannotEncode."""
    afl = Afl(FCL_MCL | FCL_ML, mcl=MCL_ML, ml=len(body))
    return cut(front, afl, body, part_bytes)


def message_of(telegram: Telegram) -> Message13:
    """What a whole message says.  Raises BadTelegram: mode-unsupported (another mode), bad-header, bad-tls, fragment
    (a fragment, or no length)."""
    transport, afl = telegram.transport, telegram.afl
    if transport is None or (afl is not None and afl.fragmented):
        raise BadTelegram(Reason.FRAGMENT, "one fragment of a message; reassemble first", telegram.payload_offset)
    if transport.mode != MODE or transport.cfg is None:
        raise BadTelegram(Reason.MODE_UNSUPPORTED, f"security mode {transport.mode}, not {MODE}", transport.offset)
    if afl is None or afl.ml is None:
        raise BadTelegram(Reason.BAD_AFL, "a message in mode 13 whose AFL does not say its length", transport.offset)
    if afl.ml != len(telegram.raw) - afl.end:
        words = f"ML says {afl.ml} bytes, there are {len(telegram.raw) - afl.end}"
        raise BadTelegram(Reason.FRAGMENT, words, afl.offset)
    kind, payload = transport.protocol_kind, telegram.payload
    if kind == CHANNEL:
        if payload or transport.encrypted_bytes:
            raise BadTelegram(Reason.BAD_HEADER, "a channel is asked for, and bytes follow", transport.offset)
        return Message13(kind, (), b"")
    if kind != RECORDS:
        raise BadTelegram(Reason.BAD_HEADER, f"kind {kind} of protocol in mode 13 is reserved", transport.offset)
    found = records(payload, telegram.payload_offset)
    size = sum(5 + len(one.body) for one in found)
    if transport.encrypted_bytes != min(size, N_MOST):
        words = f"N says {transport.encrypted_bytes} bytes of TLS records, there are {size}"
        raise BadTelegram(Reason.BAD_HEADER, words, transport.offset)
    handshakes = {one.kind != APPLICATION for one in found}
    if handshakes != {transport.ci in TLS}:
        words = f"CI {transport.ci:02X} and the kinds of TLS records disagree"
        raise BadTelegram(Reason.BAD_HEADER, words, transport.offset)
    return Message13(kind, tuple(found), payload[:size])


class Seen13(NamedTuple):
    """What can be seen of a message, or of its first fragment, without its session.  ``payload``: from ``offset``."""

    transport: Transport
    kind: int
    records: tuple[TlsRecord, ...]
    payload: bytes
    offset: int
    whole: bool


def seen(telegram: Telegram) -> Seen13 | None:
    """None: it is not in mode 13, or is a later fragment, which does not say.  Raises BadTelegram (bad-tls, bad-header,
    bad-afl, fragment)."""
    afl = telegram.afl
    if afl is not None and afl.fragmented:
        if afl.fragment != 1:
            return None
        transport = parse_transport(telegram.raw, afl.end)
        if transport.mode != MODE:
            return None
        payload = telegram.raw[transport.end :]
        found = records(payload, transport.end, whole=False) if transport.protocol_kind == RECORDS else []
        return Seen13(transport, transport.protocol_kind, tuple(found), payload, transport.end, False)
    if telegram.transport is None or telegram.mode != MODE:
        return None
    message = message_of(telegram)
    return Seen13(
        telegram.transport, message.kind, message.records, telegram.payload, telegram.payload_offset, True
    )  # fmt: skip


def by_ci(stream: bytes) -> list[tuple[bool, bytes]]:
    """Whole TLS records that an end wants to send -> (application data?, stream), each to be one message."""
    out: list[tuple[bool, bytes]] = []
    for one in records(stream):
        wire = stream[one.offset : one.offset + 5 + len(one.body)]
        applied = one.kind == APPLICATION
        if out and out[-1][0] == applied:
            wire = out.pop()[1] + wire
        out.append((applied, wire))
    return out


def fill_for(stream: bytes) -> int:
    """Fill that makes a handshake's length the same whatever its signatures are: DER leaves out zero bytes."""
    short = 0
    for one in records(stream):
        for message in one.messages:
            if message.kind in _SIGNED:
                at = 4 + message.body[3] + 2 if message.kind == SERVER_KEY_EXCHANGE else 2
                short += max(0, SIGNATURE_MOST - int.from_bytes(message.body[at : at + 2], "big"))
    return min(short, FILL_MOST)


__all__ = [
    "CHANNEL", "CI_TLS_LONG", "CI_TLS_SHORT", "CI_TLS_TO_METER", "MODE", "RECORDS", "Message13", "Seen13",
    "asks_for_channel", "body_of", "by_ci", "configuration", "fill_for", "frames_of", "message_of", "seen",
]  # fmt: skip
