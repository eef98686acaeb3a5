"""Frames as IQ: what a stream holds, what a program may ask for, and a receiver that nobody here wrote."""

from __future__ import annotations

import itertools
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.core.clock import wall_ns
from sim.core.settings import SpecError, build, read_toml
from sim.feeders.iq_signal import Jammer, Signal, radio_mode
from sim.feeders.kinds import iq_feed
from sim.feeders.kinds.iq_feed import IqFeeder, IqSpec
from sim.feeders.lines.named_pipe import PathSpec
from sim.feeders.lines.rtl_tcp_server import RtlTcpSpec
from sim.feeders.port import FEEDERS, FeederError, FeedGround, Sent
from tests.night import examples
from tests.wmbus.published import telegrams
from wmbus.errors import BadTelegram, CannotEncode
from wmbus.phy import iq, modes
from wmbus.phy.iq_stream import Stream
from wmbus.phy.modes import Mode
from wmbus.phy.rtl_tcp import GREETING, Command, Commands, rate_is_possible

RATE_HZ = 1_600_000
CENTRE_HZ = 868_950_000
PATIENCE_S = 30.0
FRAMES = [telegrams()[n].frame for n in (315, 327, 316, 328)]


def chips_of(samples: iq.Samples, mode: Mode, begin: int, offset_hz: float) -> Any:
    """A discriminator that knows where the first chip begins: the mean frequency of each chip, without the step into
    the next one, behind which there is noise at the frame's end."""
    turn = np.angle(samples[begin + 1 :] * np.conj(samples[begin:-1])) - 2 * np.pi * offset_hz / RATE_HZ
    edge = np.round(np.arange(len(turn) * mode.chip_rate_hz / RATE_HZ) * RATE_HZ / mode.chip_rate_hz).astype(int)
    edge = edge[edge < len(turn)]
    turn[edge[1:] - 1] = 0
    return (np.add.reduceat(turn, edge) > 0).astype(np.uint8)


def signal(**other: Any) -> Signal:
    return Signal(RATE_HZ, CENTRE_HZ, **{"full_scale_dbm": -60.0, "noise_figure_db": 6.0, **other})


# --- samples ------------------------------------------------------------------------------------------------------


@given(
    cuts=st.lists(st.integers(0, 60_000), max_size=8),
    begins=st.lists(st.integers(0, 50_000), min_size=1, max_size=4),
)
@settings(max_examples=examples(8), deadline=None, derandomize=True)
def test_a_stream_is_the_same_however_it_is_cut(cuts: list[int], begins: list[int]) -> None:
    streams = []
    for edges in ([], cuts):
        one = signal(jammer=Jammer(-90.0, CENTRE_HZ + 13e3, 0.004, 0.003), spread_hz=5_000)
        for begin, frame in zip(begins, itertools.cycle(FRAMES), strict=False):
            assert one.send(frame, modes.T1, -80.0, begin) == begin
        edges = sorted({0, *edges, 60_000})
        streams.append(np.concatenate([one.take(b - a) for a, b in itertools.pairwise(edges)]))
    assert np.array_equal(*streams)


@pytest.mark.parametrize("link", ["T1", "C1", "S1"])
@pytest.mark.parametrize("frame_format", ["A", "B"])
def test_every_mode_is_read_from_the_samples_at_its_level_and_frequency(link: Any, frame_format: Any) -> None:
    mode = radio_mode(link, frame_format)
    one = Signal(RATE_HZ, 868_600_000, full_scale_dbm=-60.0, noise_figure_db=6.0)
    assert one.send(FRAMES[0], mode, -66.0, 1_000) == 1_000
    samples = one.take(1_000 + round(one.duration_s(FRAMES[0], mode) * RATE_HZ) + 50)
    assert modes.from_chips(chips_of(samples, mode, 1_000, mode.centre_hz - 868_600_000), mode) == FRAMES[0]
    assert 20 * np.log10(np.abs(samples[2_000:6_000]).mean()) == pytest.approx(-6.0, abs=0.1)
    noise_db = 10 * np.log10((np.abs(samples[:1_000]) ** 2).mean())
    assert noise_db == pytest.approx(one.noise_dbm + 60.0, abs=0.4)
    assert one.noise_dbm == pytest.approx(-106.0, abs=0.1)


def test_what_overlaps_adds_up_and_a_louder_frame_is_read_through_a_weaker() -> None:
    def played(*levels: float | None) -> Any:
        one = signal(noise_figure_db=-60.0)
        for number, level in enumerate(levels):
            if level is not None:
                one.send(FRAMES[number], modes.T1, level, 500 + 700 * number)
        return one.take(30_000)

    both = played(-62.0, -80.0)
    assert np.allclose(both, played(-62.0, None) + played(None, -80.0), atol=2e-5)
    assert modes.from_chips(chips_of(both, modes.T1, 500, 0), modes.T1) == FRAMES[0]
    with pytest.raises(BadTelegram):
        modes.from_chips(chips_of(played(-80.0, -62.0), modes.T1, 500, 0)[:400], modes.T1)


