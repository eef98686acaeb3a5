"""What a city's portals stored, as Parquet files: one of readings a shard and day, beside it one of refusals where
there are any, and one of the shard's meters. The format is docs/reference/columns.md.

Rules kept: a file has its name only when it is whole (it is written under another one and renamed), so a run that
stops leaves no half file that looks like one; a row group is one take of the portal, in the order of meters; every
column is plain and says its unit. How each is encoded was measured: docs/decisions/readings-as-columns.md.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sim.core.open_files import way_out
from sim.core.vocabulary import MODE_OF
from sim.portal.check import NONE
from sim.portal.intake import Rows, Taken
from sim.portal.meter_table import MeterTable, address_of
from sim.portal.reading_columns import OF_READING
from sim.portal.reception_batch import Batch
from sim.portal.store_port import Store, StoreError, StoreKind
from sim.portal.verdicts import names


class _Loaded:
    """A module that is loaded when it is first used: a portal with another store never needs it, and it is optional."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(importlib.import_module(self._name), attribute)


pa, pq = _Loaded("pyarrow"), _Loaded("pyarrow.parquet")
READINGS, REFUSALS, METERS = "readings", "refusals", "meters"
KEPT_FREE_BYTES: Final = 1 << 30
"""Of a disk, or a hundredth of it where that is less."""
_ROWS_AT_ONCE: Final = 1 << 17
"""Values of a column that are encoded at once: with 1 024, the default, writing takes a tenth longer."""
_PART: Final = ".part"
_DICTIONARY = ["gateway", "meter_time", "security", "reason"]
_DIFFERENCES = ("received_ns", "units", "set_date_units", "acc", "counter", "rssi_cdbm")
_ALWAYS = {name for name, (_, empty) in OF_READING.items() if not empty} | {"rssi_cdbm"}  # of a reading


def prepare(folder: Path) -> None:
    """Make sure that a folder is there, empty and writable. Raises StoreError."""
    if importlib.util.find_spec("pyarrow") is None:
        raise StoreError("readings on disk need pyarrow: pip install -r requirements.txt, or keep none (--no-store)")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise StoreError(f"{folder}: there is something in it; choose a new or empty folder for the readings")
        probe = folder / f"probe{_PART}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        way = way_out("choose a folder that can be written", error)
        raise StoreError(f"{folder}: {error.strerror or error}; {way}") from None


def drop_parts(folder: Path) -> None:
    """Remove what shards that were killed had begun to write."""
    for part in folder.glob(f"*{_PART}"):
        part.unlink(missing_ok=True)


