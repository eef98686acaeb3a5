"""A received telegram, taken apart as far as is possible without a key.

Nothing here believes anything: the layers are read, their lengths checked, and what could be forged is left for the
receiver to judge.  With an ELL that encrypts (AES-CTR), or in a fragment of a longer message, no transport layer
can be seen and ``transport`` is None.
"""

from __future__ import annotations

from dataclasses import dataclass

from wmbus.afl import CI_AFL, Afl, parse_afl
from wmbus.ell import AES_CTR, CI_I, CI_IV, Ell, parse_ell
from wmbus.errors import BadTelegram, Reason
from wmbus.link import HEADER_BYTES, Address, check_length
from wmbus.transport import Transport, parse_transport

ELL_CTR = "ell-ctr"


@dataclass(slots=True)
class Telegram:
    """The layers of one frame.  ``payload`` is every byte after the last header read, from ``payload_offset`` on."""

    raw: bytes
    c_field: int
    link_address: Address
    ell: Ell | None
    afl: Afl | None
    transport: Transport | None
    payload: bytes
    payload_offset: int

    @property
    def address(self) -> Address:
        """Whose telegram this is: the transport layer's address if it has one, else the link layer's."""
        if self.transport is not None and self.transport.address is not None:
            return self.transport.address
        return self.link_address

    @property
    def address_wire(self) -> bytes:
        """``address`` as ``M ID Ver Type`` straight from the frame: what IVs and nonces are made of."""
        if self.transport is not None and self.transport.address is not None:
            at = self.transport.offset + 1
            return self.raw[at + 4 : at + 6] + self.raw[at : at + 4] + self.raw[at + 6 : at + 8]
        return self.raw[2:HEADER_BYTES]

    @property
    def has_data(self) -> bool:
        """False for a frame that ends with its link layers (read with ``headers_only``)."""
        return self.transport is not None or bool(self.payload)

    @property
    def ci(self) -> int | None:
        """CI of the transport layer, None where it cannot be seen."""
        return None if self.transport is None else self.transport.ci

    @property
    def acc(self) -> int | None:
        """Access number: the transport layer's, else the ELL's, else None."""
        if self.transport is not None and self.transport.acc is not None:
            return self.transport.acc
        return None if self.ell is None else self.ell.acc

    @property
    def sts(self) -> int | None:
        return None if self.transport is None else self.transport.sts

    @property
    def mode(self) -> int:
        """Security mode of the transport layer; 0 where there is none."""
        return 0 if self.transport is None else self.transport.mode

    @property
    def security(self) -> str:
        """none, mode5, mode7 ... or ell-ctr."""
        if self.ell is not None and self.ell.encryption:
            return ELL_CTR if self.ell.encryption == AES_CTR else f"ell-{self.ell.encryption}"
        return f"mode{self.mode}" if self.mode else "none"

    @property
    def encrypted_blocks(self) -> int:
        return 0 if self.transport is None else self.transport.encrypted_blocks

    @property
    def names_mode_but_encrypts_nothing(self) -> bool:
        """Modes 5 and 7 with N = 0: the header promises what the bytes do not keep."""
        return self.mode in (5, 7) and self.encrypted_blocks == 0

    @property
    def clear_tail(self) -> bytes:
        """Payload bytes after the N encrypted blocks of modes 5 and 7; empty in other modes."""
        if self.mode not in (5, 7):
            return b""
        return self.payload[self.encrypted_blocks * 16 :]


def parse(frame: bytes, *, headers_only: bool = False) -> Telegram:
    """Frame without CRCs -> its layers.  ``headers_only``: a frame that ends with its link layers is read too; meters
    send such frames to say that they listen, and they carry no data.

    Raises BadTelegram: too-short, length-mismatch, bad-ell, bad-afl, unknown-ci, bad-header.
    """
    if headers_only and len(frame) == HEADER_BYTES == frame[0] + 1:
        return Telegram(frame, frame[1], Address.from_wire(frame[2:10]), None, None, None, b"", HEADER_BYTES)
    check_length(frame)
    return parse_layers(frame, HEADER_BYTES, headers_only=headers_only)


def parse_layers(frame: bytes, offset: int, *, headers_only: bool = False) -> Telegram:
    """The layers from the CI at ``offset`` on; the link header before it was checked already."""
    at = offset
    ell = None
    afl = None
    transport = None
    if CI_I <= frame[at] <= CI_IV:
        ell = parse_ell(frame, at)
        at = ell.end
    if ell is None or not ell.encryption:
        if at >= len(frame):
            if headers_only and ell is not None:
                return Telegram(frame, frame[1], Address.from_wire(frame[2:10]), ell, None, None, b"", at)
            raise BadTelegram(Reason.BAD_HEADER, "the frame ends before a transport layer", at)
        if frame[at] == CI_AFL:
            afl = parse_afl(frame, at)
            at = afl.end
        if afl is None or not afl.fragmented:
            transport = parse_transport(frame, at)
            at = transport.end
    return Telegram(frame, frame[1], Address.from_wire(frame[2:10]), ell, afl, transport, frame[at:], at)
