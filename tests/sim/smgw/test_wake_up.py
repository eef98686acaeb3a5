"""Wake-ups: one wakes, and each way to be none has its own answer, which nobody outside gets to see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.core.seeds import Seeds
from sim.pki.slot_keys import verifies
from sim.smgw.module.in_world import InWorldModule
from sim.smgw.wake_up import LEAST_S, MOST_BYTES, WINDOW_S, WakeUps, encode

NOW_S = 1_767_222_000
MODULE = InWorldModule(Seeds(5), "administrator")
PUBLIC = MODULE.make_key("SIG")
FOREIGN = InWorldModule(Seeds(6), "somebody")
FOREIGN.make_key("SIG")


def datagram(at_s: int = NOW_S, nonce: int = 1, who: str = "gw-1", by: InWorldModule = MODULE) -> bytes:
    return encode(who, at_s, nonce.to_bytes(8, "big"), lambda body: by.sign("SIG", body))


def gateway(**settings: bool) -> WakeUps:
    return WakeUps("gw-1", lambda body, signature: verifies(PUBLIC, body, signature), **settings)


@pytest.mark.parametrize("off_s", [-WINDOW_S, 0, WINDOW_S])
def test_one_of_its_administrator_in_time_wakes(off_s: int) -> None:
    assert len(datagram()) <= MOST_BYTES
    assert gateway().heed(datagram(NOW_S + off_s), NOW_S) == "woken"


@pytest.mark.parametrize(
    ("packet", "became"),
    [
        (b"", "header"),
        (datagram()[:20], "header"),
        (b"X" + datagram()[1:], "header"),
        (datagram() + bytes(MOST_BYTES), "header"),
        (datagram(who="gw-2"), "recipient"),
        (datagram(by=FOREIGN), "signature"),
        (datagram()[:-1], "signature"),
        (datagram(NOW_S - WINDOW_S - 1), "time"),
        (datagram(NOW_S + WINDOW_S + 1), "time"),
    ],
)
def test_what_is_none_does_not_wake(packet: bytes, became: str) -> None:
    assert gateway().heed(packet, NOW_S) == became


def test_a_replay_is_seen_and_a_flood_is_bounded() -> None:
    box = gateway()
    assert box.heed(datagram(), NOW_S) == "woken"
    assert box.heed(datagram(), NOW_S + 1) == "seen"
    assert [box.heed(datagram(NOW_S, nonce), NOW_S + 2) for nonce in range(2, 50)] == ["rate"] * 48
    later_s = NOW_S + LEAST_S
    assert box.heed(datagram(later_s, 99), later_s) == "woken"
    weak = gateway(remember=False)
    assert [weak.heed(datagram(), NOW_S) for _ in range(3)] == ["woken"] * 3, "the control: no memory, no bound"


@given(st.binary(max_size=300))
def test_nothing_that_arrives_stops_it(packet: bytes) -> None:
    assert gateway().heed(packet, NOW_S) != "woken"
