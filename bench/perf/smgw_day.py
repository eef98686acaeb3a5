"""What a day of smart meter gateways costs: ten electricity meters each, a telegram every 900 s, delivered under TLS.

    python -m bench.perf.smgw_day TAF [GATEWAYS]

Counted is processor time of everybody: gateways that take real telegrams (mode 7) window by window, open, judge and
store them, tariff the day, sign and seal; the session of each with the administrator; administrator and supplier, who
are programs of their own and open, verify and store what came. Not counted: meters' making of telegrams, and the
making of certificates. A portion of the gateways is multiplied by their count, since each works for itself, and divided
by two cores, which gateways in two processes beside the two programs keep busy. `whole` runs all of them like that and
takes the time of the wall.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from bench.smgw.wan_program import wan_program
from sim.core.clock import NS_PER_S, Calendar
from sim.core.seeds import Seeds
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.pki.authority import Pair
from sim.pki.party_certificates import ADMINISTRATOR, MAKER, Certificate, PartyRoot, as_der
from sim.pki.sm_triples import Triple
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from sim.smart_metering.gateway_setup import Contract, GatewaySetup
from sim.smart_metering.other_values import OtherValues
from sim.smart_metering.periods import period_ends
from sim.smart_metering.smart_gateway import SmartGateway
from sim.smart_metering.snapshots import Snapshots
from sim.smart_metering.wan import tls
from sim.smart_metering.wan.calls import WanClient
from sim.smart_metering.wan.guard import Guard
from sim.smgw.module.in_world import InWorldModule, draws
from sim.smgw.wake_up import WakeUps

GATEWAYS: Final = 1_000
METERS: Final = 10
INTERVAL_S: Final = 900
WINDOW_S: Final = 3_600
"""How often gateways judge and store what they received; sim.world's window."""
DAY_S: Final = 86_400
CORES: Final = 2
_SEEDS: Final = Seeds(1)
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Day(NamedTuple):
    """`processor_s` of all processes and `wall_s`, for so many gateways; `values` that the supplier stored."""

    gateways: int
    processor_s: float
    wall_s: float
    values: int

    @property
    def scaled_s(self) -> float:
        """Seconds that GATEWAYS take on CORES."""
        return self.processor_s * GATEWAYS / self.gateways / CORES


def portion(taf: int, gateways: int = 20) -> Day:
    """A portion of the gateways, in one process beside the parties' programs. Raises RuntimeError where a value is
    missing at the supplier."""
    return _day(taf, gateways, 1)


def whole(taf: int) -> Day:
    """All of them."""
    return _day(taf, GATEWAYS, CORES)


class House:
    """A gateway with its meters, and its part of the WAN."""

    def __init__(self, number: int, taf: int, start: datetime, folder: Path, supplier: Certificate) -> None:
        self.id = f"gw-{number:04d}"
        self.start, self.folder = start, folder
        self.module = InWorldModule(_SEEDS, self.id)
        ends = Contract("supplier", taf, lambda since, until: period_ends(taf, DAY_S, since, until), supplier)
        self._setup = GatewaySetup(
            folder / "gateways" / self.id, Calendar(start), lambda event: None, PortalSpec(), self.module, (ends,),
            43_200.0, True, True, WakeUps(self.id, lambda body, signature: False),
            OtherValues(Snapshots(lambda *told: None, limited=True), None),
        )  # fmt: skip
        self._number = number

    def fill(self, triple: Triple) -> None:
        """Its meters are paired, and their telegrams of the day are made."""
        spec = FleetSpec("meters", "apator-amiplus", METERS, security="mode7", interval_s=float(INTERVAL_S))
        fleet = Fleet([spec], Seeds(self._number), start=self.start.replace(tzinfo=None))
        self.gateway = SmartGateway(self.id, GatewaySpec(), self._setup)
        for meter in range(METERS):
            entry = MeterEntry(
                fleet.address(meter), security="mode7", interval_s=float(INTERVAL_S), gateways=frozenset({self.id}),
                flat=f"flat {meter}", house="house", planned_silence_s=0.0, under_way_s=float(INTERVAL_S),
            )  # fmt: skip
            self.gateway.pair(entry, fleet.key(meter))
        self.gateway.certify(triple)
        most = DAY_S // INTERVAL_S + 2
        meters, numbers = np.repeat(np.arange(METERS), most), np.tile(np.arange(most), METERS)
        starts = fleet.starts(meters, numbers)
        sent = sorted(zip(starts.tolist(), fleet.telegrams(meters, numbers), strict=True))
        self.sent = [(at_ns, telegram) for at_ns, telegram in sent if at_ns < DAY_S * NS_PER_S]

    def live(self) -> None:
        """A day, to its end, when values leave."""
        gateway, sent, at = self.gateway, self.sent, 0
        gateway.open(0)
        for now_s in range(WINDOW_S, DAY_S + 1, WINDOW_S):
            now_ns = now_s * NS_PER_S
            while at < len(sent) and sent[at][0] < now_ns:
                gateway.receive(sent[at][1], sent[at][0], -60.0)
                at += 1
            gateway.deliver(now_ns)

    def dial(self, guard: Guard, port: int) -> None:
        """One session with the administrator, in which it gives him what waits."""
        name = f"{self.id}.SMGW"
        own = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        context = tls.context(own, self.folder / "root.crt", server=False)
        with WanClient(context, port, ADMINISTRATOR, guard) as client:
            for number, (receiver, container) in list(self.gateway.outbox.items()):
                client.ask("POST", f"/{receiver}.sm/delivery", container)
                self.gateway.delivered(number, DAY_S * NS_PER_S)
        self.gateway.close()