def test_a_frame_whose_crc_is_not_to_fit_is_sent_and_not_read() -> None:
    for mode in modes.MODES.values():
        one = Signal(RATE_HZ, mode.centre_hz, full_scale_dbm=-60.0, noise_figure_db=6.0)
        one.send(FRAMES[0], mode, -66.0, 0, crc_ok=False)
        samples = one.take(round(one.duration_s(FRAMES[0], mode) * RATE_HZ) + 50)
        with pytest.raises(BadTelegram):
            modes.from_chips(chips_of(samples, mode, 0, 0), mode)


def test_what_the_band_cannot_hold_is_refused_and_late_frames_begin_at_once() -> None:
    one = signal()
    with pytest.raises(CannotEncode, match=r"700000 Hz from the centre is beyond half of 1\.2e\+06 samples/s"):
        Signal(1_200_000, CENTRE_HZ, full_scale_dbm=-60.0, noise_figure_db=6.0).send(FRAMES[0], modes.S1, -60.0, 0)
    one.take(500)
    assert one.send(FRAMES[0], modes.T1, -60.0, 10) == 500
    assert Stream(RATE_HZ).take(10).tolist() == [0] * 10
    assert one.tune(centre_hz=CENTRE_HZ + 100_000) == 1  # what was on the air is cut off
    assert one.send(FRAMES[0], modes.T1, -60.0, 500) == 500
    samples = one.take(20_000)
    assert modes.from_chips(chips_of(samples, modes.T1, 0, -100_000), modes.T1) == FRAMES[0]


# --- rtl_tcp --------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1))), st.lists(st.integers(0, 100)))
@settings(max_examples=examples(30), derandomize=True)
def test_commands_come_out_whole_however_they_arrive(told: list[tuple[int, int]], cuts: list[int]) -> None:
    data = b"".join(struct.pack(">BI", *one) for one in told)
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    commands = Commands()
    assert [tuple(one) for a, b in itertools.pairwise([0, *edges]) for one in commands.feed(data[a:b])] == told


@pytest.mark.parametrize(
    ("rate_hz", "possible"),
    [(225_000, False), (225_001, True), (300_000, True), (300_001, False), (900_000, False), (900_001, True),
     (3_200_000, True), (3_200_001, False), (0, False)],
)  # fmt: skip
def test_the_rates_of_the_stick(rate_hz: int, possible: bool) -> None:
    assert rate_is_possible(rate_hz) is possible


@pytest.fixture
def rtl_tcp(tmp_path: Path) -> Iterator[IqFeeder]:
    feeder = FEEDERS.find("iq").open(IqSpec(line=RtlTcpSpec(port=0), spread_hz=0, delay_s=0.1), FeedGround(tmp_path))
    feeder.start()
    yield feeder  # type: ignore[misc]
    feeder.stop()


def dialled(feeder: IqFeeder) -> socket.socket:
    host, _, port = feeder.place.rpartition(":")
    client = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    assert exactly(client, len(GREETING)) == b"RTL0" + struct.pack(">II", 5, 29)
    return client


