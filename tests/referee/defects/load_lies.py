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


@defect("load-groups-mixed-up", RIG, "Each group has the processor time of its own processes.", plays.LOAD_WATCH)
def _(patch: Patch) -> None:
    """A group of processes is given what the one behind it took."""

    def instead(original: Any, watch: Any) -> Any:
        found = original(watch)
        names = list(found)
        return dict(zip([*names[1:], *names[:1]], found.values(), strict=True))

    patch.around("bench.load.processes:Watch.spent_s", instead)


@defect("load-waiting-is-sleeping", RIG, "Who waits for a core does not sleep.", plays.LOAD_WATCH)
def _(patch: Patch) -> None:
    """A process counts as awake only while it has a core, so that on a busy machine nothing is ever full."""
    patch.around("bench.load.processes:_awake_s", lambda original, first, last: last.processor_s - first.processor_s)


@defect("load-fullest-is-another", RIG, "The fullest resource is the one that was full.", plays.LOAD_RESOURCES)
def _(patch: Patch) -> None:
    """The portal's core is named where the broker's is full, and the other way round."""

    def instead(original: Any, load_per_s: float, used: Any, *more: Any, **named: Any) -> Any:
        swapped = {{"broker": "portal", "portal": "broker"}.get(name, name): one for name, one in used.items()}
        return original(load_per_s, swapped, *more, **named)

    patch.around("bench.load.resources:resources", instead)


@defect("load-stale-charged-to-the-broker", RIG, "A stale reading's time is its own stage's.", plays.LOAD_ACCOUNTS)
def _(patch: Patch) -> None:
    """What the portal takes is charged to the way through the broker, and the other way round."""
    patch.value("bench.load.accounts:STAGES", ("generator", "gateway", "portal", "way"))


@defect("load-counts-what-was-sent", RIG, "What the generator did not come to is lost.", plays.LOAD_REASONS)
def _(patch: Patch) -> None:
    """Only bundles that were published count as due: a generator that falls behind has nothing to lose."""

    def instead(original: Any, schedule: Any, telegrams: int, begin_s: float, told: Any, *more: Any) -> Any:
        found = original(schedule, telegrams, begin_s, told, *more)
        never = sum(int(np.isnan(one.sent_s).sum()) for one in told)
        found.due -= telegrams * never
        found.lost -= telegrams * never
        return found

    patch.around("bench.load.accounts:accounts", instead)


