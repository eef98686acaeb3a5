"""What the meters of a site send: how long a frame is on the air, and how many bytes it has."""

from __future__ import annotations

from collections import Counter

import numpy as np

from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.site_file import SiteFile
from sim.world_spec import WorldSpec


def fleet_of(site: SiteFile) -> tuple[FleetSpec, ...]:
    """A group for each type of meter, with as many as the site has."""
    counts: Counter[str] = Counter()
    for one in site.meter:
        counts[one.type] += one.count
    return tuple(FleetSpec(type_, type_, count) for type_, count in counts.items())


def of_site(site: SiteFile) -> tuple[float, float]:
    """(seconds, bytes without CRCs) of a frame, mean over all meters. Raises UnknownPart for a type that is none."""
    groups = fleet_of(site)
    spec = WorldSpec("size", "Size", groups, ())
    counts = [group.count for group in groups]
    firsts = np.cumsum([0, *counts])[:-1].astype(np.int64)
    fleet = Fleet(groups, Seeds(0), start=spec.start, outdoor_mean_c=spec.site.outdoor_mean_c, only=firsts)
    lengths = fleet.population.length_bytes.tolist()
    times_s = [air_time_ns(Mode[group.link], size) / 1e9 for group, size in zip(groups, lengths, strict=True)]
    return float(np.average(times_s, weights=counts)), float(np.average(lengths, weights=counts))
