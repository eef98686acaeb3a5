"""Whatever arrives, the portal lives, and one telegram never blocks another."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bench.fuzz.mutations import HUGE, changed_text, mutate, record
from sim.core.bundle import UP, Birth
from sim.endpoint.port import Message
from sim.portal import reasons
from sim.portal.opener import Opener
from sim.portal.portal_spec import PortalSpec
from sim.portal.quarantine import culprits
from sim.portal.store_port import fingerprint
from tests.night import examples
from tests.sim.portal.bed import INTERVAL_S, KEY, METER, START, Bed, acked, bcd, telegram
from tests.sim.portal.twins import entries_of, one_of_each
from wmbus.dates import encode_f
from wmbus.telegram import build

MUTANTS, A_TAKE = examples(4_000), 400


def clock(at_s: float) -> bytes:
    return b"\x04\x6d" + encode_f((START + timedelta(seconds=at_s)).replace(tzinfo=None))


NOW, AT_SET_DATE = b"\x05\x6e" + HUGE, b"\x0b\x6e" + bcd(1, 3) + b"\x45\x6e" + HUGE + b"\x42\x6c\x5f\x2c"


@pytest.mark.parametrize("beyond", [NOW, AT_SET_DATE])
@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
def test_a_number_beyond_all_counting_is_refused(tmp_path: Path, beyond: bytes, security: Any) -> None:
    """It used to stop the portal for good, and with it everybody's telegrams of the same bundle."""
    b = Bed(tmp_path, security=security)
    key = None if security == "none" else KEY
    raw = build(METER, 1, 0, beyond + clock(900.0), security=security, key=key, counter=1)
    acks = b.take(b.message("gw1", [(raw, 900.0), (telegram(2, security=security), 1_800.0)]), now_s=1_810.0)
    assert acked(acks[0])
    assert [(row.reason, row.telegram) for row in b.portal.store.refusals()] == [(reasons.OUTSIDE, raw)]
    assert b.portal.store.count_readings() == 1


def test_what_cannot_be_handled_is_put_aside_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poison = [telegram(k) for k in (3, 9, 10)]
    opened = Opener.open

    def fails(opener: Opener, raw: bytes) -> Any:
        if raw in poison:
            raise ZeroDivisionError("nobody thought of this")
        return opened(opener, raw)

    monkeypatch.setattr(Opener, "open", fails)
    b = Bed(tmp_path, PortalSpec(whole_address=False, age_max_s=86_400.0))
    heard = [(telegram(k), k * INTERVAL_S) for k in range(1, 13)]
    acks = b.take(b.message("gw1", heard[:6]), b.message("gw2", heard[6:]), now_s=13 * INTERVAL_S)
    assert [ack.topic for ack in acks] == ["gw/gw1/ack", "gw/gw2/ack"]
    aside = b.portal.store.refusals(reasons.QUARANTINED)
    wanted = list(zip(poison, ("gw1", "gw2", "gw2"), strict=True))
    assert [(row.telegram, row.gateway) for row in aside] == wanted
    assert {row.detail for row in aside} == {"ZeroDivisionError: nobody thought of this"}
    assert b.portal.store.count_readings() == 9
    assert b.portal.counts["refused: quarantined"] == 3
    assert b.portal.counts["stored"] == 9
    b.restart()
    assert b.hear(telegram(14), 14 * INTERVAL_S) is None


def test_what_raises_in_company_only_is_halved_until_it_does_not() -> None:
    def trial(some: Any) -> str:
        return "together" if {2, 7} <= set(some) else ""

    found = culprits(range(10), trial, "together")
    assert 7 in found and 2 not in found
    assert culprits([4], trial, "alone") == {4: "alone"}


def _mutant(dice: random.Random, k: int) -> bytes:
    """A telegram of some meter, its records or its bytes changed; under its own key where there is one."""
    fleet = one_of_each()
    meter = dice.randrange(fleet.n - 1)
    if dice.randrange(2):
        records = b"".join(record(dice) for _ in range(dice.randrange(1, 5)))
        if dice.randrange(2):
            records += clock((k + 1) * INTERVAL_S)
        return build(
            fleet.address(meter), dice.randrange(256), dice.randrange(256), records[:200],
            security=fleet.security(meter), key=fleet.key(meter), counter=dice.choice((k, k + 1, 2**32 - 1)),
        )  # fmt: skip
    return mutate(fleet.telegram(meter, k), dice)


def test_thousands_of_mutants_and_genuine_service_is_kept(tmp_path: Path) -> None:
    dice, fleet = random.Random(7), one_of_each()
    keys = {fleet.address(m): key for m in range(fleet.n) if (key := fleet.key(m)) is not None}
    b = Bed(tmp_path, entries=entries_of(fleet, gateways=("gw1",)), keys=keys)
    genuine = stored = 0
    for k in range(MUTANTS // A_TAKE):
        at_s = fleet.start_ns(0, k) / 1e9 + 5
        heard = [(_mutant(dice, k), at_s + dice.choice((0.0, 0.0, -2e9, 4e9))) for _ in range(A_TAKE)]
        meter = fleet.n - 1  # no mutant comes in its name
        heard.append((fleet.telegram(meter, k), fleet.start_ns(meter, k) / 1e9))
        message = b.message("gw1", heard)
        assert acked(b.take(message, now_s=at_s + INTERVAL_S)[0])
        genuine += 1
        stored += bool(b.portal.store.readings_of(fingerprint(fleet.telegram(meter, k))))
    refused = b.portal.store.refused_by_reason()
    assert reasons.QUARANTINED not in refused
    assert {reasons.OUTSIDE, reasons.BAD_RECORDS, reasons.NO_VALUE, reasons.BAD_MAC, reasons.BAD_CIPHER} <= set(refused)
    assert stored == genuine


def test_mutants_of_messages(tmp_path: Path) -> None:
    dice = random.Random(5)
    b = Bed(tmp_path)
    sources = [b.message("gw1", [(telegram(1), 900.0)]).payload, Birth("gw1", "gw1.1", 1).encode()]
    for n in range(examples(600)):
        body = changed_text(dice.choice(sources), dice)
        b.take(Message(dice.choice((UP, "gw/{gateway}/birth")).format(gateway="gw1"), body), now_s=float(n))
    assert b.hear(telegram(9), 9 * INTERVAL_S) is None
