"""A link of two ends over frames that are lost, damaged, doubled: every octet arrives, in order, once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.core.seeds import Seeds
from sim.smgw.hdlc import Frame, decode
from sim.smgw.lmn.bus import GATEWAY, SML, TLS, frame
from sim.smgw.lmn.bus_link import DISC, DM, INFORMATION_MOST_BYTES, POLL, SILENT_MOST, SNRM, UA, Primary, Secondary

DEVICE = 5
LONG = bytes(range(256)) * 11


def once(one: Primary, two: Secondary, damage: Callable[[Frame], Frame | None] = lambda sent: sent) -> None:
    """One question and its answer."""
    sent = damage(one.next())
    answer = None
    if sent is not None:
        answer = two.answer(sent) or two.poll()
    one.heard(damage(answer) if answer is not None else None)


def both(lose: Callable[[], bool] = lambda: False, rounds: int = 400) -> tuple[bytes, bytes, Primary]:
    """Octets of both directions, and what came of them."""
    one, two = Primary(DEVICE, SML), Secondary(DEVICE, SML)
    one.say(LONG)
    begun, down, up = 0, b"", b""
    for _ in range(rounds):
        one.silent = 0
        once(one, two, lambda sent: None if lose() else decode(sent.encode()))
        down += two.take()
        up += one.take()
        if two.up and begun != two.begun:  # what is above a link that was begun anew says it again
            two.say(LONG[::-1])
            begun, down = two.begun, b""
    assert not one.has_more and not two.has_more
    return down, up, one


def test_octets_arrive_in_both_directions() -> None:
    down, up, one = both()
    assert (down, up) == (LONG, LONG[::-1])
    assert one.repeats == 0 and one.begun == 1 and one.idle
    assert len(LONG) > 2 * INFORMATION_MOST_BYTES


@pytest.mark.parametrize("seed", range(20))
def test_each_octet_arrives_once_whatever_is_lost(seed: int) -> None:
    """Two of five frames are lost, in either direction."""
    at = iter(range(100_000))
    down, up, one = both(lambda: int(Seeds(seed).one_below("lost", 5, next(at))) < 2)
    assert (down, up) == (LONG, LONG[::-1])
    assert one.repeats > 0


def test_a_meter_that_lost_its_power_says_so_and_is_begun_anew() -> None:
    one, two = Primary(DEVICE, TLS), Secondary(DEVICE, TLS)
    once(one, two)
    assert one.up and two.up
    two = Secondary(DEVICE, TLS)
    once(one, two)  # DM
    assert not one.up
    once(one, two)
    assert one.up and one.begun == 2 and two.begun == 1


def test_the_controls_that_stand_on_the_wire() -> None:
    one, two = Primary(DEVICE, SML), Secondary(DEVICE, SML)
    assert one.next().control == SNRM
    answer = two.answer(one.next())
    assert answer is not None and answer.control == UA
    one.heard(answer)
    assert one.next().control == 0x11  # RR, N(R) 0, polled
    one.say(b"x")
    assert (one.next().control, one.next().information) == (0x10, b"x")
    assert two.answer(one.end()).control == UA  # type: ignore[union-attr]
    assert two.answer(one.end()).control == DM  # type: ignore[union-attr]
    assert one.end().control == DISC


@pytest.mark.parametrize(
    "strange",
    [
        frame(GATEWAY, DEVICE + 1, SML, b"", 0x11),
        frame(GATEWAY, DEVICE, TLS, b"", 0x11),
        frame(DEVICE, GATEWAY, SML, b"", 0x11),
        frame(GATEWAY, DEVICE, SML, b"", 0x19),
        frame(GATEWAY, DEVICE, SML, b"x", 0x13),
    ],
)
def test_what_is_not_of_this_meter_is_silence(strange: Frame) -> None:
    one, two = Primary(DEVICE, SML), Secondary(DEVICE, SML)
    once(one, two)
    for _ in range(SILENT_MOST):
        assert not one.is_lost
        one.heard(strange)
    assert one.is_lost and one.take() == b""


def test_an_answer_to_no_link_does_not_begin_one() -> None:
    one = Primary(DEVICE, SML)
    one.heard(frame(GATEWAY, DEVICE, SML, b"", 0x11))
    assert not one.up
    assert Secondary(DEVICE, SML).answer(frame(DEVICE, GATEWAY, SML, b"x", POLL)).control == DM  # type: ignore[union-attr]
