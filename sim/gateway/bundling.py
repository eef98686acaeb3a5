"""When a bundle closes: the one rule, as pure functions of whole numbers.

    count   with the telegram that makes it full, after it
    size    before a telegram that it might have no room for
    age     at the instant at which it is as old as it may be, however late the question comes

A virtual gateway calls them as they stand here; sim.city compiles the same functions for the gateways of a shard. So
they call nothing else, and take and return numbers only. `admitted_until` finds by the same functions how many of
many telegrams go into the open bundle and close nothing. The size of a bundle is an upper bound of its encoded bytes
(see sim.core.bundle): no encoded bundle is larger than its limit, provided that the limit has room for one telegram.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, envelope_bytes_max
from sim.core.clock import ns
from sim.gateway.gateway_spec import GatewaySpec

NOT_YET: Final = -1
LONGEST_TELEGRAM_BYTES: Final = 256  # the length field, and as many bytes as it can count


class Limits(NamedTuple):
    """`size_bytes` is for the telegrams alone; the envelope is taken off already."""

    age_ns: int
    telegrams: int
    size_bytes: int


class OpenBundle(NamedTuple):
    """`opened_ns`: when its first telegram was received (world ns); meaningless where `telegrams` is 0."""

    opened_ns: int
    telegrams: int
    size_bytes: int


Admission = tuple[bool, OpenBundle, bool]
"""What a telegram does to the open bundle: whether it closes before the telegram, the bundle that the telegram is in,
and whether that one closes after it; both at the instant of reception."""

NOTHING_OPEN: Final = OpenBundle(0, 0, 0)


def limits_of(spec: GatewaySpec, gateway: str) -> Limits:
    """The limits of one gateway of a group."""
    return Limits(ns(spec.bundle_age_s), spec.bundle_count, spec.bundle_bytes - envelope_bytes_max(gateway))


def has_room_for_one(limits: Limits) -> bool:
    """Whether a telegram of any length fits into an empty bundle."""
    return limits.size_bytes >= 2 * LONGEST_TELEGRAM_BYTES + TELEGRAM_OVERHEAD_BYTES


def closed_by_age_ns(bundle: OpenBundle, limits: Limits, now_ns: int) -> int:
    """The instant at which the open bundle closed for its age, now or earlier; else NOT_YET."""
    due_ns = bundle.opened_ns + limits.age_ns
    return due_ns if bundle.telegrams > 0 and now_ns >= due_ns else NOT_YET


def admit(bundle: OpenBundle, limits: Limits, received_ns: int, length_bytes: int) -> Admission:
    """A telegram of so many bytes is received. Ask `closed_by_age_ns` of the same instant first."""
    size_bytes = 2 * length_bytes + TELEGRAM_OVERHEAD_BYTES
    closes_before = bundle.telegrams > 0 and bundle.size_bytes + size_bytes > limits.size_bytes
    if closes_before or bundle.telegrams == 0:
        grown = OpenBundle(received_ns, 1, size_bytes)
    else:
        grown = OpenBundle(bundle.opened_ns, bundle.telegrams + 1, bundle.size_bytes + size_bytes)
    return closes_before, grown, grown.telegrams >= limits.telegrams


# --- many telegrams at once -----------------------------------------------------------------------------------------


class Telegrams(NamedTuple):
    """Some that are received one after the other: columns of equal length, and `before_bytes[n]`: what the first n of
    them take of a bundle's size."""

    received_ns: Sequence[int]
    lengths_bytes: Sequence[int]
    before_bytes: Sequence[int]

    @classmethod
    def of(cls, received_ns: Sequence[int], lengths_bytes: Sequence[int], limits: Limits) -> Telegrams:
        """In order of time."""
        sizes = {length: admit(NOTHING_OPEN, limits, 0, length)[1].size_bytes for length in set(lengths_bytes)}
        return cls(received_ns, lengths_bytes, list(accumulate(map(sizes.__getitem__, lengths_bytes), initial=0)))


def admitted_until(
    bundle: OpenBundle,
    limits: Limits,
    telegrams: Telegrams,
    begin: int,
    closed_by_age_ns: Callable[[OpenBundle, int], int],
) -> tuple[int, OpenBundle]:
    """The telegrams from `begin` to the first place returned go into this open bundle, and nothing closes meanwhile;
    the bundle with them in it. `closed_by_age_ns(bundle, now_ns)`: where it names an instant, it names one at any later
    time too, and for a bundle with more in it."""
    received_ns, lengths_bytes, before_bytes = telegrams

    def grown(place: int) -> OpenBundle:
        taken_bytes = before_bytes[place] - before_bytes[begin]
        return OpenBundle(bundle.opened_ns, bundle.telegrams + place - begin, bundle.size_bytes + taken_bytes)

    def closes(place: int) -> bool:
        before = grown(place)
        if closed_by_age_ns(before, received_ns[place]) != NOT_YET:
            return True
        closes_before, _, closes_after = admit(before, limits, received_ns[place], lengths_bytes[place])
        return closes_before or closes_after

    until = begin + bisect_left(range(begin, len(received_ns)), True, key=closes)
    return until, grown(until)
