"""Single rules of the air, one small world each: what a person can work out with pencil and paper."""

from __future__ import annotations

import numpy as np
import pytest
from small_air import AIR_TIME_NS, Stage, radios, sorted_schedule

from sim.core.events import Fate
from sim.radio.fleet_frames import FleetFrames
from sim.radio.link_modes import Mode, air_time_ns, header_ns
from sim.radio.site import Site
from sim.radio.site_spec import SiteSpec

T = AIR_TIME_NS
END = 10**9


def fates_of(stage: Stage) -> list[str]:
    """Fates in the order of start, source, receiver."""
    return [Fate(f).name for f in stage.table()[:, 4]]


def play(*starts_ns: int, power_cdbm=None, demodulators=0, **settings) -> Stage:
    """One frame a meter, one receiver."""
    count = len(starts_ns)
    fleet = radios(count)
    if power_cdbm is not None:
        fleet.power_cdbm[:] = power_cdbm
    stage = Stage(count, fleet=fleet, **settings)
    stage.listen(demodulators=demodulators)
    stage.run(sorted_schedule(starts_ns, np.arange(count), np.zeros(count)), END)
    return stage


def test_a_frame_alone_arrives_with_bytes_time_and_level():
    stage = play(1_000)
    (receiver, telegram, end_ns, level_cdbm), = stage.heard
    assert (receiver, telegram, end_ns) == (0, b"0/0", 1_000 + T)
    assert level_cdbm == 700 - 5878 + 2800 - round(2800 * np.log10(30))
    assert (stage.sent, stage.caught) == (1, 1)


@pytest.mark.parametrize(("gap_ns", "fate"), [(0, "RECEIVED"), (-1, "COLLISION")])
def test_intervals_are_half_open(gap_ns, fate):
    assert fates_of(play(5, 5 + T + gap_ns)) == [fate, fate]


def test_the_stronger_frame_survives_from_the_capture_threshold_on():
    assert fates_of(play(0, 100, power_cdbm=[1_270, 400])) == ["RECEIVED", "COLLISION"]
    assert fates_of(play(0, 100, power_cdbm=[1_269, 400])) == ["COLLISION", "COLLISION"]
    assert fates_of(play(0, 100, power_cdbm=[700, 400], capture_cdb=300)) == ["RECEIVED", "COLLISION"]


