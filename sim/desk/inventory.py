"""inventory.toml: which gateways are on the desk, how each is fed, started, read, and what its maker claims.

    [[gateway]]
    name = "kitchen"
    entry = "wmbusmeters"                            # begins with a ready entry; own keys replace its keys
    feed = [{ kind = "codec", format = "im871a", line = { kind = "pty" } }]
    run = { command = ["wmbusmeters", "--useconfig={directory}"] }
    read = [{ kind = "mqtt", topic = "wmbusmeters/#" }]
    listen = { address = "192.168.7.1", port = 8883 }
    power = { cut = ["relay", "off", "3"], on = ["relay", "on", "3"] }
    claims = { duplicates = "equal among the last", duplicates_last = 10 }

In `run` and `power` these stand for what is known only at the start: {directory}, {name}, {feed} (and {feed1}, {feed2}:
the other feeders), {read} (likewise), {host}, {port}, {ca}, {certificate}, {key}, {portalkey} (hex; where bundles are
read), {python} (the interpreter that runs this bench) and {root} (its checkout). Doubled braces stand for one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from sim.core.settings import Place, SpecError, build, number, one_of, read_toml
from sim.core.vocabulary import Link
from sim.desk.contradictions import contradictions
from sim.feeders.port import FEEDERS, FeederSpec
from sim.readers.message_content import ContentSpec
from sim.readers.port import READERS, ReaderSpec

ENTRIES: Final = Path(__file__).resolve().parent / "entries"


@dataclass(frozen=True, slots=True)
class RunSpec:
    """The gateway's program, where it is one. `command`: not by a shell. `env`: added to ours. `files`: name below the
    gateway's own directory -> content, written before each start. `ready_s`: how long it may take until each
    feeder has somebody at its other end and its output holds `ready_line`, where that is named; `settle_s`:
    what it is given after that, before it is fed."""

    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    ready_s: float = number(10.0, low=0.0, high=600.0)
    ready_line: str = ""
    settle_s: float = number(0.2, low=0.0, high=600.0)


@dataclass(frozen=True, slots=True)
class KeysSpec:
    """How a gateway that decodes is given meters' keys, for `gateway card`: one file a meter, `path` (below its own
    directory) and `content`, in which {meter} is eight digits and {meterkey} 32 hex digits, nothing for a meter in
    clear. `instead_of`: the one of run.files that these stand for."""

    path: str = ""
    content: str = ""
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class ListenSpec:
    """Where the desk's broker listens. The loopback unless the inventory says otherwise; `port` 0 is a free one, and
    needs the loopback, because a box on the network is told its port by hand. `hostname`: as the box dials it, in the
    server's certificate; the address unless named. `broker` False: it needs none. `tls` False: in clear, without
    certificates. `topics`: what the gateway may publish to, as patterns; none leaves it those of our own gateways.
    `pki`: the folder in which the desk's authority stays, for a box that is given a certificate once; without it each
    start has its own authority."""

    address: str = "127.0.0.1"
    port: int = number(0, low=0, high=65_535)
    hostname: str = ""
    broker: bool = True
    tls: bool = True
    topics: tuple[str, ...] = ()
    pki: str = ""


@dataclass(frozen=True, slots=True)
class PowerSpec:
    """How its power is cut and put on again: each the command of a relay, or nothing: then the program gets SIGKILL
    and is started again."""

    cut: tuple[str, ...] = ()
    on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TimeSpec:
    """A time source for a box that needs one: settings for an NTP server that this machine has, written by `enrol`.
    `allow`: the network that may ask it."""

    server: Literal["none", "chrony", "ntpd"] = "none"
    allow: str = "127.0.0.1/32"


@dataclass(frozen=True, slots=True)
class Claims:
    """What its manual says, so that an honest product does not fail for it. A claim is tested against itself; where
    there is none, what depends on it is not applicable.

    `forwards`: telegrams as they were received, or what was read out of them. `modes`, `c_fields` (none: every one),
    `longest_bytes` (L and what it counts), `most_meters`, `most_at_once` (telegrams that come together; 0: no
    limit) bound what it passes on. `duplicates`: what it takes for one, `duplicates_last` among how many telegrams,
    `duplicates_s` for how long. `thinning_s`: at most one telegram a meter in this time. `buffer`: what it keeps
    through an outage, of `buffer_telegrams` or `buffer_s` (0: no limit). `survives_power_cut`: also without power, but
    for what it heard in the last `gathers_s`. `awake_s` of every `period_s` it listens (0: always), in one piece.
    `compact`: of one that decodes, whether it reads compact frames (CI 79): not, once it has heard the full frame of
    that format since its start, or also when that was before a power cut.
    `stamp_of`: what its time is the time of. `rssi`, `verifies_server`, `own_certificate`: it has it. `retains`:
    its broker keeps the latest message of each topic."""

    forwards: Literal["encrypted", "decoded"] = "encrypted"
    modes: tuple[Link, ...] = ("T1", "C1", "S1")
    c_fields: tuple[int, ...] = ()
    longest_bytes: int = number(256, low=11, high=256)
    most_meters: int = number(0, low=0, high=1_000_000)
    most_at_once: int = number(0, low=0, high=1_000_000)
    duplicates: Literal["passed on", "equal among the last", "equal within a time"] = "passed on"
    duplicates_last: int = number(0, low=0, high=1_000_000)
    duplicates_s: float = number(0.0, low=0.0, high=31_536_000.0)
    thinning_s: float = number(0.0, low=0.0, high=31_536_000.0)
    order: Literal["as received", "as received per meter", "newest first", "none"] = "none"
    buffer: Literal["none", "telegrams", "time"] = "none"
    buffer_telegrams: int = number(0, low=0, high=100_000_000)
    buffer_s: float = number(0.0, low=0.0, high=31_536_000.0)
    survives_power_cut: bool = False
    gathers_s: float = number(0.0, low=0.0, high=86_400.0)
    awake_s: float = number(0.0, low=0.0, high=86_400.0)
    period_s: float = number(0.0, low=0.0, high=2_678_400.0)
    compact: Literal["none", "after a full frame", "also after a power cut"] = "none"
    stamp_of: Literal["none", "reception", "reading", "meter", "publish"] = "none"
    rssi: bool = False
    verifies_server: bool = False
    own_certificate: bool = False
    retains: bool = False

    @property
    def sleeps(self) -> bool:
        """It listens in windows."""
        return 0 < self.awake_s < self.period_s


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEntry:
    """One gateway on the desk. `page`: what a person must know to set it up. `firmware`: its version, for junit.xml."""

    name: str
    title: str = ""
    firmware: str = ""
    page: str = ""
    feed: tuple[FeederSpec, ...] = one_of(FEEDERS.specs)
    read: tuple[ReaderSpec, ...] = one_of(READERS.specs)
    run: RunSpec = field(default_factory=RunSpec)
    keys: KeysSpec = field(default_factory=KeysSpec)
    listen: ListenSpec = field(default_factory=ListenSpec)
    power: PowerSpec = field(default_factory=PowerSpec)
    time: TimeSpec = field(default_factory=TimeSpec)
    claims: Claims = field(default_factory=Claims)

    @property
    def described(self) -> ContentSpec | None:
        """The reader of values whose names are known."""
        found = (spec for spec in self.read if isinstance(spec, ContentSpec) and (spec.names or spec.means))
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is on the desk."""

    gateway: tuple[GatewayEntry, ...]

    def find(self, name: str) -> GatewayEntry:
        """Raises SpecError, with the names that there are."""
        for entry in self.gateway:
            if entry.name == name:
                return entry
        raise SpecError(f"no gateway {name!r} in this inventory; there are: {', '.join(e.name for e in self.gateway)}")


