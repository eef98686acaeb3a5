"""How fast the protocol is, one telegram at a time on one core, beside pymbusparser on the same telegrams in one run.

    pytest bench/perf/test_protocol.py -s        the figures: standard output, and extra_info of --benchmark-json

Floors are in processor time, best of several rounds, so that a busy machine does not fail them; ratios to pymbusparser
and to Python's json do not depend on the machine. A thousand meters with a key each send in turn, so that no derived
key and no address is met again at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bench.frame.decode import SHOWING, Decoder
from sim.core.seeds import Seeds
from sim.core.vocabulary import Security
from sim.meters.fleet import Fleet
from sim.meters.fleet_spec import FleetSpec
from wmbus.link import Address
from wmbus.telegram import build, read

METERS = 1_000
TYPE = "vipa-c10"  # 11 records in 62 bytes
ROUNDS = 7


class Sent:
    """What a thousand meters send: everything `build` needs, and the telegrams with their keys."""

    def __init__(self, security: Security) -> None:
        self.security: Security = security
        fleet = Fleet(
            [FleetSpec("perf", TYPE, METERS, security=security)], Seeds(1), start=datetime(2026, 2, 1, tzinfo=UTC)
        )
        kind = fleet.kind(0)
        truths = [fleet.truth(meter, 0) for meter in range(METERS)]
        self.parts: list[tuple[Address, int, bytes, bytes | None, int | None]] = [
            (fleet.address(t.meter), t.acc, kind.records(list(t.values.values())), fleet.key(t.meter), t.counter)
            for t in truths
        ]
        self.telegrams = [(fleet.telegram(meter, 0), fleet.key(meter)) for meter in range(METERS)]

    def encode(self) -> None:
        for address, acc, records, key, counter in self.parts:
            build(address, acc, 0, records, security=self.security, key=key, counter=counter)

    def decode(self) -> None:
        for telegram, key in self.telegrams:
            read(telegram, key)


def sent_later(security: Security) -> list[list[tuple[bytes, bytes | None]]]:
    """A telegram of each meter with its key, for as many rounds as are measured and one before."""
    fleet = Fleet(
        [FleetSpec("perf", TYPE, METERS, security=security)], Seeds(1), start=datetime(2026, 2, 1, tzinfo=UTC)
    )
    return [[(fleet.telegram(meter, 50 * k), fleet.key(meter)) for meter in range(METERS)] for k in range(ROUNDS + 2)]


def rate(step: Callable[[], object], count: int = METERS, rounds: int = ROUNDS) -> float:
    """Telegrams a second of processor time, best of the rounds."""
    best = 0.0
    for _ in range(rounds):
        begin = time.process_time()
        step()
        best = max(best, count / (time.process_time() - begin))
    return best


def told(benchmark: Any, **figures: float) -> None:
    benchmark.extra_info.update({name: round(figure, 2) for name, figure in figures.items()})
    print("".join(f"\n  {name:<52}{figure:>12,.1f}" for name, figure in figures.items()))


@pytest.mark.parametrize(("security", "floor"), [("mode5", 20_000), ("mode7", 8_000)])
def test_encode(benchmark: Any, security: Any, floor: int) -> None:
    sent = Sent(security)
    benchmark.pedantic(sent.encode, rounds=3)
    fast = rate(sent.encode)
    told(benchmark, **{f"encode {security}, telegrams/s": fast})
    assert fast >= floor


def test_decode_mode5_and_faster_than_pymbusparser(benchmark: Any) -> None:
    pymbusparser = pytest.importorskip("pymbusparser")
    sent = Sent("mode5")

    def theirs() -> None:
        for telegram, key in sent.telegrams:
            pymbusparser.parse(telegram, key=key)

    telegram, key = sent.telegrams[0]
    assert len(pymbusparser.parse(telegram, key=key)["records"]) == len(read(telegram, key).records) == 11
    benchmark.pedantic(sent.decode, rounds=3)
    theirs()
    fast, other = rate(sent.decode), rate(theirs)
    told(
        benchmark,
        **{"decode mode5, telegrams/s": fast, "pymbusparser, telegrams/s": other, "times pymbusparser": fast / other},
    )
    assert fast >= 15_000
    assert fast / other > 1.5


def test_decode_mode7(benchmark: Any) -> None:
    sent = Sent("mode7")
    benchmark.pedantic(sent.decode, rounds=3)
    fast = rate(sent.decode)
    told(benchmark, **{"decode mode7, telegrams/s": fast})
    assert fast >= 8_000


def as_json(telegram: bytes, key: bytes | None) -> bytes:
    return json.dumps({"telegram": telegram.hex(), "key": key and key.hex()}).encode()


def as_rtl_wmbus(telegram: bytes, _: bytes | None) -> bytes:
    return f"T1;1;1;2026-02-09 04:01:02.345;97;148;{telegram[7:3:-1].hex()};0x{telegram.hex()}".encode()


@pytest.mark.parametrize(
    ("security", "written", "what", "floor"),
    [
        ("mode5", as_json, "with its key in JSON", 0.8),
        ("none", as_json, "in clear, in JSON", 1.6),
        ("none", as_rtl_wmbus, "in clear, from rtl_wmbus", 0.9),
        ("mode5", as_rtl_wmbus, "without a key, from rtl_wmbus", 0.3),
    ],
    ids=["json-keyed", "json-clear", "rtl_wmbus-clear", "rtl_wmbus-keyless"],
)
def test_decode_a_stream_to_json(benchmark: Any, security: Security, written: Any, what: str, floor: float) -> None:
    """`frame decode --jsonl`: a line in, an object out with every record that could be read. The floor is a ratio to
    reading and writing the answers with the json of Python, which the machine does not matter to. Each round takes
    other telegrams of the meters, and has none that was met before."""
    first, *rounds = [[written(*one) for one in sent] for sent in sent_later(security)]
    decoder = Decoder(None, strict=False, switches={**SHOWING})
    answers = [decoder.line(line) for line in first]
    told_first = json.loads(answers[0])
    assert len(told_first.get("records", ())) == (0 if what.startswith("without") else 11)
    assert told_first.get("error", {}).get("reason") == ("key-missing" if what.startswith("without") else None)

    def stream() -> None:
        for line in rounds.pop():
            decoder.line(line)

    def plain() -> None:
        for answer in answers:
            json.dumps(json.loads(answer))

    fast, json_alone = 0.0, 0.0
    while len(rounds) > 1:
        fast, json_alone = max(fast, rate(stream, rounds=1)), max(json_alone, rate(plain, rounds=1))
    benchmark.pedantic(stream, rounds=1)
    told(
        benchmark,
        **{
            f"--jsonl {what}, lines/s": fast,
            "its answers by json alone, lines/s": json_alone,
            "ratio": fast / json_alone,
        },
    )
    assert fast / json_alone >= floor
