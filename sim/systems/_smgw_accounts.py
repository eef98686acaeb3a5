"""Who saw what in a run of system `smgw`, and what the run cost: counted, not assumed, but for the words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sim.core.clock import NS_PER_S
from sim.pki.sm_triples import PURPOSES
from sim.smart_metering.lmn.radio_side import RadioSide
from sim.smart_metering.lmn.rows_side import RowsSide
from sim.smart_metering.lmn.wired_side import WiredSide
from sim.smart_metering.lmn.wired_store import Counted, counted
from sim.systems._smgw_grid import GRID_OPERATOR
from sim.systems.port import Cost, Sight

if TYPE_CHECKING:
    from sim.systems._smgw_running import Smgw
    from sim.systems.port import Ground

_HABITS: Final = {
    1: "a sum a month: none",
    2: "sums of each zone and period: how much by day and by night, no hour",
    7: "a value every 15 minutes: who is at home, and when",
}
_GRID: Final = {9: "when the sun shines on a roof and how much of it is used up there",
                10: "power, voltage and current at each instant"}  # fmt: skip
_RADIO: Final = "when a meter sends, its tamper bit; what it counts is sealed"


_RADIO_IN_CLEAR: Final = "; of two-way meters without TLS every value"
_BUS: Final = "that a meter answers, and how much at a time; what it counts is sealed"
_BUS_IN_CLEAR: Final = "every quarter hour of every meter on it"


class _Sessions(NamedTuple):
    """Of all gateways, meters of one kind that have sessions: how many, and what gateways have of them."""

    meters: int
    rows: int
    times: int


def _sessions(system: Smgw, kind: type[RowsSide]) -> _Sessions:
    sides = [side for gateway in system.gateways for side in gateway.sides if isinstance(side, kind)]
    found = [counted(side.path) if side.path.exists() else Counted(0, 0) for side in sides]
    meters = sum(len(side.meters) for side in sides)
    return _Sessions(meters, sum(one.rows for one in found), sum(one.times for one in found))


def meter_days(system: Smgw, ground: Ground) -> float:
    """Meters that gateways take values of, times days of the run."""
    meters = len(system.registry) + sum(len(side.meters) for gateway in system.gateways for side in gateway.sides)
    return max(1, meters) * max(ground.clock.now_ns, 1) / NS_PER_S / 86_400


def sights(system: Smgw, ground: Ground) -> list[Sight]:
    days = meter_days(system, ground)
    readings = system.stored.count_readings()
    relayed = system.administrator.relayed
    # A value stands in a delivery beside the word for it; sealed bytes hold neither.
    readable = sum(one.payload.count(b"<value ") for one in relayed)
    values = list(system.portal.stored())
    supplied = [one for one in relayed if one.receiver != GRID_OPERATOR]
    wired, radio = _sessions(system, WiredSide), _sessions(system, RadioSide)
    in_the_air = 0 if system.settings.wireless_tls else radio.rows
    on_the_bus = 0 if system.settings.wired_tls else wired.rows
    taken = readings + wired.rows + radio.rows
    named = readings + wired.times + radio.times
    clips = Sight(
        "whoever has clips on a wired bus", on_the_bus / days, wired.times / days, _BUS_IN_CLEAR if on_the_bus else _BUS
    )
    return [
        Sight("whoever listens by radio", in_the_air / days, (readings + radio.times) / days,
              f"{_RADIO}{_RADIO_IN_CLEAR if in_the_air else ''}"),
        *((clips,) if wired.meters else ()),
        Sight("gateway in the house", taken / days, named / days, "all that its meters say, kept in clear"),
        Sight("administrator", readable / days, len(relayed) / days, "when a gateway delivers, and how many bytes"),
        Sight("supplier", len(values) / days, len(supplied) / days, _HABITS[system.settings.taf]),
        *_grid_operator(system, days),
    ]


def _grid_operator(system: Smgw, days: float) -> list[Sight]:
    grid = system.grid
    if not grid.tafs:
        return []
    has = [one for one in grid.delivered() if one.amount is not None]
    about = " and ".join(_GRID[taf] for taf in grid.tafs)
    whose = "of a house whose name it does not know" if grid.names else "of a house that it knows by name"
    return [Sight(GRID_OPERATOR, len(has) / days, len(grid.arrived) / days, f"{about}, {whose}")]


def costs(system: Smgw, ground: Ground) -> list[Cost]:
    days = meter_days(system, ground)
    passed, said = (system.wan.total(lambda one: one.record_bytes), system.wan.total(lambda one: one.message_bytes))
    waited_ns = max((one.longest_wait_ns for one in system.wan.lines), default=0)
    sealed = sum(gateway.counts["sealed"] for gateway in system.gateways)
    opened = sum(gateway.intake.counts["stored"] for gateway in system.gateways if gateway.up)
    grid = system.grid
    parties = len(system.gateways) + 2 + bool(grid.tafs)  # the administrator, the supplier, a grid operator
    sides = [(side, _sessions(system, kind)) for side, kind in (("wired", WiredSide), ("two-way radio", RadioSide))]
    keys_made = system.settings.wired_pairing == "meter key"
    sessions = [
        cost for name, one in sides if one.meters for cost in (
            Cost(f"values taken of {name} meters", one.rows, ""),
            Cost(f"key pairs with certificates for sessions with {name} meters, the gateways' own too",
                 one.meters + len(system.gateways), "keys"),
        )
    ]
    if keys_made and system.settings.wired:
        sessions.append(Cost("makers' keys of wired meters, for a first key alone", sides[0][1].meters, "keys"))
    waits = [Cost("longest wait for a time at which something may be said", waited_ns / NS_PER_S, "s")]
    return [
        Cost("bytes on the WAN, a meter and day", passed / days, "B"),
        Cost("of them neither question nor answer: TLS records, filling, dummies", (passed - said) / days, "B"),
        *(waits if system.settings.dummy_every_s else ()),
        Cost("telegrams decrypted in gateways", opened, ""),
        *sessions,
        Cost("containers sealed and signed", sealed, ""),
        Cost("containers verified and opened", system.portal.counts["opened"] + grid.opened, ""),
        *((Cost("containers that the administrator signed anew, under a pseudonym", len(grid.arrived), ""),)
          if grid.names else ()),
        Cost("meters' keys, each known to maker, administrator and gateway", len(system.registry), "keys"),
        Cost("key pairs with certificates (TLS, ENC, SIG), renewed every 2 years", len(PURPOSES) * parties, "keys"),
        Cost("places that hold meters' keys", len(system.gateways), "disks"),
    ]
