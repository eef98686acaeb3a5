"""Of one trial: each reading's account, by device, with the reason where one is lost or stale.

Three witnesses are joined: the schedule (what was due), the generators (what they published, and when), the portal
(what it read, committed, and what stands in its store when all is over). No one of them is believed alone: a reading
counts as stored when it is in the store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.load.latencies import Latencies
from bench.load.load_orders import Generated, Stored
from bench.load.schedule import Schedule

F64 = NDArray[np.float64]

DEVICES_MOST: Final = 20
NOT_HANDLED: Final = "the generator did not come to it"
NO_SESSION: Final = "its gateway had no session"
NO_ROOM: Final = "its gateway had as many in flight as it may"
PUT_ASIDE: Final = "published again and again and never acknowledged, so its gateway put it aside"
NOT_ACCEPTED: Final = "published, without PUBACK"
NOT_DELIVERED: Final = "accepted by the broker, not delivered to the portal"
NOT_STORED: Final = "delivered to the portal, not stored when the trial was over"
GONE: Final = "acknowledged by the portal, and not in its store"
STAGES: Final = ("generator", "gateway", "way", "portal")
"""Where a reading's time went: until the generator came to it, until its gateway published it (a session, room in
flight), until the portal read it (the broker, and a portal that does not come to reading), until its commit was
over."""


@dataclass
class Accounts:
    """`reasons`: lost readings. `stale`: readings stored later than the sentence allows, by the stage that took most of
    their time. `devices`: those with a lost, doubled or stale reading, worst first."""

    due: int
    telegrams: int
    latency_s: F64
    lost: int
    doubled: int
    reasons: Counter[str]
    stale: Counter[str]
    devices: list[dict[str, Any]]
    devices_touched: int
    liars: int
    """Bundles that are said to have been published before they were due, or that arrived before they were published:
    then a generator's times are not to be believed."""
    missing: int
    """Readings whose bundle was committed and which are not in the store."""
    discarded: int = 0
    """Publishes that a quota refused."""
    latencies: Latencies = field(default_factory=Latencies)
    own: Latencies = field(default_factory=Latencies)
    stages_s: dict[str, float] = field(default_factory=dict)
    """Mean seconds in each stage, of what was stored."""

    def timely(self, within_s: float) -> int:
        """Readings stored so soon after they were due."""
        in_time = self.telegrams * int((self.latency_s <= within_s).sum())
        return max(0, in_time - self.missing)


class _Published(NamedTuple):
    """What all generators told together: when each bundle was come to and published (NaN: never), gateway -> how many
    are without PUBACK, gateways without a session, rows that were put aside."""

    handled_s: F64
    sent_s: F64
    unaccepted: Counter[int]
    without: set[int]
    aside: set[int]
    uncertain_s: F64
    """By row: what the generator's clock is known to."""

    @classmethod
    def of(cls, told: Sequence[Generated], count: int) -> _Published:
        all_ = cls(np.full(count, np.nan), np.full(count, np.nan), Counter(), set(), set(), np.zeros(count))
        for one in told:
            all_.handled_s[one.rows], all_.sent_s[one.rows] = one.handled_s, one.sent_s
            all_.unaccepted.update(one.unaccepted)
            all_.without.update(one.without_session)
            all_.aside.update(one.put_aside)
            all_.uncertain_s[one.rows] = one.uncertain_s
        return all_