def ready_entries() -> dict[str, Path]:
    """Name -> file of each ready entry."""
    return {path.stem: path for path in sorted(ENTRIES.glob("*.toml"))}


def load(path: Path) -> Inventory:
    """An inventory file. Raises SpecError with file, line, key and what is allowed."""
    table, place = read_toml(path)
    for at, gateway in enumerate(_tables(table)):
        _begin_with_entry(gateway, place, f"gateway[{at}]")
    inventory = build(Inventory, table, place)
    _refuse_contradictions(inventory, place)
    return inventory


def find(name: str, path: Path | None) -> GatewayEntry:
    """A gateway of the inventory, where there is one; else the ready entry of this name. Raises SpecError."""
    known = ready_entries()
    if path is not None and path.exists():
        inventory = load(path)
        if name not in known or any(entry.name == name for entry in inventory.gateway):
            return inventory.find(name)
    if name not in known:
        where = f"no {path} is there" if path is not None else "no inventory was named"
        raise SpecError(f"no gateway {name!r}: {where}, and the ready entries are: {', '.join(known)}")
    return load(known[name]).gateway[0]


def _tables(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The gateways of a file, as far as they are tables at all: what is not, `build` refuses."""
    rows = table.get("gateway")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _begin_with_entry(gateway: dict[str, Any], place: Place, path: str) -> None:
    """Fill in what the ready entry says and the gateway does not."""
    name = gateway.pop("entry", None)
    if name is None:
        return
    known = ready_entries()
    if name not in known:
        raise place.error(f"{path}.entry", f"{name!r} is not one of {', '.join(known)}")
    table, _ = read_toml(known[name])
    for key, value in table["gateway"][0].items():
        gateway.setdefault(key, value)


def _refuse_contradictions(inventory: Inventory, place: Place) -> None:
    names: set[str] = set()
    for at, entry in enumerate(inventory.gateway):
        path = f"gateway[{at}]"
        if entry.name in names:
            raise place.error(f"{path}.name", f"{entry.name!r} is there twice; a name is one gateway's")
        names.add(entry.name)
        for key, words in contradictions(entry):
            raise place.error(f"{path}.{key}", words)