def _day(taf: int, gateways: int, workers: int) -> Day:
    with tempfile.TemporaryDirectory(prefix="wmbench-smgw-") as name:
        folder = Path(name)
        start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        made = _Parties(folder, start)
        houses = [House(number, taf, start, folder, made.supplier) for number in range(gateways + 1)]
        triples = {house.id: made.triple(house) for house in houses}
        with _programs(folder) as programs:
            _work(houses[:1], triples, folder, programs.port, None)  # it compiles, and fills what is looked up
            before_s = programs.processor_s()
            if workers == 1:
                own_s, wall_s = _work(houses[1:], triples, folder, programs.port, None)
            else:
                own_s, wall_s = _in_parts(houses[1:], triples, folder, programs.port, workers)
            processor_s = own_s + programs.processor_s() - before_s
        with contextlib.closing(sqlite3.connect(folder / "store" / "values.sqlite")) as stored:
            values, refused = (int(stored.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                               for table in ("delivered", "refused"))  # fmt: skip
    due = (gateways + 1) * METERS * (3 if taf == 2 else DAY_S // INTERVAL_S)
    if values < due or refused:
        raise RuntimeError(f"the supplier has {values} values of {due} and refused {refused} containers")
    return Day(gateways, processor_s, wall_s, values)


def _work(
    houses: Sequence[House], triples: dict[str, Triple], folder: Path, port: int, together: Barrier | None
) -> tuple[float, float]:
    """Processor and wall seconds of days that are lived and delivered, one house after the other."""
    for house in houses:
        house.fill(triples[house.id])
    guard = Guard(folder)
    if together is not None:
        together.wait()
    begin_s, wall_s = time.process_time(), time.perf_counter()
    for house in houses:
        house.live()
        house.dial(guard, port)
    return time.process_time() - begin_s, time.perf_counter() - wall_s


def _in_parts(
    houses: Sequence[House], triples: dict[str, Triple], folder: Path, port: int, workers: int
) -> tuple[float, float]:
    context = multiprocessing.get_context("fork")
    together, told = context.Barrier(workers), context.SimpleQueue()

    def part(number: int) -> None:
        told.put(_work(houses[number::workers], triples, folder, port, together))

    processes = [context.Process(target=part, args=(number,)) for number in range(workers)]
    for process in processes:
        process.start()
    each = [told.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(own_s for own_s, _ in each), max(wall_s for _, wall_s in each)


class _Parties:
    """The SM-PKI of all, in the folder that the programs read."""

    def __init__(self, folder: Path, start: datetime) -> None:
        self._folder, self._start = folder, start
        self._pki = PartyRoot("SM-Test-Root.CA", draws(_SEEDS, "root", "draws"), start)
        self._pki.party(MAKER, draws(_SEEDS, MAKER, "keys"))
        administrator = self._pki.party(ADMINISTRATOR, draws(_SEEDS, ADMINISTRATOR, "keys"))
        supplier = self._pki.party("supplier.EMT", draws(_SEEDS, "supplier", "keys"))
        for one in (administrator, supplier):
            self._pki.write_pair(one.certificates["TLS"], self._pki.key_of(one, "TLS"), folder)
        self.supplier = supplier.certificates["ENC"]
        self._pki.receiver_files(self._pki.receiver_of(supplier), folder)
        self._pki.write(folder / "root.crt")
        (folder / "signers").mkdir()

    def triple(self, house: House) -> Triple:
        """Sealed, and made operational; its TLS key is a file, since Python's ssl takes no module's."""
        name = f"{house.id}.SMGW"
        self._pki.seal(name, house.module, self._start)
        triple = self._pki.operational(name, house.module, self._start)
        self._pki.tls_pair(name, self._folder, draws(_SEEDS, name, "TLS file"))
        (self._folder / "signers" / f"{house.id}.crt").write_bytes(as_der(triple.certificates["SIG"]))
        return triple


class _Programs(NamedTuple):
    port: int
    pids: tuple[int, ...]

    def processor_s(self) -> float:
        """Of both until now."""
        total = 0
        for pid in self.pids:
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / _TICKS


@contextlib.contextmanager
def _programs(folder: Path) -> Iterator[_Programs]:
    with (
        wan_program("serve", "participant", str(folder)) as supplier,
        wan_program("serve", "administrator", str(folder), "--participant", str(supplier.port)) as administrator,
    ):
        yield _Programs(administrator.port, (supplier.pid, administrator.pid))


def main(words: list[str]) -> int:
    """Measure, and say it."""
    taf, gateways = int(words[0]), int(words[1]) if len(words) > 1 else 20
    day = whole(taf) if gateways == GATEWAYS else portion(taf, gateways)
    print(f"TAF {taf}: {day.gateways} gateways, {day.values} values, {day.processor_s:.1f} s of processor time, "
          f"{day.wall_s:.1f} s; {GATEWAYS} on {CORES} cores {day.scaled_s:.0f} s")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