class Columns:
    """The files of one shard. `start`: the calendar at world time 0; `securities`: names, which may still grow."""

    def __init__(self, folder: Path, shard: int, start: datetime, table: MeterTable, securities: list[str]) -> None:
        self._folder, self._shard, self._start = folder, shard, start
        self._registered, self._securities = table, securities
        self._gateways = pa.array(table.gateways, pa.string())
        self._day = ""
        self._open: dict[str, tuple[Any, Path]] = {}
        self.bytes = 0
        self.files: list[str] = []

    def meters(self) -> None:
        """Who is registered, once."""
        registered, at = self._registered, range(len(self._registered))
        modes = {mode: security for security, mode in MODE_OF.items()}
        table = pa.table({
            "meter": pa.array(registered.number),
            "address": pa.array([str(address_of(int(registered.number[row]))) for row in at], pa.string()),
            "security": pa.array([modes[mode] for mode in registered.mode.tolist()], pa.string()).dictionary_encode(),
            "interval_s": pa.array(registered.interval_ns / 1e9),
        })  # fmt: skip
        with self._told(self._folder):
            self._write(METERS, self._name(METERS), table)
            self._close(METERS)

    def take(self, pieces: list[tuple[Taken, Batch]], stored_ns: int) -> None:
        """One take of the portal, in pieces. Raises StoreError."""
        with self._told(self._folder):
            _spare(self._folder)
            # A take at midnight is of the day that ends.
            day = (self._start + timedelta(microseconds=(stored_ns - 1) // 1_000)).date().isoformat()
            if day != self._day:
                self.close()
                self._day = day
            readings = [self._readings(taken.readings, stored_ns) for taken, _ in pieces if len(taken.readings)]
            refusals = [self._refusals(taken.refusals, stored_ns, b) for taken, b in pieces if len(taken.refusals)]
            if readings:
                self._write(READINGS, self._name(READINGS, day), _without_nulls(_joined(readings)))
            if refusals:
                self._write(REFUSALS, self._name(REFUSALS, day), _joined(refusals))

    def close(self) -> None:
        """Give the files of the day their names. Raises StoreError."""
        with self._told(self._folder):
            for kind in list(self._open):
                self._close(kind)

    def abandon(self) -> None:
        """Something failed: leave no half file."""
        for writer, part in self._open.values():
            with contextlib.suppress(OSError):
                writer.close()
            part.unlink(missing_ok=True)
        self._open.clear()

    # --- tables -----------------------------------------------------------------------------------------------------

    def _common(self, rows: Rows, stored_ns: int) -> dict[str, Any]:
        return {
            "meter": pa.array(rows.meter),
            "gateway": pa.DictionaryArray.from_arrays(pa.array(rows.gateway.astype(np.int32)), self._gateways),
            "received_ns": pa.array(rows.received_ns),
            "stored_ns": pa.array(np.full(len(rows), stored_ns)),
            "meter_time": _whole(rows.minute, pa.timestamp("ms"), 60_000),
            "units": _whole(rows.units, pa.int64()),
            "set_date": _whole(rows.set_day, pa.date32()),
            "set_date_units": _whole(rows.set_date_units, pa.int64()),
            "security": _named(rows.security, self._securities),
            "rssi_cdbm": pa.array(rows.rssi_cdbm.astype(np.int32)),
        }

    def _readings(self, rows: Rows, stored_ns: int) -> Any:
        return pa.table({
            **self._common(rows, stored_ns),
            "acc": _whole(rows.acc, pa.int16()),
            "counter": _whole(rows.counter, pa.int64()),
            "status": pa.array(rows.status.astype(np.uint8)),
            "tamper": pa.array(rows.tamper != 0),
            "volume_m3": _real(rows.volume_m3),
            "energy_kwh": _real(rows.energy_kwh),
        })  # fmt: skip

    def _refusals(self, rows: Rows, stored_ns: int, batch: Batch) -> Any:
        return pa.table({
            **self._common(rows, stored_ns),
            "reason": _named(rows.reason, list(names())),
            "telegram": pa.array([batch[at] for at in rows.reception.tolist()], pa.binary()),
        })  # fmt: skip

    # --- files ------------------------------------------------------------------------------------------------------

    def _name(self, kind: str, day: str = "") -> str:
        return f"{kind}{'-' + day if day else ''}-shard-{self._shard:04d}.parquet"

    def _write(self, kind: str, name: str, table: Any) -> None:
        if kind not in self._open:
            part = self._folder / f"{name}.{os.getpid()}{_PART}"
            self._open[kind] = (_writer(part, table.schema), part)
        self._open[kind][0].write_table(table, row_group_size=max(1, len(table)))

    def _close(self, kind: str) -> None:
        writer, part = self._open[kind]
        writer.close()
        whole = part.with_name(part.name.rsplit(".", 2)[0])
        self.bytes += part.stat().st_size
        part.replace(whole)
        self.files.append(whole.name)
        del self._open[kind]

    @contextlib.contextmanager
    def _told(self, folder: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.abandon()
            way = way_out("free disk space or give the shard another folder, and run it again", error)
            raise StoreError(f"{folder}: {error.strerror or error}: the readings cannot be written; {way}") from None


def _spare(folder: Path) -> None:
    """Raises OSError before the disk is full: other programs use it too."""
    disk = shutil.disk_usage(folder)
    if disk.free < min(KEPT_FREE_BYTES, disk.total // 100):
        raise OSError(errno.ENOSPC, f"only {disk.free / 2**20:.0f} MiB are left on the disk, which stay free")


def _writer(path: Path, schema: Any) -> Any:
    dictionary = [name for name in _DICTIONARY if name in schema.names]
    differences = {name: "DELTA_BINARY_PACKED" for name in _DIFFERENCES if name in schema.names}
    return pq.ParquetWriter(
        path, schema, compression="LZ4", use_dictionary=dictionary, column_encoding=differences,
        write_statistics=["meter", "received_ns"], write_batch_size=_ROWS_AT_ONCE,
    )  # fmt: skip


def _joined(tables: list[Any]) -> Any:
    return pa.concat_tables(tables).unify_dictionaries()


def _without_nulls(table: Any) -> Any:
    """The same with a schema that says where there is always something: Parquet then keeps no account of it."""
    schema = pa.schema([field.with_nullable(field.name not in _ALWAYS) for field in table.schema])
    return pa.Table.from_arrays(table.columns, schema=schema)


def _whole(values: NDArray[np.int64], kind: Any, factor: int = 1) -> Any:
    """Whole numbers, days or milliseconds, with nothing where there is none."""
    none = values == NONE
    some = none.any()
    if some and none.all():
        return pa.nulls(len(values), kind)
    width = {8: np.int64, 4: np.int32, 2: np.int16}[kind.bit_width // 8]
    plain = np.where(none, 0, values) if some else values
    scaled = plain if factor == 1 else plain * factor
    return pa.array(scaled.astype(width, copy=False), mask=none if some else None).view(kind)


def _real(values: NDArray[np.float64]) -> Any:
    none = np.isnan(values)
    return pa.nulls(len(values), pa.float64()) if none.all() else pa.array(values, mask=none)


def _named(places: NDArray[np.int64], names: list[str]) -> Any:
    none = places == NONE
    index = pa.array(np.where(none, 0, places).astype(np.int8), mask=none if none.any() else None)
    return pa.DictionaryArray.from_arrays(index, pa.array(names, pa.string()))


# --- reading --------------------------------------------------------------------------------------------------------


def read(folder: Path, kind: str = READINGS, columns: list[str] | None = None) -> Any:
    """All files of a kind in a folder as one pyarrow table, shard by shard and day by day; an empty folder gives None.
    Raises StoreError for a file that is not whole."""
    try:
        paths = sorted(folder.glob(f"{kind}-*.parquet"))
        tables = [pq.read_table(path, columns=columns) for path in paths]
    except (OSError, pa.ArrowInvalid) as error:
        way = way_out("a file is damaged; run the city again", error)
        raise StoreError(f"{folder}: {error}: {way}") from None
    return pa.concat_tables(tables, promote_options="permissive") if tables else None


def _not_asked(where: str, directory: Path) -> Store:
    raise StoreError(
        f"portal.store = {where!r}: columns on disk can be written and read, not asked as a running portal asks; "
        "./wmbench city --depth readings writes them, a world takes sqlite or a postgresql:// URL"
    )


STORE = StoreKind("parquet", "columns on disk, written by ./wmbench city --depth readings", _not_asked)
