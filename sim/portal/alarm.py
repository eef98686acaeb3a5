"""What an alarm is: one file of `sim/portal/alarms/` an alarm, found by folder, with its settings.

An alarm is a Watcher: it is shown what intake took and refused, and asked at the end of each window. It raises and ends
episodes (`episodes`); which alarms are on is a portal's setting. An alarm is the portal's opinion and no verdict is
made of it. It is recorded after the commit that caused it: a take that fails raises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.bundle import Birth
from sim.core.meant import did_you_mean
from sim.core.parts import Folder
from sim.portal.check import NoSettings

if TYPE_CHECKING:
    from sim.portal.episodes import Episodes
    from sim.portal.meter_registry import Registry
    from sim.portal.portal_spec import PortalSpec
    from sim.portal.silence import Silence
    from sim.portal.store_port import Store

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Around:
    """What a watcher may ask."""

    spec: PortalSpec
    registry: Registry
    store: Store
    episodes: Episodes
    silence: Silence


@dataclass(frozen=True)
class Accepted:
    """Readings of a take, in the order of reception. `tampered`: places of those whose telegrams complain;
    `complaint(place)`: of what. Columns, one row a reading: when the gateway said that it came, the set date (days
    since 1970) and the units at it (check.NONE: none), a volume (NaN: none)."""

    meters: Sequence[str]
    tampered: Sequence[int]
    complaint: Callable[[int], str]
    received_ns: I64
    set_day: I64
    set_date_units: I64
    volume_m3: F64

    def only(self, kept: Sequence[int]) -> Accepted:
        """Of these places."""
        there, at = set(self.tampered), np.array(kept, dtype=np.int64)
        return Accepted(
            [self.meters[place] for place in kept], [new for new, place in enumerate(kept) if place in there],
            lambda new: self.complaint(kept[new]), self.received_ns[at], self.set_day[at], self.set_date_units[at],
            self.volume_m3[at],
        )  # fmt: skip


class Watcher:
    """One alarm at work. What it does not care about it leaves as it is here."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.episodes = around.episodes

    def forget(self) -> None:
        """Back to what is committed: after a rollback, and at the start."""

    def took(self, accepted: Accepted, now_ns: int) -> None:
        """Readings were accepted."""

    def refused(self, meter: str, gateway: str, now_ns: int, detail: str) -> None:
        """A telegram in this meter's name, which a gateway brought, was replayed or forged."""

    def announced(self, meter: str, now_ns: int, detail: str) -> None:
        """Somebody announced a registered identification otherwise than it is registered."""

    def clock(self, gateway: str, off_ns: int, now_ns: int) -> None:
        """Meters that this gateway heard agree, under their MACs, that its clock is wrong by so much."""

    def bundled(self, gateway: str, sequence: int, now_ns: int) -> None:
        """A bundle was taken for the first time."""

    def conflict(self, gateway: str, now_ns: int, detail: str) -> None:
        """Two bundles under one sequence of a gateway."""

    def born(self, birth: Birth, now_ns: int) -> None:
        """A gateway connected, or says that it refused an acknowledgement."""

    def watch(self, now_ns: int) -> None:
        """A window ended."""


@dataclass(frozen=True)
class Alarm:
    """`order`: alarms are listed and asked in the order of these numbers. `portal_only`: a gateway that judges its own
    meters (system smgw) does without, since it is about other gateways, or about what a portal alone is told."""

    id: str
    order: int
    watcher: Callable[[Around], Watcher]
    settings: type = NoSettings
    portal_only: bool = False


def _lacks(alarm: Alarm, _file: str) -> str:
    """A method that nobody calls is a hook that was misspelt; "" without one."""
    if not isinstance(cls := alarm.watcher, type):
        return ""
    hooks = [name for name in vars(Watcher) if name[:1] != "_"]
    for name in dir(cls):
        if name[:1] != "_" and callable(getattr(cls, name)) and name not in hooks:
            near = did_you_mean(name, hooks) or f"; a Watcher has {', '.join(hooks)}."
            said = f"{cls.__name__}.{name} is no method of Watcher and is never called"
            return f"{said}{near} One of its own begins with _"
    return ""


ALARMS: Final = Folder("sim.portal.alarms", "ALARM", "alarm", Alarm, _lacks)


def alarms_in_order() -> list[Alarm]:
    """All alarms that there are. Raises PartError."""
    return sorted(ALARMS.parts().values(), key=lambda alarm: (alarm.order, alarm.id))


def alarm_ids() -> tuple[str, ...]:
    """The names of all alarms, in their order."""
    return tuple(alarm.id for alarm in alarms_in_order())