def test_interferers_add_up_only_while_they_meet():
    # each of two interferers is 9 dB down (survivable at 8.7 dB), together 6 dB down (not survivable)
    together, apart = (0, T // 2, T // 2 + 10), (T, 1, 2 * T - 1)
    assert fates_of(play(*together, power_cdbm=[900, 0, 0]))[0] == "COLLISION"
    assert fates_of(play(*apart, power_cdbm=[900, 0, 0]))[1] == "RECEIVED"


def test_one_demodulator_follows_the_first_frame_in_range():
    weak_first = play(0, 100, power_cdbm=[-300, 1_400], demodulators=1)
    assert fates_of(weak_first) == ["COLLISION", "RECEIVER_BUSY"]
    assert fates_of(play(0, 100, power_cdbm=[-300, 1_400], demodulators=2)) == ["COLLISION", "RECEIVED"]


def test_frames_that_begin_together_are_taken_in_the_order_of_sources():
    assert fates_of(play(0, 0, power_cdbm=[500, 1_400], demodulators=1)) == ["COLLISION", "RECEIVER_BUSY"]


def test_a_frame_out_of_range_is_no_frame_for_a_demodulator_but_it_disturbs():
    stage = Stage(2, fleet=radios(2))
    stage.air.radios.power_cdbm[:] = [-3_700, 700]
    stage.listen(sensitivity_cdbm=-9_500)
    stage.run(sorted_schedule([0, 100], [0, 1], [0, 0]), END)
    assert fates_of(stage) == ["OUT_OF_RANGE", "RECEIVED"]


def test_modes_on_one_channel_disturb_each_other_and_s1_stands_apart():
    fleet = radios(3)
    fleet.mode[:] = [Mode.T1, Mode.C1, Mode.S1]
    stage = Stage(3, fleet=fleet)
    stage.listen(demodulators=0)
    stage.listen(links=[Mode.C1], demodulators=1)
    stage.run(sorted_schedule([0, 50, 60], [0, 1, 2], [0, 0, 0]), END)
    rows = [(int(r[1]), int(r[3]), Fate(r[4]).name) for r in stage.table()]
    assert rows == [(0, 0, "COLLISION"), (1, 0, "COLLISION"), (1, 1, "COLLISION"), (2, 0, "RECEIVED")]


def test_a_gateway_that_is_down_at_any_moment_of_a_frame_loses_it():
    # frames at 0, 2T, 4T, 6T; the receiver is down from the very end of the first to the middle of the third
    stage = Stage(4)
    number = stage.listen()

    def cut():
        yield stage.env.timeout(T)
        stage.air.receivers[number].up = False
        yield stage.env.timeout(3 * T + T // 2)
        stage.air.receivers[number].up = True

    stage.env.process(cut())
    stage.run(sorted_schedule([0, 2 * T, 4 * T, 6 * T], range(4), [0] * 4), END)
    assert fates_of(stage) == ["RECEIVED", "GATEWAY_DOWN", "GATEWAY_DOWN", "RECEIVED"]


def test_a_power_cut_frees_the_demodulator():
    stage = Stage(2, fleet=radios(2, Mode.S1), capture_cdb=-20_000)
    number = stage.listen()

    def blink():
        yield stage.env.timeout(100)
        stage.air.receivers[number].up = False
        yield stage.env.timeout(100)
        stage.air.receivers[number].up = True

    stage.env.process(blink())
    stage.run(sorted_schedule([0, 300], [0, 1], [0, 0]), END)
    assert fates_of(stage) == ["GATEWAY_DOWN", "RECEIVED"]


def test_a_jammer_that_suffices_alone_is_the_reason():
    stage = Stage(3)
    stage.listen(demodulators=0)
    jammer = stage.air.add_transmitter(np.array([8.0, 0, 1.0]))
    seen = []
    stage.air.taps.append(lambda e, receiver, fate, level: seen.append((e.jammer, receiver, fate, e.telegram)))

    def jam():
        yield stage.env.timeout(10)
        stage.air.emit(jammer, 0, Mode.T1, 0, 1_000, duration_ns=T, jammer=True)
        yield stage.env.timeout(10 * T)
        stage.air.emit(jammer, 1, Mode.T1, 0, -4_000, duration_ns=T, jammer=True)

    stage.env.process(jam())
    stage.run(sorted_schedule([0, 10 * T, 11 * T - 1], range(3), [0] * 3), END)
    assert fates_of(stage) == ["JAMMED", "COLLISION", "COLLISION"]
    assert stage.sent == 3
    assert seen == [(True, 0, Fate.JAMMED, b"")] * 2, "taps are told of bursts, not of lost frames of the fleet"


def test_a_jammer_does_not_hear_itself_nor_hold_a_demodulator():
    stage = Stage(1)
    ear = stage.listen(x=60.0, demodulators=1)
    jammer = stage.air.add_transmitter(np.array([60.0, 0, 1.0]))
    stage.listen(x=61.0)
    stage.air.emit(jammer, 0, Mode.T1, 0, 1_000, duration_ns=END, jammer=True)
    stage.run(sorted_schedule([50], [0], [0]), END)
    assert [(int(r[3]), Fate(r[4]).name) for r in stage.table()] == [(ear, "RECEIVED"), (1, "JAMMED")]


def test_a_visitor_sends_frames_like_anyone_and_gateways_alone_are_counted():
    stage = Stage(1, gateways=1)
    stage.listen()
    ear = stage.listen(x=3.0)
    visitor = stage.air.add_transmitter(np.array([4.0, 4.0, 1.0]))

    def speak():
        yield stage.env.timeout(3 * T)
        stage.air.emit(visitor, 7, Mode.C1, 12, 500, frame=b"forged bytes")

    stage.env.process(speak())
    stage.run(sorted_schedule([0], [0], [0]), END)
    assert [(r[0], r[1]) for r in stage.heard] == [(0, b"0/0"), (ear, b"0/0"), (0, b"forged bytes"),
                                                   (ear, b"forged bytes")]  # fmt: skip
    assert (stage.sent, stage.caught, stage.fates) == (2, 2, {"received": 2})
    assert stage.table()[1].tolist()[:4] == [3 * T, 1, 7, 0]


def test_a_reactive_attacker_knows_the_header_while_the_frame_is_on_the_air():
    stage = Stage(2, gateways=1)
    stage.listen(x=1.0)
    spot = np.array([0.0, 2.0, 1.0])
    jammer = stage.air.add_transmitter(spot)
    seen = []

    def on_header(header, now_ns, level_cdbm, mode, remaining_ns):
        seen.append((header, now_ns, mode, remaining_ns))
        if header == b"1/0":
            stage.air.emit(jammer, 0, Mode.T1, 0, 1_000, duration_ns=remaining_ns, jammer=True)

    stage.air.add_receiver("trigger", spot, -10_000, [Mode.T1], lambda *_: None, on_header, demodulators=0)
    stage.run(sorted_schedule([0, 3 * T, 3 * T + 4 * T], [0, 1, 0], [0, 0, 1]), END)
    known = header_ns(Mode.T1)
    assert seen[:2] == [(b"0/0", known, Mode.T1, T - known), (b"1/0", 3 * T + known, Mode.T1, T - known)]
    assert fates_of(stage) == ["RECEIVED", "JAMMED", "RECEIVED"]


def test_a_header_that_was_destroyed_is_not_told():
    stage = Stage(2)
    seen = []
    stage.listen(demodulators=0, on_header=lambda *told: seen.append(told[0]))
    stage.run(sorted_schedule([0, 5, 10 * T, 10 * T + header_ns(Mode.T1)], [0, 1, 0, 1], [0, 0, 1, 1]), END)
    assert seen == [b"0/1"]


def test_bytes_are_asked_once_and_only_when_somebody_received():
    stage = Stage(3)
    asked = []
    stage.air._medium.frames = FleetFrames(lambda m, k: asked.append((m, k)) or b"x" * 12)
    stage.listen(x=1.0)
    stage.listen(x=2.0)
    stage.run(sorted_schedule([0, 3 * T, 3 * T + 1], range(3), [4, 5, 6]), END)
    assert asked == [(0, 4)]
    assert len(stage.heard) == 2


def test_a_receiver_added_while_the_world_runs_hears_what_begins_afterwards():
    stage = Stage(3)
    stage.listen()

    def late():
        yield stage.env.timeout(2 * T + 5)
        stage.listen(x=2.0)

    stage.env.process(late())
    stage.run(sorted_schedule([0, 2 * T, 4 * T], range(3), [0] * 3), END)
    assert [(int(r[1]), int(r[3])) for r in stage.table()] == [(0, 0), (1, 0), (2, 0), (2, 1)]
    assert stage.sent == 3


def test_links_that_are_out_of_reach_are_not_counted():
    spec = SiteSpec()
    site = Site(spec, 20, 1)
    far = site.meters + np.array([1e6, 0, 0])
    stage = Stage(20, positions=far)
    stage.listen()
    stage.run(sorted_schedule(np.arange(20) * 2 * T, range(20), [0] * 20), END)
    assert len(stage.air.links) == 0
    assert (stage.sent, stage.caught, stage.fates) == (20, 0, {})


def test_what_cannot_be_sent_is_refused():
    stage = Stage(2)
    stage.listen()
    with pytest.raises(ValueError, match="sorted"):
        stage.air.play(sorted_schedule([0, 1], [0, 1], [0, 0]).__class__(np.array([1, 0]), np.array([0, 1]),
                                                                         np.array([0, 0])))  # fmt: skip
    with pytest.raises(ValueError, match="outside the fleet"):
        stage.air.play(sorted_schedule([0], [2], [0]))
    with pytest.raises(ValueError, match="needs a duration"):
        stage.air.emit(0, 0, Mode.T1, 0, 0, jammer=True)
    with pytest.raises(ValueError, match="no transmitter 9"):
        stage.air.emit(9, 0, Mode.T1, 12, 0)
    with pytest.raises(ValueError, match="cannot have length"):
        stage.air.emit(0, 0, Mode.T1, 12, 0, frame=b"short")
    stage.run(sorted_schedule([0], [0], [0]), END)
    with pytest.raises(ValueError, match="too late"):
        stage.air.play(sorted_schedule([0], [0], [0]))


def test_air_time_is_the_default_duration():
    stage = Stage(1)
    assert stage.air.emit(0, 0, Mode.S1, 31, 700).end_ns == air_time_ns(Mode.S1, 31)
