"""The ledger: what is noted can be asked for by fingerprint, meter and time, and stays on the disk."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.portal.store import StoreError, fingerprint
from sim.radio.emissions import Emission
from sim.radio.link_modes import Mode
from sim.truth.ledger import Ledger, Sent, Spoken


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = Ledger(tmp_path / "truth")
    yield made
    made.close()


def frame(source: int, k: int, start_ns: int, telegram: bytes = b"") -> Emission:
    raw = telegram or b"%d/%d" % (source, k)
    return Emission(source, k, Mode.T1, start_ns, start_ns + 5, len(raw), 0, lambda *_: raw)


def test_a_telegram_is_one_row_whoever_received_it_and_whenever_that_was_written(ledger: Ledger) -> None:
    one = frame(3, 7, 100)
    for gateway, received in ((None, 0), (0, 1), (None, 1)):
        ledger.hear(one, gateway=gateway)
        ledger.flush(1_000)
        assert ledger.received() == received
    mark = fingerprint(b"3/7")
    assert list(ledger.sent()) == [Sent(mark, 3, 7, 100, gateways=1)]
    assert ledger.firsts([mark])[mark] == Sent(mark, 3, 7, 100, gateways=1)
    assert not ledger.firsts([fingerprint(b"another")])


def test_a_sending_names_every_gateway_that_received_it(ledger: Ledger) -> None:
    for gateway, bits in ((0, 1), (2, 0b101), (None, 0b101), (61, 0b101 | 1 << 61), (4_000, 0b101 | 1 << 61)):
        ledger.hear(frame(3, 7, 100), gateway=gateway)
        ledger.flush(1_000)
        assert [sent.gateways for sent in ledger.sent()] == [bits]


def test_what_only_an_attacker_received_is_known_and_not_received(ledger: Ledger) -> None:
    ledger.hear(frame(1, 0, 50), gateway=None)
    ledger.flush(1_000)
    assert ledger.firsts([fingerprint(b"1/0")])
    assert list(ledger.sent()) == []
    assert ledger.sendings([fingerprint(b"1/0")]) == {}


def test_it_is_asked_by_time_and_meter(ledger: Ledger) -> None:
    for k in range(4):
        for meter in (2, 1):
            ledger.hear(frame(meter, k, 100 * k + meter), gateway=0)
    ledger.flush(1_000)
    assert [(s.meter, s.k) for s in ledger.sent(100, 300)] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    assert [s.k for s in ledger.sent(101, 301, meter=1)] == [1, 2]
    ledger.hear(frame(3, 0, 50), gateway=None)
    ledger.flush(1_000)
    assert ledger.begun() == {meter: [(100 * k + meter, k) for k in range(4)] for meter in (1, 2)}


def test_each_sending_of_the_same_bytes_counts(ledger: Ledger) -> None:
    for k in (0, 256, 512):
        ledger.hear(frame(1, k, k, b"again"), gateway=0)
    ledger.flush(1_000)
    mark = fingerprint(b"again")
    first, second, _ = ledger.sendings([mark, "no fingerprint"])[mark]
    ledger.judged([(9, second)], [(9, "stale", "", "[]")])
    assert [s.k for s in ledger.sent(missing=True)] == [0, 512]
    assert ledger.firsts([mark]) == {mark: first}
    assert [s.reading for s in ledger.sendings([mark])[mark]] == [None, 9, None]
    assert (ledger.altered_count(), ledger.altered_count("stale"), ledger.altered_count("wrong")) == (1, 1, 0)


def test_a_spoken_frame_is_written_when_it_is_over(ledger: Ledger) -> None:
    spoken = Spoken(8, 0, 100, b"forged")
    ledger.speak(spoken, 105)
    ledger.flush(105)
    assert ledger.spoken() == []
    ledger.take(frame(8, 0, 100, b"forged"), "gw-0002")
    ledger.take(frame(9, 0, 100, b"of a recording"), "gw-0002")
    ledger.flush(106)
    assert ledger.spoken() == [Spoken(8, 0, 100, b"forged", [("gw-0002", 105)])]
    assert spoken.taken == [("gw-0002", 105)], "the attacker's receipt"
    marks = [fingerprint(raw) for raw in (b"forged", b"of a recording", b"published")]
    ledger.bring([b"published"])
    ledger.flush(106)
    assert ledger.unheard_of(marks) == [marks[1]]


def test_what_was_written_is_not_in_memory(ledger: Ledger) -> None:
    """Ten thousand telegrams in ten windows, after as many that fill SQLite's cache: nothing of them stays."""

    def windows(first: int) -> None:
        for k in range(first, first + 10):
            for meter in range(1_000):
                ledger.hear(frame(meter, k, 1_000_000 * k + meter), gateway=0)
            spoken = Spoken(1_000, k, 1_000_000 * k, b"forged %d" % k)
            ledger.speak(spoken, spoken.start_ns + 5)
            ledger.take(frame(1_000, k, spoken.start_ns, spoken.telegram), "gw-0001")
            ledger.flush(1_000_000 * (k + 1))

    windows(0)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        windows(10)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert ledger.received() == 20_000
    assert grown < 20_000, "two bytes a telegram"


def test_an_older_ledger_is_dropped(tmp_path: Path) -> None:
    first = Ledger(tmp_path)
    first.hear(frame(1, 0, 0), gateway=0)
    first.flush(10)
    first.close()
    second = Ledger(tmp_path)
    assert second.received() == 0
    second.close()


def test_what_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="choose a folder that can be written"):
        Ledger(tmp_path / "file" / "below")
    ledger = Ledger(tmp_path / "truth")
    ledger.hear(frame(1, 0, 0), gateway=0)
    ledger.close()
    with pytest.raises(StoreError, match=r"ledger\.sqlite: .*no verdict is possible"):
        ledger.flush(10)
