"""Arrays between two pages that nobody may touch: compiled code that reads or writes one byte beside them is killed.

    python -m tests.edges

Everything that works on raw addresses is called with arrays whose last byte, then whose first, is the last or first
that may be touched; both engines of ciphers must make the same. `test_edges` runs this as a process of its own, with
freed memory overwritten (MALLOC_PERTURB_), so that who still reads it makes something else.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import product
from typing import Any, Final

import numpy as np

from arrays import build_telegrams, ciphers
from sim.core.seeds import Seeds
from sim.meters import telegram_batch as many
from sim.meters.fill_kernels import BLOCK
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from sim.portal.decrypt_batch import Opening
from sim.portal.keyring import Keyring
from sim.portal.meter_registry import Registry
from sim.portal.meter_table import MeterTable
from sim.portal.opener import Opener
from sim.portal.portal_spec import PortalSpec
from sim.portal.reception_batch import Batch
from tests.sim.portal.bed import CALENDAR
from tests.sim.portal.twins import GATEWAYS, entries_of, fleet_of_everything
from wmbus.link import length_a

ROWS: Final = (0, 1, 8, 15, 16, 17, 128, 129)
_libc = ctypes.CDLL(None, use_errno=True)


def guarded(array: Any, *, at_end: bool) -> Any:
    """A copy, which ends where memory ends or begins where it begins."""
    pages = -(-max(array.nbytes, 1) // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 2) * mmap.PAGESIZE)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, pages + 1):
        if _libc.mprotect(ctypes.c_void_p(begin + page * mmap.PAGESIZE), mmap.PAGESIZE, 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    offset = mmap.PAGESIZE + (pages * mmap.PAGESIZE - array.nbytes if at_end else 0)
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    return copy


def edges_of_ciphers(rng: np.random.Generator, *, at_end: bool) -> None:
    def some(*shape: int) -> Any:
        return guarded(rng.integers(0, 256, shape, dtype=np.uint8), at_end=at_end)

    for n in ROWS:
        keys, iv, ids = some(n, 16), some(n, 16), some(n, 4)
        counters = guarded(rng.integers(0, 1 << 32, n, dtype=np.uint32), at_end=at_end)
        alike(_derived, keys, counters, ids)
        for blocks in (0, 1, 2, 15):
            gaps = some(n, 16 * blocks + 3)[:, 3:]
            for work, rows in product((ciphers.encrypt_cbc, ciphers.decrypt_cbc), (some(n, 32), gaps)):
                alike(work, keys, iv, rows)
        for size in (0, 1, 15, 16, 17, 32, 100):
            alike(ciphers.cmac, keys, some(n, size))
            padded = some(n, max(1, (size + 15) // 16) * 16)
            alike(partial(ciphers.cmac_padded, size=size), keys, padded)
    for size in range(10, 257):
        n = ROWS[size % len(ROWS)]
        alike(build_telegrams.add_crcs_a_many, some(n, size), some(n, length_a(size - 1)))


def _derived(*given: Any) -> Any:
    return np.hstack(ciphers.derive_pair(*given))


def alike(make: Callable[..., Any], *given: Any) -> None:
    """Every engine gives the same, or where it gives nothing leaves the same in the last array."""
    before, told = [one.copy() for one in given], []
    for engine in reversed(ciphers.engines()):
        for one, was in zip(given, before, strict=True):
            one[...] = was
        ciphers.use(engine)
        made = make(*given)
        told.append(given[-1].copy() if made is None else made.copy())
    ciphers.use(None)
    assert all(np.array_equal(one, told[0]) for one in told)


def fleets(*, at_end: bool) -> None:
    """Every type in every mode, output, meters and their tables guarded."""
    for one in kinds().values():
        for security in one.securities:
            group = FleetSpec("one", one.id, BLOCK + 1, security=security)
            fleet = Fleet([group], Seeds(3), start=datetime(2025, 12, 30))  # noqa: DTZ001
            who = fleet.population
            assert len(who.packed)  # so that it is guarded too
            for name, value in vars(who).items():
                if isinstance(value, np.ndarray):
                    setattr(who, name, guarded(value, at_end=at_end))
            for n, crcs in product((1, 17, BLOCK + 1), (False, True)):
                meter, k = (guarded(rows, at_end=at_end) for rows in (np.arange(BLOCK + 1)[:n], np.arange(n) % 130))
                size = many._on_air(int(who.length_bytes[0]), crcs)
                block = guarded(np.zeros((n, size), np.uint8), at_end=at_end)
                alike(partial(_filled, fleet, meter, k, crcs), block)


def _filled(fleet: Fleet, meter: Any, k: Any, crcs: bool, block: Any) -> None:
    many._fill(fleet, 0, meter, k, block, crcs)


def portal(rng: np.random.Generator, *, at_end: bool) -> None:
    """Telegrams of every type and mode, and of every length that is too short for what they say."""
    fleet = fleet_of_everything(1)
    keys = {fleet.address(meter): fleet.key(meter) for meter in range(fleet.n)}
    keyring = Keyring({address: key for address, key in keys.items() if key is not None})
    registry, spec = Registry(entries_of(fleet)), PortalSpec()
    opener = Opener(spec, CALENDAR, keyring, registry)
    opening = Opening(spec, CALENDAR, MeterTable.of(registry, keyring, GATEWAYS), opener)
    whole = [fleet.telegram(meter, 0) for meter in range(fleet.n)]
    cut = [raw[:size] for raw in whole[::3] for size in range(len(raw))]
    said = [bytes((len(raw) - 1,)) + raw[1:] for raw in cut if raw]
    bent = []
    for raw in said:
        bits = np.where(rng.random(len(raw)) < 0.1, rng.integers(0, 256, len(raw)), 0)
        bits[:10] = 0
        bent.append(bytes(byte ^ bit for byte, bit in zip(raw, bits.tolist(), strict=True)))
    for raw in whole + cut + said + bent:
        data = guarded(np.frombuffer(raw, np.uint8), at_end=at_end)
        one, nothing = np.array([len(raw)], dtype=np.int64), np.zeros(1, dtype=np.int64)
        heard = Batch(data, nothing, one, nothing, nothing, nothing)
        _, row, mode, place = opening.scan(heard)
        if mode[0] >= 0:
            opening.open(heard, nothing, row, mode, place)
        opening.forget()


def stack(rng: np.random.Generator) -> None:
    """No row costs stack: a thread that has little of it works on many."""
    keys, plain = (rng.integers(0, 256, (20_000, 16), dtype=np.uint8) for _ in range(2))

    def there_and_back() -> None:
        for engine in ciphers.engines():
            ciphers.use(engine)
            rows = plain.copy()
            for work in (ciphers.encrypt_cbc, ciphers.decrypt_cbc):
                work(keys, None, rows)
            done.append(np.array_equal(rows, plain))
        ciphers.use(None)

    done: list[bool] = []
    threading.stack_size(256 << 10)
    thread = threading.Thread(target=there_and_back)
    thread.start()
    thread.join()
    assert done and all(done)


if __name__ == "__main__":
    stack(np.random.default_rng(2))
    for at_end in (True, False):
        dice = np.random.default_rng(1)
        edges_of_ciphers(dice, at_end=at_end)
        fleets(at_end=at_end)
        portal(dice, at_end=at_end)
