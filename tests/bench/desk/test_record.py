"""`gateway record`: a box with a format of its own, over mutual TLS and at a broker of somebody else's."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.cli.main import main
from bench.exit_codes import INCONCLUSIVE_EXIT
from sim.core import clock
from sim.desk import inventory
from sim.endpoint.kinds.mosquitto import Mosquitto, MosquittoSpec
from sim.endpoint.port import Identity
from sim.readers.message_content import Content, ContentSpec
from tests.sim.desk.boxes import own_format
from tests.sim.readers import published_payloads as rows
from tests.sim.readers.published_payloads import TELEGRAM


def test_a_box_of_its_own_format_is_fed_and_found_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bench.desk.record.FED_AS", ("none",))  # half of them are enough here
    desk, out, kept = own_format(tmp_path), tmp_path / "found.toml", tmp_path / "heard.jsonl"
    threads = threading.active_count()
    words = ["gateway", "record", "kitchen", "--inventory", str(desk), "--feed", "--seconds", "4", "--out", str(out)]
    assert main([*words, "--messages", str(kept)]) == 0
    said = capsys.readouterr()
    assert said.out == out.read_text() and "of those fed" in said.err
    entry = inventory.load(out).find("kitchen")
    assert entry.feed == inventory.load(desk).find("kitchen").feed
    (read,) = entry.read
    assert isinstance(read, ContentSpec)
    assert (read.telegram, read.transform, read.rssi, read.rssi_unit) == (
        "$.d",
        ("base64", "CRCs kept"),
        "$.lvl",
        "-dBm",
    )
    assert read.topic == ("own/+/x",)  # type: ignore[attr-defined]
    heard = [json.loads(line) for line in kept.read_text().splitlines()]
    assert len(heard) >= 3
    assert threading.active_count() == threads


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path / "broker", MosquittoSpec(tls=False, bind_client_id=False, per_device_acl=False))
    broker.start()
    yield broker
    broker.stop()


def record_at(broker: Mosquitto, *more: str) -> int:
    assert broker.address is not None
    return main(["gateway", "record", "--broker", f"localhost:{broker.address.port}", "--seconds", "1.5", *more])


def test_a_given_broker_is_listened_to(broker: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    message = rows.carried(26)

    def box() -> None:
        client = broker.connect(Identity("box"))
        while not stop.is_set():
            broker.settle(lambda: False, 0.1)
            if client.connected:
                client.publish(message.topic, message.payload)
                client.publish("x\u009b31m/\u202e", b"\x1b]0;title\x07")
        client.close()

    thread = threading.Thread(target=box)
    thread.start()
    try:
        assert record_at(broker) == 0
    finally:
        stop.set()
        thread.join()
    said = capsys.readouterr()
    assert all(line.isascii() and line.isprintable() for line in (said.out + said.err).split("\n"))
    path = tmp_path / "inventory.toml"
    path.write_text(said.out, encoding="utf-8")
    entry = inventory.load(path).find("box")
    assert not entry.listen.tls
    (read,) = entry.read
    assert isinstance(read, ContentSpec)
    found = Content(read).rows(message.topic, message.payload, clock.wall_ns())
    assert [one.frame for one in found] == [TELEGRAM, TELEGRAM]


def test_nothing_heard_is_inconclusive_and_says_what_to_do(
    broker: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record_at(broker, "--seconds", "0.2") == INCONCLUSIVE_EXIT
    assert "see that it publishes to this broker" in capsys.readouterr().out


def test_a_broker_out_of_reach_and_a_port_in_use_are_inconclusive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gateway", "record", "--broker", "127.0.0.1:1", "--seconds", "0.1"]) == INCONCLUSIVE_EXIT
    assert "INCONCLUSIVE: no session with the broker 127.0.0.1:1: " in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        desk = tmp_path / "inventory.toml"
        port = taken.getsockname()[1]
        desk.write_text(f'[[gateway]]\nname = "x"\nentry = "reference"\nlisten = {{ port = {port} }}\n')
        assert main(["gateway", "record", "x", "--inventory", str(desk), "--seconds", "0.1"]) == INCONCLUSIVE_EXIT
    assert f"INCONCLUSIVE: port {port} is in use by another program; stop it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--broker", "nowhere"], "HOST:PORT"),
        (["--seconds", "-1"], "604800"),
        (["--ca", "x"], "for a --broker"),
        (["--broker", "127.0.0.1:1", "--feed"], "feed it yourself"),
        (["unheard-of"], "no gateway 'unheard-of'"),
    ],
)
def test_a_wrong_word_is_named(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(["gateway", "record", *words])
    except SystemExit as stop:
        code = int(str(stop.code))
    assert code == 2
    assert said in capsys.readouterr().err
