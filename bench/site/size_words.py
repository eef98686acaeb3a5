"""What `size` says of its answer: in words, as JSON, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from bench.site import figures, what_if
from bench.site.exact import Exact
from bench.site.service import Service
from bench.site.unknowns import Unsure
from sim.billing import plan_cost
from sim.radio.fitted import Fitted
from sim.radio.models.port import Model
from sim.radio.site_file import Gateway, SiteFile

MOST_LINES: Final = 40
"""Of gateways; of more, each tenth has a line."""


def assumptions(service: Service, model: Model, sensitivity_dbm: float, free: Sequence[Gateway]) -> list[str]:
    """What the answer rests on, for its page. `free`: places where a gateway could hang."""
    spread = f"Shadowing of {service.shadowing_db:g} dB between places, fading of {service.fading_db:g} dB"
    return [
        f"Every meter sends each {service.traffic.interval_s:g} s with {service.power_dbm:g} dBm; antennas are without "
        f"gain. A bundle waits up to {service.traffic.bundle_s:g} s"
        + (f"; of a meter one telegram in {service.traffic.thin_s:g} s goes on." if service.traffic.thin_s else "."),
        f"A gateway hears a frame from {sensitivity_dbm:g} dBm on; none is heard that meets another (no capture).",
        f"{spread} between frames.",
        f"Path loss: {model.id} ({model.source}). A light wall each 4 m in a house; two inner walls and an outer one "
        "at either end between houses.",
        f"Gateways hang where they hang already, or in one of {len(free)} places, {sum(one.roof for one in free)} of "
        "them on roofs; without given candidates, stairwells are those of each house's middle and highest floor.",
        "Greedy search: each gateway where it serves the most more, then those left out that nothing needs. A solver "
        "says how many fewer could do (--exact).",
        "The chances of two meters are independent; so are those of one meter through two gateways. 'All' means that "
        "on average less than half a meter of the site lacks its value.",
    ]


def walls_in_words(site: SiteFile, own: Fitted | None) -> list[str]:
    """Whose outer walls count: those of the site, or of a fit."""
    said = sorted({house.outer_wall_db for house in site.house})
    if own is None or "outer_wall_db" not in own.names:
        given = " or ".join(f"{one:g}" for one in said if one)
        return [f"Outer walls: {given} dB, as the site says."] if given else []
    if len(said) > 1:
        return [f"Outer walls: what the site says of a house, {said[0]:g} to {said[-1]:g} dB, and else the fit's "
                f"{own.outer_wall_db:.1f} dB; the fit saw all of them as one."]  # fmt: skip
    instead = f", in place of the site's {said[0]:g} dB" if said[0] else ""
    return [f"Outer walls: {own.outer_wall_db:.1f} dB, as fitted{instead}."]


def exact_json(found: Exact | None, greedy_hung: Sequence[int], of: Any) -> dict[str, Any] | None:
    """The solver's answer beside greedy's; None where it was not asked."""
    if found is None:
        return None
    return {
        "gateways": None if found.chosen is None else len(found.chosen), "at_least": found.at_least,
        "gap": None if found.gap is None else round(found.gap, 4), "proven": found.proven, "price": found.price,
        "cheapest": found.cheapest, "took_s": round(found.took_s, 2), "greedy_gateways": len(greedy_hung),
        "greedy_price": None if of.prices is None else float(of.prices[list(greedy_hung)].sum()),
        "names": [] if found.chosen is None else [of.places[at].name for at in found.chosen],
    }  # fmt: skip


def doubt_json(doubt: Unsure, planned: Mapping[str, float]) -> dict[str, Any]:
    """As the answer has it. `planned`: the figures in the world that was planned for."""

    def number(value: float) -> float | None:
        return None if math.isinf(value) else float(f"{value:.6g}")

    told = {one.name: one for one in doubt.unknowns}
    return {
        "draws": doubt.draws, "holds_in": doubt.holds, "reached_in": doubt.reached,
        "served": doubt.served._asdict(), "gateways": dict(zip(("low", "middle", "high"), doubt.gateways, strict=True)),
        "figures": {name: {"planned": number(planned[name])}
                    | {end: number(value) for end, value in one._asdict().items()}
                    for name, one in doubt.figures.items()},
        "matters": [{**told[name]._asdict(), "share": round(share_, 4)} for name, share_ in doubt.matters.items()],
    }  # fmt: skip


def in_words(answer: dict[str, Any]) -> list[str]:
    """The answer for people."""
    lines = [
        f"{answer['site']}: {answer['meters']:,} meters, {answer['candidates']:,} places, {answer['hang']} taken",
        f"  {answer['service']}: " + (f"{answer['gateways']} gateways{_outside(answer)}" if answer["holds"] else
                                        f"NOT REACHED with {answer['gateways']}, and no other place adds anything"),
        "  by model: " + ", ".join(f"{id_} {count or 'not reached'}" for id_, count in answer["by_model"].items())
        + f"  (this answer: {answer['model']})",
        f"  busiest gateway {answer['load_erlang']:.5f} erlang",
        "  gateways    served  one dead  the last one hangs in",
    ]  # fmt: skip
    lines[3:3] = places_in_words(answer)
    at = lines.index("  gateways    served  one dead  the last one hangs in")
    lines[at:at] = [*_exact_in_words(answer["exact"]), *_upstream_in_words(answer["upstream"])]
    tail = _varied_in_words(answer["variations"])
    tail += doubt_in_words(answer["unsure"], answer["gateways"]) if answer["unsure"] else []
    tail += what_if.in_words(answer["what_if"]) if answer["what_if"] else []
    tail += [f"  risk: {one}" for one in answer["risks"]]
    many = len(answer["curve"])
    for at, (step, place) in enumerate(zip(answer["curve"], answer["places"], strict=True)):
        if many > MOST_LINES and (at + 1) % 10 and at + 1 < many:
            continue  # all of them are in --json, --csv, --page
        lines.append(
            f"  {at + 1:>8}  {step['served']:.6f}  {step['one_dead']:.6f}  {place['house']}, "
            + ("roof" if place["roof"] else f"floor {place['floor']}")
        )
    for one in answer["next"]:
        lines.append(f"  {'+' + str(one['gateways']):>8}  {one['served']:.6f}  {one['one_dead']:.6f}  {one['name']}")
    return lines + tail


def needed_in_words(needed: Mapping[str, int | None]) -> str:
    """The interval of the number of gateways."""
    low, high = needed["low"], needed["high"]
    if low is None:
        return "more than there are places for"
    return f"{low} to {'more than there are places for' if high is None else high}"


def _outside(answer: dict[str, Any]) -> str:
    if not answer["unsure"]:
        return ""
    return f" ({needed_in_words(answer['unsure']['gateways'])} in 80 of 100 worlds drawn)"


def places_in_words(answer: dict[str, Any]) -> list[str]:
    """Stairwells and roofs alone beside the answer; empty where there is one kind."""
    if not answer["by_places"]:
        return []

    def one(name: str, count: int | None, price: float | None) -> str:
        money = "" if price is None else f" ({price:g} to hang)"
        return f"{name} {'not reached' if count is None else count}{money}"

    told = [one(row["places"] + " alone", row["gateways"], row["hanging"]) for row in answer["by_places"]]
    both = one("both", answer["gateways"] if answer["holds"] else None, answer["hanging"] if answer["holds"] else None)
    return [f"  by places: {', '.join([*told, both])}"]


def _exact_in_words(told: dict[str, Any] | None) -> list[str]:
    if told is None:
        return []
    if told["gateways"] is None:
        return ["  solver: no set of these places holds"]
    money = "" if told["price"] is None else f", {told['price']:g} to hang them (greedy {told['greedy_price']:g})"
    sure = "no fewer do" if told["proven"] else f"at least {told['at_least']} are needed, a gap of {told['gap']:.1%}"
    cheap = ", and none of as many is cheaper" if told["cheapest"] else ""
    return [f"  solver: {told['gateways']} gateways, greedy {told['greedy_gateways']}; {sure}{money}{cheap} "
            f"({told['took_s']:.1f} s)"]  # fmt: skip


def _upstream_in_words(told: dict[str, Any] | None) -> list[str]:
    if told is None:
        return []
    late = told["outage"]
    recovers = "never catches up" if late["recovers_s"] is None else f"catches up in {late['recovers_s']:,.0f} s"
    return [
        f"  upstream {told['messages_a_s']:.3f} messages and {told['wire_bytes_a_s']:,.0f} bytes/s over "
        f"{told['connections']} connections of {told['backhaul']}",
        f"  after {late['lasts_s'] / 86_400:g} days without backhaul the busiest holds {late['backlog_messages']:,} "
        f"messages, {late['backlog_bytes'] / 1e6:,.1f} MB, and {recovers}",
    ]


def _varied_in_words(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines = ["  with                    gateways   erlang  messages/day   MB/day  a meter and year"]

    def one(row: Mapping[str, Any], what: str) -> str:
        count = "none do" if row["gateways"] is None else str(row["gateways"])
        cost = "-" if row["a_meter_and_year"] is None else plan_cost.small(row["a_meter_and_year"])
        return (f"    {what:<19}  {count:>8}  {row['load_erlang']:.5f}  "
                f"{row['messages_a_day']:>12,.0f}  {row['wire_bytes_a_day'] / 1e6:>7,.2f}  {cost}")  # fmt: skip

    if any(row["drawn"] for row in rows):
        lines.append("    beneath, the same in two worlds drawn: a kind and a harsh one, in which the plan serves more "
                     "than in 90 and in 10 of 100")  # fmt: skip
    for row in rows:
        lines.append(one(row, f"{row['what']:<10} {row['value_s']:>8g}"))
        lines += [one(drawn, f"  {name}") for name, drawn in row["drawn"].items()]
    return lines


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
    ]
    if told["figures"]:
        lines.append(f"    {f'with these {gateways}':<28}{'planned':>12}{'low':>12}{'middle':>12}{'high':>12}")
        for words, *values in figures.table(told["figures"]):
            lines.append(f"    {words:<28}" + "".join(f"{value:>12}" for value in values))
    lines.append("    matters   what                       range            measure it with")
    for one in told["matters"]:
        range_ = f"{one['low']:g} to {one['high']:g}"
        lines.append(f"    {100 * one['share']:>5.0f} %   {one['words']:<26} {range_:<16} {one['remedy']}")
    return lines
