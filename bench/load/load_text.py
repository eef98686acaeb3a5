"""The answer of `load` in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.load.knee_run import proved
from bench.load.paired_knee import INTERVAL_MOST

DISTURBED_CORES: Final = 0.2
"""That other programs may take before a knee is marked."""
_LATENCY: Final = ("p50_s", "p90_s", "p99_s", "p99.9_s", "p99.99_s", "most_s")


def in_words(answer: dict[str, Any]) -> Iterator[str]:
    """The whole answer."""
    yield f"load: {answer['shape_title']}, on {answer['broker']}"
    yield f"  sentence: {answer['sentence']}"
    yield (
        f"  {answer['gateways']} gateways with a certificate and a connection each, bundles of {answer['telegrams']} "
        f"telegrams ({answer['type']}), {answer['bundle_bytes']} bytes; trials of {answer['seconds_s']:g} s"
    )
    if at := answer["generators_at"]:
        yield f"  generators on {len(at)} workers of a cluster: {', '.join(at)}"
    yield from _verdict(answer)
    for title, key in (("at the knee", "at_knee"), ("beyond it", "beyond")):
        if answer[key] is not None:
            yield from _trial(title, answer[key])
    yield from _generator(answer)
    if answer["processor"] is not None:
        yield from in_processor_time(answer["processor"])
    if answer["paired"] is not None:
        yield from in_pairs(answer["paired"])
    if answer["not_paired"]:
        yield f"  taken in turn: {answer['not_paired']}"
    if answer["growth"] is not None:
        grown = answer["growth"]
        yield (
            f"  store: {grown['bytes_a_reading']:.0f} bytes a reading; at this load {grown['gb_a_month']:.1f} GB a "
            "month of 30.4 days"
        )
        for one in grown["kept"]:
            yield (
                f"    kept {one['months']:>2} months: {one['all_gb']:.1f} GB; one reading a day after the first month: "
                f"{one['one_a_day_gb']:.1f} GB"
            )
    yield from _trials(answer)


def _verdict(answer: dict[str, Any]) -> Iterator[str]:
    at, breaks = answer["knee_per_s"], answer["breaks_per_s"]
    if answer["stopped"]:
        yield f"  NOT FINISHED: {answer['stopped']}; what was measured until then follows"
    if answer["at_per_s"] is not None:
        yield f"  at {answer['at_per_s']:g} bundles/s the sentence {'holds' if at is not None else 'BREAKS'}"
    elif at is None:
        yield "  no load held the sentence: begin lower with --from, or ask for less"
    else:
        least = "at least " if breaks is None or answer["generator"]["was_the_limit"] else ""
        until = "; nothing broke up to --most" if breaks is None else f", breaks at {breaks:.1f}"
        many = answer["gateways_at_interval"]
        as_many = "" if many is None else (
            f", as many as {many:.0f} gateways send at one bundle in {answer['interval_s']:g} s"
        )  # fmt: skip
        yield f"  knee: {least}{at:.1f} bundles/s hold{until}; {answer['readings_per_s']:.0f} readings/s{as_many}"
    if answer["spread"] is not None:
        yield f"  over {len(answer['searches'])} seeds the knees lie {100 * answer['spread']:.1f} % apart"
    beyond = answer["beyond"]
    if beyond is not None:
        full, next_ = beyond["full"], beyond["next"]
        if full is not None:
            yield f"  full: {full['words']} ({100 * full['used']:.0f} %)"
        else:
            yield "  full: none of what was measured; the sentence breaks before a resource is used up"
        if next_ is not None:
            when = f", full at about {next_['full_at_per_s']:.0f} bundles/s" if next_["full_at_per_s"] else ""
            yield f"  next: {next_['words']} ({100 * next_['used']:.0f} %{when})"
    if answer["disturbed_cores"] > DISTURBED_CORES:
        yield (
            f"  MARKED: other programs took up to {answer['disturbed_cores']:.2f} cores meanwhile; measure again on a "
            "machine of its own"
        )


def _trial(title: str, one: dict[str, Any]) -> Iterator[str]:
    latency = " ".join(f"{key.removesuffix('_s')} {one['latency'][key]:.3f}" for key in _LATENCY)
    yield f"  {title}, {one['per_s']:.1f} bundles/s: from due to stored, s: {latency}"
    if one["clock_s"]:
        yield (
            f"    clocks of the generators are known to {1e3 * one['clock_s']:.3f} ms: no time is told finer, and "
            "each may be wrong by that"
        )
    for moved in one["clocks_moved"]:
        yield f"    MARKED: {moved}"
    stages = ", ".join(f"{stage} {mean:.3f}" for stage, mean in one["stages_s"].items())
    stale = sum(one["stale"].values())
    yield f"    of {one['due']} readings {one['lost']} lost, {one['doubled']} doubled, {stale} stale"
    yield f"    mean seconds in: {stages}; longest queue at the portal {one['queued_most']} bundles"
    if one["discarded"]:
        yield f"    {one['discarded']} publishes discarded by a quota"
    for reason, times in one["reasons"].items():
        yield f"    lost: {times} {reason}"
    for stage, times in one["stale"].items():
        yield f"    stale: {times}, most of their time in: {stage}"
    for reason, times in list(one["connections_ended"].items())[:5]:
        yield f"    connections that ended: {times} {reason}"
    if one["up_again_s"]:
        yield f"    all gateways had their session {one['up_again_s']:.2f} s after the power was back"
    for device in one["devices"][:5]:
        yield (
            f"    {device['meter']} at {device['gateway']}: {device['stored']} of {device['due']} stored, "
            f"{device['stale']} stale, {device['doubled']} doubled, slowest {device['slowest_s']:.2f} s"
            + (f"; {device['reason']}" if device["reason"] else "")
        )
    if one["devices_touched"] > 5:
        yield f"    and {one['devices_touched'] - 5} more devices, in load.json or like these"
    shares = ", ".join(f"{id_} {use['core']:.2f}" for id_, use in one["used"].items())
    yield f"    cores: {shares}"


def _generator(answer: dict[str, Any]) -> Iterator[str]:
    generator = answer["generator"]
    if generator["was_the_limit"]:
        yield f"  THE GENERATOR may be the limit: {generator['why']}; take more --workers, or a machine for it"
    elif answer["beyond"] is not None:
        yield f"  the generator was not the limit: {proved(answer)}"
    if generator["ratio"] is not None:
        ratios = generator["ratios"]
        yield (
            f"  the clients in C hold {generator['c_knee_per_s']:.1f} bundles/s: ours {generator['ratio']:.2f} of it"
            + (f" ({min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} seeds)" if len(ratios) > 1 else "")
        )


def in_processor_time(found: dict[str, Any]) -> Iterator[str]:
    """What others' programs do not move."""
    each = ", ".join(f"{id_} {one:.3f} ms" for id_, one in found["ms_a_bundle"].items())
    runs = "" if found["full_at_interval"] is None else (
        f", {found['runs']} runs lie {100 * found['full_at_interval']:.1f} % apart"
    )  # fmt: skip
    yield (
        f"  in processor time, at {found['per_s']:g} bundles/s: a bundle takes {each}; the {found['thread']}'s core is "
        f"full at {found['full_at_per_s']:.1f} bundles/s{runs}"
    )
    if found["ms_a_bundle_by_c"]:
        by_c = ", ".join(f"{id_} {one:.3f} ms" for id_, one in found["ms_a_bundle_by_c"].items())
        yield f"    by the clients in C at that load: {by_c}"


