"""What theory says a world delivers, where it says anything: the formula drawn beside what was simulated.

The rule kept here: no formula where its assumptions do not hold. All need one gateway that hears every meter, and a
fleet of one link mode, one air time T, one interval t and no mask. Then, with N meters and a load of G = N T / t:

  * no frame can capture (no fading, no shadowing, all levels within the threshold): pure ALOHA of N periodic meters,
    (1 - 2T/t)^(N-1), which goes to e^-2G;
  * else one demodulator with capture: a frame finds the receiver free with 1/(1+G), meets interferers that began while
    it was held and others that begin later, and survives those it is a threshold above. With q the chance that one
    interferer is too loud for this frame (q = 1: e^-2G; q = 0: 1/(1+G), Erlang's loss formula),

        mean over frames of  1/(1+G) e^-Gq ( e^-G + int_0^1 G e^-Gx e^-Gq(1-x) dx ),

    where each interferer counts for itself. In the engine, as on the air, their powers add up, so this is a little
    above: by what two or more at once cost.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.city.plan import CityPlan
from sim.core.clock import NS_PER_S
from sim.core.seeds import Seeds
from sim.meters.fleet import Fleet
from sim.radio.link_modes import Mode, air_time_ns
from sim.radio.links import Receivers
from sim.radio.propagation import Propagation, centimetres
from sim.radio.receiver_profile import Curves
from sim.site_plan import receiver_of, site_of
from sim.world_spec import WorldSpec

F64 = NDArray[np.float64]
MOST_METERS: Final = 20_000  # beyond, one gateway's load is far above any figure of interest
SIGMAS: Final = 4.0
ALOHA: Final = "pure ALOHA of N periodic meters: (1 - 2T/t)^(N-1), about e^-2G"
CAPTURE: Final = "one demodulator with capture, each interferer for itself"


@dataclass(frozen=True, slots=True)
class Form:
    """A formula that holds for a world, and why it does. `too_loud`: q of each frame, any number of equally likely
    ones; empty for ALOHA."""

    name: str
    assumes: str
    meters: int
    too_loud: tuple[float, ...] = ()

    def delivered(self, load: float) -> float:
        """The delivery ratio at this load (air times begun an air time, by all meters together)."""
        if not self.too_loud:
            return float((1 - 2 * load / self.meters) ** (self.meters - 1))
        others = load * (self.meters - 1) / self.meters
        q = np.array(self.too_loud)
        rest = others * (1 - q)
        before = np.exp(-others * q) * np.where(rest > 1e-9, others * -np.expm1(-rest) / np.maximum(rest, 1e-9), others)
        survive = np.exp(-others * q) * (np.exp(-others) + before)
        return float((survive / (1 + others)).mean())


def of(plan: CityPlan) -> Form | str:
    """The formula that holds for a run, or why none does."""
    spec = plan.spec
    first = spec.fleet[0]
    if spec.gateways != 1:
        return "several gateways, and the formulas know one"
    if spec.meters > MOST_METERS:
        return f"more than {MOST_METERS} meters at one gateway"
    if plan.outages.share_of_days:
        return "the gateway has outages"
    if any(group.mask != "always" for group in spec.fleet):
        return "meters that keep silent at times"
    if len({(group.link, group.interval_s) for group in spec.fleet}) > 1 or len(set(air_times_ns(spec))) > 1:
        return "meters of different modes, lengths or intervals"
    if first.link not in spec.gateway[0].links:
        return f"a gateway that cannot read {first.link}"
    sensitivity_cdbm, _, receiver = receiver_of(spec.gateway[0])
    if Curves.of([receiver]).drawn[0]:
        return f"a receiver ({receiver.id}) with curves, and the formulas know thresholds"
    level, sigma = _levels_db(spec)
    if level.min() - SIGMAS * sigma < sensitivity_cdbm / 100:
        return "meters out of the gateway's range"
    if 2 * load(spec) >= spec.meters:
        return "meters that are on the air half of the time"
    threshold_db = int(receiver.capture[Mode[first.link] - 1, 0]) / 100
    spread = float(level.max() - level.min())
    if not sigma and spread < threshold_db:
        said = f"one gateway; levels within {spread:.1f} dB, capture from {threshold_db:g} dB: no frame captures"
        return Form(ALOHA, said, spec.meters)
    said = f"one gateway, capture from {threshold_db:g} dB, levels of this site with a sigma of {sigma:.1f} dB"
    return Form(CAPTURE, said, spec.meters, tuple(_too_loud(level, sigma, threshold_db).tolist()))


def load(spec: WorldSpec) -> float:
    """G: air time that all meters together begin, a unit of time (erlang)."""
    times = air_times_ns(spec)
    return sum(g.count * t / (g.interval_s * NS_PER_S) for g, t in zip(spec.fleet, times, strict=True))


def mean_air_time_ns(spec: WorldSpec) -> float:
    """Of a frame of any sender."""
    return load(spec) * NS_PER_S / sum(group.count / group.interval_s for group in spec.fleet)


def air_times_ns(spec: WorldSpec) -> list[int]:
    """Of a frame of each group."""
    firsts = np.cumsum([0, *(group.count for group in spec.fleet)])[:-1].astype(np.int64)
    fleet = Fleet(spec.fleet, Seeds(0), start=spec.start, outdoor_mean_c=spec.site.outdoor_mean_c, only=firsts)
    lengths = fleet.population.length_bytes.tolist()
    return [air_time_ns(Mode[g.link], n) for g, n in zip(spec.fleet, lengths, strict=True)]


def _levels_db(spec: WorldSpec) -> tuple[F64, float]:
    """Each meter's mean level at the gateway without shadowing, in dBm; and sigma of shadowing and fading together."""
    site = site_of(spec, gateways=1)
    still = Propagation.of(dataclasses.replace(spec.site, shadowing_db=0.0), Seeds(0))
    receivers = Receivers.of([centimetres(site.gateways)[0]], [-16_000], [frozenset(Mode)])
    loss = still.loss_cdb(centimetres(site.meters), receivers.position_cm)[:, 0]
    power = np.repeat([group.power_dbm for group in spec.fleet], [group.count for group in spec.fleet])
    return power - loss / 100, float(np.hypot(spec.site.shadowing_db, spec.site.fading_db))


def _too_loud(level: F64, sigma: float, threshold_db: float) -> F64:
    """q of evenly chosen frames: over meters, and over what shadowing and fading give them."""
    chosen = np.sort(level)[np.linspace(0, len(level) - 1, min(len(level), 200)).astype(np.int64)]
    if not sigma:
        at = np.searchsorted(np.sort(level), chosen - threshold_db, side="right")
        return np.asarray(1 - at / len(level), dtype=np.float64)
    normal = NormalDist()
    quantile = np.array([normal.inv_cdf((i + 0.5) / 40) for i in range(40)])
    own = (chosen[:, None] + sigma * quantile[None]).ravel()
    bins = np.arange(own.min() - 1, own.max() + 1, 0.05)
    tail = np.zeros(len(bins))  # how many of the others are above
    for other in chosen:
        tail += 1 - _cdf((bins - other) / sigma)
    out: F64 = np.interp(own - threshold_db, bins, tail / len(chosen), left=1.0)
    return out


def _cdf(x: F64) -> F64:
    """The normal distribution function, from a table."""
    out: F64 = np.interp(x, _TABLE_X, _TABLE_Y)
    return out


_TABLE_X: Final = np.linspace(-6, 6, 2_401)
_TABLE_Y: Final = np.array([NormalDist().cdf(x) for x in _TABLE_X.tolist()])
