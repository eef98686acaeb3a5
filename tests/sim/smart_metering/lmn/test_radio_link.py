"""Security profile C between a radio meter and its gateway: values come, whatever is lost; nothing else is believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sim.smart_metering.lmn import radio_frames
from sim.smart_metering.lmn.radio_registers import records_of
from sim.smart_metering.lmn.tls_channel import SESSION_MOST_S
from tests.oracles.mode13_in_words import message_in_words
from tests.sim.smart_metering.lmn.radio_rig import GATEWAY, METER, NOW_S, Pair, end, losing, registers
from wmbus import mode13
from wmbus.dissect import parse
from wmbus.link import Address
from wmbus.telegram import build

DAY_S = 86_400
QUARTER_S = 900


def pair(tmp_path: Path, **given: bool) -> Pair:
    return Pair(tmp_path, **given)  # type: ignore[arg-type]


def test_a_handshake_and_values_in_one_cycle_and_four_frames_after_that(tmp_path: Path) -> None:
    both = pair(tmp_path)
    assert both.cycle() == 22
    assert both.taken == [registers(NOW_S)] and both.told == []
    assert both.cycle(NOW_S + QUARTER_S) == 4
    assert both.taken[1:] == [registers(NOW_S + QUARTER_S)]
    live = both.link.sessions.live
    assert live is not None and live.agreed == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")


def test_every_message_is_read_by_a_parser_of_other_words(tmp_path: Path) -> None:
    both = pair(tmp_path)
    both.cycle()
    messages: list[list[bytes]] = []
    for _, frame in both.frames:
        telegram = parse(frame)
        if frame[1] & ~radio_frames.FCB in (radio_frames.SND_UD, radio_frames.RSP_UD) and telegram.afl is not None:
            if telegram.afl.fragment in (0, 1):
                messages.append([])
            messages[-1].append(frame)
    said = [message_in_words(one) for one in messages]
    kinds = [{kind for kind, _ in one["records"]} for one in said]
    assert kinds == [{22}, {22}, {20, 22}, {20, 22}, {23}]
    assert [one["ci"] for one in said] == [0x5F, 0x9E, 0x5F, 0x9E, 0x7A]
    assert {one["mode"] for one in said} == {13}
    assert [one.get("receiver") for one in said] == [METER.wire().hex(), None] * 2 + [None]


def test_no_handshake_is_longer_than_another_on_the_air(tmp_path: Path) -> None:
    lengths = set()
    for number in range(8):
        both = pair(tmp_path / str(number))
        both.cycle()
        lengths.add(tuple(len(frame) for _, frame in both.frames))
    assert len(lengths) == 1


@pytest.mark.parametrize("seed", range(4))
def test_lost_frames_cost_repetitions_and_no_value(tmp_path: Path, seed: int) -> None:
    both = pair(tmp_path)
    both.to_gateway, both.to_meter = losing(0.25, seed), losing(0.25, seed + 100)
    for number in range(6):
        both.cycle(NOW_S + number * QUARTER_S)
    assert both.taken == [registers(NOW_S + number * QUARTER_S) for number in range(6)]
    assert both.link.sessions.counts["full"] == 1 and not any("refused" in one for one in both.meter.counts)


def test_a_cycle_that_breaks_off_is_begun_anew_by_a_short_handshake(tmp_path: Path) -> None:
    both = pair(tmp_path)
    both.cycle()
    both.to_gateway = lambda frame: b"" if frame[1] == radio_frames.RSP_UD else frame
    both.cycle(NOW_S + QUARTER_S)
    assert len(both.taken) == 1
    both.to_gateway = lambda frame: frame
    long, short = 22, both.cycle(NOW_S + 2 * QUARTER_S)
    assert both.taken[1:] == [registers(NOW_S + 2 * QUARTER_S)] and short < long
    for number in range(3, 6):
        both.cycle(NOW_S + number * QUARTER_S)
    assert len(both.taken) == 5


def test_a_broken_session_is_resumed_and_its_time_goes_on(tmp_path: Path) -> None:
    both = pair(tmp_path)
    both.cycle()
    both.link.sessions.break_off()
    assert both.cycle(NOW_S + 20 * DAY_S) == 10
    assert both.link.sessions.counts == {"full": 1, "resumed": 1}
    live = both.link.sessions.live
    assert live is not None and not live.is_over(NOW_S + SESSION_MOST_S - 1) and live.is_over(NOW_S + SESSION_MOST_S)
    assert both.cycle(NOW_S + SESSION_MOST_S) == 22, "after 31 days a full handshake"
    assert both.link.sessions.counts["full"] == 2 and len(both.taken) == 3


@pytest.mark.parametrize("who", ["meter", "gateway"])
def test_after_a_power_cut_there_is_a_new_session(tmp_path: Path, who: str) -> None:
    both = pair(tmp_path)
    both.cycle()
    if who == "meter":
        both.meter.lose_power()
    else:
        both.power_on()
    both.cycle(NOW_S + QUARTER_S)
    assert both.taken[-1] == registers(NOW_S + QUARTER_S) and len(both.taken) == 2
    assert both.meter.sessions.counts["full"] + both.meter.sessions.counts["resumed"] == 2


def test_a_wrong_certificate_is_refused_and_the_meter_keeps_its_session(tmp_path: Path) -> None:
    both = pair(tmp_path / "own")
    both.cycle()
    foreign = Pair(tmp_path / "foreign", shown=end("another gateway"))
    foreign.meter = both.meter  # the same meter before a gateway that is not its own
    foreign.cycle(NOW_S + 100)
    assert foreign.taken == [] and foreign.link.sessions.live is None
    refused = [name for name in both.meter.sessions.counts if name.startswith("refused")]
    assert refused and foreign.told and "session refused" in foreign.told[0][0]
    before = len(both.frames)
    both.cycle(NOW_S + QUARTER_S)
    assert both.taken[-1] == registers(NOW_S + QUARTER_S)
    assert len(both.frames) - before == 4, "its session goes on"


def test_a_certificate_that_is_over_begins_no_session(tmp_path: Path) -> None:
    both = pair(tmp_path)
    assert both.cycle(NOW_S + 8 * 365 * DAY_S) > 0
    refused = "session refused", "certificate: it is not valid now; a new pair is due"
    assert both.taken == [] and both.told[0] == refused


def flipped(frame: bytes) -> bytes:
    return frame[:-1] + bytes((frame[-1] ^ 1,)) if frame[1] == radio_frames.RSP_UD else frame


@pytest.mark.parametrize("when", ["handshake", "values"])
def test_a_flipped_bit_ends_a_session_and_alters_no_value(tmp_path: Path, when: str) -> None:
    both = pair(tmp_path)
    if when == "values":
        both.cycle()
    taken = len(both.taken)
    both.to_gateway = flipped
    both.cycle(NOW_S + QUARTER_S)
    assert len(both.taken) == taken and both.told
    both.to_gateway = lambda frame: frame
    both.cycle(NOW_S + 2 * QUARTER_S)
    both.cycle(NOW_S + 3 * QUARTER_S)
    assert both.taken[-1] == registers(NOW_S + 3 * QUARTER_S)


def _again(frames: list[bytes]) -> Callable[[bytes], bytes]:
    """Recorded answers in place of those that come, with the access numbers that are asked for."""
    waiting = list(frames)

    def change(frame: bytes) -> bytes:
        if frame[1] == radio_frames.RSP_UD and waiting:
            return radio_frames.numbered(waiting.pop(0), frame[12])
        return frame

    return change


def test_a_replayed_message_is_refused_and_believed_where_mode_0_was_agreed(tmp_path: Path) -> None:
    for plain in (False, True):
        both = pair(tmp_path / str(plain), sealed=not plain, plain=plain)
        both.cycle()
        recorded = [frame for who, frame in both.frames if who == "meter" and frame[1] == radio_frames.RSP_UD][-1:]
        both.to_gateway = _again(recorded)
        both.cycle(NOW_S + QUARTER_S)
        assert (len(both.taken) == 2 and both.taken[0] == both.taken[1]) is plain
        assert any("tls" in detail for _, detail in both.told) is not plain
        both.to_gateway = lambda frame: frame
        for number in (2, 3):
            both.cycle(NOW_S + number * QUARTER_S)
        assert both.taken[-1] == registers(NOW_S + 3 * QUARTER_S)


def test_what_says_less_than_was_agreed_is_believed_where_nothing_is_pinned(tmp_path: Path) -> None:
    false = registers(NOW_S)._replace(drawn=1)
    clear = build(METER, 5, 0, records_of(false), security="none")
    stripped = parse(build(METER, 5, 0, records_of(false), security="none"))
    header = bytes.fromhex("7a050010")  # CI, ACC, STS, N
    body = b"\x44" + METER.wire() + header + bytes((13, mode13.RECORDS)) + stripped.payload
    for pinned in (True, False):
        both = pair(tmp_path / str(pinned), pinned=pinned)
        for frame in (clear, bytes((len(body),)) + body):
            assert both.link.hear(frame, NOW_S) == b""
        assert both.taken == ([] if pinned else [false, false])
        assert bool(both.told) is pinned


def test_another_meters_frames_and_other_gateways_change_nothing(tmp_path: Path) -> None:
    both = pair(tmp_path)
    other = Address("WMB", "63000002", 1, 2)
    assert both.link.hear(radio_frames.demand(other, 1, channel=True), NOW_S) == b""
    assert both.link.hear(radio_frames.request(GATEWAY, METER, radio_frames.REQ_UD2, 1), NOW_S) == b""
    assert both.meter.hear(radio_frames.request(GATEWAY, other, radio_frames.REQ_UD2, 1), NOW_S) == b""
    assert not both.link.counts and not both.told


def test_a_demand_that_somebody_forged_ends_no_session(tmp_path: Path) -> None:
    both = pair(tmp_path)
    both.cycle()
    for number in range(3):
        forged = radio_frames.demand(METER, 100 + number, channel=True)
        assert both.link.hear(forged, NOW_S + 100)[1] & ~radio_frames.FCB == radio_frames.SND_UD, "a client hello"
    assert both.cycle(NOW_S + QUARTER_S) == 4 and len(both.taken) == 2


def test_no_frame_raises_anything(tmp_path: Path) -> None:
    both = pair(tmp_path)
    both.cycle()
    noise = [bytes((at * 37 + number) % 256 for at in range(40)) for number in range(60)]
    genuine = [frame for _, frame in both.frames]
    for number, frame in enumerate(genuine * 3):
        broken = bytearray(frame)
        broken[10 + number % (len(frame) - 10)] ^= 1 << number % 8
        noise.append(bytes(broken))
    for frame in noise:
        both.link.hear(frame, NOW_S)
        both.meter.hear(frame, NOW_S)
    for number in range(1, 4):
        both.cycle(NOW_S + number * QUARTER_S)
    assert both.taken[-1] == registers(NOW_S + 3 * QUARTER_S)


def _moved(frame: bytes, to: int) -> bytes:
    """Another fragment's number."""
    return frame[:15] + bytes((to,)) + frame[16:] if frame[13] == 0x90 and frame[15] in (2, 3) else frame


def _less_announced(frame: bytes) -> bytes:
    first = frame[13:15] == b"\x90\x05" and frame[16] == 0x70
    return frame[:18] + (210).to_bytes(2, "little") + frame[20:] if first else frame


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda frame: _moved(frame, 3), "refused: fragment"),  # the second is missing
        (lambda frame: _moved(frame, 1), "refused: fragment"),  # a first one in the midst, which begins anew
        (lambda frame: _moved(frame, 2), "refused: fragment"),  # the second comes twice
        (_less_announced, "refused: fragment"),  # more than was announced
    ],
)
def test_fragments_that_do_not_fit_are_refused_and_the_next_cycle_goes_well(
    tmp_path: Path, change: Callable[[bytes], bytes], reason: str
) -> None:
    both = pair(tmp_path)
    both.to_gateway = lambda frame: change(frame) if frame[1] == radio_frames.RSP_UD else frame
    both.cycle()
    assert both.taken == [] and [what for what, _ in both.told] == [reason], both.told
    both.to_gateway = lambda frame: frame
    both.cycle(NOW_S + QUARTER_S)
    assert both.taken == [registers(NOW_S + QUARTER_S)]
