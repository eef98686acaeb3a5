"""What travels between gateway and portal: bundles up, acknowledgements down. Both sides read this one file.

A bundle is JSON (the rules engine of a cloud and a person can read it) and carries telegrams exactly as the radio
heard them, still encrypted. `sequence` is the gateway's own counter, never reused, kept in its outbox across power
cuts: (gateway, sequence) is what the portal drops duplicates by, and `digest` is how it notices two gateways using
one name. The acknowledgement is the portal's word after its commit, under its signature; an MQTT PUBACK is not
custody.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, NamedTuple

VERSION = 1
ACK_VERSION = 3
"""The first held sequences alone, the second no signature."""
UP = "gw/{gateway}/up"
ACK = "gw/{gateway}/ack"
BIRTH = "gw/{gateway}/birth"
BIRTH_NUMBER: Final = 0
"""Stands for a bundle's sequence where an acknowledgement is of a birth; bundles are numbered from 1."""
_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


class BadBundle(ValueError):
    """A message on a gateway's topic that is not a bundle, an acknowledgement or a birth of this version."""


class Heard(NamedTuple):
    """One telegram as a gateway heard it: bytes without CRCs (L first), end of reception (world ns, by the
    gateway's own clock) and signal strength."""

    telegram: bytes
    received_ns: int
    rssi_dbm: float


Row = tuple[bytes, int, float]
"""The fields of `Heard`."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Telegrams of one gateway, in order of reception."""

    gateway: str
    sequence: int
    closed_ns: int
    heard: tuple[Heard, ...]

    def encode(self) -> bytes:
        """The message body, canonical: equal bundles give equal bytes."""
        return encoded(self.gateway, self.sequence, self.closed_ns, self.heard)

    @classmethod
    def decode(cls, payload: bytes) -> Bundle:
        """Raises BadBundle, naming the field."""
        body = _object(payload)
        try:
            heard = tuple(
                Heard(bytes.fromhex(telegram), _whole(received_ns, "telegrams"), float(rssi_dbm))
                for received_ns, rssi_dbm, telegram in body["telegrams"]
            )
            return cls(_text(body["gw"], "gw"), _whole(body["seq"], "seq"), _whole(body["closed"], "closed"), heard)
        except KeyError as missing:
            raise BadBundle(f"bundle lacks {missing}") from None
        except (TypeError, ValueError) as wrong:
            raise BadBundle(f"bundle: {wrong}") from None


def encoded(gateway: str, sequence: int, closed_ns: int, heard: Sequence[Row]) -> bytes:
    """A bundle's message body."""
    body = {"v": VERSION, "gw": gateway, "seq": sequence, "closed": closed_ns, "telegrams": []}
    head = json.dumps(body, separators=(",", ":"))[:-2]
    # What json.dumps makes of these rows, in half its time: a row is two numbers and text that needs no escapes.
    levels = json.dumps([rssi_dbm for _, _, rssi_dbm in heard], separators=(",", ":"))[1:-1].split(",")
    rows = [f'[{received_ns},{level},"{telegram.hex()}"]'
            for (telegram, received_ns, _), level in zip(heard, levels, strict=False)]  # fmt: skip
    return f"{head}{','.join(rows)}]}}".encode()


_WIDEST: Final = -(2**63)  # of 64-bit numbers the one with most digits
TELEGRAM_OVERHEAD_BYTES: Final = len(f'[{_WIDEST},{-sys.float_info.min!r},""],')
"""What one telegram takes in an encoded bundle at most, beside two bytes of hex for each of its own."""


def envelope_bytes_max(gateway: str) -> int:
    """What an encoded bundle of this gateway takes at most, beside its telegrams."""
    return len(Bundle(gateway, _WIDEST, _WIDEST, ()).encode())


class Columns(NamedTuple):
    """A bundle's telegrams as columns: all their bytes one after the other, `lengths` of each; in order of
    reception."""

    gateway: str
    sequence: int
    data: bytes
    lengths: list[int]
    received_ns: list[int]
    rssi_dbm: list[float]

    @classmethod
    def decode(cls, payload: bytes) -> Columns:
        """What Bundle.decode says of the same bytes, without an object a telegram. Raises BadBundle."""
        body = _object(payload)
        rows = body.get("telegrams")
        if type(rows) is list and rows and set(map(type, rows)) == {list} and set(map(len, rows)) == {3}:
            received, levels, texts = zip(*rows, strict=True)
            plain = set(map(type, received)) == {int} and set(map(type, levels)) == {float}
            if plain and set(map(type, texts)) == {str} and min(received) >= _LEAST and max(received) <= _MOST:
                lengths = [len(text) for text in texts]
                with contextlib.suppress(ValueError):  # BadBundle is one: Bundle.decode says it in its words
                    data = bytes.fromhex("".join(texts))
                    # White space between digits is nothing to fromhex; then the lengths do not add up.
                    if 2 * len(data) == sum(lengths) and not any(length & 1 for length in lengths):
                        gateway, sequence = _text(body.get("gw"), "gw"), _whole(body.get("seq"), "seq")
                        _whole(body.get("closed"), "closed")
                        halves = [length >> 1 for length in lengths]
                        return cls(gateway, sequence, data, halves, list(received), list(levels))
        one = Bundle.decode(payload)
        return cls(
            one.gateway, one.sequence, b"".join(row.telegram for row in one.heard),
            [len(row.telegram) for row in one.heard], [row.received_ns for row in one.heard],
            [row.rssi_dbm for row in one.heard],
        )  # fmt: skip

    @property
    def telegrams(self) -> list[bytes]:
        """The bytes of each."""
        ends = list(accumulate(self.lengths))
        return [self.data[end - size : end] for end, size in zip(ends, self.lengths, strict=True)]

    def split(self, wanted: Callable[[bytes], bool]) -> tuple[Columns, Columns]:
        """(those of its telegrams that are wanted, the others)."""
        parts: dict[bool, list[tuple[bytes, int, float]]] = {True: [], False: []}
        for one in zip(self.telegrams, self.received_ns, self.rssi_dbm, strict=True):
            parts[wanted(one[0])].append(one)
        return self._of(parts[True]), self._of(parts[False])

    def _of(self, rows: list[tuple[bytes, int, float]]) -> Columns:
        return Columns(
            self.gateway, self.sequence, b"".join(raw for raw, _, _ in rows), [len(raw) for raw, _, _ in rows],
            [received_ns for _, received_ns, _ in rows], [level for _, _, level in rows],
        )  # fmt: skip


