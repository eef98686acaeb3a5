"""Read all that the cloud sees and keeps of a fleet."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from attacks.attack import Can, Outcome, Steps, attack
from attacks.parts.survey import units_read
from attacks.reach import Reach
from sim.endpoint.port import Message
from sim.truth.ground_truth import Truth, fingerprint

_TELEGRAM: Final = re.compile(rb'"((?:[0-9a-f]{2}){12,255})"')
_CODED: Final = re.compile(rb"[A-Za-z0-9+/]{64,}")
ENCRYPTED = "contents are encrypted"
PASSING, KEPT = "values in what passes", "values in what is kept"


@attack(
    id="wan.cloud_reader",
    title="Read all that the cloud sees and keeps",
    threats=["G04"],
    can=Can.BROKER,
    ics=["T0887", "T0882"],
    weakness={"fleet.security": "none"},
    seen_as="nothing: reading leaves no trace",
    refused_as=(ENCRYPTED,),
)
@dataclass
class CloudReader:
    """Whoever runs the broker and its rules opens each bundle that passes, and at `at_s` each file: queues and buckets
    that rules filled, device shadows, logs. Counted are heat units that equal what the meter sent. That no plaintext
    and no key stands there in another form is what the check of every run looks for."""

    at_s: float = 3_300.0
    telegrams: dict[str, list[bytes]] = field(default_factory=lambda: {PASSING: [], KEPT: []})
    files: int = 0

    def run(self, reach: Reach) -> Steps:
        reach.deliver_by(self._pass)
        yield reach.wait_until(self.at_s)
        kept = reach.kept_files()
        self.files = len(kept)
        for content in kept.values():
            self.telegrams[KEPT] += telegrams_in(content)

    def _pass(self, messages: Sequence[Message]) -> Sequence[Message]:
        for message in messages:
            self.telegrams[PASSING] += telegrams_in(message.payload)
        return messages

    def outcomes(self, truth: Truth) -> list[Outcome]:
        return [one for variant in (PASSING, KEPT) for one in self._outcomes(truth, variant)]

    def _outcomes(self, truth: Truth, variant: str) -> list[Outcome]:
        seen: Counter[str] = Counter()
        read: Counter[str] = Counter()
        marks: dict[str, set[str]] = defaultdict(set)
        for telegram in self.telegrams[variant]:
            mark = fingerprint(telegram)
            sent = truth.known(mark)
            if sent is None:
                continue
            security, units = truth.security(sent), units_read(telegram)
            seen[security] += 1
            marks[security].add(mark)
            read[security] += units is not None and units == truth.units(sent)
        return [
            Outcome(variant, security, count, read[security], heard=frozenset(marks[security]),
                    why="contents are in clear" if read[security] else ENCRYPTED,
                    evidence={"telegrams seen": count, "values read": read[security], "files": self.files})
            for security, count in seen.items()
        ]  # fmt: skip


def telegrams_in(content: bytes) -> list[bytes]:
    """Telegrams in hex between quotation marks, as bundles have them, also in what is coded in base64 there."""
    texts = [content]
    for coded in _CODED.findall(content):
        with contextlib.suppress(binascii.Error):
            texts.append(base64.b64decode(coded[: len(coded) // 4 * 4]))
    return [bytes.fromhex(found.decode()) for text in texts for found in _TELEGRAM.findall(text)]
