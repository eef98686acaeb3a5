"""Which side broke the protocol.

Two families, never mixed.  ``BadTelegram`` means *they* did: the bytes that arrived cannot be what they claim, and
the reason code, the words and the byte offset say why.  ``CannotEncode`` means *we* did: a caller asked for a
telegram that the standard has no bytes for.  Bytes from outside raise nothing but ``BadTelegram``.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a telegram was refused.  The value is the stable code that histories, reports and JSON carry."""

    # Link layer
    TOO_SHORT = "too-short"
    LENGTH_MISMATCH = "length-mismatch"
    CRC = "crc"
    # Headers
    UNKNOWN_CI = "unknown-ci"
    BAD_ELL = "bad-ell"
    BAD_AFL = "bad-afl"
    BAD_HEADER = "bad-header"
    FRAGMENT = "fragment"
    BAD_TLS = "bad-tls"
    # Security
    KEY_MISSING = "key-missing"
    WRONG_KEY = "wrong-key"
    MAC_MISSING = "mac-missing"
    MAC_WRONG = "mac-wrong"
    MAC_TOO_SHORT = "mac-too-short"
    MAC_KIND = "mac-kind"
    COUNTER_MISSING = "counter-missing"
    MODE_UNSUPPORTED = "mode-unsupported"
    NOT_ENCRYPTED = "not-encrypted"
    CLEAR_TAIL = "clear-tail"
    SHORT_CIPHERTEXT = "short-ciphertext"
    PAYLOAD_CRC = "payload-crc"
    # Application layer
    BAD_RECORD = "bad-record"
    DUPLICATE_RECORD = "duplicate-record"
    TRAILING_BYTES = "trailing-bytes"
    MANUFACTURER_SPECIFIC = "manufacturer-specific"
    FORMAT_UNKNOWN = "format-unknown"
    FORMAT_MISMATCH = "format-mismatch"
    # Radio
    BAD_SYMBOL = "bad-symbol"
    NO_SYNC = "no-sync"


class BadTelegram(Exception):
    """Their bytes are wrong.

    ``reason`` is the code, ``detail`` one sentence for a person, ``offset`` the byte in the telegram (L is byte 0)
    where reading stopped.  Inside a decrypted payload the offset still counts from L.
    """

    def __init__(self, reason: Reason, detail: str, offset: int = 0) -> None:
        super().__init__(reason, detail, offset)
        self.reason = reason
        self.detail = detail
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.reason.value} at byte {self.offset}: {self.detail}"


class CannotEncode(ValueError):
    """Our caller asked for something that has no bytes: a value too large, a key of the wrong length, no counter."""
