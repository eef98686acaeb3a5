"""A meter that listens: what it obeys, what it refuses, what answering costs; its commands by ciphers not used here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from Crypto.Cipher import AES
from Crypto.Hash import CMAC

from sim.meters.two_way import ACK, RSP_UD, TwoWay, TwoWayMeter, clock_command, request
from sim.radio.link_modes import Mode
from wmbus.link import Address
from wmbus.telegram import parse, read

METER, OTHER, GATEWAY = (
    Address("QDS", "79000001", 0x36, 8),
    Address("QDS", "79000002", 0x36, 8),
    Address("RAD", "1" * 8, 1, 0x37),
)
KEY = bytes(range(16))
NOW = datetime(2026, 1, 12, 8, 15)  # noqa: DTZ001
LATER = NOW + timedelta(hours=1)


def told(meter: TwoWayMeter, command: bytes) -> str:
    before = meter.said.copy()
    meter.hear(command, NOW, 900.0)
    (word,) = meter.said - before
    return word


def command(security: str, **more: object) -> bytes:
    settings = {"key": KEY, "counter": 7} | more
    return clock_command(METER, GATEWAY, LATER, 5, security=security, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("security", ["none", "mode5", "mode7"])
def test_a_command_in_the_agreed_mode_sets_the_clock(security: str) -> None:
    meter = TwoWayMeter(TwoWay(address=METER, security=security, key=KEY))  # type: ignore[arg-type]
    answer = meter.hear(command(security), NOW, 900.0)
    assert meter.clock_offset_s == 3_600.0
    assert answer[1] == ACK
    shown = read(meter.telegram(NOW, 900.0), KEY).record(bytes.fromhex("046d"))
    assert shown is not None and shown.value == LATER


def test_what_is_not_agreed_is_refused() -> None:
    spec = TwoWay(address=METER, security="mode7", key=KEY)
    assert told(TwoWayMeter(spec), command("none")) == "refused: none, agreed was mode7"
    assert told(TwoWayMeter(spec), command("mode5")) == "refused: mode5, agreed was mode7"
    assert told(TwoWayMeter(spec), command("mode7", key=bytes(16))) == "refused: mac-wrong"
    assert told(TwoWayMeter(replace(spec, security="mode5")), command("mode5", key=bytes(16))) == "refused: wrong-key"
    assert told(TwoWayMeter(replace(spec, takes_clear=True)), command("none")) == "clock set"
    meter = TwoWayMeter(spec)
    for strange in (
        clock_command(OTHER, GATEWAY, LATER, 5, security="mode7", key=KEY, counter=7),
        b"",
        b"\x05\x53\x01",
    ):
        assert meter.hear(strange, NOW, 900.0) == b""
    assert not meter.said and meter.clock_offset_s == 0.0


def test_a_telegram_of_a_meter_is_no_command_to_it() -> None:
    """The keys of the two directions are other ones."""
    meter = TwoWayMeter(TwoWay(address=METER, security="mode7", key=KEY))
    frame = bytearray(meter.telegram(NOW, 900.0))
    frame[1] = 0x53
    assert meter.hear(bytes(frame), NOW, 900.0) == b"" and meter.clock_offset_s == 0.0


def test_a_command_is_good_once_where_a_counter_is_kept() -> None:
    meter = TwoWayMeter(TwoWay(address=METER, security="mode7", key=KEY))
    assert told(meter, command("mode7", counter=7)) == "clock set"
    assert told(meter, command("mode7", counter=7)) == "refused: counter seen before"
    assert told(meter, command("mode7", counter=6)) == "refused: counter seen before"
    assert told(meter, command("mode7", counter=8)) == "clock set"
    careless = TwoWayMeter(TwoWay(address=METER, security="mode7", key=KEY, keeps_counter=False))
    assert [told(careless, command("mode7")) for _ in range(2)] == ["clock set"] * 2


def test_answers_are_limited_by_the_hour() -> None:
    meter = TwoWayMeter(TwoWay(address=METER, security="mode5", key=KEY, answers_an_hour=2))
    answers = [meter.hear(request(METER, GATEWAY, 1), NOW, at_s) for at_s in (10.0, 20.0, 30.0, 3_611.0)]
    assert [answer[1:2] for answer in answers] == [bytes((RSP_UD,)), bytes((RSP_UD,)), b"", bytes((RSP_UD,))]
    assert read(answers[0], KEY).records[0].value == 0


def test_a_cell_empties_by_what_is_done() -> None:
    meter = TwoWayMeter(
        TwoWay(address=METER, security="none", key=KEY, sleeping_ma=0.01, sending_ma=36.0, listening_ma=18.0)
    )
    assert meter.used_mah(3_600.0) == pytest.approx(0.01)
    meter.listened(2.0, 100.0)
    meter.sent(40, Mode.T1, 200.0)
    assert meter.used_mah(50.0) == pytest.approx(0.01 * 50 / 3_600)
    assert meter.used_mah(100.0) == pytest.approx((0.01 * 100 + 36) / 3_600)
    assert meter.used_mah(3_600.0) > 0.02
    assert meter.own_life_years() > meter.life_years(1.0, 3_600.0)


def test_a_command_in_mode_7_by_other_ciphers() -> None:
    """KDF-A with the constants of the way to the meter (10, 11), CMAC and CBC as pycryptodome has them."""
    frame = command("mode7")
    telegram = parse(frame)
    afl, transport = telegram.afl, telegram.transport
    assert afl is not None and transport is not None and afl.mac is not None
    counter, id_wire = (7).to_bytes(4, "little"), METER.wire()[2:6]
    keys = [
        CMAC.new(KEY, bytes((constant,)) + counter + id_wire + b"\x07" * 7, AES).digest() for constant in (0x10, 0x11)
    ]
    assert CMAC.new(keys[1], b"\x25" + counter + frame[transport.offset :], AES).digest()[:8] == afl.mac
    plaintext = AES.new(keys[0], AES.MODE_CBC, bytes(16)).decrypt(telegram.payload)
    assert plaintext == bytes.fromhex("2f2f046d") + bytes.fromhex("0f094c31") + b"\x2f" * 8
