"""Some of the receivers: their links, cut out of all or put together, and their receivers.

The rule kept here: a link's level, and what is drawn for a frame on it, depend on the numbers of the two in the whole
world. So receivers can be divided among engines in any way, and one that joins costs its own links alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sim.radio.links import Links, Radios, Receivers
from sim.radio.propagation import Propagation

I64 = NDArray[np.int64]


def only(links: Links, name: I64) -> Links:
    """The links to receivers r with `name[r]` >= 0, which is what they are called here; names rise with r."""
    called = name[links.receiver]
    keep = called >= 0
    offset = np.concatenate([[0], np.cumsum(keep)])[links.offset].astype(np.int64)
    return Links(offset, called[keep], links.level_cdbm[keep], links.readable[keep])


def joined(links: Links, more: Links) -> Links:
    """Links of the same sources to receivers, and to others that come after them."""
    sources = np.arange(len(links.offset) - 1)
    row = np.concatenate([np.repeat(sources, np.diff(links.offset)), np.repeat(sources, np.diff(more.offset))])
    order = np.argsort(row, kind="stable")
    columns = (np.concatenate([getattr(links, name), getattr(more, name)])[order]
               for name in ("receiver", "level_cdbm", "readable"))  # fmt: skip
    return Links(links.offset + more.offset, *columns)


class FleetLinks:
    """The links of a fleet to all receivers there are, worked out once for each receiver."""

    def __init__(self, propagation: Propagation, place_cm: I64, radios: Radios) -> None:
        self._propagation, self._place_cm, self._radios = propagation, place_cm, radios
        self._known = 0
        self._links: Links | None = None

    def to(self, receivers: Receivers) -> Links:
        """`receivers`: those of the last call, and perhaps more after them."""
        count = len(receivers.sensitivity_cdbm)
        if self._links is None or self._known < count:
            numbers = np.arange(self._known, count)
            radios = self._radios
            new = Links.of(
                self._propagation, self._place_cm, radios.power_cdbm, radios.mode, receivers.only(numbers)
            )  # fmt: skip
            new = replace(new, receiver=new.receiver + self._known)
            self._links = new if self._links is None else joined(self._links, new)
            self._known = count
        return self._links
