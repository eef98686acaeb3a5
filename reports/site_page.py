"""The page of a site file: its map and its houses. Self-contained and without a script."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from reports import page, plots
from reports.plots.house_map import house_map, meters_of
from sim.core.quoting import shown
from sim.radio.site_file import SiteFile

LISTED: Final = 500


def render(site: SiteFile) -> str:
    """The page; at most LISTED houses are listed, those with the most meters."""
    count = meters_of(site)
    gateways = {one.name: 0 for one in site.house}
    for one in site.gateway:
        gateways[one.house] += 1
    types: dict[str, int] = {}
    for meter in site.meter:
        types[meter.type] = types.get(meter.type, 0) + meter.count
    most = max(count, key=lambda name: count[name])
    said = (
        f"Map of {len(site.house)} houses with {sum(count.values())} meters and {len(site.gateway)} gateways; most "
        f"meters, {count[most]}, are in {shown(most)}."
    )
    listed = sorted(site.house, key=lambda one: -count[one.name])[:LISTED]
    return page.environment().get_template("site.html.j2").render(
        site=site, said=said, map=Markup(plots.as_svg(house_map(site), "map", said)), types=sorted(types.items()),
        listed=[(one, count[one.name], gateways[one.name]) for one in listed],
    )  # fmt: skip
