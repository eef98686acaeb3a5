"""Each published payload of a gateway, by the way it comes and through its ready entry: the same telegram. Real broker,
real requests, real files."""

from __future__ import annotations

import json
import socket
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sim.core import clock
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.port import Identity
from sim.readers.kinds.file import FileSpec
from sim.readers.kinds.http_push import HttpPushSpec
from sim.readers.kinds.mqtt import MqttSpec
from sim.readers.kinds.stdout import StdoutSpec
from sim.readers.kinds.tcp_push import TcpPushSpec
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import READERS, Delivered, Reader, ReadGround
from tests.sim.readers import published_payloads as rows
from tests.sim.readers.published_payloads import ROWS, TELEGRAM, WIRED, Message
from wmbus.dissect import parse

WRITTEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEADLINE_S = 10.0


def test_every_row_is_read_or_listed_with_a_reason() -> None:
    groups = [set(rows.CARRIED), set(rows.OVER_LORAWAN), set(rows.DECODED), set(rows.WITHOUT)]
    assert sorted(row for group in groups for row in group) == list(range(1, len(ROWS) + 1))
    for row in range(1, len(ROWS) + 1):
        if ROWS[row - 1]["payload"] is None:
            assert row in rows.WITHOUT


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    spec = MosquittoSpec(tls=False, bind_client_id=False, per_device_acl=False)
    broker = Mosquitto(tmp_path_factory.mktemp("broker"), spec)
    broker.start()
    yield broker
    broker.stop()


class Way:
    """One reader, started, and a way to hand it a payload as the gateway would."""

    def __init__(self, spec: ContentSpec, folder: Path, broker: Mosquitto, name: str) -> None:
        self.spec, self.folder, self.broker = spec, folder, broker
        stdout = folder / "stdout"
        stdout.touch()
        ground = ReadGround(folder, broker, stdout, folder / "portal.key", name)
        self.reader: Reader = READERS.find(spec.kind).open(spec, ground)
        self.reader.start()

    def deliver(self, message: Message) -> None:
        spec = self.spec
        if isinstance(spec, MqttSpec):
            box = self.broker.connect(Identity("box"))
            assert self.broker.settle(lambda: box.connected, DEADLINE_S)
            box.publish(message.topic, message.payload)
            assert self.broker.settle(lambda: not box.unacknowledged, DEADLINE_S)
            box.close()
        elif isinstance(spec, HttpPushSpec):
            request = urllib.request.Request(f"http://{self.reader.place}/", message.payload, {"Filename": "r.csv"})
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                assert answer.status == 204
        elif isinstance(spec, TcpPushSpec):
            host, port = self.reader.place.split(":")
            with socket.create_connection((host, int(port)), DEADLINE_S) as box:
                box.sendall(message.payload)
        else:
            assert isinstance(spec, FileSpec | StdoutSpec)
            name = spec.path.replace("*", "gw_installreport") if isinstance(spec, FileSpec) else "stdout"
            with (self.folder / name).open("ab") as file:
                file.write(message.payload + b"\n")

    def taken(self, count: int) -> list[Delivered]:
        found: list[Delivered] = []
        end_s = clock.wall_s() + DEADLINE_S
        while len(found) < count and clock.wall_s() < end_s:
            self.broker.settle(lambda: False, 0.01)
            found += self.reader.take()
        return found


@pytest.fixture
def way(tmp_path: Path, broker: Mosquitto, request: pytest.FixtureRequest) -> Iterator[Any]:
    opened: list[Way] = []

    def open_one(spec: ContentSpec) -> Way:
        opened.append(Way(spec, tmp_path, broker, f"reader {request.node.name}"))
        return opened[-1]

    yield open_one
    for one in opened:
        one.reader.stop()


@pytest.mark.parametrize("row", rows.CARRIED, ids=lambda row: f"{row}-{ROWS[row - 1]['gateway']}")
def test_a_row_gives_the_telegram(row: int, way: Any) -> None:
    message = rows.carried(row)
    one = way(message.read)
    one.deliver(message)
    found = one.taken(message.count)
    assert [delivered.unreadable for delivered in found] == [""] * message.count
    wired = ROWS[row - 1]["gateway"].startswith("Elvaco")
    assert {delivered.frame for delivered in found} == {WIRED if wired else TELEGRAM}
    assert parse(WIRED).payload == parse(TELEGRAM).payload
    assert {delivered.meter for delivered in found} == {"00000042"}
    text = message.payload.decode("utf-8", "replace")
    for delivered in found:
        assert not delivered.retained and not delivered.odd
        assert delivered.payload.strip() in message.payload
        if "-70" in text or row in (32, 46):
            assert delivered.rssi_dbm == -70
        if "2026-01-02 03:04:05" in text or row in (32, 41):
            assert delivered.stamp == WRITTEN
            assert delivered.stamp_of == ("reading" if wired else "reception")