@defect("load-tail-cut", RIG, "A percentile counts every value.", plays.LOAD_PERCENTILES)
def _(patch: Patch) -> None:
    """The slowest thousandth is left out of the histogram."""

    def instead(original: Any, histogram: Any, seconds: Any, times: int = 1) -> None:
        given = np.asarray(seconds, dtype=np.float64)
        original(histogram, np.sort(given)[: len(given) - len(given) // 1_000], times)

    patch.around("bench.load.latencies:Latencies.record", instead)


@defect("load-knee-of-one-bad-moment", RIG, "A load is broken when it broke twice.", plays.LOAD_KNEE)
def _(patch: Patch) -> None:
    """A load that broke once counts as broken."""
    patch.around(
        "bench.load.knee:search",
        lambda original, holds, start_per_s, most_per_s, **named: original(
            holds, start_per_s, most_per_s, **(named | {"tries": 1})
        ),
    )


@defect("load-late-trial-counts", RIG, "A trial that broke while the generator was late is repeated.", plays.LOAD_FAIR)
def _(patch: Patch) -> None:
    """One trial in which the generator was late by itself is enough."""
    patch.value("bench.load.knee_run:UNFAIR", 1)


@defect("load-ratio-of-ours-to-ours", RIG, "The ratio is that to the clients in C.", plays.LOAD_RATIO)
def _(patch: Patch) -> None:
    """What stands beside ours is ours again, so the ratio is always one."""

    def instead(original: Any, rounds: Any) -> Any:
        return original([one._replace(by_c=one.ours) for one in rounds])

    patch.around("bench.load.paired_knee:cost", instead)


@defect("load-ratio-by-the-hour", RIG, "How fast the processor is just then divides out.", plays.LOAD_SPEED)
def _(patch: Patch) -> None:
    """A second of a processor counts as a second, whatever the yardstick took beside it."""

    def instead(original: Any, rounds: Any) -> Any:
        def plain(taken: Any) -> Any:
            return dataclasses.replace(taken, each_take=[(spent_s, 0.005) for spent_s, _ in taken.each_take])

        return original([one._replace(ours=plain(one.ours), by_c=plain(one.by_c)) for one in rounds])

    patch.around("bench.load.paired_knee:cost", instead)


@defect("load-pairs-of-refused-readings", RIG, "Takes whose readings are refused are no pair.", plays.LOAD_PAIRS)
def _(patch: Patch) -> None:
    """What the portal stored of them is not asked."""
    patch.around("bench.load.paired_trial:whole", lambda original, came, taken: None)


@defect("load-fan-in-delivered-is-accepted", RIG, "Accepted and delivered are two rates.", plays.LOAD_FAN)
def _(patch: Patch) -> None:
    """What subscribers have counts as accepted, so that a broker which delivers late never shows."""

    def instead(original: Any, *given: Any) -> Any:
        *first, published, taken, used, counted = given
        accepted_s = dataclasses.replace(published, accepted_s=taken.arrived_s)
        return original(*first, accepted_s, taken, used, counted)

    patch.around("bench.load.fan_trial:outcome", instead)


@defect("load-fan-in-seen-though-clients-were-full", RIG, "Full clients make it not clear.", plays.LOAD_FAN_SEEN)
def _(patch: Patch) -> None:
    """Whether publishers and subscribers had time left is not asked."""
    patch.value("bench.load.fan_trial:FanOutcome.clients_full", False)


@defect("load-store-grows-by-its-registry", RIG, "A reading's bytes are what one more adds.", plays.LOAD_GROWTH)
def _(patch: Patch) -> None:
    """The store's bytes of the largest trial over its readings, with whatever an empty store takes."""

    def instead(original: Any, trials: Any) -> Any:
        return original([max(trials)])

    patch.around("bench.load.growth:bytes_a_reading", instead)


@defect("load-closes-by-the-interval", RIG, "A load test's portal is not behind its meters.", plays.LOAD_CLOSED)
def _(patch: Patch) -> None:
    """A bundle is closed as many intervals after the begin as it has a number: meters that wander are ahead of it."""
    patch.around(
        "bench.load.fleet_bundles:FleetBundles.closed_ns",
        lambda original, bundles, sequence: int((sequence + 1) * bundles.sent.interval_s * 1e9),
    )


@defect("load-far-clock-believed", RIG, "A generator on another machine has another clock.", plays.LOAD_FAR)
def _(patch: Patch) -> None:
    """The clock of a worker is taken for the controller's."""
    patch.around(
        "bench.load.far_generators:read_clock",
        lambda original, pipe, place: original(pipe, place)._replace(beside_s=0.0),
    )


@defect("load-far-clock-exact", RIG, "A time is not finer than its clock is known.", plays.LOAD_FAR)
def _(patch: Patch) -> None:
    """That a worker's clock is known to half a round trip only is left out."""

    def instead(original: Any, pipe: Any, told: Any, after: Any) -> None:
        original(pipe, told, after)
        told.uncertain_s = 0.0

    patch.around("bench.load.far_generators:FarPipe._brought_here", instead)


@defect("load-far-clock-moves-unseen", RIG, "A clock that moves in a trial is named.", plays.LOAD_FAR_MOVES)
def _(patch: Patch) -> None:
    """A worker's clock is looked at before a trial and not after it."""
    patch.around(
        "bench.load.far_generators:FarPipe._brought_here",
        lambda original, pipe, told, after: original(pipe, told, pipe._clock),
    )
