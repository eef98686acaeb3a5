"""Building telegrams: the usual ones fast (``build``), any layers at all exactly (``seal``).

``build`` covers what meters send: no security, mode 5 (profile A) and mode 7 (profile B).  The plaintext of modes 5
and 7 is 2F2F, the records, and 2F up to a whole block.

Ciphertext that begins 2F2F by chance (one in 65 536) is taken for plaintext by real receivers.  With ``avoid_2f2f``
one fill byte is moved from the end to the front of the records and the telegram encrypted again: still valid, still
the same length, and a pure function of the arguments.  Where the records fill the last block exactly there is no
byte to move and the telegram stays as it is; ``begins_2f2f`` lets a generator skip it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from wmbus import security
from wmbus.afl import FCL_MAC, FCL_MCL, FCL_MCR, MCL_MCR, Afl
from wmbus.dissect import parse
from wmbus.ell import AES_CTR, Ell
from wmbus.errors import CannotEncode
from wmbus.link import MAX_L, SND_NR, Address, crc16
from wmbus.receiver import PROFILE_B_AT, mode10_associated
from wmbus.transport import CI_LONG, CI_NONE, CI_SHORT, Transport

Security = Literal["none", "mode5", "mode7"]

MAX_BLOCKS = 15
CC_SYNCHRONOUS = 0x20
_FILL = b"\x2f" * 16
_AFL_B = bytes.fromhex("900f002c25")
_AFL_B_BYTES = 17
_HEADER = {CI_SHORT: 5, CI_LONG: 13, CI_NONE: 1}


def length(records_len: int, security: Security, tpl: int = CI_SHORT, *, ell: bool | None = None) -> int:
    """Bytes of the frame ``build`` makes of ``records_len`` bytes of records (L + 1).  Raises CannotEncode."""
    size = 10 + _HEADER[tpl] + (3 if (security == "mode7" if ell is None else ell) else 0)
    if security == "none":
        size += records_len
    else:
        blocks = (records_len + 2 + 15) // 16
        if blocks > MAX_BLOCKS:
            raise CannotEncode(f"{records_len} bytes of records need {blocks} blocks, at most {MAX_BLOCKS}")
        size += 16 * blocks + (_AFL_B_BYTES + 1 if security == "mode7" else 0)
    if size - 1 > MAX_L:
        raise CannotEncode(f"{records_len} bytes of records make L = {size - 1}, more than {MAX_L}")
    return size


def build(
    address: Address,
    acc: int,
    sts: int,
    records: bytes,
    *,
    security: Security,
    key: bytes | None = None,
    counter: int | None = None,
    c_field: int = SND_NR,
    tpl: int = CI_SHORT,
    ell: bool | None = None,
    cc: int = CC_SYNCHRONOUS,
    link_address: Address | None = None,
    cfg_flags: int = 0,
    avoid_2f2f: bool = True,
) -> bytes:
    """One telegram, without CRCs.

    ``records`` are plain records without 2F.  ``tpl`` 7A, 72 or 78 (78 only with security "none").  ``address`` is
    the meter's; with tpl 72 it stands in the transport layer and ``link_address`` (default: the same) in the link
    layer.  ``counter`` is the 32-bit message counter that mode 7 needs.  ``ell``: put ELL I in front (default: only
    in mode 7), with ``cc`` as its control byte.  ``cfg_flags`` are or-ed into CFG (bits B, A, S of modes 0 and 5).
    Raises CannotEncode.
    """
    if not (0 <= acc <= 255 and 0 <= sts <= 255 and 0 <= c_field <= 255):
        raise CannotEncode(f"acc, sts and c_field are bytes, not {acc}, {sts}, {c_field}")
    wire = address.wire()
    if tpl == CI_SHORT:
        header = b"\x7a" + bytes((acc, sts))
    elif tpl == CI_LONG:
        header = b"\x72" + wire[2:6] + wire[:2] + wire[6:] + bytes((acc, sts))
    elif tpl == CI_NONE:
        if security != "none":
            raise CannotEncode("CI 78 has no header that could name a security mode")
        header = b"\x78"
    else:
        raise CannotEncode(f"CI {tpl:02X} is not one of 72, 7A, 78")
    if link_address is not None and link_address != address:
        if tpl != CI_LONG:
            raise CannotEncode("only the long header (72) has an address of the meter beside the radio module's")
        front = bytes((c_field,)) + link_address.wire()
    else:
        front = bytes((c_field,)) + wire
    if (security == "mode7") if ell is None else ell:
        front += bytes((0x8C, cc, acc))

    if security == "none":
        if tpl != CI_NONE:
            header += cfg_flags.to_bytes(2, "little")
        body = front + header + records
    elif security == "mode5":
        plaintext = b"\x2f\x2f" + records + _FILL[: -(len(records) + 2) % 16]
        cfg = cfg_flags | 0x0500 | _blocks(plaintext) << 4
        body = front + header + cfg.to_bytes(2, "little")
        body += _cbc(_needed(key), wire + bytes((acc,)) * 8, plaintext, records, avoid_2f2f)
    elif security == "mode7":
        if counter is None or not 0 <= counter < 1 << 32:
            raise CannotEncode(f"mode 7 needs a 32-bit message counter, not {counter}")
        plaintext = b"\x2f\x2f" + records + _FILL[: -(len(records) + 2) % 16]
        kenc, kmac = _derive_pair(_needed(key), counter, wire[2:6])
        cfg = cfg_flags | 0x0700 | _blocks(plaintext) << 4
        covered = header + cfg.to_bytes(2, "little") + b"\x10" + _cbc(kenc, None, plaintext, records, avoid_2f2f)
        mcr = counter.to_bytes(4, "little")
        body = front + _AFL_B + mcr + _cmac(kmac, b"\x25" + mcr + covered)[:8] + covered
    else:
        raise CannotEncode(f"security is none, mode5 or mode7, not {security!r}")
    if len(body) > MAX_L:
        raise CannotEncode(f"L would be {len(body)}, more than {MAX_L}")
    return bytes((len(body),)) + body


def profile_b(
    acc: int, sts: int, records: bytes, counter: int, *, ci: int = CI_SHORT, address: Address | None = None
) -> tuple[Transport, Afl, bytes]:
    """Transport layer, authentication layer and plaintext of mode 7 as ``seal`` takes them, for what ``build`` does not
    make: commands to a meter, and telegrams inside an encrypted link layer.  Raises CannotEncode."""
    plaintext = b"\x2f\x2f" + records + _FILL[: -(len(records) + 2) % 16]
    transport = Transport(ci, acc, sts, 0x0700 | _blocks(plaintext) << 4, address, ext=b"\x10")
    return transport, Afl(FCL_MCL | FCL_MCR | FCL_MAC, MCL_MCR | PROFILE_B_AT, mcr=counter, mac=bytes(8)), plaintext


def begins_2f2f(frame: bytes) -> bool:
    """An encrypted telegram whose ciphertext begins like plaintext; some real receivers refuse it."""
    telegram = parse(frame)
    return telegram.mode != 0 and telegram.payload[:2] == b"\x2f\x2f"


def seal(
    c_field: int,
    link_address: Address,
    plaintext: bytes,
    transport: Transport,
    *,
    key: bytes | None = None,
    ell: Ell | None = None,
    afl: Afl | None = None,
    clear_tail: bytes = b"",
    to_meter: bool = False,
) -> bytes:
    """Any combination of layers -> telegram, for attacks, field replicas and tests.

    ``plaintext`` is encrypted as ``transport``'s mode says, as it is: 2F2F, fill and N are the caller's.  ``afl.mac``
    is computed anew (to the length its AT names) when ``key`` is given, else kept as it is.  ``clear_tail`` follows
    unencrypted.  Raises CannotEncode.
    """
    mode = transport.mode
    wire = (transport.address or link_address).wire()
    counter = transport.counter if transport.counter is not None else (afl.mcr if afl is not None else None)
    header = transport.wire()
    if mode == 0 or (mode in (5, 7) and transport.encrypted_blocks == 0) or key is None:
        sealed = plaintext
    elif mode == 5:
        sealed = security.cbc_encrypt(key, security.mode5_iv(wire, transport.acc or 0), plaintext)
    elif counter is None:
        raise CannotEncode(f"mode {mode} needs a message counter in the AFL or the transport layer")
    elif mode == 7:
        sealed = security.cbc_encrypt(_derive_pair(key, counter, wire[2:6], to_meter=to_meter)[0], None, plaintext)
    elif mode == 10:
        constant = security.DC_ENC_TO_METER if to_meter else security.DC_ENC_FROM_METER
        sealed = security.ccm_encrypt(
            security.derive(key, constant, counter, wire[2:6]),
            security.mode10_nonce(wire, counter),
            plaintext,
            mode10_associated(header, replace(transport, offset=0, end=len(header))),
        )
    else:
        raise CannotEncode(f"security mode {mode} is not known here")
    inner = header + sealed + clear_tail
    if afl is not None:
        if afl.mac is not None and key is not None and counter is not None and afl.at in security.MAC_BYTES:
            kmac = _derive_pair(key, counter, wire[2:6], to_meter=to_meter)[1]
            afl = replace(afl, mac=security.cmac(kmac, afl.covered() + inner)[: security.MAC_BYTES[afl.at]])
        inner = afl.wire() + inner
    front = bytes((c_field,)) + link_address.wire()
    if ell is not None:
        if ell.encryption == AES_CTR and ell.sn is not None:
            clear = crc16(inner).to_bytes(2, "little") + inner
            sn = ell.sn.to_bytes(4, "little")
            inner = clear if key is None else security.ell_ctr(key, link_address.wire(), ell.cc, sn, clear)
        elif ell.sn is not None:
            ell = replace(ell, crc=crc16(inner))
        inner = ell.wire() + inner
    body = front + inner
    if len(body) > MAX_L:
        raise CannotEncode(f"L would be {len(body)}, more than {MAX_L}")
    return bytes((len(body),)) + body


_derive_pair = security.derive_pair
_cmac = security.cmac


def _needed(key: bytes | None) -> bytes:
    if key is None:
        raise CannotEncode("an encrypted telegram needs a key")
    return key


def _blocks(plaintext: bytes) -> int:
    blocks = len(plaintext) // 16
    if blocks > MAX_BLOCKS:
        raise CannotEncode(f"{len(plaintext)} bytes are {blocks} blocks, the header counts to {MAX_BLOCKS}")
    return blocks


def _cbc(key: bytes, iv: bytes | None, plaintext: bytes, records: bytes, avoid_2f2f: bool) -> bytes:
    sealed = security.cbc_encrypt(key, iv, plaintext)
    if avoid_2f2f and sealed[:2] == b"\x2f\x2f" and len(records) + 2 < len(plaintext):
        sealed = security.cbc_encrypt(key, iv, b"\x2f" + plaintext[:-1])
    return sealed
