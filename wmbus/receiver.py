"""What a receiver that holds a key makes of a telegram, and what it refuses.

Every leniency is a named switch that is off by default, so that a bench can show what each one costs:

    honour_sender_mac         take whatever MAC length the telegram names, down to 2 bytes
    require_mac=False         take a mode 7 telegram without a MAC
    accept_clear_tail         read the unencrypted bytes behind a mode 5 telegram
    accept_n_zero             read a telegram that names a mode but encrypts nothing (N = 0)
    accept_already_decrypted  take a payload that begins 2F2F for plaintext although the header says it is encrypted

Mode 5 has no MAC: a right key is recognised by 2F2F alone, and a changed ACC garbles bytes 8-15 unnoticed.  Which
mode a meter must use is not for one telegram to say; the caller pins it and compares ``Unlocked.mode``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypedDict

from wmbus import mode13, security
from wmbus.afl import Afl
from wmbus.dissect import Telegram, parse_layers
from wmbus.ell import AES_CTR
from wmbus.errors import BadTelegram, Reason
from wmbus.link import crc16
from wmbus.transport import Transport

PROFILE_B_AT = 5
MARK = b"\x2f\x2f"
"""What the plaintext of modes 5 and 7 begins with."""
_MAX_CMAC_AT = 7


@dataclass(slots=True)
class Unlocked:
    """A payload in the clear.

    ``telegram`` has its transport layer (for AES-CTR: the inner one); ``plaintext`` is what was decrypted (or never
    encrypted), ``clear_tail`` what followed the encrypted blocks; ``mac_ok`` True when a MAC or CCM tag was verified,
    None when there was none to verify; ``counter`` the message counter (AFL.MCR or the transport layer's);
    ``offset`` the place of ``plaintext`` in the telegram; ``decrypted`` whether a key was used.
    """

    telegram: Telegram
    plaintext: bytes
    clear_tail: bytes
    mac_ok: bool | None
    counter: int | None
    mode: int
    offset: int
    decrypted: bool


class Switches(TypedDict, total=False):
    """The switches of ``unlock``, for functions that pass them on; the module's docstring explains each."""

    pinned_mac_at: int | None
    honour_sender_mac: bool
    require_mac: bool
    accept_clear_tail: bool
    accept_n_zero: bool
    accept_already_decrypted: bool
    to_meter: bool


def unlock(
    telegram: Telegram,
    key: bytes | None = None,
    *,
    pinned_mac_at: int | None = PROFILE_B_AT,
    honour_sender_mac: bool = False,
    require_mac: bool = True,
    accept_clear_tail: bool = False,
    accept_n_zero: bool = False,
    accept_already_decrypted: bool = False,
    to_meter: bool = False,
) -> Unlocked:
    """Check the MAC, decrypt, and say what was found.

    ``key`` is the meter's 16-byte master key, None if the receiver has none.  ``pinned_mac_at`` is the MAC kind the
    receiver expects of this meter (5: 8 bytes, profile B).  ``to_meter`` derives the other direction's keys.
    Raises BadTelegram: key-missing, wrong-key, mac-missing, mac-wrong, mac-too-short, mac-kind, counter-missing,
    not-encrypted, clear-tail, short-ciphertext, payload-crc, fragment, mode-unsupported.
    """
    if telegram.ell is not None and telegram.ell.encryption:
        telegram = _open_ell(telegram, key, accept_already_decrypted)
        if telegram.transport is not None and telegram.transport.mode == 0 and telegram.afl is None:
            return Unlocked(telegram, telegram.payload, b"", None, None, 0, telegram.payload_offset, key is not None)
    transport = telegram.transport
    afl = telegram.afl
    if transport is None or (afl is not None and afl.fragmented):
        raise BadTelegram(Reason.FRAGMENT, "one fragment of a message; reassemble first", telegram.payload_offset)
    payload = telegram.payload
    mode = transport.mode
    if accept_already_decrypted and mode and payload[:2] == MARK:
        return Unlocked(telegram, payload, b"", None, _counter(transport, afl), mode, telegram.payload_offset, False)
    if mode == 5:
        macs = _MacRule(pinned_mac_at, honour_sender_mac, to_meter)
        return _open_mode5(telegram, transport, key, macs, accept_clear_tail, accept_n_zero)
    if mode in (7, 10) and transport.kdf != security.KDF_A:
        raise BadTelegram(Reason.MODE_UNSUPPORTED, f"key derivation {transport.kdf}, not KDF-A", transport.offset)
    if mode == 7:
        if key is None:
            raise BadTelegram(Reason.KEY_MISSING, "mode 7 and no key", telegram.payload_offset)
        counter = _counter(transport, afl)
        if require_mac and (afl is None or afl.mac is None):
            raise BadTelegram(Reason.MAC_MISSING, "mode 7 without a MAC", transport.offset)
        if counter is None:
            raise BadTelegram(Reason.COUNTER_MISSING, "mode 7 without a message counter", transport.offset)
        kenc, kmac = security.derive_pair(key, counter, telegram.address_wire[2:6], to_meter=to_meter)
        mac_ok = None
        if afl is not None and afl.mac is not None:
            _check_mac(telegram, transport, afl, kmac, _MacRule(pinned_mac_at, honour_sender_mac, to_meter))
            mac_ok = True
        plaintext, tail = _decrypt(telegram, kenc, None, accept_n_zero)
        if tail and mac_ok is None and not accept_clear_tail:
            raise _clear_tail(telegram, tail)
        return Unlocked(telegram, plaintext, tail, mac_ok, counter, mode, telegram.payload_offset, True)
    if mode == 0:
        mac_ok = None
        counter = _counter(transport, afl)
        if key is not None and afl is not None and afl.mac is not None:
            _check_afl_mac(telegram, transport, afl, key, _MacRule(pinned_mac_at, honour_sender_mac, to_meter))
            mac_ok = True
        return Unlocked(telegram, payload, b"", mac_ok, counter, mode, telegram.payload_offset, False)
    if mode == 10:
        return _open_mode10(telegram, transport, key, to_meter)
    session = ": TLS, which a session opens and no key does" if mode == mode13.MODE else ""
    raise BadTelegram(Reason.MODE_UNSUPPORTED, f"security mode {mode}{session}", transport.offset)


# --- the modes ------------------------------------------------------------------------------------------------


class _MacRule(NamedTuple):
    """The switches of ``unlock`` that say which MAC a telegram must have."""

    pinned_mac_at: int | None
    honour_sender_mac: bool
    to_meter: bool


def _open_mode5(
    telegram: Telegram,
    transport: Transport,
    key: bytes | None,
    macs: _MacRule,
    accept_clear_tail: bool,
    accept_n_zero: bool,
) -> Unlocked:
    afl = telegram.afl
    blocks = transport.encrypted_blocks
    if blocks and key is None:
        raise BadTelegram(Reason.KEY_MISSING, "mode 5 and no key", telegram.payload_offset)
    mac_ok = None
    if key is not None and afl is not None and afl.mac is not None:
        _check_afl_mac(telegram, transport, afl, key, macs)
        mac_ok = True
    iv = security.mode5_iv(telegram.address_wire, transport.acc or 0)
    plaintext, tail = _decrypt(telegram, key or b"", iv, accept_n_zero)
    if tail and mac_ok is None and blocks and not accept_clear_tail:
        raise _clear_tail(telegram, tail)
    return Unlocked(telegram, plaintext, tail, mac_ok, _counter(transport, afl), 5, telegram.payload_offset, blocks > 0)


def _open_mode10(telegram: Telegram, transport: Transport, key: bytes | None, to_meter: bool) -> Unlocked:
    if key is None:
        raise BadTelegram(Reason.KEY_MISSING, "mode 10 and no key", telegram.payload_offset)
    counter = _counter(transport, telegram.afl)
    if counter is None:
        raise BadTelegram(Reason.COUNTER_MISSING, "mode 10 without a message counter", transport.offset)
    if len(telegram.payload) < security.CCM_TAG_BYTES:
        raise BadTelegram(Reason.SHORT_CIPHERTEXT, "no room for the CCM tag", telegram.payload_offset)
    constant = security.DC_ENC_TO_METER if to_meter else security.DC_ENC_FROM_METER
    kenc = security.derive(key, constant, counter, telegram.address_wire[2:6])
    plaintext = security.ccm_decrypt(
        kenc,
        security.mode10_nonce(telegram.address_wire, counter),
        telegram.payload,
        mode10_associated(telegram.raw, transport),
    )
    return Unlocked(telegram, plaintext, b"", True, counter, 10, telegram.payload_offset, True)


def mode10_associated(frame: bytes, transport: Transport) -> bytes:
    """What mode 10's tag covers beside the payload: CI, ACC, STS, CFG and its extension, not the counter."""
    end = transport.end - (0 if transport.counter is None else 4)
    start = end - len(transport.ext) - 4
    return bytes((transport.ci,)) + frame[start:end]


def _decrypt(telegram: Telegram, key: bytes, iv: bytes | None, accept_n_zero: bool) -> tuple[bytes, bytes]:
    """(plaintext, clear tail) of modes 5 and 7."""
    payload = telegram.payload
    blocks = telegram.encrypted_blocks
    if not blocks:
        if not accept_n_zero:
            raise BadTelegram(Reason.NOT_ENCRYPTED, f"mode {telegram.mode} with N = 0", telegram.payload_offset)
        return payload, b""
    end = 16 * blocks
    if len(payload) < end:
        raise BadTelegram(
            Reason.SHORT_CIPHERTEXT, f"N = {blocks} blocks, the payload has {len(payload)} bytes",
            telegram.payload_offset,
        )  # fmt: skip
    return open_blocks(key, iv, payload[:end], telegram.payload_offset), payload[end:]


def open_blocks(key: bytes, iv: bytes | None, blocks: bytes, offset: int) -> bytes:
    """Whole blocks of modes 5 (with its IV) and 7, which begin at ``offset``, in the clear.  Raises BadTelegram
    (wrong-key)."""
    plaintext = security.cbc_decrypt(key, iv, blocks)
    if plaintext[:2] != MARK:
        raise BadTelegram(Reason.WRONG_KEY, "the plaintext does not begin 2F2F", offset)
    return plaintext


def _clear_tail(telegram: Telegram, tail: bytes) -> BadTelegram:
    return BadTelegram(
        Reason.CLEAR_TAIL, f"{len(tail)} bytes after the encrypted blocks", len(telegram.raw) - len(tail)
    )


def _counter(transport: Transport, afl: Afl | None) -> int | None:
    """Message counter: the transport layer's if it has one, else the AFL's."""
    if transport.counter is not None:
        return transport.counter
    return None if afl is None else afl.mcr


def _check_afl_mac(telegram: Telegram, transport: Transport, afl: Afl, key: bytes, macs: _MacRule) -> None:
    counter = _counter(transport, afl)
    if counter is None:
        raise BadTelegram(Reason.COUNTER_MISSING, "a MAC without a message counter", afl.offset)
    constant = security.DC_MAC_TO_METER if macs.to_meter else security.DC_MAC_FROM_METER
    kmac = security.derive(key, constant, counter, telegram.address_wire[2:6])
    _check_mac(telegram, transport, afl, kmac, macs)


def _check_mac(telegram: Telegram, transport: Transport, afl: Afl, kmac: bytes, macs: _MacRule) -> None:
    mac = afl.mac or b""
    at = afl.at
    if at is None or at not in security.MAC_BYTES or at > _MAX_CMAC_AT or len(mac) != security.MAC_BYTES[at]:
        raise BadTelegram(Reason.MAC_KIND, f"authentication type {at} is no CMAC this program knows", afl.offset)
    if macs.pinned_mac_at is not None and at != macs.pinned_mac_at and not macs.honour_sender_mac:
        pinned = security.MAC_BYTES[macs.pinned_mac_at]
        reason = Reason.MAC_TOO_SHORT if len(mac) < pinned else Reason.MAC_KIND
        raise BadTelegram(reason, f"a MAC of {len(mac)} bytes, this meter's has {pinned}", afl.offset)
    wanted = security.cmac(kmac, afl.covered() + telegram.raw[transport.offset :])
    if not security.mac_equal(wanted[: len(mac)], mac):
        raise BadTelegram(Reason.MAC_WRONG, "the MAC does not fit key, counter and bytes", afl.offset)


def _open_ell(telegram: Telegram, key: bytes | None, accept_already_decrypted: bool) -> Telegram:
    """Undo the ELL's AES-CTR: the same frame with its inner layers in the clear."""
    ell = telegram.ell
    assert ell is not None and ell.sn is not None
    if ell.encryption != AES_CTR:
        raise BadTelegram(Reason.MODE_UNSUPPORTED, f"ELL encryption {ell.encryption}", ell.offset)
    sealed = telegram.payload
    if len(sealed) < 3:
        raise BadTelegram(Reason.BAD_ELL, "the ELL ends before its payload CRC", telegram.payload_offset)
    clear = sealed
    if not (accept_already_decrypted and _payload_crc_fits(sealed)):
        if key is None:
            raise BadTelegram(Reason.KEY_MISSING, "ELL AES-CTR and no key", telegram.payload_offset)
        clear = security.ell_ctr(key, telegram.raw[2:10], ell.cc, ell.sn.to_bytes(4, "little"), sealed)
        if not _payload_crc_fits(clear):
            raise BadTelegram(Reason.WRONG_KEY, "the payload CRC does not fit the plaintext", telegram.payload_offset)
    inner = parse_layers(telegram.raw[: telegram.payload_offset] + clear, telegram.payload_offset + 2)
    inner.raw = telegram.raw[: telegram.payload_offset] + clear
    inner.ell = ell
    return inner


def _payload_crc_fits(clear: bytes) -> bool:
    return int.from_bytes(clear[:2], "little") == crc16(clear[2:])
