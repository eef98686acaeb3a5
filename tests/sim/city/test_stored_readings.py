"""All the way to stored readings: a city stores what a world stores, in any cut, and the truth of the fleet is kept."""

from __future__ import annotations

import dataclasses
import errno
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.city.conduct import run
from sim.city.plan import Blocks, CityLimit, CityPlan, Outages
from sim.city.shard import Shard, outages
from sim.city.stored_readings import Readings, Said, digest_of
from sim.core.clock import NS_PER_S
from sim.endpoint.kinds.memory import MemorySpec
from sim.faults.gateway_power_cut import PowerCut
from sim.gateway.gateway_spec import GatewaySpec
from sim.meters.fleet_spec import FleetSpec
from sim.portal.check import NONE
from sim.portal.intake import Intake, Rows, Taken
from sim.portal.meter_table import address_of
from sim.portal.portal_spec import PortalSpec
from sim.portal.store import StoreError
from sim.portal.store import parquet as columns
from sim.portal.stored_columns import StoredColumns
from sim.radio.site_spec import SiteSpec
from sim.site_plan import gateway_ids
from sim.world import World
from sim.world_spec import WorldSpec
from tests.small_worlds import keyless

HOUR = 3_600 * NS_PER_S
FLEET = (
    FleetSpec("a", "vipa-c10", 2_000, interval_s=600.0, drift_ppm=400.0),
    FleetSpec("b", "techem-radio-4", 200, security="mode7", link="C1", interval_s=300.0),
    FleetSpec("c", "qundis-q-water", 100, security="none", link="S1", interval_s=120.0),
    FleetSpec("d", "ram-euris-2", 100, security="mode7", interval_s=300.0, key="shared"),
    FleetSpec("e", "engelmann-sensostar", 60, interval_s=300.0, mask="workdays 08-18"),
)
SITE = SiteSpec(floors=2, path_loss_exponent=3.6)
SEED = 220  # three of six gateways fail in the first hour
START = datetime(2026, 1, 12, 22, 40)  # noqa: DTZ001  a Monday
SPEC = WorldSpec("small", "A small city", FLEET, (GatewaySpec(count=6, bundle_count=40),), start=START, site=SITE)


def plan(spec: WorldSpec = SPEC, **changes: Any) -> CityPlan:
    one = CityPlan(spec, SEED, HOUR, "readings", outages=Outages(1.0, 1_200.0))
    return dataclasses.replace(one, **changes)


def told(one: CityPlan) -> dict[str, Any]:
    result = run(one).readings
    assert result is not None
    return {key: result[key] for key in ("stored", "copies", "refused", "missing", "altered", "digest")}


# --- the cut --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return told(plan(shards=1))


def test_a_city_ends_with_the_truth(whole: dict[str, Any]) -> None:
    heard = run(plan(shards=1, depth="radio")).frames_heard
    assert whole["stored"] + sum(whole["refused"].values()) > 0.95 * heard
    assert whole["stored"] + whole["missing"] == heard
    assert whole["copies"] > 5_000
    assert whole["missing"] > 100  # in open bundles of gateways that failed, or late
    assert whole["altered"] == 0


@pytest.mark.parametrize(
    "changes",
    [{"shards": 4}, {"shards": 9, "window_ns": 37 * NS_PER_S}, {"shards": 2, "window_ns": 1_000 * NS_PER_S},
     {"shards": 3, "workers": 2}],
)  # fmt: skip
def test_neither_cut_nor_window_nor_worker_changes_what_is_stored(
    whole: dict[str, Any], changes: dict[str, Any], tmp_path: Path
) -> None:
    assert told(plan(**changes, out=tmp_path / "out")) == whole


# --- against a world ------------------------------------------------------------------------------------------------


def cut_power(world: World, one: CityPlan) -> None:
    """The city's outages, as power cuts."""
    for receiver in range(one.spec.gateways):
        for off_ns, on_ns in outages(one.outages, world.seeds, receiver, one.duration_ns):
            lasting_s = (on_ns - off_ns) / NS_PER_S
            world.fault(PowerCut(gateway=receiver, after_s=off_ns / NS_PER_S, duration_s=lasting_s))


def rows_of_world(world: World) -> tuple[list[Any], list[Any]]:
    readings = [
        (r.meter, r.gateway, r.received_ns, r.stored_ns, r.meter_time, r.units, r.set_date, r.set_date_units,
         r.security, r.rssi_dbm, r.acc, r.counter, r.status, bool(r.tamper), r.volume_m3, r.energy_kwh)
        for r in world.stored.readings()
    ]  # fmt: skip
    refused = world.stored.refusals()
    refusals = [(r.meter, r.gateway, r.received_ns, r.stored_ns, r.reason, r.telegram) for r in refused]
    return sorted(readings, key=repr), sorted(refusals, key=repr)