def digest(payload: bytes) -> str:
    """16 hex digits that name a message body; the portal remembers it per (gateway, sequence)."""
    return hashlib.blake2b(payload, digest_size=8).hexdigest()


class Taken(NamedTuple):
    """What an acknowledgement says of one bundle: the portal committed these very bytes under this number. A number
    alone would let whoever may publish in a gateway's name have the gateway delete what the portal never saw. With
    BIRTH_NUMBER it is of a birth."""

    sequence: int
    digest: str


class Ack(NamedTuple):
    """An acknowledgement: these are committed at the portal and may leave the gateway's outbox. `signature` is empty
    where there is none; `statement` is what the portal's key must have signed."""

    gateway: str
    taken: tuple[Taken, ...]
    signature: bytes = b""

    @property
    def statement(self) -> bytes:
        """The message without its signature: one for all bundles in it, in the order in which it names them."""
        body = {"v": ACK_VERSION, "gw": self.gateway, "ack": self.taken}
        return json.dumps(body, separators=(",", ":")).encode()

    def signed(self, sign: Callable[[bytes], bytes]) -> Ack:
        """With this signature."""
        return self._replace(signature=sign(self.statement))

    def encode(self) -> bytes:
        """The message body."""
        if not self.signature:
            return self.statement
        return self.statement[:-1] + b',"sig":"' + self.signature.hex().encode() + b'"}'

    @classmethod
    def decode(cls, payload: bytes) -> Ack:
        """Raises BadBundle."""
        body = _object(payload, ACK_VERSION)
        taken, signature = body.get("ack"), body.get("sig", "")
        if not isinstance(taken, list) or not all(isinstance(one, list) and len(one) == 2 for one in taken):
            raise BadBundle("acknowledgement lacks 'ack', a list of [sequence, digest]")
        marks = tuple(Taken(_whole(sequence, "ack"), _text(mark, "ack")) for sequence, mark in taken)
        try:
            return cls(_text(body.get("gw"), "gw"), marks, bytes.fromhex(signature))
        except (TypeError, ValueError):
            raise BadBundle("acknowledgement: 'gw' or 'sig' is not what it should be") from None


class Birth(NamedTuple):
    """Said after each CONNACK, and again until the portal acknowledged it (`BIRTH_NUMBER`): `boot` names this power-on
    of this device, `connects` counts its sessions. `refused`: so many acknowledgements of this power-on were not the
    portal's; said again when the first one was."""

    gateway: str
    boot: str
    connects: int
    refused: int = 0

    def encode(self) -> bytes:
        """The message body."""
        body: dict[str, Any] = {"v": VERSION, "gw": self.gateway, "boot": self.boot, "n": self.connects}
        if self.refused:
            body["refused"] = self.refused
        return json.dumps(body, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Birth:
        """Raises BadBundle."""
        body = _object(payload)
        try:
            gateway, boot, connects = _text(body["gw"], "gw"), _text(body["boot"], "boot"), _whole(body["n"], "n")
        except KeyError as missing:
            raise BadBundle(f"birth lacks {missing}") from None
        return cls(gateway, boot, connects, _whole(body.get("refused", 0), "refused"))


def _object(payload: bytes, version: int = VERSION) -> dict[str, Any]:
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError):
        raise BadBundle(f"not JSON: {payload[:40]!r}") from None
    if not isinstance(body, dict) or body.get("v") != version:
        raise BadBundle(f"not version {version}: {payload[:40]!r}")
    return body


def _whole(value: object, field: str) -> int:
    if type(value) is not int or not _LEAST <= value <= _MOST:
        raise BadBundle(f"{field}: {value!r} is not a whole number of 64 bits")
    return value


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 128:
        raise BadBundle(f"{field}: {value!r} is not a name of 1 to 128 characters")
    return value
