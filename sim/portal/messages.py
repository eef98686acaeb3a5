"""Messages of gateways in, a batch of receptions out: topics, bundles, births, and which bundles came before.

Rules kept: a bundle that comes again is dropped and acknowledged again; the same sequence with other content is two
devices under one name: kept as evidence, judged telegram by telegram like any other bundle (a bundle proves nothing
about its telegrams, so neither is preferred) and acknowledged, because both are committed. A birth is acknowledged
too, since its gateway says it again until then. What is neither is kept with a reason and never acknowledged. Nothing
that arrives can stop the portal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.core import bundle
from sim.core.bundle import Birth, Columns
from sim.endpoint.port import Message
from sim.portal import reasons
from sim.portal import store_port as rows
from sim.portal.reception_batch import LIMIT_NS, Batch
from sim.portal.store_port import Evidence, Store

LEAST_BYTES: Final = 11
"""L, C, M, A and CI: what is shorter is no telegram, and a row for each would make a database of a few kilobytes."""


@dataclass
class Opened:
    """What the messages of one take hold. `conflicts`: (gateway, detail) of twin bundles; `bad`: how many were none."""

    bundles: list[Columns] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    conflicts: list[tuple[str, str]] = field(default_factory=list)
    acks: dict[str, dict[bundle.Taken, None]] = field(default_factory=dict)
    taken: list[rows.Message] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    duplicates: int = 0
    bad: int = 0


def opened(
    messages: Iterable[Message],
    store: Store,
    now_ns: int,
    installed: frozenset[str] | None = None,
    *,
    drop_duplicates: bool = True,
) -> Opened:
    """Sort out what arrived. `installed`: the gateways that there are; None: any may be one. `drop_duplicates`: False,
    a bundle that comes again is taken for another one. Raises StoreError."""
    out = Opened()
    known: dict[tuple[str, int], set[str]] = {}
    for message in messages:
        parts = message.topic.split("/")
        if len(parts) != 3 or parts[0] != "gw" or parts[2] not in ("up", "birth"):
            _refuse(message, out, now_ns, reasons.BAD_MESSAGE, "not a topic of a gateway")
            continue
        try:
            told = _birth(message.payload) if parts[2] == "birth" else Columns.decode(message.payload)
            told.gateway.encode()
        except Exception as error:  # whatever arrives, the portal lives
            # OverflowError: a signal strength of 400 digits; UnicodeEncodeError: half a surrogate pair in a name.
            _refuse(message, out, now_ns, reasons.BAD_MESSAGE, str(error) or type(error).__name__)
            continue
        if told.gateway != parts[1]:
            _refuse(message, out, now_ns, reasons.OTHER_GATEWAY, f"body says {told.gateway}")
        elif installed is not None and told.gateway not in installed:
            _refuse(message, out, now_ns, reasons.UNKNOWN_GATEWAY, "not in the list of gateways")
        elif isinstance(told, Birth):
            out.births.append(told)
            told_of = bundle.Taken(bundle.BIRTH_NUMBER, bundle.digest(message.payload))
            out.acks.setdefault(told.gateway, {})[told_of] = None
        else:
            _take(message, told, store, known, out, now_ns, drop_duplicates)
    return out


def _birth(payload: bytes) -> Birth:
    birth = Birth.decode(payload)
    birth.boot.encode()
    return birth


def _take(
    message: Message,
    told: Columns,
    store: Store,
    known: dict[tuple[str, int], set[str]],
    out: Opened,
    now_ns: int,
    drop_duplicates: bool,
) -> None:
    place, digest = (told.gateway, told.sequence), bundle.digest(message.payload)
    before = known.get(place)
    if before is None:
        before = known[place] = store.digests(*place)
    out.acks.setdefault(told.gateway, {})[bundle.Taken(told.sequence, digest)] = None
    if digest in before and drop_duplicates:
        out.duplicates += 1
        return
    if before:
        detail = f"sequence {told.sequence} came with {len(before) + 1} contents"
        out.evidence.append(Evidence(now_ns, message.topic, reasons.TWIN_BUNDLE, detail, message.payload))
        out.conflicts.append((told.gateway, detail))
    if min(told.lengths, default=LEAST_BYTES) < LEAST_BYTES:
        told, short = told.split(lambda raw: len(raw) >= LEAST_BYTES)
        detail = f"{len(short.lengths)} telegrams of fewer than {LEAST_BYTES} bytes"
        out.evidence.append(Evidence(now_ns, message.topic, reasons.TOO_SHORT, detail, message.payload))
    if digest not in before:
        before.add(digest)
        out.taken.append(rows.Message(*place, digest, now_ns))
    out.bundles.append(told)


def _refuse(message: Message, out: Opened, now_ns: int, reason: str, detail: str) -> None:
    out.bad += 1
    # What a stranger sent may hold what no store can keep as text.
    topic, detail = (text.encode("utf-8", "backslashreplace").decode() for text in (message.topic, detail))
    out.evidence.append(Evidence(now_ns, topic, reason, detail, message.payload))


class Receptions(NamedTuple):
    """The telegrams of a take: as a batch, and beside it what a batch has no room for. `telegrams`, `gateways` by name,
    `received_ns` and `rssi_dbm` (None where it was no number) as the gateways wrote them."""

    batch: Batch
    telegrams: list[bytes]
    gateways: list[str]
    received_ns: list[int]
    rssi_dbm: list[float | None]


def receptions(bundles: Iterable[Columns], number: dict[str, int]) -> Receptions:
    """By gateway's name, sequence and place in the bundle. `number` gets the gateways that it lacks. A time that is
    more than 73 years from the world's beginning counts as so far away in the batch."""
    ordered = sorted(bundles, key=lambda one: (one.gateway, one.sequence))
    data = b"".join(one.data for one in ordered)
    lengths: NDArray[np.int64] = np.array([size for one in ordered for size in one.lengths], dtype=np.int64)
    received = [time_ns for one in ordered for time_ns in one.received_ns]
    levels: list[Any] = [level if math.isfinite(level) else None for one in ordered for level in one.rssi_dbm]
    names = [one.gateway for one in ordered for _ in one.lengths]
    for one in ordered:
        number.setdefault(one.gateway, len(number))
    offset = np.cumsum(lengths) - lengths
    begins = offset.tolist()
    batch = Batch(
        np.frombuffer(bytearray(data), dtype=np.uint8), offset, lengths,
        np.array([number[name] for name in names], dtype=np.int64),
        np.clip(np.array(received, dtype=np.int64), -LIMIT_NS, LIMIT_NS), np.zeros(len(lengths), dtype=np.int64),
    )  # fmt: skip
    telegrams = [data[begin : begin + size] for begin, size in zip(begins, lengths.tolist(), strict=True)]
    return Receptions(batch, telegrams, names, received, levels)
