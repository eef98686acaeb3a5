"""The answer of a fan-in in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bench.load.load_text import DISTURBED_CORES

BY: Final = {"ours": "our clients", "c": "Mosquitto's clients in C"}


def in_words(answer: dict[str, Any]) -> Iterator[str]:
    """The whole answer."""
    then, tls = answer["published"], "with mutual TLS" if answer["tls"] else "without TLS"
    yield f"load: accepted beside delivered, fan-in on {answer['broker']}, {tls}"
    yield (
        f"  {answer['publishers']} publishers, QoS 1, {answer['payload_bytes']} bytes, shared subscription; trials of "
        f"{answer['seconds_s']:g} s; rates of their second half"
    )
    if answer["broker_nice"]:
        yield f"  the broker is nicer than its clients by {answer['broker_nice']}, so that it is full before they are"
    if answer["stopped"]:
        yield f"  NOT FINISHED: {answer['stopped']}; what was measured until then follows"
    for driver, shown in answer["shown"].items():
        if shown["state"] != "not asked":
            yield f"  by {BY[driver]}: {said(shown)}"
    yield (
        f"  published: {then['broker']}, {then['publishers']} publishers, {then['subscribers']} subscribers: takes "
        f"{then['offered_per_s']} a second, delivers {then['delivered_per_s']}, {then['mean_s']:g} s late in the mean "
        f"({then['source']})"
    )
    costs = {driver: cost for driver, cost in answer["broker_us_a_message"].items() if cost is not None}
    for driver, cost in costs.items():
        yield (
            f"  while it keeps up the broker takes {cost:.0f} us of its processor a message by {BY[driver]}: full at "
            f"{1e6 / cost:.0f} messages/s"
        )
    if answer["disturbed_cores"] > DISTURBED_CORES:
        yield (
            f"  MARKED: other programs took up to {answer['disturbed_cores']:.2f} cores meanwhile; who was full is "
            "told by processor time and waiting for a processor, rates are lower than on a machine of its own"
        )
    yield (
        "  subscribers  by    offered/s  accepted/s  delivered/s  mean s   p99 s  waiting   never slept: broker, "
        "publishers, subscribers"
    )
    for one in answer["trials"]:
        times = one["delivered_s"] or {"mean": float("nan"), "p99": float("nan")}
        slept = " ".join(f"{one['used'][who]['never_slept']:.2f}" for who in ("broker", "publishers", "subscribers"))
        yield (
            f"  {one['takers']:>11}  {one['driver']:<4} {one['per_s']:>10g} {one['accepted_per_s']:>11.0f} "
            f"{one['delivered_per_s']:>12.0f} {times['mean']:>7.3f} {times['p99']:>7.3f} {one['waiting']:>8}   {slept}"
            f"  {one['verdict']}"
        )


def said(shown: dict[str, Any]) -> str:
    """Whether the published failure was seen, in a sentence."""
    at = shown["at"]
    rates = "" if at is None else (
        f"{at['takers']} subscribers at {at['per_s']:g} messages/s: {at['accepted_per_s']:.0f} accepted, "
        f"{at['delivered_per_s']:.0f} delivered a second"
    )  # fmt: skip
    if shown["state"] == "seen":
        return (
            f"SEEN: {rates}, {at['waiting']} waited when the last was due; the broker never slept, publishers and "
            "subscribers did"
        )
    if shown["state"] == "not clear":
        return f"not clear, since {at['full'] or 'nothing'} was full: {rates}"
    if shown["state"] == "not seen":
        return f"not seen: with the broker full it delivers what it accepts; {rates}"
    return f"not reached: the broker was never full; {rates}"
