"""Lines by which telegrams go out to a product: HTTP and MQTT, and what each says when nobody is there. Rows of a table
as a way in."""

from __future__ import annotations

import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from sim.core import clock
from sim.endpoint.kinds.mosquitto import MosquittoSpec
from sim.feeders.lines.http_post import HttpPost, HttpPostSpec
from sim.feeders.lines.mqtt_publish import MqttPublish, MqttPublishSpec
from sim.feeders.lines.port import LineError
from sim.readers.kinds.sql_rows import KIND, SqlSpec
from sim.readers.port import ReadGround
from tests.sim.endpoint.brokers import make, until


def wait(done: object, deadline_s: float = 20.0) -> bool:
    end_s = clock.wall_s() + deadline_s
    while not done() and clock.wall_s() < end_s:  # type: ignore[operator]
        clock.wall_sleep(0.01)
    return bool(done())  # type: ignore[operator]


def silent(_: bytes) -> bytes:
    return b""


def test_each_telegram_is_one_post_in_order() -> None:
    got: list[tuple[str, str | None, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Content-Type"], body))
            self.send_response(500 if body == b"two" else 204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    line = HttpPost(HttpPostSpec(url=f"http://127.0.0.1:{server.server_port}/in?x=1", content_type="text/csv"))
    line.open(silent)
    try:
        assert [line.send(data) for data in (b"one", b"two")] == [3, 3]
        assert wait(lambda: line.problem is not None) and "answered 500" in str(line.problem)
        line.send(b"three")
        assert wait(lambda: line.problem is None)
        assert got == [("/in?x=1", "text/csv", body) for body in (b"one", b"two", b"three")]
        server.shutdown()
        server.server_close()
        line.send(b"four")
        assert wait(lambda: line.problem is not None) and "see that the product listens there" in str(line.problem)
    finally:
        line.close()
    assert line.send(b"five") == 0


@pytest.mark.parametrize("url", ["", "ftp://x/", "http://", "x"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(LineError, match="a url like"):
        HttpPost(HttpPostSpec(url=url)).open(silent)


def test_each_telegram_is_one_mqtt_message(tmp_path: Path) -> None:
    broker = make(tmp_path, spec=MosquittoSpec(tls=False, per_device_acl=False, bind_client_id=False))
    line = MqttPublish(MqttPublishSpec(port=1, topic="telegrams"))
    line.open(silent)
    assert line.send(b"lost") == 0 and "see that its broker runs" in str(line.problem)
    line.close()
    broker.start()
    try:
        assert broker.address is not None
        ear = broker.connect(broker.identity("ear"), subscribe=("telegrams",))
        until(broker, lambda: ear.connected)
        line = MqttPublish(MqttPublishSpec(host="127.0.0.1", port=broker.address.port, topic="telegrams"))
        line.open(silent)
        assert wait(lambda: line.problem is None)
        assert [line.send(data) for data in (b"one", b"two")] == [3, 3]
        until(broker, lambda: len(ear.inbox) == 2)
        assert [one.payload for one in ear.inbox] == [b"one", b"two"]
        line.close()
    finally:
        broker.stop()


def test_new_rows_of_a_table_are_read_once(tmp_path: Path) -> None:
    database = tmp_path / "readings.db"
    query = "SELECT id AS n, meter, litres AS total_l FROM readings WHERE meter LIKE '{%' OR 1;"
    spec = SqlSpec(database="readings.db", query=query, values="$", meter="$.meter")
    reader = KIND.open(spec, ReadGround(tmp_path, None, tmp_path / "stdout", tmp_path / "key"))
    reader.start()
    assert reader.take() == []
    table = sqlite3.connect(database)
    assert wait(lambda: not reader.take() and "no such table" in str(reader.problem))
    table.execute("CREATE TABLE readings (id INTEGER PRIMARY KEY, meter TEXT, litres INTEGER)")
    table.executemany("INSERT INTO readings (meter, litres) VALUES (?, ?)", [("1", 5), ("2", None), ("\x1b[2J", 7)])
    table.commit()
    came: list[object] = []

    def more() -> int:
        came.extend((row.meter, dict(row.values or {}).get("total_l")) for row in reader.take())
        return len(came)

    assert wait(lambda: more() == 3)
    table.execute("INSERT INTO readings (meter, litres) VALUES ('1', 9)")
    table.commit()
    assert wait(lambda: more() == 4) and reader.problem is None
    assert [came[0], came[3]] == [("1", 5), ("1", 9)]
    reader.stop()
    again = KIND.open(spec, ReadGround(tmp_path, None, tmp_path / "stdout", tmp_path / "key"))
    again.start()
    clock.wall_sleep(0.15)
    assert again.take() == []
    database.write_bytes(b"\x1b[2J no database")
    assert wait(lambda: not again.take() and again.problem is not None)
    assert str(again.problem).isprintable() and "see `database` and `query`" in str(again.problem)
    again.stop()
    table.close()
