"""Frames in, what a gateway reads out: each format over each line, and everything that can befall the line."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import pytest

from sim.core.clock import wall_ns
from sim.feeders.kinds.codec import CodecFeeder, CodecSpec
from sim.feeders.lines.named_pipe import PathSpec
from sim.feeders.lines.port import BUFFER_BYTES, LINES, LineSpec
from sim.feeders.lines.pty import PtySpec
from sim.feeders.lines.serial import SerialSpec
from sim.feeders.lines.stdin import StdinSpec
from sim.feeders.lines.tcp import TcpSpec
from sim.feeders.port import FEEDERS, FeederError, FeedGround, Sent
from sim.lines.codecs.port import CODECS
from tests.sim.feeders.gateway_side import SETUP, TO_S1, GatewaySide, until

HEADER = bytes.fromhex("4493157856341233037a")


def frame(length: int = 40, mark: int = 0) -> bytes:
    """L and so many bytes that it counts, after a genuine link header; `mark` tells them apart."""
    body = HEADER + bytes((mark,)) + bytes(range(200, 200 - max(0, length - 11), -1)) if length <= 200 else b""
    if length > 200:
        body = HEADER + bytes((mark,)) + bytes(i * 7 & 0xFF for i in range(length - 11))
    return bytes((length,)) + body[:length]


def sent(one: bytes, *, rssi_dbm: float = -71.5, mode: str = "T1", crc_ok: bool = True) -> Sent:
    return Sent(one, mode, rssi_dbm, wall_ns(), crc_ok=crc_ok)  # type: ignore[arg-type]


@contextlib.contextmanager
def feeding(tmp_path: Path, format_: str = "im871a", line: LineSpec | None = None):
    spec = CodecSpec(format=format_, line=line or PtySpec())
    feeder = FEEDERS.find("codec").open(spec, FeedGround(tmp_path))
    assert isinstance(feeder, CodecFeeder)
    feeder.start()
    try:
        yield feeder
    finally:
        feeder.stop()
        feeder.stop()


def configured(feeder: CodecFeeder, format_: str) -> GatewaySide:
    gateway = GatewaySide(feeder.place, format_)
    for command, answer_bytes in SETUP[format_]:
        say(feeder, gateway, command, answer_bytes)
    assert until(lambda: feeder.problem is None)
    return gateway


def say(feeder: CodecFeeder, gateway: GatewaySide, command: bytes, answer_bytes: int) -> None:
    heard = feeder.heard_bytes + len(command)
    gateway.say(command)
    assert until(lambda: feeder.heard_bytes == heard)
    assert len(gateway.read(answer_bytes)) == answer_bytes, command


@pytest.mark.parametrize("line", [PtySpec(), TcpSpec()], ids=["pty", "tcp"])
@pytest.mark.parametrize("format_", SETUP)
def test_a_gateway_reads_what_ended_on_the_air(tmp_path: Path, format_: str, line: LineSpec) -> None:
    frames = [frame(length, mark) for mark, length in enumerate((10, 11, 40, 125, 126, 127, 224, 225, 254))]
    with feeding(tmp_path, format_, line) as feeder:
        gateway = configured(feeder, format_)
        assert all(feeder.feed(sent(one)) for one in frames), feeder.problem
        got = gateway.receptions(len(frames))
        gateway.close()
        assert [one.frame for one in got] == frames
        if format_ in ("im871a", "amb8465", "cul", "rtl_wmbus"):
            assert {one.rssi_dbm for one in got} == {-71.5}
        else:
            assert {one.rssi_dbm for one in got} == {None}, "no level is invented"
        assert feeder.handed.frames == len(frames)
        assert feeder.handed.lost == 0
        bits = CODECS.find(format_).baud
        assert (sum(feeder.handed.line_ns) > 0) == (bits is not None)


@pytest.mark.parametrize(("dbm", "read_dbm"), [(-71.3, -71.5), (-122.0, -122.0), (5.0, 5.0), (-200.0, -122.5)])
def test_a_dongles_byte_rounds_the_level(tmp_path: Path, dbm: float, read_dbm: float) -> None:
    with feeding(tmp_path) as feeder:
        gateway = configured(feeder, "im871a")
        feeder.feed(sent(frame(), rssi_dbm=dbm))
        assert [one.rssi_dbm for one in gateway.receptions(1)] == [read_dbm]
        gateway.close()


@pytest.mark.parametrize(("format_", "passes"), [("rtl_wmbus", True), ("im871a", False), ("rtl_433-json", False)])
def test_a_broken_frame_passes_only_where_it_can_be_marked(tmp_path: Path, format_: str, passes: bool) -> None:
    with feeding(tmp_path, format_) as feeder:
        gateway = configured(feeder, format_)
        assert feeder.feed(sent(frame(), crc_ok=False)) is passes
        assert feeder.handed.lost == 0, "its receiver never said it"
        if passes:
            assert gateway.read(60).startswith(b"T1;0;")
        gateway.close()


def test_a_frame_that_is_no_telegram_goes_as_it_is(tmp_path: Path) -> None:
    """L says one thing, its bytes another: what a receiver with a fault hands on."""
    odd = bytes((90,)) + frame(30)[1:]
    with feeding(tmp_path, "rc1180") as feeder:
        gateway = configured(feeder, "rc1180")
        assert feeder.feed(sent(odd))
        assert gateway.read(len(odd)) == odd
        gateway.close()


def test_a_dongle_hears_the_mode_it_was_set_to(tmp_path: Path) -> None:
    with feeding(tmp_path) as feeder:
        gateway = configured(feeder, "im871a")
        assert feeder.feed(sent(frame(), mode="C1"))
        assert not feeder.feed(sent(frame(), mode="S1"))
        assert "does not hear S1" in (feeder.problem or "")
        assert gateway.receptions(1)
        say(feeder, gateway, *TO_S1)
        assert feeder.feed(sent(frame(), mode="S1"))
        assert feeder.problem is None
        gateway.close()


def test_what_is_sent_while_nobody_listens_is_lost(tmp_path: Path) -> None:
    with feeding(tmp_path) as feeder:
        assert not feeder.feed(sent(frame()))
        assert "nobody has opened" in (feeder.problem or "")
        for _ in range(3):  # it comes, goes and comes again
            gateway = configured(feeder, "im871a")
            assert feeder.problem is None
            assert feeder.feed(sent(frame()))
            assert len(gateway.receptions(1)) == 1
            gateway.close()
            assert until(lambda: feeder.problem is not None)
            assert not feeder.feed(sent(frame()))
        assert feeder.handed.lost == 4


def test_a_gateway_that_does_not_read_costs_whole_frames_only(tmp_path: Path) -> None:
    with feeding(tmp_path, "rtl_wmbus") as feeder:
        gateway = GatewaySide(feeder.place, "rtl_wmbus")
        count = 0
        while feeder.feed(sent(frame(200, count & 0xFF))):
            count += 1
            assert count < 10 * BUFFER_BYTES // 400, "a buffer has an end"
        assert "does not read" in (feeder.problem or "")
        got = gateway.receptions(count)
        assert [one.frame for one in got] == [frame(200, mark & 0xFF) for mark in range(count)]
        assert until(lambda: feeder.problem is None)
        assert feeder.feed(sent(frame()))
        gateway.close()


def test_a_mute_dongle_neither_speaks_nor_answers(tmp_path: Path) -> None:
    with feeding(tmp_path) as feeder:
        gateway = configured(feeder, "im871a")
        feeder.mute = True
        say(feeder, gateway, SETUP["im871a"][0][0], 0)
        assert not feeder.feed(sent(frame()))
        assert "mute" in (feeder.problem or "")
        feeder.mute = False
        say(feeder, gateway, *SETUP["im871a"][0])
        assert not gateway.read(1, 0.05), "one answer, to the second question"
        gateway.close()


def test_an_unplugged_dongle_comes_back_as_new(tmp_path: Path) -> None:
    with feeding(tmp_path) as feeder:
        gateway = configured(feeder, "im871a")
        say(feeder, gateway, *TO_S1)
        assert feeder.feed(sent(frame(), mode="S1"))
        feeder.unplug()
        assert not os.path.lexists(feeder.place)
        assert "unplugged" in (feeder.problem or "")
        assert not feeder.feed(sent(frame()))
        gateway.close()
        feeder.plug()
        gateway = configured(feeder, "im871a")
        assert feeder.feed(sent(frame(), mode="C1"))
        gateway.close()


def test_noise_from_the_gateway_stops_nothing(tmp_path: Path) -> None:
    for format_ in ("im871a", "amb8465", "cul", "rc1180"):
        with feeding(tmp_path, format_) as feeder:
            gateway = GatewaySide(feeder.place, format_)
            for seed in range(40):
                noise = bytes((seed * 37 + i * i * 11) & 0xFF for i in range(97))
                before = feeder.heard_bytes
                gateway.say(noise)
                assert until(lambda before=before: feeder.heard_bytes >= before + 97)
            gateway.close()


def test_a_dialler_that_comes_again_takes_the_place_of_the_first(tmp_path: Path) -> None:
    with feeding(tmp_path, "rtl_wmbus", TcpSpec()) as feeder:
        assert "nobody has dialled" in (feeder.problem or "")
        first = GatewaySide(feeder.place, "rtl_wmbus")
        assert until(lambda: feeder.feed(sent(frame(mark=1))))
        assert first.receptions(1)
        second = GatewaySide(feeder.place, "rtl_wmbus")
        assert until(
            lambda: first.read(1, 0.02) == b"" and feeder.feed(sent(frame(mark=2))) and bool(second.read(1, 0.1))
        )
        first.close()
        second.close()
        assert until(lambda: feeder.problem is not None)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(FeederError, match=rf"127.0.0.1:{port}: Address already in use; .* another port"),
            feeding(tmp_path, "cul", TcpSpec(port=port)),
        ):
            pass


def test_a_serial_port_is_a_real_one_and_ours_alone(tmp_path: Path) -> None:
    """The other side of a pseudo terminal is as good as a port with a cable."""
    gateway, port = os.openpty()
    name = os.ttyname(port)
    with feeding(tmp_path, "im871a", SerialSpec(path=name)) as feeder:
        assert feeder.problem is None
        with (
            pytest.raises(FeederError, match="another program has it open"),
            feeding(tmp_path, "im871a", SerialSpec(path=name)),
        ):
            pass
        os.write(gateway, SETUP["im871a"][0][0])
        assert until(lambda: feeder.heard_bytes == 4)
        assert feeder.feed(sent(frame()))
        os.close(port)
        os.close(gateway)
        assert until(lambda: "was unplugged" in (feeder.problem or ""))
        assert not feeder.feed(sent(frame()))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: SerialSpec(path=str(folder / "none")), "not plugged in"),
        (lambda folder: SerialSpec(path="/dev/null"), "no serial port"),
        (lambda folder: PtySpec(link="a-file"), "somebody else"),
        (lambda folder: PathSpec(path="a-file/pipe"), "name another path"),
    ],
)
def test_a_line_that_cannot_be_is_said_in_one_sentence(tmp_path: Path, make, says: str) -> None:
    (tmp_path / "a-file").write_text("mine")
    with pytest.raises(FeederError, match=says) as raised, feeding(tmp_path, line=make(tmp_path)):
        pass
    assert "\n" not in str(raised.value)
    assert (tmp_path / "a-file").read_text() == "mine"


@pytest.mark.parametrize("is_a", ["pipe", "file"])
def test_a_path_is_read_by_whoever_opens_it(tmp_path: Path, is_a: str) -> None:
    with feeding(tmp_path, "rtl_wmbus", PathSpec(path="lines", is_a=is_a)) as feeder:
        if is_a == "pipe":
            assert not feeder.feed(sent(frame()))
            assert "nobody reads" in (feeder.problem or "")
        reader = os.open(tmp_path / "lines", os.O_RDONLY | os.O_NONBLOCK)
        assert feeder.feed(sent(frame(mark=3)))
        line = os.read(reader, 4_096)
        assert frame(mark=3).hex().encode() in line
        os.close(reader)
    assert (tmp_path / "lines").exists() is (is_a == "file")


def test_a_new_start_has_a_new_standard_input(tmp_path: Path) -> None:
    with feeding(tmp_path, "rtl_wmbus", StdinSpec()) as feeder:
        assert "does not run" in (feeder.problem or "")
        for mark in range(2):
            theirs, ours = os.pipe()
            feeder.attach(ours)
            assert feeder.feed(sent(frame(mark=mark)))
            assert frame(mark=mark).hex().encode() in os.read(theirs, 4_096)
            os.close(theirs)
            assert until(lambda: "closed its standard input" in (feeder.problem or ""))
            assert not feeder.feed(sent(frame()))


def test_every_line_is_found_with_its_settings() -> None:
    assert set(LINES.parts()) == {"http_post", "mqtt_publish", "path", "pty", "rtl_tcp", "serial", "stdin", "tcp"}
    with pytest.raises(TypeError, match="settings of class TcpSpec"):
        LINES.find("tcp").open(PtySpec(), Path())
