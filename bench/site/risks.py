"""What may make a plan fail, as sentences that follow from its own figures, the gravest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

SURE_ENOUGH: Final = 0.9
THIN_MARGIN_DB: Final = 6.0
SLOW_S: Final = 86_400.0


def told(answer: dict[str, Any], cost: Any) -> list[str]:
    """`cost`: a plan_cost.Answer, or None."""
    return list(_told(answer, cost))


def _told(answer: dict[str, Any], cost: Any) -> Iterator[str]:
    if not answer["holds"]:
        yield "The service is not reached with all places together: other places or receivers are needed."
    if answer["left_out"]:
        yield f"{answer['left_out']} rows of the list were wrong and left out: what stood in them is not planned for."
    unsure = answer["unsure"]
    if unsure is None:
        yield "Nothing was drawn of what is not known: how sure the number of gateways is, nobody has said."
    elif unsure["holds_in"] < SURE_ENOUGH:
        first = max(unsure["matters"], key=lambda one: one["share"], default=None)
        least = "" if first is None else f" What matters most is {first['words']}: {first['remedy']} measures it."
        yield f"The service holds in {100 * unsure['holds_in']:.0f} of 100 worlds that are as likely.{least}"
    if "any one gateway is dead" not in answer["service"]:
        step = answer["curve"][-1] if answer["curve"] else None
        if step is not None:
            yield f"One dead gateway leaves {100 * step['one_dead']:.2f} % served; --one-dead plans for it."
    thin = [one for one in answer["worst"] if one["best_margin_db"] < THIN_MARGIN_DB]
    if thin:
        one = thin[0]
        where = f"{one['house']}, floor {one['floor']}"
        yield (
            f"{len(thin)} of the {len(answer['worst'])} meters served worst have less than {THIN_MARGIN_DB:g} dB of "
            f"margin; the worst, {one['best_margin_db']:g} dB, is in {where}."
        )
    up = answer["upstream"]
    if up is not None:
        late = up["outage"]["recovers_s"]
        if late is None:
            yield f"The busiest gateway sends more than {up['backhaul']} carries: it never catches up after an outage."
        elif late > SLOW_S:
            days = up["outage"]["lasts_s"] / 86_400
            yield f"After {days:g} days without backhaul it takes {late / 3600:.0f} h to catch up."
        if up["backhaul_assumed"]:
            yield f"Assumed of {up['backhaul']}, without a source: {', '.join(up['backhaul_assumed'])}."
    exact = answer["exact"]
    if exact is not None and not exact["proven"] and exact["gateways"] is not None:
        yield f"The solver did not end in time: {exact['at_least']} gateways may do, {exact['gateways']} are known to."
    for row in answer["by_places"]:
        if answer["hanging"] is not None and row["hanging"] is not None and row["hanging"] < answer["hanging"]:
            yield (f"{row['gateways']} gateways with {row['places']} alone cost less to hang, {row['hanging']:g}, than "
                   f"these {answer['gateways']}, {answer['hanging']:g}: the fewest are not the cheapest.")  # fmt: skip
    if answer["hanging"] is None:
        yield "What hanging a gateway costs is not given for every place, so the cheapest set was not searched."
    if cost is None:
        yield "No prices were given (--prices), so nothing is said of running costs."
    else:
        for line in cost.lines:
            for mark in line.marks:
                yield f"Cost of {line.kind}: {mark}."
        if cost.absent:
            yield f"No price at all of: {', '.join(cost.absent)}."
    what_if = answer["what_if"]
    if what_if is not None:
        before, *after = what_if["rows"]
        worst = max(after, key=lambda row: row["without_a_reading_worst_day"])
        more = worst["without_a_reading_worst_day"] - before["without_a_reading_worst_day"]
        if more > 0:
            yield f"Of the questions asked, this costs most: {worst['asks']}; {more} meters more have no reading then."
