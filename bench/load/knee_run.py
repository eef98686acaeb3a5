"""The whole answer: the knee of each seed, what was full there, whether the generator was the limit, how the store
grows."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

from bench.load import growth, paired_knee, processor_knee
from bench.load.brokers import Broker
from bench.load.knee import Knee, search
from bench.load.load_orders import Driver
from bench.load.load_trial import Setting, Stand
from bench.load.outcome import Outcome
from bench.load.paired_orders import Round
from bench.load.paired_trial import PairedTrials
from bench.load.resources import full_and_next
from bench.run_errors import CannotRun
from sim.endpoint.port import EndpointError
from sim.portal.store_port import StoreError

UNFAIR: Final = 4
"""Trials of one load, at most, that broke while the generator was late by itself: then it is the limit."""
INTERRUPTED: Final = "interrupted"
Say = Callable[[str], None]


class Died(Exception):
    """The broker ended in a trial: the search cannot go on as it was."""


@dataclass(frozen=True, slots=True)
class Asked:
    """`at_per_s`: one trial at this load instead of a search. `seeds`: one search each. `pairs`: rounds of pairs after
    each search."""

    setting: Setting
    start_per_s: float
    most_per_s: float
    to: float = 0.02
    tries: int = 2
    at_per_s: float | None = None
    beside: Literal["trial", "search", "none"] = "trial"
    seeds: tuple[int, ...] = (1,)
    pairs: int = 0


@dataclass
class Searched:
    """Of one seed. `by_c`: trials of the clients in C. `not_by_c`: why there are none. `rounds` of pairs, and why there
    are fewer than asked for. `stopped`: why the search ended before its time."""

    seed: int
    knee: Knee
    trials: list[Outcome]
    by_c: list[Outcome]
    c_knee: Knee | None = None
    not_by_c: str = ""
    stopped: str = ""
    rounds: list[Round] = field(default_factory=list)
    not_paired: str = ""
    places: tuple[str, ...] = ()
    """Workers of a cluster on which the generators were."""

    def at(self, per_s: float | None, *, holds: bool) -> Outcome | None:
        """The latest trial of ours at this load that held, or broke."""
        found = [one for one in self.trials if one.per_s == per_s and one.holds == holds]
        return found[-1] if found else None


def run(asked: Asked, broker: Broker, say: Say) -> dict[str, Any]:
    """As `load --json` prints it. `say`: told of each trial. Raises CannotRun, EndpointError, StoreError before the
    first trial; what comes later is in the answer."""
    searched: list[Searched] = []
    bundle_bytes = 0
    for seed in asked.seeds:
        sent = replace(asked.setting.sent, seed=seed)
        setting = replace(asked.setting, sent=sent, seed=seed)
        with (
            tempfile.TemporaryDirectory(prefix="wmbench-load-") as folder,
            Stand(setting, broker, Path(folder)) as stand,
        ):
            bundle_bytes = stand.bundle_bytes
            searched.append(_searched(asked, setting, stand, say))
            searched[-1].places = stand.places
        if searched[-1].stopped == INTERRUPTED:
            break
    return answer(asked, broker.words, bundle_bytes, searched)


def _searched(asked: Asked, setting: Setting, stand: Stand, say: Say) -> Searched:
    out = Searched(setting.seed, Knee(None, None), [], [], not_by_c=setting.shape.not_by_c)

    def trial(per_s: float, driver: Driver) -> Outcome:
        outcome = stand.trial(per_s, driver=driver)
        (out.trials if driver == "ours" else out.by_c).append(outcome)
        say(line(outcome))
        if outcome.died:
            raise Died(outcome.died)
        return outcome

    def fair(per_s: float, driver: Driver) -> bool:
        """A trial that broke while the generator was late by itself says nothing of what it loads: it is repeated."""
        for _ in range(UNFAIR):
            outcome = trial(per_s, driver)
            if outcome.holds or not outcome.late_by_itself(setting.sentence.within_s):
                break
        return outcome.holds

    def knee(driver: Driver) -> Knee:
        if asked.at_per_s is not None:
            held = trial(asked.at_per_s, driver).holds
            return Knee(asked.at_per_s if held else None, None if held else asked.at_per_s)
        start, most = asked.start_per_s, asked.most_per_s
        return search(lambda per_s: fair(per_s, driver), start, most, to=asked.to, tries=asked.tries)

    try:
        out.knee = knee("ours")
    except (Died, CannotRun, EndpointError, StoreError, KeyboardInterrupt) as error:
        if not out.trials:
            raise
        out.stopped = INTERRUPTED if isinstance(error, KeyboardInterrupt) else str(error)
        out.knee = _known(out.trials)
    beside = asked.beside if not out.not_by_c else "none"
    try:
        if beside == "search" and not out.stopped:
            out.c_knee = knee("c")
        elif beside == "trial" and not out.stopped and out.knee.breaks_per_s is not None:
            trial(out.knee.breaks_per_s, "c")
    except (Died, CannotRun, EndpointError, StoreError) as error:
        out.not_by_c = str(error)
    except KeyboardInterrupt:
        out.stopped = INTERRUPTED
    if not out.stopped:
        _paired(asked, stand, out, say)
    return out


def _paired(asked: Asked, stand: Stand, out: Searched, say: Say) -> None:
    """Rounds of pairs, with the processes and the broker of the search."""
    if not asked.pairs:
        return
    try:
        with PairedTrials(stand) as paired:
            for number in range(asked.pairs):
                out.rounds.append(paired.round(number))
                say(paired_knee.words(out.rounds))
    except (CannotRun, EndpointError, StoreError) as error:
        out.not_paired = str(error)
        say(f"pairs: {error}")
    except KeyboardInterrupt:
        out.stopped = INTERRUPTED


def _known(trials: Sequence[Outcome]) -> Knee:
    """What the trials until now say."""
    held = [one.per_s for one in trials if one.holds]
    broke = [one.per_s for one in trials if not one.holds and one.per_s > max(held, default=0.0)]
    return Knee(max(held, default=None), min(broke, default=None))


def line(outcome: Outcome) -> str:
    """One trial in a line."""
    found = outcome.accounts
    how = "holds" if outcome.holds else f"breaks: {outcome.broken[0]}"
    by = "" if outcome.driver == "ours" else " by clients in C"
    return (
        f"{outcome.per_s:.1f} bundles/s{by}: p99 {found.latencies.percentile_s(99):.3f} s, {found.lost} lost of "
        f"{found.due}; {how}" + "".join(f"; {moved}" for moved in outcome.clocks_moved)
    )


def limit(one: Searched, within_s: float) -> str:
    """Why the generator, and not what it loads, may have been the limit; "" where the run shows that it was not."""
    broke = one.at(one.knee.breaks_per_s, holds=False)
    if broke is None:
        return ""
    if why := broke.late_by_itself(within_s):
        return why
    c_holds = [c for c in one.by_c if c.per_s >= broke.per_s and c.holds]
    if c_holds and one.c_knee is None:
        return f"the clients in C hold {c_holds[0].per_s:.1f} bundles a second, where ours broke"
    return ""


def answer(asked: Asked, words: str, bundle_bytes: int, searched: Sequence[Searched]) -> dict[str, Any]:
    """Everything, for JSON, text and page."""
    setting, within_s = asked.setting, asked.setting.sentence.within_s
    held = [one.knee.holds_per_s for one in searched if one.knee.holds_per_s is not None]
    knee_per_s = statistics.median(held) if held else None
    limits = [why for one in searched if (why := limit(one, within_s))]
    last = searched[-1]
    good, bad = last.at(last.knee.holds_per_s, holds=True), last.at(last.knee.breaks_per_s, holds=False)
    stores = [(one.readings, one.store_bytes) for one in last.trials if setting.shape.takers == "portal"]
    a_reading = growth.bytes_a_reading(stores)
    readings_per_s = (knee_per_s or 0.0) * setting.sent.telegrams
    ratios = [
        one.knee.holds_per_s / one.c_knee.holds_per_s
        for one in searched
        if one.c_knee is not None and one.c_knee.holds_per_s and one.knee.holds_per_s
    ]
    every = [trial for one in searched for trial in one.trials]
    others = max((one.used["other programs"].core for one in every if "other programs" in one.used), default=0.0)
    return {
        "kind": "load", "broker": words, "shape": setting.shape.id, "shape_title": setting.shape.title,
        "sentence": setting.sentence.words, "within_s": within_s, "gateways": setting.sent.gateways,
        "telegrams": setting.sent.telegrams, "bundle_bytes": bundle_bytes, "type": setting.sent.type,
        "interval_s": setting.sent.interval_s, "seconds_s": setting.seconds_s,
        "workers": len(last.places) or setting.workers, "generators_at": list(last.places),
        "takers": setting.takers, "to": asked.to, "at_per_s": asked.at_per_s,
        "knee_per_s": knee_per_s,
        "breaks_per_s": statistics.median(broken) if (
            broken := [one.knee.breaks_per_s for one in searched if one.knee.breaks_per_s is not None]) else None,
        "spread": (max(held) - min(held)) / knee_per_s if knee_per_s and len(held) > 1 else None,
        "readings_per_s": readings_per_s if knee_per_s else None,
        "gateways_at_interval": _gateways(knee_per_s, bad, setting),
        "at_knee": None if good is None else good.as_json(within_s),
        "beyond": None if bad is None else bad.as_json(within_s),
        "generator": {
            "was_the_limit": bool(limits), "why": limits[0] if limits else "",
            "by_c": [one.as_json(within_s) for one in last.by_c], "not_by_c": last.not_by_c,
            "c_knee_per_s": None if last.c_knee is None else last.c_knee.holds_per_s, "ratios": ratios,
            "ratio": statistics.median(ratios) if ratios else None,
        },
        "processor": processor_knee.answer([(one.trials, one.by_c) for one in searched]),
        "paired": paired_knee.answer([one.rounds for one in searched]),
        "not_paired": next((one.not_paired for one in searched if one.not_paired), ""),
        "disturbed_cores": round(others, 3),
        "stopped": next((one.stopped for one in searched if one.stopped), ""),
        "growth": None if a_reading is None or not knee_per_s else growth.growth(
            a_reading, readings_per_s, setting.sent.interval_s),
        "searches": [
            {"seed": one.seed, "holds_per_s": one.knee.holds_per_s, "breaks_per_s": one.knee.breaks_per_s,
             "c_holds_per_s": None if one.c_knee is None else one.c_knee.holds_per_s, "stopped": one.stopped,
             "trials": [trial.as_json(within_s) for trial in (*one.trials, *one.by_c)]}
            for one in searched
        ],
    }  # fmt: skip


def _gateways(knee_per_s: float | None, bad: Outcome | None, setting: Setting) -> float | None:
    """How many gateways send so much at their interval; None where what was full is each gateway's own, so that more of
    them carry more."""
    full = None if bad is None else full_and_next(bad.resources)[0]
    if knee_per_s is None or (full is not None and full.id.startswith(("quota", "in flight"))):
        return None
    return knee_per_s * setting.sent.interval_s


def proved(answer: dict[str, Any]) -> str:
    """In a sentence: what shows that the generator was not the limit; "" where nothing does."""
    beyond, generator = answer["beyond"], answer["generator"]
    if beyond is None or generator["was_the_limit"]:
        return ""
    own = beyond["generator_late"]["p99_s"]
    cores = [use["core"] for id_, use in beyond["used"].items() if id_.startswith("generator")]
    core = max(cores, default=0.0)
    said = f"at {beyond['per_s']:g} bundles/s it was {own:.3f} s late itself (p99) and took {core:.2f} of a core"
    broke = [one for one in generator["by_c"] if not one["holds"] and one["per_s"] <= beyond["per_s"] * 1.0001]
    if broke:
        said += "; Mosquitto's clients in C broke the sentence at that load too"
    elif generator["not_by_c"]:
        said += f"; no clients in C beside it: {generator['not_by_c']}"
    return said
