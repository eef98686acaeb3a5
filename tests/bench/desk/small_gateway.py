"""Gateways that the reference is not, as small programs: `python -m tests.bench.desk.small_gateway KIND [WORSE]`.

They read rtl_wmbus lines from standard input (`follower`: from a log file) and print what they say, a JSON object a
line. KIND is one of KINDS; WORSE, where it is named, one of what WORSE lists for it: one thing that is wrong. Each
prints "ready" when it listens.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sim.core import clock
from wmbus.compact import Formats
from wmbus.errors import BadTelegram, Reason
from wmbus.receiver import unlock
from wmbus.records import parse_records
from wmbus.telegram import parse

AWAKE_S, PERIOD_S = 2.0, 5.0
"""Of the sleeper."""
THINNING_S: Final = 1.5
PART_BYTES: Final = 50


def heard() -> Iterator[bytes]:
    """Frames of standard input."""
    print("ready", flush=True)
    for line in sys.stdin:
        fields = line.strip().split(";")
        if len(fields) > 7 and fields[1] == "1":
            yield bytes.fromhex(fields[-1][2:])


def say(**body: Any) -> None:
    print(json.dumps(body), flush=True)


def keep(place: Path, text: str) -> None:
    """Whole or not at all: the power is cut at any time."""
    place.with_suffix(".new").write_text(text)
    place.with_suffix(".new").replace(place)


def sleeper(worse: str) -> None:
    """Listens AWAKE_S of each PERIOD_S; `half`: half of that."""
    awake_s = AWAKE_S / 2 if worse == "half" else AWAKE_S
    for frame in heard():
        if clock.unix_ns() / clock.NS_PER_S % PERIOD_S < awake_s:
            say(data=frame.hex())


def thinner(worse: str) -> None:
    """One telegram a meter in THINNING_S; `often`: four of them."""
    every_ns = clock.ns(THINNING_S / 4 if worse == "often" else THINNING_S)
    latest: dict[bytes, int] = {}
    for frame in heard():
        now_ns = clock.wall_ns()
        if now_ns - latest.get(frame[2:10], now_ns - every_ns) >= every_ns:
            latest[frame[2:10]] = now_ns
            say(data=frame.hex())


def decoder(worse: str) -> None:
    """Volumes and flows of what it can read, compact frames too, with the meters' keys in `keys/`. `strict` is no
    fault: it takes nothing in clear of a meter that has a key, and no volume below the last. `fills`: a volume that a
    telegram lacks is that of the one before. `guesses`: ciphertext read as if it were clear. `renames`: as a newer
    release does. `forgets`: it reads no compact frame after its second start."""
    starts = Path("starts")
    begun = int(starts.read_text()) + 1 if starts.exists() else 1
    keep(starts, str(begun))
    known = Path("formats")
    formats = Formats()
    if known.exists():
        for line in known.read_text().split():
            formats.learn_chains(bytes.fromhex(line))
    keys = {one.name: bytes.fromhex(one.read_text()) for one in Path().glob("keys/*")}
    last: dict[str, float] = {}
    highest: dict[str, float] = {}
    for frame in heard():
        meter = frame[7:3:-1].hex()
        try:
            key = keys.get(meter) or None
            if worse == "strict" and key and parse(frame).mode == 0:
                continue
            body = _records(frame, formats, known, key, deaf=worse == "forgets" and begun > 1)
        except BadTelegram:
            if worse != "guesses" or len(frame) < 30:
                continue
            body = {"total_m3": int.from_bytes(frame[17:20], "little") / 1_000}
        if worse == "fills":
            body = {**last, **body}
            last = {name: value for name, value in body.items() if name == "total_m3"} or last
        if worse == "strict" and body.get("total_m3", 0.0) < highest.get(meter, 0.0):
            continue
        highest[meter] = body.get("total_m3", 0.0)
        if worse == "renames" and "total_m3" in body:
            body["volume_total_m3"] = body.pop("total_m3")
        say(id=meter, **body)


def _records(frame: bytes, formats: Formats, known: Path, key: bytes | None, *, deaf: bool) -> dict[str, float]:
    if frame[10:11] == b"\x79":
        if deaf:
            raise BadTelegram(Reason.FORMAT_UNKNOWN, "it has forgotten it")
        data = formats.expand(frame[11:])
    else:
        data = unlock(parse(frame), key).plaintext
    records = parse_records(data, strict=False)
    chains = b"".join(one.dif_vif for one in records)
    if frame[10:11] == b"\x78":
        formats.learn_chains(chains)
        with known.open("a") as file:
            file.write(chains.hex() + "\n")
    body = {}
    for one in records:
        if one.storage == 0 and one.function == "instantaneous" and isinstance(one.value, int | float):
            if one.unit == "m3":
                body.setdefault("total_m3", float(one.value))
            elif one.unit == "m3/h":
                body.setdefault("flow_m3h", float(one.value))
    return body


def parts(worse: str) -> None:
    """As Lobaro's bridge: parts of 50 bytes, a counter a part, kept through a power cut. `joins`: after one it goes on
    with the rest of what it was sending, under the first part of the next telegram."""
    place, rest_place = Path("counter"), Path("rest")
    counter = int(place.read_text()) if place.exists() else 0
    rest = json.loads(rest_place.read_text()) if worse == "joins" and rest_place.exists() else []
    for frame in heard():
        cut = [frame[at : at + PART_BYTES] for at in range(0, len(frame), PART_BYTES)]
        if rest and len(rest) == len(cut):
            cut[1:] = [bytes.fromhex(one) for one in rest[1:]]
        rest = []
        for at, part in enumerate(cut):
            if len(cut) > 1:
                keep(rest_place, json.dumps([one.hex() for one in cut]))
            say(fPort=10 * (at + 1) + len(cut), fCnt=counter, data=base64.b64encode(part).decode())
            counter += 1
            keep(place, str(counter))
            time.sleep(0.01)


def follower(worse: str) -> None:
    """The telegrams of wmbusmeters' log in `log`; its place (inode, bytes) is saved behind each line. `early`:
    before it publishes. `stays`: with the file that it opened, when that was rotated away."""
    place = Path("place")
    inode, at = map(int, place.read_text().split()) if place.exists() else (0, 0)
    found = [one for one in Path().glob("log*") if one.stat().st_ino == inode]
    file = (found[0] if found else Path("log")).open("rb")
    file.seek(at if found else 0)
    print("ready", flush=True)
    while True:
        begin = file.tell()
        line = file.readline()
        if line.endswith(b"\n"):
            here = f"{os.fstat(file.fileno()).st_ino} {file.tell()}"
            if b"telegram=|_" in line:
                if worse == "early":
                    keep(place, here)
                    time.sleep(0.01)
                say(data=line.split(b"|")[1][1:].decode().lower())
            keep(place, here)
            continue
        file.seek(begin)
        time.sleep(0.002)
        log = Path("log")
        if worse != "stays" and log.exists() and log.stat().st_ino != os.fstat(file.fileno()).st_ino:
            if not file.read(1):  # nothing more came before it was rotated
                file.close()
                file = log.open("rb")
            else:
                file.seek(begin)


KINDS: Final = {one.__name__: one for one in (sleeper, thinner, decoder, parts, follower)}
WORSE: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("sleeper", "half"): ("awake",),
    ("thinner", "often"): ("thinning",),
    ("decoder", "fills"): ("foreign-field",),
    ("decoder", "guesses"): ("no-key-no-value",),
    ("decoder", "renames"): ("field-names",),
    ("decoder", "forgets"): ("compact-frames",),
    ("parts", "joins"): ("parts",),
    ("follower", "early"): ("log-place",),
    ("follower", "stays"): ("log-place",),
}
"""Kind and what is wrong -> the rows of the contract suite that must see it, and no others."""


if __name__ == "__main__":
    KINDS[sys.argv[1]](sys.argv[2] if len(sys.argv) > 2 else "")
