"""A gateway and its wired meters on a wire in this process: pairing both ways, sessions, holes, strangers, clocks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sim.core.seeds import Seeds
from sim.pki.link_certificates import LIFE_MOST, made
from sim.smart_metering.lmn import tls_channel
from sim.smart_metering.lmn.tls_channel import LinkRefused, TlsChannel, context
from sim.smart_metering.lmn.wired_bus import FORGETS, WiredBus
from sim.smart_metering.lmn.wired_meter import DRAWN, FED_IN, FREQUENCY, HIGH, LOW, POWER, VOLTAGES, WiredMeter, name_of
from sim.smart_metering.lmn.wired_plan import Plan, WiredSpec, plan
from sim.smart_metering.lmn.wired_store import WiredStore
from sim.smgw.hdlc import decode
from sim.smgw.lmn.bus import FIRST_KEY, meant
from sim.smgw.module.in_world import draws
from sim.smgw.status_words import Gateway

SINCE = datetime(2026, 1, 12, tzinfo=UTC)
START_S = int(SINCE.timestamp())


class Home:
    """A bus of so many meters, its time, and what it told."""

    def __init__(self, folder: Path, count: int = 3, **more: object) -> None:
        self.now_s = START_S
        self.told: list[tuple[str, str, str]] = []
        self.plan: Plan = plan(
            WiredSpec(count, **more), Seeds(3), 0, "gw", folder / "gw",  # type: ignore[arg-type]
            since=SINCE, now_s=lambda: self.now_s, tell=lambda *told: self.told.append(told),
        )  # fmt: skip
        self.bus: WiredBus
        self.store: WiredStore
        self.begin()

    def begin(self) -> None:
        self.bus, self.store = self.plan.open()

    def quarters(self, count: int, ahead_s: int = 0) -> None:
        for _ in range(count):
            self.bus.contact(self.now_s + ahead_s)
            self.now_s += 900

    def has(self, code: object = DRAWN) -> list[int]:
        """Quarter hours of the first meter's values."""
        name = name_of(self.plan.wire.meters[0].server)
        return [(row.at_s - START_S) // 900 for row in self.store.of(name, code)]  # type: ignore[arg-type]


def test_every_value_of_a_meter_is_taken(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.quarters(4)
    meter = home.plan.wire.meters[1]
    for code, register in ((DRAWN, "drawn"), (HIGH, "high"), (LOW, "low"), (FED_IN, "fed_in")):
        rows = home.store.of(name_of(meter.server), code)
        counted = [getattr(meter.house.registers(START_S + 900 * n), register) // 100 for n in range(4)]
        assert [row.entry.value for row in rows] == counted
        assert {(row.entry.scaler, row.entry.unit, row.word) for row in rows} == {(-1, 30, Gateway.MARK)}
    (power, *_) = home.store.of(name_of(meter.server), POWER)
    assert power.entry.value == meter.house.power_w(START_S)
    (third, *_) = home.store.of(name_of(meter.server), VOLTAGES[2])
    assert third.entry.value == meter.house.grid(START_S).voltages[2]
    assert 4_990 < home.store.of(name_of(meter.server), FREQUENCY)[0].entry.value < 5_010
    assert set(home.bus.agreed.values()) == {("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")}
    assert home.told == []


@pytest.mark.parametrize("tls", [True, False])
def test_what_a_cut_wire_kept_back_is_fetched_and_only_that(tmp_path: Path, tls: bool) -> None:
    home = Home(tmp_path, tls=tls)
    home.quarters(2)
    home.plan.wire.cut = True
    home.quarters(100)
    assert home.has() == [0, 1]
    home.plan.wire.cut = False
    home.quarters(1)
    assert home.has() == list(range(103))
    assert home.bus.counts["rows fetched"] == 3 * 100


def test_a_gateway_that_begins_anew_knows_nobody_and_misses_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.quarters(3)
    home.store.close()
    home.now_s += 5 * 900
    home.begin()
    home.quarters(2)
    assert home.has() == list(range(10))
    assert home.told == []


@pytest.mark.parametrize("lost", [FORGETS - 1, FORGETS])
def test_a_new_gateway_finds_meters_that_never_heard_it_begin(tmp_path: Path, lost: int) -> None:
    """They have addresses of the gateway before, and nobody acknowledges what is sent to all."""
    home = Home(tmp_path)
    home.quarters(2)
    home.store.close()
    home.begin()
    left = lost

    def breaks(data: bytes) -> bytes:
        nonlocal left
        left -= 1
        return data if left < 0 else b""

    home.plan.wire.clips.append(breaks)
    home.quarters(2)
    assert home.has() == list(range(4)) and home.bus.reached == {name_of(one) for one in home.bus.paired}


@pytest.mark.parametrize("which", range(12))
def test_a_meter_whose_word_is_lost_while_it_gets_an_address_is_found(tmp_path: Path, which: int) -> None:
    """One piece of the first contact is lost, whichever: its confirmation among them."""
    home = Home(tmp_path)
    pieces = 0

    def breaks(data: bytes) -> bytes:
        nonlocal pieces
        pieces += 1
        return b"" if pieces == which else data

    home.plan.wire.clips.append(breaks)
    home.quarters(3)
    assert home.bus.reached == {name_of(one) for one in home.bus.paired} and home.has() == list(range(3))


def test_a_hole_stays_open_until_it_is_filled(tmp_path: Path) -> None:
    """The wire breaks while rows are fetched: the newest value is not stored before those that lie before it."""
    home = Home(tmp_path, count=1)
    home.quarters(1)
    home.plan.wire.cut = True
    home.quarters(120)
    home.plan.wire.cut = False
    left = 30

    def breaks(data: bytes) -> bytes:
        nonlocal left
        left -= 1
        return data if left > 0 else b""

    home.plan.wire.clips.append(breaks)
    home.quarters(1)
    stored = home.has()
    assert stored == list(range(len(stored))) and len(stored) < 122
    home.plan.wire.clips.clear()
    home.quarters(1)
    assert home.has() == list(range(123))


def test_a_meter_that_lost_its_power_comes_again(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.quarters(2)
    meter = home.plan.wire.meters[0]
    meter.bus.device = None
    meter._forget()
    home.quarters(2)
    assert home.has() == [0, 1, 2, 3]
    assert not any(what == "number twice" for what, _, _ in home.told)


def test_who_is_not_paired_gets_an_address_and_nothing_else(tmp_path: Path) -> None:
    home = Home(tmp_path)
    del home.bus.paired[home.plan.wire.meters[0].server]
    home.quarters(3)
    assert home.has() == []
    assert [what for what, _, _ in home.told] == ["not paired"]
    assert len(home.bus.bus.devices) == 3


def test_another_certificate_than_the_paired_one_gets_no_session(tmp_path: Path) -> None:
    home = Home(tmp_path)
    other = made("an impostor", draws(Seeds(9), "other", "key"), SINCE)
    meter = home.plan.wire.meters[0]
    meter._own = other.write(tmp_path / "other", "meter")
    home.quarters(2)
    assert home.has() == []
    assert ("session refused", name_of(meter.server)) in [told[:2] for told in home.told]
    assert home.bus.counts["refused: certificate"] >= 1
    assert name_of(home.plan.wire.meters[1].server) in home.bus.reached


def test_a_certificate_that_is_too_old_gets_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Home(tmp_path)
    monkeypatch.setattr(WiredMeter, "measure", lambda *_: None)  # seven years of rows
    home.now_s += int(LIFE_MOST.total_seconds()) + 86_400
    home.quarters(1)
    assert home.bus.counts["refused: certificate"] == 3
    with pytest.raises(ValueError, match="2555 days"):
        made("x", draws(Seeds(9), "x", "key"), SINCE, LIFE_MOST + timedelta(days=1))


def test_two_clocks_that_differ_bill_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.quarters(2, ahead_s=27)
    home.quarters(2, ahead_s=28)
    name = name_of(home.plan.wire.meters[0].server)
    words = [row.word & Gateway.TIME_INVALID for row in home.store.of(name, DRAWN)]
    assert words == [0, 0, Gateway.TIME_INVALID, Gateway.TIME_INVALID]


def test_sessions_end_by_age_and_by_what_they_carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_channel, "SESSION_MOST_S", 3_600)
    home = Home(tmp_path, count=1)
    home.quarters(4)
    assert home.bus.counts["sessions"] == 1
    home.quarters(1)
    assert home.bus.counts["sessions"] == 2
    monkeypatch.setattr(tls_channel, "RENEW_AFTER_BYTES", 1)
    home.quarters(2)
    assert home.bus.counts["sessions"] == 4
    assert home.has() == list(range(7))


# --- first keys -----------------------------------------------------------------------------------------------------


def test_a_first_key_is_made_once_and_the_makers_key_is_gone(tmp_path: Path) -> None:
    home = Home(tmp_path, pairing="meter key")
    home.quarters(3)
    assert home.has() == [0, 1, 2]
    assert all(one.makers == b"" and one.counter == 1 and one.certificate for one in home.plan.paired)
    assert all(meter.keys.makers == b"" and meter.keys.end is not None for meter in home.plan.wire.meters)


@pytest.mark.parametrize("lost", ["the message", "its confirmation"])
def test_a_first_key_that_is_lost_on_the_way_is_given_in_the_end(tmp_path: Path, lost: str) -> None:
    home = Home(tmp_path, count=1, pairing="meter key")

    def loses(data: bytes) -> bytes:
        frame = decode(data)
        to, by = meant(frame), frame.source[1] >> 1
        down = to is not None and to[1] == FIRST_KEY and to[0] != 1
        carries = bool(frame.information) and not frame.control & 1
        return b"" if by == FIRST_KEY and carries and down == (lost == "the message") else data

    home.plan.wire.clips.append(loses)
    home.quarters(2)
    assert home.plan.wire.meters[0].keys.makers == (b"" if lost != "the message" else home.plan.paired[0].makers)
    home.plan.wire.clips.clear()
    home.quarters(2)
    assert home.has() == [0, 1, 2, 3]
    assert home.plan.paired[0].makers == b""


def test_a_meter_without_any_key_is_told_of(tmp_path: Path) -> None:
    home = Home(tmp_path, pairing="meter key")
    home.plan.paired[0].makers = b""
    home.quarters(2)
    assert home.has() == []
    assert [told[0] for told in home.told] == ["no key"]


# --- the channel ----------------------------------------------------------------------------------------------------


def channels(folder: Path, damage: Callable[[bytes], bytes] = lambda data: data) -> tuple[TlsChannel, TlsChannel]:
    ends = [made(name, draws(Seeds(4), name, "key"), SINCE) for name in ("gateway", "meter")]
    pairs = [end.write(folder, f"end{at}") for at, end in enumerate(ends)]
    two = [
        TlsChannel(context(pairs[at], ends[1 - at].certificate, server=bool(at)), ends[1 - at].certificate,
                   server=bool(at), now_s=0)
        for at in (0, 1)
    ]  # fmt: skip
    for _ in range(6):
        for one, other in ((0, 1), (1, 0)):
            if data := two[one].out():
                two[other].feed(damage(data))
    return two[0], two[1]


def test_what_is_said_before_the_handshake_is_said_after_it(tmp_path: Path) -> None:
    one, two = channels(tmp_path)
    assert one.up and two.up
    two.say(b"pushed")
    assert one.feed(two.out()) == b"pushed"


def test_a_turned_bit_ends_a_session(tmp_path: Path) -> None:
    one, two = channels(tmp_path)
    two.say(b"pushed")
    data = two.out()
    with pytest.raises(LinkRefused, match="tls"):
        one.feed(data[:-1] + bytes((data[-1] ^ 1,)))


def test_no_other_curve_is_spoken(tmp_path: Path) -> None:
    ends = [made(name, draws(Seeds(4), name, "key"), SINCE) for name in ("gateway", "meter")]
    pairs = [end.write(tmp_path, f"end{at}") for at, end in enumerate(ends)]
    later = context(pairs[0], ends[1].certificate, server=False)
    later.set_ecdh_curve("prime256v1")
    one = TlsChannel(later, ends[1].certificate, server=False, now_s=0)
    asked = context(pairs[1], ends[0].certificate, server=True)
    two = TlsChannel(asked, ends[0].certificate, server=True, now_s=0)
    with pytest.raises(LinkRefused, match="tls"):
        two.feed(one.out())


def test_a_pair_of_another_kind_is_refused(tmp_path: Path) -> None:
    end = made("x", draws(Seeds(4), "x", "key"), SINCE)
    pair = end.write(tmp_path, "own")
    with pytest.raises(LinkRefused, match="pair"):
        context(pair, b"no certificate", server=False)
