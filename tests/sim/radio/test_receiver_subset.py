"""Links of some receivers are those of all, and links worked out in steps are those worked out at once."""

from __future__ import annotations

import numpy as np
from small_air import radios

from sim.core.seeds import Seeds
from sim.radio.link_modes import Mode
from sim.radio.links import Links, Receivers
from sim.radio.propagation import Propagation
from sim.radio.receiver_subset import FleetLinks, only

AIR = Propagation(4_000, 400, 800, 0, Seeds(5))
PLACES = Seeds(1).below("test place", 20_000, np.arange(50)[:, None], np.arange(3))
FLEET = radios(50)
RECEIVERS = Receivers.of(list(PLACES[:8] + 150), [-10_000] * 8, [frozenset(Mode), frozenset([Mode.S1])] * 4)


def told(links: Links) -> list[tuple[int, ...]]:
    source = np.repeat(np.arange(50), np.diff(links.offset))
    return list(zip(source.tolist(), links.receiver.tolist(), links.level_cdbm.tolist(), links.readable.tolist(),
                    strict=True))  # fmt: skip


def whole(receivers: Receivers) -> Links:
    return Links.of(AIR, PLACES, FLEET.power_cdbm, FLEET.mode, receivers)


def test_links_worked_out_in_steps_are_those_worked_out_at_once() -> None:
    fleet = FleetLinks(AIR, PLACES, FLEET)
    for count in (0, 2, 2, 5, 8):
        some = RECEIVERS.only(np.arange(count))
        assert told(fleet.to(some)) == told(whole(some))
    assert len(set(np.diff(whole(RECEIVERS).offset).tolist())) > 2  # it is not everybody who hears everybody


def test_links_to_some_receivers_are_those_of_all_under_other_names() -> None:
    numbers = np.array([1, 2, 6])
    name = np.full(8, -1)
    name[numbers] = np.arange(3)
    mine = only(whole(RECEIVERS), name)
    assert told(mine) == told(whole(RECEIVERS.only(numbers)))
    assert 0 < len(mine) < len(whole(RECEIVERS))
