"""The page of a sized site: the answer, how sure it is, map, gateways, the meters served worst, costs, assumptions.

Self-contained and without a script, to be handed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from reports import page, plots
from reports.plots.house_map import house_map, meters_of
from reports.plots.served_curve import served_curve
from sim.billing.plan_cost import Answer, small
from sim.core.quoting import shown
from sim.radio.site_file import SiteFile


def render(
    site: SiteFile, answer: dict[str, Any], cost: Answer | None, command: str, spread: Sequence[Sequence[str]] = ()
) -> str:
    """`site`: with the gateways of the answer. `answer`: as `size --json` prints it. `spread`: rows of a figure, as
    planned, low, middle and high."""
    most = max(meters_of(site).items(), key=lambda item: item[1])
    map_said = (
        f"Map of {len(site.house)} houses and {len(site.gateway)} gateways; most meters, {most[1]}, are in "
        f"{shown(most[0])}."
    )
    last = answer["curve"][-1] if answer["curve"] else None
    curve_said = "" if last is None else (
        f"{last['gateways']} gateways serve {last['served']:.4f} of the meters, and {last['one_dead']:.4f} when the "
        "one that is missed most is dead."
    )  # fmt: skip
    return page.environment().get_template("size.html.j2").render(
        site=site, answer=answer, cost=cost, command=command, spread=spread, map=_svg(house_map(site), "map", map_said),
        curve=None if last is None else _svg(served_curve(answer["curve"], answer["wanted"]), "curve", curve_said),
        small=small, map_said=map_said, curve_said=curve_said,
    )  # fmt: skip


def _svg(figure: Any, prefix: str, said: str) -> Markup:
    return Markup(plots.as_svg(figure, prefix, said))
