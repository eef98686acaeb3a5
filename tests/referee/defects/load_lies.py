"""A load test that flatters: times that run from sending, commits that are believed, clauses that never break."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tests.referee.defect import RIG, Patch, defect
from tests.referee.defects import plays


@defect("load-time-from-sending", RIG, "A reading's time runs from when it was due.", plays.LOAD_ACCOUNTS)
def _(patch: Patch) -> None:
    """The time of a reading runs from when its bundle was published, so what a slow generator waits for is hidden."""

    def instead(
        original: Any, schedule: Any, telegrams: int, begin_s: float, told: Any, *more: Any, **named: Any
    ) -> Any:
        due_s = schedule.due_s.copy()
        for one in told:
            sent = np.where(np.isnan(one.sent_s), due_s[one.rows] + begin_s, one.sent_s)
            due_s[one.rows] = sent - begin_s
        return original(dataclasses.replace(schedule, due_s=due_s), telegrams, begin_s, told, *more, **named)

    patch.around("bench.load.accounts:accounts", instead)


@defect("load-believes-acknowledgements", RIG, "A reading is stored when it is in the store.", plays.LOAD_PORTAL)
def _(patch: Patch) -> None:
    """What the portal acknowledged counts as stored; nobody looks into the store."""

    def instead(original: Any, trial: Any) -> None:
        original(trial)
        schedule, told = trial._order.schedule, trial.told
        committed = schedule.gateway[~np.isnan(told.committed_s)]
        told.distinct[:] = np.repeat(
            np.bincount(committed, minlength=trial._order.sent.gateways), trial._order.sent.telegrams
        )

    patch.around("bench.load.portal_process:_Trial.count", instead)


@defect("load-forgives-loss", RIG, "A sentence breaks when a reading is lost.", plays.LOAD_BROKER)
def _(patch: Patch) -> None:
    """The clause about lost readings always holds."""

    def instead(original: Any, sentence: Any, kept: Any) -> list[str]:
        return [clause for clause in original(sentence, kept) if " lost" not in clause]

    patch.around("bench.load.sentence:Sentence.broken", instead)


@defect("load-generator-is-never-the-limit", RIG, "A generator that was the limit is named.", plays.LOAD_LIMIT)
def _(patch: Patch) -> None:
    """Neither its own clock and processor nor the clients in C are asked."""
    patch.around("bench.load.knee_run:limit", lambda original, one, within_s: "")


@defect("load-publishes-early", RIG, "No bundle is published before it is due.", plays.LOAD_LIARS)
def _(patch: Patch) -> None:
    """That times cannot be is not looked at."""

    def instead(original: Any, *arguments: Any, **named: Any) -> Any:
        found = original(*arguments, **named)
        found.liars = 0
        return found

    patch.around("bench.load.accounts:accounts", instead)


@defect("load-quota-unseen", RIG, "A quota that refuses is what was full.", plays.LOAD_RESOURCES)
def _(patch: Patch) -> None:
    """Refusals of quotas are left out of what was full."""
    from collections import Counter

    def instead(original: Any, *arguments: Any, **named: Any) -> Any:
        return original(*arguments, **(named | {"discarded": Counter()}))

    patch.around("bench.load.resources:resources", instead)


@defect("load-dead-broker-passed-over", RIG, "A broker that dies is named.", plays.LOAD_DEATH)
def _(patch: Patch) -> None:
    """Whether the broker still runs is not asked."""
    patch.around("bench.load.brokers:OwnBroker.died", lambda original, broker: "")