def in_pairs(found: dict[str, Any]) -> Iterator[str]:
    """The ratio of two knees that the portal's processor sets."""
    unit = found["yardstick_ms"]
    apart = "" if found["interval"] is None else (
        f", {min(found['ratios']):.3f} to {max(found['ratios']):.3f} over {found['runs']} runs: interval "
        f"{100 * found['interval']:.1f} %" + (", too wide to quote" if found["interval"] > INTERVAL_MOST else "")
    )  # fmt: skip
    yield (
        f"  taken in turn, {found['pairs']} pairs of full takes: a bundle costs the portal {found['ms_a_bundle']:.3f} "
        f"ms, by the clients in C {found['ms_a_bundle_by_c']:.3f} ms; ours is full at {found['ratio']:.3f} of theirs"
        f"{apart}"
    )
    yield (
        f"    where the yardstick takes {unit['nominal']:g} ms; here it took {unit['least']:.1f} to {unit['most']:.1f} "
        "ms, so fast and so slow was the processor"
    )


def _trials(answer: dict[str, Any]) -> Iterator[str]:
    yield "  trials:"
    yield "    seed  by   bundles/s   p50 s    p99 s  p99.99 s    lost  doubled   full"
    for search in answer["searches"]:
        for one in search["trials"]:
            full = "holds" if one["holds"] else f"breaks; {one['full']['id'] if one['full'] else 'nothing full'}"
            yield (
                f"    {search['seed']:>4}  {one['driver']:<4} {one['per_s']:>9.1f} {one['latency']['p50_s']:>7.3f} "
                f"{one['latency']['p99_s']:>8.3f} {one['latency']['p99.99_s']:>9.3f} {one['lost']:>7} "
                f"{one['doubled']:>8}   {full}"
            )
