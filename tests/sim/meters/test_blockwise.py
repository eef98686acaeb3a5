"""The one pass of fill, cipher and CRC: what its blocks could get wrong, held to single telegrams row for row."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest

from arrays import ciphers
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters.fill_kernels import BLOCK
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from sim.meters.meter_type import kinds
from wmbus.link import add_crcs_a
from wmbus.sender import build

MIDNIGHT = 96  # about the telegram of an interval of 900 s with which the first day ends


def _fleet(security: Security, meters: int, type_: str = "vipa-c10") -> Fleet:
    return Fleet([FleetSpec("one", type_, meters, security=security)], Seeds(6), start=datetime(2025, 12, 30))  # noqa: DTZ001


def _by(engine: ciphers.Engine, fleet: Fleet, meter: object, k: object, *, crcs: bool) -> list[bytes]:
    ciphers.use(engine)
    try:
        made = fleet.telegrams(np.asarray(meter), np.asarray(k), crcs=crcs)
        return [made[row] for row in range(len(made))]
    finally:
        ciphers.use(None)


def _single(fleet: Fleet, meter: np.ndarray, k: np.ndarray, *, crcs: bool) -> list[bytes]:  # type: ignore[type-arg]
    made = [fleet.telegram(one, number) for one, number in zip(meter.tolist(), k.tolist(), strict=True)]
    return [add_crcs_a(telegram) for telegram in made] if crcs else made


@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
@pytest.mark.parametrize("rows", [1, 7, 8, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 9])
def test_any_number_of_rows(security: Security, rows: int) -> None:
    fleet = _fleet(security, 2 * BLOCK + 9)
    meter, k = np.arange(fleet.n)[::-1][:rows].copy(), np.arange(rows) % 40
    for crcs in (False, True):
        assert _by(ciphers.engines()[0], fleet, meter, k, crcs=crcs) == _single(fleet, meter, k, crcs=crcs)


@pytest.mark.parametrize("engine", ciphers.engines())
def test_rows_of_two_days_are_both_compiled(engine: ciphers.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the night of the set date, when every latched value changes."""
    fleet = _fleet("mode5", 400)
    meter, k = np.arange(400), np.full(400, 2 * MIDNIGHT - 1)
    days = np.unique(fleet.clocks_ms(meter, fleet.starts(meter, k)) // 86_400_000)
    assert len(days) == 2
    wanted = _single(fleet, meter, k, crcs=True)

    def never(*_arguments: object) -> None:
        raise AssertionError("made one at a time")

    monkeypatch.setattr(Fleet, "telegram", never)
    assert _by(engine, fleet, meter, k, crcs=True) == wanted


@pytest.mark.parametrize("engine", ciphers.engines())
def test_rows_of_many_days_in_any_order(engine: ciphers.Engine) -> None:
    rng = np.random.default_rng(1)
    for one in kinds().values():
        fleet = _fleet("mode5" if "mode5" in one.securities else "none", 60, one.id)
        meter, k = rng.integers(0, 60, 250), rng.integers(0, 6 * MIDNIGHT, 250)
        assert _by(engine, fleet, meter, k, crcs=True) == _single(fleet, meter, k, crcs=True)


def test_the_same_for_rows_with_gaps_and_for_rows_that_are_read_only() -> None:
    fleet = _fleet("mode5", 300)
    meter, k = np.arange(300), np.arange(300) % 50
    frozen = k.copy()
    frozen.setflags(write=False)
    wanted = _single(fleet, meter, k, crcs=True)
    engine = ciphers.engines()[0]
    assert _by(engine, fleet, meter[::2], k[::2], crcs=True) == wanted[::2]
    assert _by(engine, fleet, meter, frozen, crcs=True) == wanted


@pytest.mark.parametrize("engine", ciphers.engines())
def test_a_meter_that_is_not_there(engine: ciphers.Engine) -> None:
    fleet = _fleet("mode5", 20)
    with pytest.raises(IndexError):
        _by(engine, fleet, [3, 20], [0, 0], crcs=True)


@pytest.mark.parametrize(("security", "k", "meter"), [("mode5", 33, 1_942), ("mode5", 50, 720), ("mode7", 105, 651)])
def test_ciphertext_like_plain_text_is_made_again(
    security: Security, k: int, meter: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One telegram in 65 536 begins 2F2F; these were searched for."""
    fleet = _fleet(security, 2_000)
    begin = len(fleet.telegram(0, 0)) - 64
    with monkeypatch.context() as careless:
        careless.setattr("sim.meters.fleet.build", lambda *args, **more: build(*args, **more, avoid_2f2f=False))
        assert fleet.telegram(meter, k)[begin : begin + 2] == b"\x2f\x2f"
    near = np.arange(meter - 200, min(meter + 200, 2_000))
    made = _by(ciphers.engines()[0], fleet, near, np.full(len(near), k), crcs=False)
    assert made[200] == fleet.telegram(meter, k)
    assert made == _single(fleet, near, np.full(len(near), k), crcs=False)
