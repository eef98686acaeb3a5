"""What `size` says of its answer: in words, as JSON, and what it rests on."""

from __future__ import annotations

from typing import Any

from bench.site.unknowns import Service, Unsure
from sim.radio.models.port import Model


def assumptions(interval_s: float, service: Service, model: Model, sensitivity_dbm: float) -> list[str]:
    """What the answer rests on, for its page."""
    spread = f"Shadowing of {service.shadowing_db:g} dB between places, fading of {service.fading_db:g} dB"
    return [
        f"Every meter sends each {interval_s:g} s with {service.power_dbm:g} dBm; antennas are without gain.",
        f"A gateway hears a frame from {sensitivity_dbm:g} dBm on; none is heard that meets another (no capture).",
        f"{spread} between frames.",
        f"Path loss: {model.id} ({model.source}). A light wall each 4 m in a house; two inner walls and an outer one "
        "at either end between houses.",
        "Gateways hang in stairwells, on the middle or the highest floor of a house, or where they hang already.",
        "Greedy search: each gateway where it serves the most more; never worse than 63 % of what as many could reach.",
    ]


def doubt_json(doubt: Unsure) -> dict[str, Any]:
    """As the answer has it."""
    told = {one.name: one for one in doubt.unknowns}
    return {
        "draws": doubt.draws, "holds_in": doubt.holds, "reached_in": doubt.reached,
        "served": doubt.served._asdict(), "gateways": dict(zip(("low", "middle", "high"), doubt.gateways, strict=True)),
        "matters": [{**told[name]._asdict(), "share": round(share_, 4)} for name, share_ in doubt.matters.items()],
    }  # fmt: skip


def in_words(answer: dict[str, Any]) -> list[str]:
    """The answer for people."""
    lines = [
        f"{answer['site']}: {answer['meters']:,} meters, {answer['candidates']:,} places, {answer['hang']} taken",
        f"  {answer['service']}: " + (f"{answer['gateways']} gateways" if answer["holds"] else
                                        f"NOT REACHED with {answer['gateways']}, and no other place adds anything"),
        "  by model: " + ", ".join(f"{id_} {count or 'not reached'}" for id_, count in answer["by_model"].items())
        + f"  (this answer: {answer['model']})",
        f"  busiest gateway {answer['load_erlang']:.5f} erlang",
        "  gateways    served  one dead  the last one hangs in",
    ]  # fmt: skip
    tail = doubt_in_words(answer["unsure"], answer["gateways"]) if answer["unsure"] else []
    for at, (step, place) in enumerate(zip(answer["curve"], answer["places"], strict=True)):
        lines.append(
            f"  {at + 1:>8}  {step['served']:.6f}  {step['one_dead']:.6f}  {place['house']}, floor {place['floor']}"
        )
    return lines + tail


def doubt_in_words(told: dict[str, Any], gateways: int) -> list[str]:
    """What is not known, what it does to the answer, and what to measure first."""

    def count(one: int | None) -> str:
        return "more than there are places for" if one is None else str(one)

    served_, needed = told["served"], told["gateways"]
    lines = [
        f"  how sure ({told['draws']} draws of what is not known, P.1238's form):",
        f"    these {gateways} serve {served_['low']:.4f} to {served_['high']:.4f} (80 of 100 draws); it holds "
        f"in {100 * told['holds_in']:.0f} of 100",
        f"    needed: {count(needed['low'])} at best, {count(needed['middle'])} in the middle, {count(needed['high'])} "
        "at worst (10, 50, 90 of 100 draws)",
        "    matters   what                       range            measure it with",
    ]
    for one in told["matters"]:
        range_ = f"{one['low']:g} to {one['high']:g}"
        lines.append(f"    {100 * one['share']:>5.0f} %   {one['words']:<26} {range_:<16} {one['remedy']}")
    return lines
