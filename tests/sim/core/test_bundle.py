"""What travels between gateway and portal: canonical bytes out, a named complaint for anything else."""

from __future__ import annotations

import json
import math
import sys

import pytest

from sim.core import bundle
from sim.core.bundle import TELEGRAM_OVERHEAD_BYTES, Ack, BadBundle, Birth, Bundle, Heard

GOOD = Bundle("gw1", 7, 900_000_000_000, (Heard(b"\x2c\x44", 1, -71.5), Heard(b"\x00", 2, -100.0)))


def test_a_bundle_comes_back_as_it_went() -> None:
    assert Bundle.decode(GOOD.encode()) == GOOD
    assert Bundle.decode(GOOD.encode()).encode() == GOOD.encode()


def test_a_person_can_read_it() -> None:
    body = json.loads(GOOD.encode())
    assert body["gw"] == "gw1" and body["seq"] == 7
    assert body["telegrams"][0] == [1, -71.5, "2c44"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"v": 2}, "not version 1"),
        ({"gw": ""}, "gw"),
        ({"gw": "g" * 129}, "gw"),
        ({"seq": "7"}, "seq"),
        ({"seq": True}, "seq"),
        ({"seq": 2**63}, "seq"),
        ({"closed": 1.5}, "closed"),
        ({"telegrams": None}, "bundle"),
        ({"telegrams": [[1, -70.0]]}, "bundle"),
        ({"telegrams": [[1, -70.0, "zz"]]}, "bundle"),
        ({"telegrams": [[1.5, -70.0, "00"]]}, "telegrams"),
        ({"telegrams": [[1, "loud", "00"]]}, "bundle"),
    ],
)
def test_what_is_no_bundle_is_refused_with_its_field(change: dict[str, object], complaint: str) -> None:
    body = json.loads(GOOD.encode()) | change
    with pytest.raises(BadBundle, match=complaint):
        Bundle.decode(json.dumps(body).encode())


@pytest.mark.parametrize("field", ["gw", "seq", "closed", "telegrams"])
def test_a_missing_field_is_named(field: str) -> None:
    body = json.loads(GOOD.encode())
    del body[field]
    with pytest.raises(BadBundle, match=field):
        Bundle.decode(json.dumps(body).encode())


@pytest.mark.parametrize("payload", [b"", b"\xff\xfe", b"[]", b"7", b"{", b"[" * 100_000])
def test_noise_is_refused(payload: bytes) -> None:
    for decode in (Bundle.decode, Ack.decode, Birth.decode):
        with pytest.raises(BadBundle):
            decode(payload)


def test_acknowledgement_and_birth_come_back_as_they_went() -> None:
    ack = Ack("gw1", (bundle.Taken(1, "00"), bundle.Taken(5, "ff")))
    for sent in (ack, ack.signed(lambda statement: statement[:7])):
        assert Ack.decode(sent.encode()) == sent
        assert sent.statement == ack.encode() == b'{"v":3,"gw":"gw1","ack":[[1,"00"],[5,"ff"]]}'
    for born in (Birth("gw1", "gw1.3", 2), Birth("gw1", "gw1.3", 2, 7)):
        assert Birth.decode(born.encode()) == born
    for wrong in (b'"ack":"all"', b'"ack":[1]', b'"ack":[[1,2]]', b'"ack":[]', b'"gw":"a","ack":[],"sig":"x"',
                  b'"gw":"a","ack":[],"sig":7'):  # fmt: skip
        with pytest.raises(BadBundle, match="ack"):
            Ack.decode(b'{"v":3,' + wrong + b"}")
    with pytest.raises(BadBundle, match="not version 3"):
        Ack.decode(b'{"v":2,"gw":"gw1","ack":[[1,"00"]]}')
    with pytest.raises(BadBundle, match="boot"):
        Birth.decode(b'{"v":1,"gw":"gw1","n":1}')
    with pytest.raises(BadBundle, match="refused"):
        Birth.decode(b'{"v":1,"gw":"gw1","boot":"b","n":1,"refused":true}')


def test_equal_bodies_have_equal_digests_and_others_not() -> None:
    other = Bundle("gw1", 7, 900_000_000_000, GOOD.heard[:1])
    assert bundle.digest(GOOD.encode()) == bundle.digest(Bundle.decode(GOOD.encode()).encode())
    assert bundle.digest(GOOD.encode()) != bundle.digest(other.encode())
    assert len(bundle.digest(b"")) == 16


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_its_bytes_are_those_of_json_dumps(count: int) -> None:
    levels = [-70.25, -70, math.nan, -math.inf, -0.0, 1e-320]
    heard = tuple(Heard(bytes(range(n)), (-7) ** n, levels[n % len(levels)]) for n in range(count))
    made = Bundle('gw-"ü\\', 5, -9, heard)
    rows = [[one.received_ns, one.rssi_dbm, one.telegram.hex()] for one in heard]
    body = {"v": 1, "gw": made.gateway, "seq": 5, "closed": -9, "telegrams": rows}
    assert made.encode() == json.dumps(body, separators=(",", ":")).encode()


def test_the_widest_telegram_takes_what_the_bound_allows_and_no_more() -> None:
    widest = Heard(b"\x08" + bytes(8), -(2**63), -sys.float_info.min)
    one, two = (len(Bundle("gw", 1, 1, (widest,) * count).encode()) for count in (1, 2))
    assert two - one == 2 * 9 + TELEGRAM_OVERHEAD_BYTES