def rows_of_city(folder: Path) -> tuple[list[Any], list[Any]]:
    readings = [
        (str(address_of(r["meter"])), r["gateway"], r["received_ns"], r["stored_ns"],
         None if r["meter_time"] is None else r["meter_time"].isoformat(timespec="minutes"), r["units"],
         None if r["set_date"] is None else r["set_date"].isoformat(), r["set_date_units"], r["security"],
         r["rssi_cdbm"] / 100, r["acc"], r["counter"], r["status"], r["tamper"], r["volume_m3"], r["energy_kwh"])
        for r in columns.read(folder).to_pylist()
    ]  # fmt: skip
    table = columns.read(folder, columns.REFUSALS)
    refusals = [
        (str(address_of(r["meter"])), r["gateway"], r["received_ns"], r["stored_ns"], r["reason"], r["telegram"])
        for r in ([] if table is None else table.to_pylist())
    ]
    return sorted(readings, key=repr), sorted(refusals, key=repr)


def test_it_stores_what_a_world_stores(tmp_path: Path) -> None:
    """Names out of order, bundles that close by age, count and size, a clock that is wrong, outages, midnight."""
    gateways = (
        GatewaySpec("z", count=2, bundle_age_s=200.0), GatewaySpec("m", count=1, clock_offset_s=-400.0, bundle_count=7),
        GatewaySpec("a", count=2, bundle_bytes=1_500, bundle_age_s=900.0),
        GatewaySpec("b", count=1, sensitivity_dbm=-90.0),
    )  # fmt: skip
    fleet = tuple(dataclasses.replace(group, count=max(20, group.count // 10)) for group in FLEET)
    spec = dataclasses.replace(
        SPEC, fleet=fleet, gateway=gateways, window_s=60.0, endpoint=MemorySpec(),
        start=START + timedelta(minutes=30), portal=PortalSpec(age_max_s=400.0),
    )  # fmt: skip
    one = plan(spec, shards=2, duration_ns=HOUR, out=tmp_path / "city")
    result = run(one).readings
    with World(spec, one.seed, tmp_path / "world") as world:
        cut_power(world, one)
        world.run(one.duration_ns)
        readings, refusals = rows_of_world(world)
        counts = dict(keyless(world).portal.counts)
        assert world.truth.altered_readings == 0
    assert rows_of_city(tmp_path / "city") == (readings, refusals)
    assert result is not None
    assert (result["stored"], result["copies"]) == (counts["stored"], counts["copies"])
    assert {"time off", "replayed counter", "late"} <= set(result["refused"])  # the comparison is of no empty table
    assert len(readings) > 1_500
    assert result["missing"] > 0 == result["altered"]


# --- the truth ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["units", "set_date_units", "volume_m3", "energy_kwh"])
def test_a_portal_that_doubles_a_quantity_is_noticed(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    take = Intake.take
    changed = 0

    def doubling(self: Intake, batch: Any, now_ns: int) -> Taken:
        nonlocal changed
        taken = take(self, batch, now_ns)
        values = getattr(taken.readings, column)
        counted = (values != NONE) & (values != 0) & ~np.isnan(values)
        values[counted] *= 2
        changed += int(np.count_nonzero(counted))
        return taken

    monkeypatch.setattr(Intake, "take", doubling)
    awake = tuple(dataclasses.replace(group, mask="always") for group in FLEET)
    assert told(plan(dataclasses.replace(SPEC, fleet=awake), shards=1))["altered"] == changed > 100


def test_an_altered_value_and_a_doubled_reading_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    take = Intake.take
    changed = 0

    def altering(self: Intake, batch: Any, now_ns: int) -> Taken:
        nonlocal changed
        taken = take(self, batch, now_ns)
        if len(taken.readings) > 5:
            taken.readings.units[3] += 1
            changed += 1
        return taken

    monkeypatch.setattr(Intake, "take", altering)
    assert told(plan(shards=1))["altered"] == changed > 2
    said = Said(3, 3_000 * NS_PER_S, 900.0)
    meter = np.array([0, 2, 0])
    assert said.add(meter, np.array([5, 5, 4])) == 0
    assert said.add(meter, np.array([4, 6, 6])) == 1
    assert said.distinct == 5


def test_a_shard_hands_over_own_meters_only() -> None:
    """The guard's telegrams fill bundles and are stored by the shard that owns them."""
    one = plan(shards=4)
    tiles = Blocks.of(SPEC).tiles(4)
    shard = Shard(one, tiles[0])
    readings = Readings(one, shard, 0, None)
    heard = shard.window(900 * NS_PER_S, detail=True)
    assert heard.batch is not None
    assert not shard.own[heard.batch.source].all()
    taken: list[Any] = []
    bundles = readings._bundles
    bundles.hear(heard.batch)
    taken.append(bundles.take(900 * NS_PER_S, last=True))
    assert taken[0].rows > 100
    assert shard.own[taken[0].meter].all()


# --- on disk --------------------------------------------------------------------------------------------------------


def test_the_files_are_whole_days_with_plain_columns(tmp_path: Path) -> None:
    result = run(plan(shards=2, duration_ns=2 * HOUR, out=tmp_path / "out"))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == sorted(
        [f"readings-2026-01-{day}-shard-000{shard}.parquet" for day in (12, 13) for shard in (0, 1)]
        + [name for name in names if name.startswith("refusals-2026-01-1")]
        + [f"meters-shard-000{shard}.parquet" for shard in (0, 1)]
    )
    table, meters = columns.read(tmp_path / "out"), columns.read(tmp_path / "out", columns.METERS)
    assert result.readings is not None
    assert len(table) == result.readings["stored"] > 9_000
    assert result.readings["bytes"] == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    assert result.readings["files"] == len(names)
    assert set(table["gateway"].unique().to_pylist()) <= set(gateway_ids(SPEC))
    assert sorted(meters["meter"].to_pylist()) == sorted(set(meters["meter"].to_pylist()))
    assert len(meters) == SPEC.meters
    refused = columns.read(tmp_path / "out", columns.REFUSALS)
    assert documented() == {
        field.name: str(field.type).split(",")[0].replace("dictionary<values=", "").replace("[day]", "")
        for field in [*table.schema, *refused.schema]
    }
    some = columns.read(tmp_path / "out", columns=["meter", "units"])
    assert some.column_names == ["meter", "units"]
    assert columns.read(tmp_path, columns.READINGS) is None


def documented() -> dict[str, str]:
    """Column -> type, as the page says it."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "columns.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.split("## Columns")[1].split("## Reading")[0].splitlines()]
    return {name.strip("`, "): row[1] for row in rows if len(row) == 3 and "`" in row[0] for name in row[0].split(", ")}


def test_without_what_it_needs_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(StoreError, match="need pyarrow: pip install"):
        run(plan(out=tmp_path / "out"))


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(StoreError, match="something in it; choose a new or empty folder"):
        run(plan(out=tmp_path))
    with pytest.raises(StoreError, match=r"note.txt.*choose a folder that can be written"):
        run(plan(out=tmp_path / "note.txt" / "below"))
    with pytest.raises(CityLimit, match="depth 'bytes' stores none"):
        run(plan(depth="bytes", out=tmp_path))


def test_a_full_disk_leaves_no_half_file_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writes = 0
    write = columns.pq.ParquetWriter.write_table

    def full(self: Any, *arguments: Any, **more: Any) -> None:
        nonlocal writes
        writes += 1
        if writes == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(self, *arguments, **more)

    monkeypatch.setattr(columns.pq.ParquetWriter, "write_table", full)
    with pytest.raises(StoreError, match=r"out: No space left on device: .* free disk space"):
        run(plan(shards=1, out=tmp_path / "out"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["meters-shard-0000.parquet"]


def test_a_disk_is_left_before_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage, looks = columns.shutil.disk_usage(tmp_path), 0

    def shrinking(place: Path) -> Any:
        nonlocal looks
        looks += 1
        return usage._replace(total=1 << 40, free=3 << 30 if looks <= 3 else 1023 << 20)

    one = plan(shards=1, out=tmp_path / "out")
    monkeypatch.setattr(columns.shutil, "disk_usage", shrinking)
    with pytest.raises(StoreError, match=r"out: only 1023 MiB are left on the disk.*free disk space"):
        run(one)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["meters-shard-0000.parquet"]


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "readings-2026-01-12-shard-0000.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(StoreError, match="a file is damaged"):
        columns.read(tmp_path)


# --- the digest -----------------------------------------------------------------------------------------------------


def test_the_digest_is_of_every_column_that_is_stored() -> None:
    """Also of volumes and energies, which other columns do not show."""
    whole = {name: np.arange(1, 4, dtype=np.int64) for name in Rows.__dataclass_fields__}
    reals = {"volume_m3": np.array([1.0, np.nan, 2.0]), "energy_kwh": np.array([np.nan, 1.0, 3.0])}
    sound = Rows(**{**whole, **reals, "meter": np.arange(3, dtype=np.uint64)})  # type: ignore[arg-type]
    receiver = np.zeros(3, dtype=np.int64)
    digest = digest_of(sound, receiver, 7)
    seen = {digest, digest_of(sound, receiver, 8), digest_of(sound, receiver + 1, 7)}
    stored = [one.name for one in dataclasses.fields(StoredColumns)] + ["received_ns", "rssi_cdbm"]
    for column in stored:
        changed = getattr(sound, column).copy()
        changed[2] += 1
        seen.add(digest_of(dataclasses.replace(sound, **{column: changed}), receiver, 7))
    swapped = dataclasses.replace(sound, volume_m3=sound.energy_kwh, energy_kwh=sound.volume_m3)
    seen.add(digest_of(swapped, receiver, 7))
    assert len(seen) == 3 + len(stored) + 1
    order = np.array([2, 0, 1])
    turned = Rows(*(getattr(sound, name)[order] for name in Rows.__dataclass_fields__))
    assert digest_of(turned, receiver, 7) == digest
