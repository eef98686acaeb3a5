"""What all ways have in common: garbage does not stop them, torn things are whole in the end, and nothing is left."""

from __future__ import annotations

import base64
import contextlib
import http.client
import itertools
import json
import os
import socket
import threading
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.core import clock
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.port import Address, Identity
from sim.readers import message_content as content_module
from sim.readers.kinds.file import FileSpec
from sim.readers.kinds.http_push import HttpPushSpec
from sim.readers.kinds.mqtt import MqttSpec
from sim.readers.kinds.stdout import StdoutSpec
from sim.readers.kinds.tcp_push import TcpPushSpec
from sim.readers.kinds.udp_push import UdpPushSpec
from sim.readers.message_content import MESSAGE_MOST_BYTES, Content
from sim.readers.port import READERS, Delivered, Reader, ReaderError, ReadGround
from sim.readers.tail import Tail
from tests.sim.desk.boxes import frame
from tests.sim.readers import published_payloads as rows
from tests.sim.readers.published_payloads import TELEGRAM


def opened(spec: Any, folder: Path, endpoint: Any = None, name: str = "reader") -> Reader:
    ground = ReadGround(folder, endpoint, folder / "stdout", folder / "portal.key", name)
    reader: Reader = READERS.find(spec.kind).open(spec, ground)
    reader.start()
    return reader


# --- garbage --------------------------------------------------------------------------------------------------------

EVERY = [*map(rows.carried, rows.CARRIED), *map(rows.decoded, sorted(rows.DECODED)), rows.uplink(35, "tts", 3)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_arrives_is_rows_and_never_an_error(data: st.DataObject) -> None:
    one = data.draw(st.sampled_from(EVERY))
    at = data.draw(st.integers(0, len(one.payload)))
    cut = data.draw(st.integers(at, len(one.payload)))
    payload = one.payload[:at] + data.draw(st.binary(max_size=12)) + one.payload[cut:]
    content = Content(one.read)
    for row in [*content.rows(one.topic, payload, 0), *content.line(one.topic, payload.replace(b"\n", b""), 0)]:
        said = row.unreadable + row.odd
        assert said.isprintable(), said
        assert (row.frame is None and row.values is None) or not row.unreadable


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        (b"", "an empty message"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"d": 1}', "stands no text"),
        (b'{"e": ""}', "nothing stands at $.d"),
        (b'{"d": "0f44"}', "2 bytes, a frame has at least 11"),
        (b'{"d": "0f44x"}', "'x' is no hex digit"),
        (b'{"d": "' + TELEGRAM.hex().encode() + b'00"}', "L says 15 bytes follow, 16 do"),
        (b"x" * (MESSAGE_MOST_BYTES + 1), "more than 1048576"),
        (zlib.compress(b"{}")[:-1], "its end is missing"),
        (zlib.compress(bytes(MESSAGE_MOST_BYTES + 1)), "more than 1 MiB"),
    ],
)
def test_what_is_not_as_described_is_one_sentence(payload: bytes, said: str) -> None:
    (row,) = Content(MqttSpec(topic=("a",), telegram="$.d", zlib=True)).rows("a", payload, 0)
    assert said in row.unreadable and row.frame is None
    assert len(row.payload) <= MESSAGE_MOST_BYTES


def test_one_bad_telegram_of_many_costs_the_others_nothing() -> None:
    body = json.dumps({"t": [{"d": TELEGRAM.hex(), "at": 5}, {"d": "??"}, {"x": 1}, {"d": TELEGRAM.hex(), "at": "no"}]})
    spec = MqttSpec(topic=("a",), telegram="$.t[*].d", time="$.t[*].at", time_format="unix s")
    first, bad, last = Content(spec).rows("a", body.encode(), 0)
    assert first.frame == last.frame == TELEGRAM and bad.frame is None
    assert first.stamp == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC), "the time of each is its own"
    assert last.stamp is None and "is no time" in last.odd


