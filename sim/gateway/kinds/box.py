"""A real gateway of the desk as the gateway of a world: fed with what ends on the air; what it delivers goes on.

    [clock]
    kind = "wall"
    [[gateway]]
    kind = "box"
    entry = "wmbusmeters"         # of inventory.toml, or a ready one

    air ─► feeder ─► the box ─► its broker, its output ─► reader ─► bundles ─► the world's endpoint ─► portal

The box knows nothing of our portal's acknowledgements, so it is judged where it delivers: there is no lockstep with it,
its own latency is measured, and from its delivery on a virtual gateway keeps custody of what it said. Telegrams go on
as it delivered them. A gateway that decodes is given the fleet's keys as its entry says; what it gives as values never
reaches the portal, and is held against the truth instead (values.jsonl in its directory). The time of a reception is
the box's own stamp where it says that its stamp is that, else the time of its delivery. Retained messages are no
deliveries.
"""

from __future__ import annotations

import contextlib
import json
from array import array
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final

from sim.core.clock import NS_PER_MS, NS_PER_S, Calendar, Steps, ns, unix_ns, wall_ns
from sim.core.percentile import percentile
from sim.core.settings import SpecError, number
from sim.core.vocabulary import Link
from sim.core.wall_clock import WallClock
from sim.desk import inventory
from sim.desk.box import Box, BoxError
from sim.desk.keyed import key_files, with_keys
from sim.feeders.handed import Torn
from sim.feeders.port import Sent
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.port import GatewayFeature, Given, Wiring
from sim.gateway.registry import GatewayKind
from sim.readers.port import Delivered

_TORN_TOLD: Final = 100
_LOOK_S: Final = 0.1  # at what wakes nobody: files, standard output
_UNIX: Final = Calendar.since_1970()
VALUES: Final = "values.jsonl"
_MODES: Final[dict[str, Link]] = {"T1": "T1", "C1": "C1", "S1": "S1"}


@dataclass(frozen=True, slots=True)
class BoxSpec(GatewaySpec):
    """[[gateway]] with kind = "box". `entry`: its name in the inventory. `drain_s` (wall seconds): how long a run waits
    at its end for what the box has not delivered yet. `give_keys` False: a gateway that decodes gets no meter's key."""

    kind: str = "box"
    entry: str = "reference"
    inventory: str = "inventory.toml"
    drain_s: float = number(5.0, low=0.0, high=3_600.0)
    give_keys: bool = True