def exactly(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        assert piece, "the server hung up"
        data += piece
    return data


def until(done: Callable[[], object], step: Callable[[], object] = lambda: time.sleep(0.01)) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not done() and time.monotonic() < end_s:
        step()
    assert done()


def say(client: socket.socket, number: int, argument: int, done: Callable[[], object]) -> None:
    client.sendall(struct.pack(">BI", number, argument & 0xFFFFFFFF))
    until(done, lambda: exactly(client, 2_000))  # a program reads on


def test_a_program_sets_frequency_rate_and_gain_and_is_refused_in_a_sentence(rtl_tcp: IqFeeder) -> None:
    assert "nobody has dialled" in (rtl_tcp.problem or "")
    one = rtl_tcp.signal
    with dialled(rtl_tcp) as client:
        say(client, Command.SAMPLE_RATE, 1_024_000, lambda: one.rate_hz == 1_024_000)
        say(client, Command.FREQUENCY, 868_625_000, lambda: one.centre_hz == 868_625_000)
        say(client, Command.PPM, -10, lambda: one.centre_hz == pytest.approx(868_616_314, abs=1))
        say(client, Command.GAIN, 100, lambda: one.gain_db == 10.0)
        say(client, Command.GAIN_BY_INDEX, 99, lambda: one.gain_db == 49.6)
        say(client, Command.GAIN_MODE, 0, lambda: one.gain_db == 40.0)
        client.sendall(struct.pack(">BI", 77, 1))  # no such command
        refused = "asked for 100 samples/s: an RTL2832U has 225001 to 300000 or 900001 to 3200000 samples/s; it still"
        say(client, Command.SAMPLE_RATE, 100, lambda: refused in (rtl_tcp.problem or ""))
        assert one.rate_hz == 1_024_000
        say(client, Command.TEST_MODE, 1, lambda: "test pattern" in (rtl_tcp.problem or ""))
    with dialled(rtl_tcp) as client:  # it can dial again
        exactly(client, 10_000)


def test_what_is_fed_arrives_over_rtl_tcp_once_and_late_by_the_line_s_own_time(rtl_tcp: IqFeeder) -> None:
    with dialled(rtl_tcp) as client:
        exactly(client, 40_000)
        before = rtl_tcp.signal.stream.position
        ended_ns = wall_ns()
        for frame in FRAMES[:2]:  # one after the other on the air
            ended_ns += 30_000_000
            assert rtl_tcp.feed(Sent(frame, "T1", -70.0, ended_ns))
        assert not rtl_tcp.feed(Sent(bytes(3), "T1", -70.0, ended_ns))
        assert "cannot be sent as IQ" in (rtl_tcp.problem or "")
        data = exactly(client, 2 * (round(0.3 * RATE_HZ) + rtl_tcp.signal.stream.position - before))
    samples = iq.from_bytes(data, "cu8")
    loud = np.flatnonzero(np.abs(samples) > 0.15)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-9_999) > 5_000)]
    assert [modes.from_chips(chips_of(samples, modes.T1, at, 0), modes.T1) for at in begins] == FRAMES[:2]
    assert rtl_tcp.handed.line_ns.tolist() == [100_000_000] * 2
    assert rtl_tcp.handed.lost == 1


def test_while_nobody_listens_frames_are_lost_and_said_to_be(rtl_tcp: IqFeeder) -> None:
    assert rtl_tcp.feed(Sent(FRAMES[0], "T1", -70.0, wall_ns() - 10**9))  # taken: somebody may dial in time
    until(lambda: rtl_tcp.handed.lost)
    assert rtl_tcp.handed.frames == 0
    [torn] = rtl_tcp.handed.torn
    assert torn.frame == FRAMES[0] and not torn.late
    assert torn.why.startswith("nobody took the samples: ") and "nobody has dialled" in torn.why


