"""A product made for tests, as a program: hex lines in, readings out. It judges as the bench's own protocol code does,
and each defect makes it believe one thing more.

    python -m tests.bench.product.made_product KEYS OUT DEFECT [SOURCE]

OUT: "-" (lines of JSON), a path ending in .db (a table), or http://... (POST). SOURCE: "-" (standard input), a path
that is followed, or http://127.0.0.1:PORT/ to listen at.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from sim.core.bundle import Bundle
from wmbus.errors import BadTelegram
from wmbus.receiver import unlock
from wmbus.records import parse_records
from wmbus.telegram import parse

CLOCK = bytes.fromhex("046d1c014531")
FILLER = "71900000"


class Product:
    def __init__(self, keys: Path, defect: str) -> None:
        self.defect = defect
        self.keys: dict[str, bytes] = {}
        for line in keys.read_text().splitlines()[1:]:
            address, _, key = line.partition(",")
            self.keys[address.split()[1]] = bytes.fromhex(key)
        self.latest: dict[str, int] = {}

    def judge(self, frame: bytes) -> tuple[str, int] | None:
        telegram = parse(frame)
        id_ = telegram.address.id
        key = self.keys.get(id_)
        if telegram.address.version != 0x68 and self.defect != "header":
            return None
        if key is not None and telegram.mode not in (5, 7) and self.defect != "downgrade":
            return None
        if telegram.transport is not None and telegram.transport.sts and self.defect != "status":
            return None
        loose = self.defect == "loose"
        opened = unlock(
            telegram, key if telegram.mode else None, accept_clear_tail=loose, accept_n_zero=self.defect == "downgrade",
            require_mac=self.defect not in ("no MAC", "downgrade"),
        )  # fmt: skip
        afl = telegram.afl
        number = afl.mcr if afl is not None and afl.mcr is not None else telegram.acc
        if number is not None and number <= self.latest.get(id_, -1) and self.defect != "replay":
            return None
        clear = opened.plaintext + (opened.clear_tail if loose else b"")
        records = parse_records(clear, strict=not loose)
        timed = any(one.dif_vif == bytes.fromhex("046d") and one.raw == CLOCK[2:] for one in records)
        in_clear = self.defect == "downgrade" and not opened.decrypted
        if (
            telegram.mode == 5
            and not in_clear
            and not timed
            and id_ != FILLER
            and not loose
            and self.defect != "untimed"
        ):
            return None
        found = [one for one in records if one.quantity == "volume" and isinstance(one.value, (int, float))]
        if not found:
            return None
        self.latest[id_] = max(number or 0, self.latest.get(id_, 0))
        return id_, round(found[-1].value * 1_000)  # type: ignore[operator]


def lines(source: str) -> Iterator[str]:
    if source == "-":
        yield from sys.stdin
    elif source.startswith("http://"):
        yield from heard(int(source.rsplit(":", 1)[1].strip("/")))
    else:
        with open(source, encoding="ascii") as file:
            while True:
                line = file.readline()
                if line:
                    yield line
                else:
                    time.sleep(0.01)


def heard(port: int) -> Iterator[str]:
    got: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", port), Handler)
    print("listens", flush=True)
    while True:
        server.handle_request()
        while got:
            yield got.pop(0)


def telegram_of(line: str) -> bytes:
    """A line is hex, or a bundle with one telegram."""
    if line.startswith("{"):
        (heard,) = Bundle.decode(line.encode()).heard
        return heard.telegram
    return bytes.fromhex(line.strip())


def main(keys: str, out: str, defect: str, source: str = "-") -> None:
    if defect == "silent":
        print("ready", flush=True)
        for _ in lines(source):
            pass
        return
    product = Product(Path(keys), defect)
    table = sqlite3.connect(out) if out.endswith(".db") else None
    if table is not None:
        table.execute("CREATE TABLE IF NOT EXISTS readings (id INTEGER PRIMARY KEY, meter TEXT, litres INTEGER)")
        table.commit()
    print("ready", flush=True)
    for line in lines(source):
        if defect == "garbage":
            print('{"meter": \x1b[2J nonsense', flush=True)
            continue
        with contextlib.suppress(BadTelegram, ValueError):
            found = product.judge(telegram_of(line))
            if found is None:
                continue
            if table is not None:
                table.execute("INSERT INTO readings (meter, litres) VALUES (?, ?)", found)
                table.commit()
            elif out.startswith("http://"):
                body = json.dumps({"meter": found[0], "total_l": found[1]}).encode()
                urllib.request.urlopen(urllib.request.Request(out, body, method="POST"), timeout=5).close()
            else:
                print(json.dumps({"meter": found[0], "total_l": found[1]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