def accounts(
    schedule: Schedule, telegrams: int, begin_s: float, told: Sequence[Generated], stored: Stored,
    meters: Sequence[str], within_s: float,
) -> Accounts:  # fmt: skip
    """`meters`: names, gateway by gateway, `telegrams` each."""
    count = len(schedule)
    due_s = begin_s + schedule.due_s
    published = _Published.of(told, count)
    handled_s, sent_s = published.handled_s, published.sent_s
    arrived_s, committed_s = stored.arrived_s, stored.committed_s
    latency_s = committed_s - due_s

    gateways = len(meters) // telegrams
    due_of = np.bincount(schedule.gateway, minlength=gateways)
    committed = ~np.isnan(committed_s)
    committed_of = np.bincount(schedule.gateway[committed], minlength=gateways)
    gateway_of_meter = np.repeat(np.arange(gateways), telegrams)
    lost_of = np.maximum(due_of[gateway_of_meter] - stored.distinct, 0)
    missing_of = np.maximum(committed_of[gateway_of_meter] - stored.distinct, 0)

    why = _why(schedule, committed, published, arrived_s)
    reasons: Counter[str] = Counter()
    for reason in why:
        reasons[reason] += telegrams
    refused_of = np.zeros(len(meters), dtype=np.int64)
    for reason, by_meter in stored.refused.items():
        reasons[f"refused by the portal: {reason}"] += int(np.minimum(by_meter, missing_of).sum())
        refused_of += by_meter
    gone = int(np.maximum(missing_of - refused_of, 0).sum())
    if gone:
        reasons[GONE] += gone
    reasons = Counter({reason: times for reason, times in reasons.items() if times})

    stages = np.diff(np.stack([due_s, handled_s, sent_s, arrived_s, committed_s]), axis=0)
    late = committed & (latency_s > within_s)
    stale: Counter[str] = Counter()
    if late.any():
        worst = np.argmax(np.nan_to_num(stages[:, late], nan=-1.0), axis=0)
        stale.update({STAGES[at]: telegrams * int((worst == at).sum()) for at in range(len(STAGES))})
        stale = +stale
    out = Accounts(
        due=telegrams * count, telegrams=telegrams, latency_s=latency_s, lost=int(lost_of.sum()),
        doubled=int(stored.doubled.sum()), reasons=reasons, stale=stale, devices=[], devices_touched=0,
        liars=_liars(due_s, arrived_s, published), missing=int(missing_of.sum()),
    )  # fmt: skip
    out.latencies.record(np.maximum(latency_s, published.uncertain_s), telegrams)  # none finer than its clock is known
    out.own.record(handled_s - due_s)
    if committed.any():
        means = [float(np.nanmean(one[committed])) if (~np.isnan(one[committed])).any() else 0.0 for one in stages]
        out.stages_s = dict(zip(STAGES, means, strict=True))
    late_of = np.bincount(schedule.gateway[late], minlength=gateways)
    slowest_of = np.zeros(gateways)
    np.maximum.at(slowest_of, schedule.gateway[committed], latency_s[committed])
    touched = np.flatnonzero((lost_of > 0) | (stored.doubled > 0) | (late_of[gateway_of_meter] > 0))
    out.devices_touched = len(touched)
    reason_of = _first_reason(schedule, committed, why)
    rank = np.lexsort((-slowest_of[gateway_of_meter[touched]], -lost_of[touched]))
    for meter in touched[rank][:DEVICES_MOST].tolist():
        gateway = int(gateway_of_meter[meter])
        said = reason_of.get(gateway, "") if lost_of[meter] else ""
        if lost_of[meter] and not said:
            said = next((f"refused by the portal: {r}" for r, by in stored.refused.items() if by[meter]), GONE)
        out.devices.append({
            "meter": meters[meter], "gateway": f"gw{gateway}", "due": int(due_of[gateway]),
            "stored": int(stored.distinct[meter]), "lost": int(lost_of[meter]),
            "doubled": int(stored.doubled[meter]), "stale": int(late_of[gateway]),
            "slowest_s": round(float(slowest_of[gateway]), 3), "reason": said,
        })  # fmt: skip
    return out


def _liars(due_s: F64, arrived_s: F64, published: _Published) -> int:
    """Bundles whose times cannot be, by more than clocks may be wrong."""
    handled_s, sent_s, most_s = published.handled_s, published.sent_s, published.uncertain_s
    early = (sent_s < due_s - most_s) | (handled_s < due_s - most_s) | (arrived_s < sent_s - most_s)
    return int(early.sum())


def _why(schedule: Schedule, committed: NDArray[np.bool_], published: _Published, arrived_s: F64) -> list[str]:
    """The reason of each bundle that was not committed, in the schedule's order. The last of a gateway's that were
    published are those without PUBACK, as many as it lacks."""
    open_ = np.flatnonzero(~committed)
    left = Counter(published.unaccepted)
    out = []
    for row in open_[::-1].tolist():
        gateway = int(schedule.gateway[row])
        if not np.isnan(arrived_s[row]):
            out.append(NOT_STORED)
        elif row in published.aside:
            out.append(PUT_ASIDE)
        elif not np.isnan(published.sent_s[row]):
            if left[gateway] > 0:
                left[gateway] -= 1
                out.append(NOT_ACCEPTED)
            else:
                out.append(NOT_DELIVERED)
        elif np.isnan(published.handled_s[row]):
            out.append(NOT_HANDLED)
        else:
            out.append(NO_SESSION if gateway in published.without else NO_ROOM)
    return out[::-1]


def _first_reason(schedule: Schedule, committed: NDArray[np.bool_], why: Sequence[str]) -> dict[int, str]:
    """Gateway -> why its first bundle that was not committed was not."""
    out: dict[int, str] = {}
    for row, reason in zip(np.flatnonzero(~committed).tolist(), why, strict=True):
        out.setdefault(int(schedule.gateway[row]), reason)
    return out