def test_many_telegrams_in_a_message_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_module, "TELEGRAMS_MOST", 3)
    body = json.dumps([TELEGRAM.hex()] * 5).encode()
    found = Content(MqttSpec(topic=("a",), telegram="$[*]")).rows("a", body, 0)
    assert [row.frame for row in found] == [TELEGRAM] * 3 + [None]
    assert "5 telegrams in one message" in found[-1].unreadable


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"telegram": "data"}, "neither a JSON path"),
        ({"telegram": "$.a[x]"}, "at letter 4"),
        ({"time": "$.t", "time_zone": "Mars/Olympus"}, "is no zone"),
        ({"time": "$.t", "time_format": "noon"}, "is no format of a time"),
    ],
)
def test_a_description_that_means_nothing_is_refused(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ReaderError, match="read: ") as refused:
        Content(MqttSpec(topic=("a",), **keys))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("keys", "written", "wanted"),
    [
        ({"time_zone": "Europe/Berlin"}, "2026-07-01 03:04:05", datetime(2026, 7, 1, 1, 4, 5, tzinfo=UTC)),
        ({"time_zone": "-03:30"}, "2026-07-01T03:04:05", datetime(2026, 7, 1, 6, 34, 5, tzinfo=UTC)),
        ({"time_zone": "Europe/Berlin"}, "2026-07-01T03:04:05Z", datetime(2026, 7, 1, 3, 4, 5, tzinfo=UTC)),
        ({}, 1_767_323_045_000, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({"time_format": "%d.%m.%y %H:%M"}, "02.01.26 03:04", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ({"time_format": "unix ms"}, "1767323045000", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ({}, "0", datetime(1970, 1, 1, tzinfo=UTC)),
        ({"time_format": "unix s"}, 10**30, None),
        ({}, True, None),
        ({}, {"y": 2026}, None),
    ],
)
def test_times_are_what_they_are_said_to_be(keys: dict[str, str], written: object, wanted: datetime | None) -> None:
    spec = MqttSpec(topic=("a",), telegram="$.d", time="$.t", time_of="meter", **keys)
    (row,) = Content(spec).rows("a", json.dumps({"d": TELEGRAM.hex(), "t": written}).encode(), 0)
    assert row.frame == TELEGRAM and row.stamp == wanted
    assert bool(row.odd) == (wanted is None)
    assert row.stamp_of == (None if wanted is None else "meter")


@pytest.mark.parametrize(
    ("unit", "written", "wanted"),
    [("dBm", "-70 dBm", -70.0), ("dBm", 999, 999.0), ("-dBm", 70, -70.0), ("CC1101", 0x06, -71.0),
     ("CC1101", 0xF6, -79.0), ("dBm", "loud", None), ("dBm", True, None)],
)  # fmt: skip
def test_a_level_is_what_was_said_also_one_that_cannot_be(unit: Any, written: object, wanted: float | None) -> None:
    spec = MqttSpec(topic=("a",), telegram="$.d", rssi="$.l", rssi_unit=unit)
    (row,) = Content(spec).rows("a", json.dumps({"d": TELEGRAM.hex(), "l": written}).encode(), 0)
    assert row.rssi_dbm == wanted and row.frame == TELEGRAM


# --- files ----------------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, 90), max_size=8), moves=st.sets(st.integers(0, 9)))
def test_lines_are_whole_wherever_writes_are_torn_and_files_are_moved(cuts: list[int], moves: set[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        path.touch()
        tail, found = Tail(path, from_end=True), list[bytes]()
        text = b"".join(b"line %d\r\n" % number for number in range(10))
        edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
        for step, (begin, end) in enumerate(itertools.pairwise(edges)):
            with path.open("ab") as file:
                file.write(text[begin:end])
            if step % 2:
                found += tail.lines()
            if step in moves and text[begin:end].endswith(b"\n"):  # rotated between two lines, not looked at yet
                os.rename(path, f"{path}.{step}")
                path.touch()
                found += tail.lines()
        found += tail.lines()
        tail.close()
        assert found == [b"line %d" % number for number in range(10)]


def test_a_cut_file_begins_anew_and_a_line_without_end_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"of an earlier run\n")
    tail = Tail(path, from_end=True)
    path.open("ab").write(b"one\ntor")
    assert tail.lines() == [b"one"]
    path.write_bytes(b"two\n")
    assert tail.lines() == [b"two"]
    assert tail.torn == 3
    tail.close()


def test_a_file_that_was_moved_is_read_to_its_end_before_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.readers.tail.READ_BYTES", 10)
    path = tmp_path / "log"
    path.touch()
    tail = Tail(path, from_end=True)
    path.write_bytes(b"".join(b"old %d\n" % number for number in range(9)))
    path.rename(tmp_path / "log.1")
    path.write_bytes(b"new\n")
    assert tail.lines() == [b"old %d" % number for number in range(9)] + [b"new"]
    tail.close()


def test_a_line_longer_than_any_is_given_up_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.readers.tail.LINE_MOST_BYTES", 100)
    path = tmp_path / "log"
    tail = Tail(path, from_end=False)
    for part in (b"x" * 90, b"x" * 90, b"x\nnext\n"):
        path.open("ab").write(part)
        found = tail.lines()
    assert found == [b"next"] and tail.too_long == 1


def test_other_lines_are_passed_over_and_counted(tmp_path: Path) -> None:
    reader = opened(StdoutSpec(telegram="$.data"), tmp_path)
    lines = ["Starting", '{"other": 1}', json.dumps({"data": TELEGRAM.hex()}), '{"data": "zz"}', "{"]
    (tmp_path / "stdout").write_text("\n".join(lines) + "\n")
    found = reader.take()
    assert [row.frame for row in found] == [TELEGRAM, None, None]
    assert "no hex digit" in found[1].unreadable and "not JSON" in found[2].unreadable
    assert reader.content.passed_over == 2  # type: ignore[attr-defined]
    reader.stop()


def test_a_whole_file_is_read_once_it_rests_and_again_when_it_changed(tmp_path: Path) -> None:
    (tmp_path / "old.hex").write_text(TELEGRAM.hex())
    reader = opened(FileSpec(path="*.hex", whole=True, settled_s=0.0), tmp_path)
    assert reader.take() == []
    (tmp_path / "new.hex").write_text(TELEGRAM.hex())
    assert [(row.frame, row.source) for row in reader.take()] == [(TELEGRAM, "new.hex")]
    assert reader.take() == []
    (tmp_path / "old.hex").write_text(f"{TELEGRAM.hex()}\n")
    assert [row.source for row in reader.take()] == ["old.hex"]
    reader.stop()


# --- HTTP -----------------------------------------------------------------------------------------------------------


def test_requests_are_answered_as_they_are_and_no_thread_is_left(tmp_path: Path) -> None:
    threads = threading.active_count()
    reader = opened(HttpPushSpec(path="/up"), tmp_path)
    host, port = reader.place.split(":")
    body = TELEGRAM.hex()
    for method, path, headers, said in (
        ("POST", "/up", {}, 204), ("PUT", "/up?x=1", {}, 204), ("POST", "/down", {}, 404),
        ("POST", "/up", {"Content-Length": str(MESSAGE_MOST_BYTES + 1)}, 413),
        ("POST", "/up", {"Content-Length": "x"}, 411), ("GET", "/up", {}, 501),
    ):  # fmt: skip
        client = http.client.HTTPConnection(host, int(port), timeout=10)
        client.request(method, path, body, headers)
        assert client.getresponse().status == said
        client.close()
    torn = http.client.HTTPConnection(host, int(port), timeout=10)
    torn.request("POST", "/up", body[:10], {"Content-Length": str(len(body))})
    torn.close()
    kept = http.client.HTTPConnection(host, int(port), timeout=10)  # a box that keeps its connection open
    kept.request("POST", "/up", body)
    assert kept.getresponse().status == 204
    assert [row.frame for row in reader.take()] == [TELEGRAM] * 3
    reader.stop()
    reader.stop()
    assert threading.active_count() == threads
    kept.close()


def test_a_port_in_use_and_a_network_without_a_port_are_named(tmp_path: Path) -> None:
    first = opened(HttpPushSpec(), tmp_path)
    with pytest.raises(ReaderError, match="name another port"):
        opened(HttpPushSpec(port_number=int(first.place.split(":")[1])), tmp_path)
    first.stop()
    with pytest.raises(ReaderError, match=r"name read\.port_number"):
        opened(HttpPushSpec(address="192.0.2.1"), tmp_path)


# --- MQTT -----------------------------------------------------------------------------------------------------------


def test_what_comes_while_the_reader_is_away_is_kept(tmp_path: Path) -> None:
    """With mutual TLS and its access list, two readers at once."""
    broker = Mosquitto(tmp_path / "b", MosquittoSpec(bind_client_id=False), foreign={"box": ["site/#"]})
    broker.start()
    try:
        first, second = (
            opened(MqttSpec(topic=topic), tmp_path, broker, name)
            for topic, name in ((("site/+/t",), "reader"), (("site/#",), "reader-1"))
        )
        box = broker.connect(broker.identity("box"))
        assert broker.settle(lambda: box.connected, 10)
        assert broker.address is not None
        session: Any = first._session  # type: ignore[attr-defined]
        session.reroute(Address("localhost", 1))
        assert broker.settle(lambda: first.problem is not None, 10)
        assert "no session with the broker" in (first.problem or "")
        for mark in range(10):
            box.publish("site/1/t", frame(mark).hex().encode())
        everything = [frame(mark) for mark in range(10)]
        assert [row.frame for row in taken(broker, second, 10)] == everything
        assert first.take() == []
        session.reroute(broker.address)
        assert [row.frame for row in taken(broker, first, 10)] == everything
        for reader in (first, second):
            reader.stop()
        box.close()
    finally:
        broker.stop()


def test_retained_messages_are_marked(tmp_path: Path) -> None:
    import paho.mqtt.publish as paho

    broker = Mosquitto(tmp_path / "b", MosquittoSpec(tls=False, bind_client_id=False, per_device_acl=False))
    broker.start()
    try:
        assert broker.address is not None
        paho.single("t", TELEGRAM.hex(), 1, retain=True, port=broker.address.port, hostname="localhost")
        reader = opened(MqttSpec(topic=("t",)), tmp_path, broker)
        assert [(row.frame, row.retained) for row in taken(broker, reader, 1)] == [(TELEGRAM, True)]
        box = broker.connect(Identity("box"))
        assert broker.settle(lambda: box.connected, 10)
        box.publish("t", TELEGRAM.hex().encode())
        assert [row.retained for row in taken(broker, reader, 1)] == [False]
        reader.stop()
    finally:
        broker.stop()


def test_without_a_broker_a_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"listen\.broker is false"):
        opened(MqttSpec(topic=("a",)), tmp_path)


def taken(broker: Mosquitto, reader: Reader, count: int) -> list[Delivered]:
    found: list[Delivered] = []
    end_s = clock.wall_s() + 10
    while len(found) < count and clock.wall_s() < end_s:
        broker.settle(lambda: False, 0.01)
        found += reader.take()
    return found


def test_base64_of_the_whole_payload() -> None:
    (row,) = Content(MqttSpec(topic=("a",), transform=("base64",))).rows("a", base64.b64encode(TELEGRAM), 0)
    assert row.frame == TELEGRAM


def test_a_connection_is_a_message_and_one_that_stays_open_is_ended(tmp_path: Path) -> None:
    threads = threading.active_count()
    reader = opened(TcpPushSpec(), tmp_path)
    host, port = reader.place.split(":")
    for payload in (TELEGRAM.hex().encode(), b"", b"\xff" * 9, b"0f" * (MESSAGE_MOST_BYTES // 2 + 1)):
        with socket.create_connection((host, int(port)), 10) as box, contextlib.suppress(ConnectionError):
            box.sendall(payload)  # what is too long is not read to its end
    stays = socket.create_connection((host, int(port)), 10)
    stays.sendall(b"0f44")
    found: list[Delivered] = []
    end_s = clock.wall_s() + 10
    while len(found) < 3 and clock.wall_s() < end_s:
        clock.wall_sleep(0.01)
        found += reader.take()
    assert [row.frame for row in found].count(TELEGRAM) == 1
    assert sorted(bool(row.unreadable) for row in found) == [False, True, True]
    reader.stop()
    assert threading.active_count() == threads
    stays.close()


def test_a_datagram_is_a_message_whatever_it_holds(tmp_path: Path) -> None:
    reader = opened(UdpPushSpec(), tmp_path)
    host, port = reader.place.split(":")
    payloads = (TELEGRAM.hex().encode(), b"", b"\xff" * 9, TELEGRAM.hex().encode()[:-2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as box:
        for payload in payloads:
            box.sendto(payload, (host, int(port)))
    found: list[Delivered] = []
    end_s = clock.wall_s() + 10
    while len(found) < len(payloads) and clock.wall_s() < end_s:
        clock.wall_sleep(0.01)
        found += reader.take()
    assert [row.frame for row in found] == [TELEGRAM, None, None, None]
    assert [bool(row.unreadable) for row in found] == [False, True, True, True]
    with pytest.raises(ReaderError, match=f"cannot listen on {host}:{port} .UDP.: .*; name another port"):
        opened(UdpPushSpec(port_number=int(port)), tmp_path)
    with pytest.raises(ReaderError, match="on a network; name"):
        opened(UdpPushSpec(address="192.0.2.1"), tmp_path)
    reader.stop()
    assert reader.take() == []