@pytest.mark.parametrize("server", ["tts", "chirpstack"])
def test_a_bridge_over_lorawan_gives_the_telegram(server: str, way: Any) -> None:
    for bridge, counters in (("lobaro", ((34, 7), (36, 9), (35, 8))), ("imst", ((39, 7),))):
        messages = [rows.uplink(row, server, counter) for row, counter in counters]
        one = way(messages[0].read)
        for message in messages:
            one.deliver(message)
        found = one.taken(1 + (bridge == "lobaro"))
        assert [(d.frame, d.unreadable) for d in found] == [(TELEGRAM, "")] * len(found)
        assert len(found) == 1 + (bridge == "lobaro"), "34 whole; 35 and 36 are two parts, in whatever order"
        assert {d.rssi_dbm for d in found} == {None}, "the network's level is not the meter's"
        assert {d.stamp_of for d in found} == {"publish" if bridge == "lobaro" else "reception"}


@pytest.mark.parametrize("row", sorted(rows.DECODED), ids=lambda row: f"{row}-{ROWS[row - 1]['gateway']}")
def test_a_row_of_values_is_values(row: int, way: Any) -> None:
    message = rows.decoded(row)
    one = way(message.read)
    one.deliver(message)
    (found,) = one.taken(1)
    assert found.frame is None and not found.unreadable and not found.odd
    if row in range(17, 22):
        said = ROWS[row - 1]["payload"]
        assert found.values == {message.topic.rpartition("/")[2]: said if said == "00" else float(said)}
    else:
        assert found.meter == "00000042"
        assert found.values["value" if row == 43 else "current_consumption_hca"] in (12345, "12345")  # type: ignore[index]


@pytest.mark.parametrize("row", sorted(row for row in rows.WITHOUT if ROWS[row - 1]["payload"]))
def test_a_row_without_a_telegram_is_none_for_any_reader(row: int) -> None:
    """Nor does it stop one."""
    for other in (*map(rows.carried, rows.CARRIED), *map(rows.decoded, (1, 43))):
        if other.read.kind == "mqtt" and other.read.values:
            continue
        for found in Content(other.read).rows("x", rows.payload(row), 0):
            assert found.frame is None or found.frame == WIRED, (row, other)


def test_a_network_server_that_leaves_out_a_counter_of_zero_loses_nothing() -> None:
    first, second = rows.uplink(35, "tts", 0), rows.uplink(36, "tts", 1)
    body = json.loads(first.payload)
    del body["uplink_message"]["f_cnt"]
    content = Content(first.read)
    assert content.rows(first.topic, json.dumps(body).encode(), 0) == []
    assert [row.frame for row in content.rows(second.topic, second.payload, 0)] == [TELEGRAM]


def test_events_of_other_devices_are_passed_over() -> None:
    message = rows.carried(6)
    content = Content(message.read)
    for other in ({"model": "Acurite", "data": "00"}, {"data": TELEGRAM.hex()}):
        assert content.rows(message.topic, json.dumps(other).encode(), 0) == []
    assert content.passed_over == 2
    assert [row.frame for row in content.rows(message.topic, message.payload, 0)] == [TELEGRAM]


def test_records_behind_the_prepended_ones_are_values_where_no_telegram_is() -> None:
    whole = rows.payload(32)
    end = whole.index(b"\x0d\xfd\x11")
    body = whole[4:end] + bytes.fromhex("0b6e452301")
    size = bytes((len(body),))
    frame = b"\x68" + size + size + b"\x68" + body + bytes((sum(body) & 0xFF, 0x16))
    (row,) = Content(rows.carried(32).read).rows("piigab/x", frame, 0)
    assert row.frame is None and row.values == {"heat cost allocation 0 HCA": 12345}
    assert row.rssi_dbm == -70 and row.stamp == WRITTEN
    (bad,) = Content(rows.carried(32).read).rows("piigab/x", frame[:-2] + b"\x00\x16", 0)
    assert "checksum" in bad.unreadable
