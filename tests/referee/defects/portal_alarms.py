"""Alarms that never come, come late, stand always, or are about somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.core.clock import NS_PER_S
from tests.referee.defect import ALARMS, Defect, Patch, add, defect
from tests.referee.defects import plays

OCCUR = "sim.portal.episodes:Episodes.occur"
GAP_WATCH = "sim.portal.alarms.gap:Gap.watch"


def _never(kind: str) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        def instead(original: Any, episodes: Any, which: str, *rest: Any) -> None:
            if which != kind:
                original(episodes, which, *rest)

        patch.around(OCCUR, instead)

    return apply


for _kind, _play in (
    ("gap", plays.ALARMS_END), ("tamper", plays.TAMPERING), ("freshness", plays.POISONING), ("twin", plays.CLONE),
    ("jam", plays.ALARMS_END), ("leak", plays.BURST_PIPE),
    ("set date", plays.WAITS),
):  # fmt: skip
    add(
        Defect(
            f"no-{_kind.replace(' ', '-')}-alarm", ALARMS, f"The alarm {_kind} is never raised.",
            "An attack is detected.", _play, _never(_kind),
        )
    )  # fmt: skip


def _always(kind: str) -> Callable[[Patch], None]:
    """For every meter, from the first window on."""

    def apply(patch: Patch) -> None:
        def instead(original: Any, watcher: Any, now_ns: int) -> None:
            original(watcher, now_ns)
            for entry in watcher.around.registry:
                watcher.episodes.occur(kind, entry.name, now_ns, "no cause")

        patch.around(GAP_WATCH, instead)

    return apply


add(Defect("gap-alarm-for-all", ALARMS, "The alarm gap stands for every meter from the first window on (M16).",
           "Detected is what an alarm names because of the attack.", plays.JAMMING, _always("gap")))  # fmt: skip
add(Defect("leak-alarm-for-all", ALARMS, "The alarm leak stands for every meter from the first window on.",
           "An alarm names the burst pipe and no other.", plays.BURST_PIPE, _always("leak")))  # fmt: skip
add(Defect("freshness-alarm-for-all", ALARMS, "The alarm freshness stands for every meter from the first window on.",
           "Detected is what an alarm names because of the attack.", plays.POISONING,
           _always("freshness")))  # fmt: skip
add(Defect("tamper-alarm-for-all", ALARMS, "The alarm tamper stands for every meter from the first window on.",
           "An alarm names the tampered meter and no other.", plays.TAMPERING, _always("tamper")))  # fmt: skip


@defect("leak-alarm-knows-the-truth", ALARMS, "An alarm comes of readings.", plays.BURST_PIPE)
def _(patch: Patch) -> None:
    """The alarm leak comes at the end of the window in which a pipe bursts, before a reading can tell."""
    burst: list[str] = []

    def note(original: Any, fleet: Any, meter: int, *rest: Any) -> None:
        original(fleet, meter, *rest)
        burst.append(str(fleet.address(meter)))

    def instead(original: Any, watcher: Any, now_ns: int) -> None:
        original(watcher, now_ns)
        for meter in burst:
            watcher.episodes.occur("leak", meter, now_ns, "no cause")

    patch.around("sim.meters.fleet:Fleet.burst", note)
    patch.around(GAP_WATCH, instead)


@defect("twin-alarm-at-every-birth", ALARMS, "A twin is called one when there are two.", plays.CLONE)  # fmt: skip
def _(patch: Patch) -> None:
    """Every gateway that connects raises the alarm twin (M23)."""

    def instead(original: Any, twin: Any, birth: Any, now_ns: int) -> None:
        original(twin, birth, now_ns)
        twin.episodes.occur("twin", birth.gateway, now_ns, "no cause")

    patch.around("sim.portal.alarms.twin:Twin.born", instead)


def _on_neighbour(kind: str) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        names: list[str] = []

        def learn(original: Any, alarms: Any, spec: Any, store: Any, registry: Any) -> None:
            names[:] = [entry.name for entry in registry]
            original(alarms, spec, store, registry)

        def instead(original: Any, episodes: Any, which: str, subject: str, *rest: Any) -> None:
            if which == kind and subject in names:
                subject = names[(names.index(subject) + 1) % len(names)]
            original(episodes, which, subject, *rest)

        patch.around("sim.portal.episodes:Alarms.__init__", learn)
        patch.around(OCCUR, instead)

    return apply


add(Defect("alarm-on-neighbour", ALARMS, "Freshness alarms name the next meter of the registry.",
           "An attack is detected at the attacked meter.", plays.POISONING, _on_neighbour("freshness")))  # fmt: skip
add(Defect("tamper-alarm-on-neighbour", ALARMS, "Tamper alarms name the next meter of the registry.",
           "An alarm names the tampered meter.", plays.TAMPERING, _on_neighbour("tamper")))  # fmt: skip


def _late(kind: str, delay_s: float) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        held: dict[str, tuple[int, str]] = {}

        def occur(original: Any, episodes: Any, which: str, subject: str, now_ns: int, detail: str) -> None:
            if which == kind:
                first_ns = held.setdefault(subject, (now_ns, detail))[0]
                if now_ns - first_ns < delay_s * NS_PER_S:
                    return
            original(episodes, which, subject, now_ns, detail)

        def watch(original: Any, watcher: Any, now_ns: int) -> None:
            original(watcher, now_ns)
            for subject, (first_ns, detail) in held.items():
                if now_ns - first_ns >= delay_s * NS_PER_S:
                    watcher.episodes.occur(kind, subject, now_ns, detail)

        patch.around(OCCUR, occur)
        patch.around(GAP_WATCH, watch)

    return apply


add(Defect("tamper-alarm-late", ALARMS, "The alarm tamper comes a quarter of an hour late.",
           "A tampered meter is told of by its next telegrams.", plays.TAMPERING, _late("tamper", 900)))  # fmt: skip
add(Defect("freshness-alarm-late", ALARMS, "The alarm freshness comes half an hour late.",
           "An attack is detected in time.", plays.POISONING, _late("freshness", 1_800)))  # fmt: skip


@defect("alarms-never-end", ALARMS, "An alarm ends with its cause.", plays.ALARMS_END)
def _(patch: Patch) -> None:
    """No alarm is ever cleared."""
    patch.around("sim.portal.episodes:Episodes.end", lambda original, *arguments: None)


@defect("gap-after-two-hours-more", ALARMS, "A silent meter is noticed after three intervals.", plays.JAMMING)
def _(patch: Patch) -> None:
    """The alarm gap waits two hours longer (N09)."""

    def instead(original: Any, silence: Any, spec: Any, *rest: Any) -> None:
        original(silence, replace(spec, gap_intervals=spec.gap_intervals + 8), *rest)

    patch.around("sim.portal.silence:Silence.__init__", instead)


@defect("alarm-without-an-event", ALARMS, "An alarm is told when it is raised.", plays.TAMPERING)
def _(patch: Patch) -> None:
    """Alarms are written into the table, and nobody is told of them."""
    patch.around("sim.portal.episodes:Alarms.raised", lambda original, alarms: original(alarms) and [])
