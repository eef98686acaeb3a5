"""Under load something does otherwise than it says: the portal, the companion, the generator, the clients in C."""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

from tests.referee.defect import RIG, Patch, defect
from tests.referee.defects import plays

ONE_IN = 1_000


@defect("load-portal-stores-one-twice", RIG, "Of thousands of readings none is doubled.", plays.LOAD_THOUSANDS)
def _(patch: Patch) -> None:
    """The portal's store keeps one reading in a thousand twice."""
    _each_thousandth(patch, lambda row: [row, row])


@defect("load-portal-loses-one", RIG, "Of thousands of readings none is lost.", plays.LOAD_THOUSANDS)
def _(patch: Patch) -> None:
    """The portal acknowledges one reading in a thousand and does not keep it."""
    _each_thousandth(patch, lambda row: [])


def _each_thousandth(patch: Patch, instead_of: Any) -> None:
    seen = 0

    def instead(original: Any, store: Any, rows: Any) -> None:
        nonlocal seen
        kept = []
        for row in rows:
            seen += 1
            kept += instead_of(row) if seen % ONE_IN == 0 else [row]
        original(store, kept)

    patch.around("sim.portal.store.sqlite:SqliteStore.add_readings", instead)


@defect("load-generator-skips-when-late", RIG, "What is late is sent late, and not left out.", plays.LOAD_LATE)
def _(patch: Patch) -> None:
    """The generator leaves out each bundle that it comes to more than half a second late."""

    def instead(original: Any, pipe: Any, order: Any, offering: Any, told: Any, begin_s: float) -> None:
        due_s, publish = (begin_s + order.schedule.due_s[order.rows]).tolist(), offering.publish

        def punctual(row: int) -> None:
            if told.handled_s[row] - due_s[row] < 0.5:
                publish(row)

        offering.publish = punctual
        original(pipe, order, offering, told, begin_s)

    patch.around("bench.load.generator:_offer", instead)


@defect("load-storm-without-a-cut", RIG, "In a reconnect storm all gateways dial again.", plays.LOAD_STORM)
def _(patch: Patch) -> None:
    """The power does not fail: every gateway keeps its session."""
    patch.around("bench.load.generator:Sessions.cut", lambda original, sessions: None)
    patch.around(
        "bench.load.generator:Sessions.dial",
        lambda original, sessions: None if next(iter(sessions._gateways.values())).session else original(sessions),
    )


@defect("load-backlog-that-is-none", RIG, "A backlog is as much again, due at the begin.", plays.LOAD_SHAPES)
def _(patch: Patch) -> None:
    """Nothing waits in the outboxes when the way is back."""

    def instead(original: Any, gateway: Any, due_s: Any) -> Any:
        new = due_s > 0
        return original(gateway[new], due_s[new])

    patch.around("bench.load.shapes.backlog:numbered", instead)


@defect("load-quota-not-applied", RIG, "The knee of a quota is the quota.", plays.LOAD_QUOTA)
def _(patch: Patch) -> None:
    """The companion lets pass what its rate of publishes forbids."""
    patch.around("sim.endpoint.aws.connection:Connection._rate", lambda original, connection, size: "")


@defect("load-quota-of-another-size", RIG, "The knee of a quota is the quota.", plays.LOAD_QUOTA)
def _(patch: Patch) -> None:
    """The companion counts five publishes in a hundred less than there are."""
    seen = Counter[int]()

    def instead(original: Any, connection: Any, size: int) -> Any:
        seen[0] += 1
        return "" if seen[0] % 20 == 0 else original(connection, size)

    patch.around("sim.endpoint.aws.connection:Connection._rate", instead)


@defect("load-c-clients-of-another-process", RIG, "The clients in C are counted as the generator.", plays.LOAD_C)
def _(patch: Patch) -> None:
    """What feeds the clients in C is measured, and they are not."""
    patch.around("bench.load.load_trial:children", lambda original, pid: [])


@defect("load-broker-of-another-process", RIG, "The broker's processor time is the broker's.", plays.LOAD_C)
def _(patch: Patch) -> None:
    """The load test itself is measured as the broker."""
    patch.around("bench.load.brokers:OwnBroker.processes", lambda original, broker: {"broker": os.getpid()})
