"""The published telegrams, as the protocol's tests use them, and every exception with its reason."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from wmbus import link
from wmbus.security import KEY_BYTES

FILE = Path(__file__).parents[1] / "vectors" / "telegrams.jsonl"


@dataclass(frozen=True)
class Published:
    """One line.  ``frame`` is without CRCs; ``line`` its number from 0, which names it in every list below."""

    line: int
    record: dict[str, Any]

    @property
    def wire(self) -> bytes:
        return bytes.fromhex(self.record["hex"])

    @property
    def frame(self) -> bytes:
        if self.line in BYTES_BEYOND_L:
            return self.wire[: self.wire[0] + 1]
        return link.strip_crcs(self.wire)

    @property
    def key(self) -> bytes | None:
        key = self.record["key"]
        return bytes.fromhex(key) if key and len(key) == 2 * KEY_BYTES else None

    @property
    def already_decrypted(self) -> bool:
        """The publisher removed the encryption and left the header.  Its AES-CTR lines are plain where they have no
        key, whatever their payload_state says: the payload CRC fits the bytes as they are."""
        return self.record["payload_state"].startswith("already") or (
            self.record["mode"] == "ELL-AES-CTR" and self.key is None
        )

    @property
    def expected(self) -> dict[str, Any]:
        return self.record["expected"] or {}

    def __str__(self) -> str:
        return f"{self.line}-{self.record['meter_type']}-{self.record['mode']}"


@cache
def telegrams() -> tuple[Published, ...]:
    with FILE.open() as lines:
        return tuple(Published(n, json.loads(line)) for n, line in enumerate(lines))


BYTES_BEYOND_L = dict.fromkeys(
    (296, 298, 299, 300, 301, 302, 303, 304, 305), "the source prints 1-4 bytes after the end that L names"
)

NO_KEY = {
    104: "encrypted; its key was not published",
    306: "mode 7 from the air; its key was not published",
    313: "mode 7 from the air; its key was not published",
    314: "mode 5 from the air; its key was not published",
}

REFUSED = {
    1: ("mode-unsupported", "mode 2 (DES)"),
    105: ("mode-unsupported", "CFG 7D10 names reserved mode 29; the maker sends plain records under it"),
    106: ("mode-unsupported", "CFG D810 names reserved mode 24; the maker sends plain records under it"),
    213: ("mode-unsupported", "CFG names reserved mode 21"),
    282: ("short-ciphertext", "the demo message lacks its last byte: N = 4, 63 bytes"),
}
"""line -> (reason code, why this refusal is right)."""

PROPRIETARY = dict.fromkeys(range(39, 45), "2F2F and then the maker's own layout, no data records") | {
    271: "the maker's own layout without 0F in front"
}
"""Payloads that announce records and carry none."""

DUPLICATES = {
    90: "the maker sends heat and cooling energy under the same chain 0C0E",
    123: "the maker sends two volumes under the same chain 0412",
}

CUT_RECORDS = {
    76: "two bytes FFFF after the last record",
    197: "a two-byte checksum after the last record",
    198: "a two-byte checksum after the last record",
    236: "two clear bytes after the encrypted blocks",
}
"""Lines whose payload ends in bytes that are no record; strict refuses, lenient shows them as "unreadable"."""

CLEAR_TAIL = {236: "2 bytes", 240: "11 bytes: model version and parameter set"}

COMPACT = {270: "its full frame was not published"}