class BoxGateway(VirtualGateway):
    """See port.GatewayPort. `latency_ns`: from the end of a frame on the air to its delivery, in wall nanoseconds, of
    every frame that came back. `unknown`: deliveries of what it was never fed; `unreadable`: what no reader
    understood; `retained`: what was no delivery; `values_told`: deliveries of values.
    `opened_in`: where a gateway that decodes writes what it read; what it shows there as telegrams and was not fed,
    because it had decrypted it, is counted (`opened`) and goes no further."""

    features: ClassVar[frozenset[GatewayFeature]] = frozenset({"forwards_encrypted", "power_cut"})
    real: ClassVar[bool] = True

    def __init__(
        self, id: str, spec: BoxSpec, wiring: Wiring, clock: WallClock, box: Box, key_places: tuple[Path, ...] = ()
    ) -> None:
        self.box = box
        self._key_places = key_places
        self._decodes = box.entry.claims.forwards == "decoded"
        self.opened = 0
        self.mode = "T1"
        self.latency_ns = array("q")
        self.unknown = self.unreadable = self.retained = self.values_told = 0
        self._clock = clock
        self._drain_s = spec.drain_s
        self._values = (box.directory / VALUES).open("a", encoding="utf-8")
        self._unread = self._at_the_end = ""
        self._not_handed: list[bytes] = []
        self._fed: set[bytes] = set()  # of one that decodes
        self._torn: list[Torn] = []
        self._under_way: defaultdict[bytes, deque[int]] = defaultdict(deque)
        super().__init__(id, spec, wiring.directory / f"{id}.sqlite", wiring.dial, wiring.record)
        if (descriptor := box.descriptor) is not None:
            clock.watch(descriptor, self._collect)
        clock.process(self._look())

    # --- power ------------------------------------------------------------------------------------------------------

    # `up` is as for any gateway: nobody has cut its power. What a program that ended by itself was still fed stands in
    # `undelivered`, and `complaint` names it.

    def power_cut(self, now_ns: int) -> None:
        """What it had delivered is ours; the box loses what it loses."""
        if self.up:
            self._collect()
            self.box.power_cut()
            self.flush(now_ns)
            super().power_cut(now_ns)

    def power_on(self, now_ns: int) -> None:
        self.box.power_on(wait=False)  # time passes
        super().power_on(now_ns)

    def close(self) -> None:
        if self.up:
            self._at_the_end = self.box.problem or ""
        with contextlib.ExitStack() as stack:
            stack.callback(super().close)
            stack.callback(self.box.stop)
            stack.callback(self._values.close)
            if (descriptor := self.box.descriptor) is not None:
                self._clock.forget(descriptor)

    def set_clock(self, offset_s: float) -> None:
        raise LookupError(f"gateway {self.id} is a program of its own, whose clock is its machine's")

    # --- radio side -------------------------------------------------------------------------------------------------

    def receive(self, telegram: bytes, received_ns: int, rssi_dbm: float) -> None:
        """It ended on the air at this instant."""
        if not self.up:
            return
        ended_ns = self._clock.wall_at_ns(received_ns)
        if self.box.feed(Sent(telegram, _MODES[self.mode], rssi_dbm, ended_ns)):
            self._under_way[telegram].append(ended_ns)
            if self._decodes:
                self._fed.add(telegram)
        else:
            self._not_handed.append(telegram)

    def flush(self, now_ns: int) -> None:
        """A run ends: what is under way may arrive yet, while world time stands still."""
        end_ns = wall_ns() + ns(self._drain_s)
        while self.outstanding and self.box.powered and wall_ns() < end_ns:
            self.box.turn(_LOOK_S)
            self._collect()
        super().flush(now_ns)

    def undelivered(self) -> list[bytes]:
        waiting = [telegram for telegram, fed in self._under_way.items() for _ in fed]
        return [*waiting, *self._not_handed]

    @property
    def outstanding(self) -> int:
        """Frames that it was fed and has not delivered."""
        return sum(map(len, self._under_way.values()))

    @property
    def key_places(self) -> tuple[Path, ...]:
        return self._key_places

    @property
    def opened_in(self) -> Path | None:
        return self.box.directory if self._decodes else None

    # --- what it delivers -------------------------------------------------------------------------------------------

    def _look(self) -> Steps:
        while True:
            yield self._clock.timeout(round(ns(_LOOK_S) * self._clock.rate))
            self._collect()

    def _collect(self) -> None:
        self._note_torn()
        self.box.pump()
        for row in self.box.take():
            if row.retained or row.frame is None:
                self.retained += row.retained
                self.unreadable += bool(row.unreadable)
                self._unread = self._unread or row.unreadable
                if row.values is not None and not row.retained:
                    self._note_values(row)
                continue
            fed, ended_ns = self._under_way.get(row.frame), None
            if self._decodes and row.frame not in self._fed:
                self.opened += 1
                continue
            if fed:
                ended_ns = fed.popleft()
                self.latency_ns.append(row.received_ns - ended_ns)
                if not fed:
                    del self._under_way[row.frame]
            else:
                self.unknown += 1
            at_ns = row.received_ns
            if row.stamp is not None and row.stamp_of == "reception":
                stamp_ns = _UNIX.ns(row.stamp) - (unix_ns() - wall_ns())
                if ended_ns is not None and abs(stamp_ns - ended_ns) < _step_ns(row.stamp):
                    stamp_ns = ended_ns  # as right as a stamp of so many digits can be
                at_ns = min(at_ns, stamp_ns)
            level = row.rssi_dbm if row.rssi_dbm is not None else self.spec.easiest_cdbm / 100
            super().receive(row.frame, self._world_ns(at_ns), level)

    def _note_torn(self) -> None:
        """What it got with a hole in the samples it was not handed."""
        torn = self.box.torn
        for one in torn[len(self._torn) :]:
            self._not_handed.append(one.frame)
            under_way = self._under_way[one.frame]
            if one.ended_ns in under_way:
                under_way.remove(one.ended_ns)
            if not under_way:
                del self._under_way[one.frame]
        self._torn = torn

    def _world_ns(self, wall_ns: int) -> int:
        return max(0, self._clock.at_wall_ns(wall_ns)) if self._clock.running else 0

    def _note_values(self, row: Delivered) -> None:
        self.values_told += 1
        told = {"at_ns": self._world_ns(row.received_ns), "meter": row.meter or "", "values": dict(row.values or {})}
        self._values.write(json.dumps(told, default=str) + "\n")

    @property
    def names(self) -> str:
        described = self.box.entry.described
        return described.names if described is not None else ""

    @property
    def means(self) -> Mapping[str, str]:
        described = self.box.entry.described
        return described.means if described is not None else {}

    def given(self) -> Iterator[Given]:
        self._values.flush()
        with (self.box.directory / VALUES).open(encoding="utf-8") as file:
            for line in file:
                told = json.loads(line)
                yield Given(told["at_ns"], told["meter"], told["values"])

    @property
    def complaint(self) -> str:
        handed, name, problem = self.box.handed, self.box.entry.name, self.box.problem
        if self.up and not self.box.powered and problem:
            return f"{name}: {problem}"
        late = [one for one in self._torn if one.late]
        if late:
            return (f"{name} was not given {len(late)} of {handed.frames + handed.lost} telegrams whole, first "
                    f"{late[0].frame.hex()}: {late[0].why}; a machine with less to do, or clock.real_time, gives it "
                    "time")  # fmt: skip
        if handed.lost and problem:
            return f"{name} was not handed {handed.lost} of {handed.frames + handed.lost} telegrams: {problem}"
        if self._not_handed and not handed.frames:
            return f"{name} was handed none of {len(self._not_handed)} telegrams: {problem or 'its line took none'}"
        if self.delivered or self.values_told or not handed.frames:
            return ""
        if self._unread:
            what = f"{self.unreadable} of its messages cannot be read ({self._unread}); see read in the inventory"
        else:
            known = problem or self.box.refused_by_broker()
            what = known or f"nothing is known to be wrong; its last line is: {self.box.last_words()}"
        return f"{name} delivered none of {handed.frames} telegrams: {what}"

    @property
    def delivered(self) -> int:
        """Telegrams that came back, whosever."""
        return len(self.latency_ns) + self.unknown

    def as_json(self) -> dict[str, object]:
        handed = self.box.handed
        return {
            "gateway": self.id,
            "entry": self.box.entry.name,
            "frames_handed": handed.frames,
            "frames_lost_at_the_line": handed.lost,
            "frames_torn": len(self._torn),
            "torn": [
                {"frame": one.frame.hex(), "ended_ms": one.ended_ns // NS_PER_MS, "why": one.why, "late": one.late}
                for one in self._torn[:_TORN_TOLD]
            ],
            "handed_late_p99_ms": handed.late_percentile_ns(99) / NS_PER_MS,
            "line_p99_ms": percentile(handed.line_ns, 99) / NS_PER_MS,
            "delivered": len(self.latency_ns),
            "not_delivered": self.outstanding,
            "latency_p50_ms": percentile(self.latency_ns, 50) / NS_PER_MS,
            "latency_p99_ms": percentile(self.latency_ns, 99) / NS_PER_MS,
            "unknown": self.unknown,
            "unreadable": self.unreadable,
            "retained": self.retained,
            "values_told": self.values_told,
            "opened": self.opened,
            "problem": (self.box.problem or "") if self.up else self._at_the_end,
        }


def _step_ns(stamp: datetime) -> int:
    """From this stamp to the next one that has no more digits."""
    if stamp.microsecond % 1_000:
        return NS_PER_MS // 1_000
    return NS_PER_MS if stamp.microsecond else NS_PER_S


class WrongInventory(SpecError, BoxError):
    """The inventory cannot be used or does not name it, so the gateway does not start: nothing of it is shown."""


def _make(gateway: str, spec: BoxSpec, wiring: Wiring) -> BoxGateway:
    """Raises SpecError for a virtual clock, WrongInventory, BoxError for a gateway that does not start."""
    if not isinstance(wiring.clock, WallClock):
        raise SpecError(f'gateway {gateway} is real and cannot be told to hurry: set clock.kind = "wall"')
    try:
        entry = inventory.find(spec.entry, Path(spec.inventory))
    except SpecError as error:
        raise WrongInventory(str(error)) from None
    keys = wiring.meter_keys() if spec.give_keys and entry.keys.path else {}
    box = Box(with_keys(entry, keys) if keys else entry, wiring.directory / gateway)
    box.start()
    try:
        places = tuple(box.directory / file for file in key_files(entry, keys))
        return BoxGateway(gateway, spec, wiring, wiring.clock, box, places)
    except BaseException:
        box.stop()
        raise


KIND = GatewayKind(
    id="box",
    title="Real gateway of the desk, as its entry in the inventory says",
    features=BoxGateway.features,
    spec=BoxSpec,
    make=_make,
    real=BoxGateway.real,
)