def test_a_frame_amid_which_the_bench_was_late_is_named_and_the_next_one_is_whole(
    rtl_tcp: IqFeeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread stands still while the first frame is on the air; what was due meanwhile is left out."""
    monkeypatch.setattr(iq_feed, "_BEHIND_S", 0.05)
    take, slept = Signal.take, []

    def slow(one: Signal, count: int) -> Any:
        if one.stream.waiting and not slept and one.stream._waves[0][0] < one.stream.position:
            slept.append(time.sleep(0.3))
        return take(one, count)

    monkeypatch.setattr(Signal, "take", slow)
    with dialled(rtl_tcp) as client:
        exactly(client, 40_000)
        ended_ns = wall_ns() + 50_000_000
        assert rtl_tcp.feed(Sent(FRAMES[0], "T1", -70.0, ended_ns))
        until(lambda: rtl_tcp.handed.torn, lambda: exactly(client, 2_000))
        assert [(one.frame, one.ended_ns, one.late) for one in rtl_tcp.handed.torn] == [(FRAMES[0], ended_ns, True)]
        assert "late and were left out" in rtl_tcp.handed.torn[0].why
        assert (rtl_tcp.handed.lost, rtl_tcp.handed.cut) == (0, 1)
        monkeypatch.setattr(iq_feed, "_BEHIND_S", PATIENCE_S)
        assert rtl_tcp.feed(Sent(FRAMES[1], "T1", -70.0, wall_ns()))
        until(lambda: rtl_tcp.handed.frames == 2, lambda: exactly(client, 2_000))
    assert len(rtl_tcp.handed.torn) == 1


def test_a_frame_that_was_due_while_the_bench_was_late_is_lost_and_not_handed(
    rtl_tcp: IqFeeder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iq_feed, "_BEHIND_S", PATIENCE_S)
    with dialled(rtl_tcp) as client:
        exactly(client, 40_000)
        with rtl_tcp._lock:  # the thread waits meanwhile, and the frame ends
            ended_ns = wall_ns() + 20_000_000
            at = rtl_tcp.signal.stream.position + 200_000
            rtl_tcp.signal.send(FRAMES[0], modes.T1, -70.0, at)
            rtl_tcp._on_air.append(iq_feed._OnAir(at, at + 10_000, ended_ns, FRAMES[0], ended_ns))
            time.sleep(0.4)
            monkeypatch.setattr(iq_feed, "_BEHIND_S", 0.05)
        until(lambda: rtl_tcp.handed.torn, lambda: exactly(client, 2_000))
    assert rtl_tcp.handed.torn[0].late
    assert (rtl_tcp.handed.lost, rtl_tcp.handed.cut, rtl_tcp.handed.frames) == (1, 0, 0)


def test_a_frame_that_is_on_the_air_while_the_program_tunes_is_cut(rtl_tcp: IqFeeder) -> None:
    with dialled(rtl_tcp) as client:
        exactly(client, 40_000)
        assert rtl_tcp.feed(Sent(FRAMES[0], "T1", -70.0, wall_ns() + 10**10))
        say(client, Command.FREQUENCY, 868_625_000, lambda: rtl_tcp.handed.torn)
    [torn] = rtl_tcp.handed.torn
    assert (torn.frame, torn.late, torn.why) == (
        FRAMES[0], False, "the program tuned to another frequency or rate",
    )  # fmt: skip


@pytest.mark.parametrize("sample_format", ["cs8", "cs16", "cf32"])
def test_a_file_for_a_transmitter_holds_the_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample_format: Any
) -> None:
    """However late its blocks are: every one is late here."""
    monkeypatch.setattr(iq_feed, "_BEHIND_S", 0.0)
    spec = IqSpec(line=PathSpec(path="air.iq", is_a="file"), sample_format=sample_format, spread_hz=0, delay_s=0.05)
    feeder = IqFeeder(spec, FeedGround(tmp_path))
    feeder.start()
    assert feeder.feed(Sent(FRAMES[0], "C1", -70.0, wall_ns(), "A"))
    until(lambda: feeder.handed.frames and not feeder.signal.stream.waiting)
    feeder.stop()
    samples = iq.from_bytes((tmp_path / "air.iq").read_bytes(), sample_format)
    begin = int(np.flatnonzero(np.abs(samples) > 0.15)[0])
    assert modes.from_chips(chips_of(samples, modes.C1A, begin, 0), modes.C1A) == FRAMES[0]


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(FeederError, match="rtl_tcp speaks cu8 and not cs8; take another line, or cu8"):
        IqFeeder(IqSpec(sample_format="cs8"), FeedGround(tmp_path)).start()
    with pytest.raises(FeederError, match="rate_hz 400000: an RTL2832U has 225001 to 300000 or"):
        IqFeeder(IqSpec(rate_hz=400_000), FeedGround(tmp_path)).start()
    file = tmp_path / "feed.toml"
    file.write_text('kind = "iq"\nsample_format = "wav"\n', encoding="utf-8")
    with pytest.raises(SpecError, match=r"line 2: sample_format: 'wav' is not one of 'cu8', 'cs8', 'cs16', 'cf32'"):
        build(IqSpec, *read_toml(file))


# --- a receiver that nobody here wrote --------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("rtl_433") is None, reason="rtl_433 is not on the PATH (Debian package rtl-433)")
def test_rtl_433_dials_and_hears_what_is_fed(rtl_tcp: IqFeeder) -> None:
    """Ten telegrams, and a weak one on each: rtl_433 sets rate and frequency itself."""
    command = ["rtl_433", "-d", f"rtl_tcp:{rtl_tcp.place}", "-s", "1600k", "-f", "868.95M", "-R", "104", "-R", "105",
               "-Y", "minmax", "-F", "json"]  # fmt: skip
    strong, weak = FRAMES[0], FRAMES[1]
    heard: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        assert program.stdout is not None
        try:
            until(lambda: rtl_tcp.problem is None)
            time.sleep(0.3)  # it tunes
            for _ in range(10):
                for frame, level_dbm in ((strong, -66.0), (weak, -96.0)):
                    assert rtl_tcp.feed(Sent(frame, "T1", level_dbm, wall_ns()))
                time.sleep(0.08)
            rest = b""
            end_s = time.monotonic() + PATIENCE_S
            while len(heard) < 8 and time.monotonic() < end_s:
                if select.select([program.stdout], [], [], 0.1)[0]:
                    rest += os.read(program.stdout.fileno(), 65_536)
                    *lines, rest = rest.split(b"\n")
                    heard += [json.loads(line) for line in lines]
        finally:
            program.terminate()
    assert len(heard) >= 8, rtl_tcp.problem
    for one in heard:
        assert one["mic"] == "CRC"
        assert bytes.fromhex(one["data"])[1:].startswith(strong[1:-2])
    assert rtl_tcp.handed.lost == 0
