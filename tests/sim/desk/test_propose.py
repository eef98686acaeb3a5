"""`gateway record`: from messages whose format nobody told to an entry that reads them."""

from __future__ import annotations

import base64
import json
import random
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sim.desk import inventory
from sim.desk.guesses import Fed
from sim.desk.propose import Heard, Proposal, propose
from sim.endpoint.topic_acl import matches
from sim.feeders.kinds.iq_feed import IqSpec
from sim.readers.message_content import Content, ContentSpec
from sim.readers.port import Delivered
from tests.sim.desk.boxes import frame
from tests.sim.readers import published_payloads as rows
from tests.sim.readers.published_payloads import ROWS, TELEGRAM, WIRED
from wmbus.link import add_crcs_a

BOX = inventory.GatewayEntry(name="box", feed=(IqSpec(),), read=())
CAME = datetime(2026, 1, 2, 3, 4, 7, tzinfo=UTC)


def read_back(proposal: Proposal, heard: list[Heard], folder: Path) -> list[Delivered]:
    """The proposal as a file that the inventory takes, and what its readers make of the messages."""
    text = proposal.toml(BOX)
    assert all(line.isascii() and line.isprintable() for line in text.split("\n"))
    path = folder / "inventory.toml"
    path.write_text(text, encoding="utf-8")
    entry = inventory.load(path).find("box")
    assert entry.claims.forwards == ("decoded" if proposal.decoded else "encrypted")
    found = []
    for spec in entry.read:
        assert isinstance(spec, ContentSpec)
        content = Content(spec)
        for one in heard:
            if any(matches(topic, one.topic) for topic in spec.topic):  # type: ignore[attr-defined]
                found += content.rows(one.topic, one.payload, 0)
    return found


@pytest.mark.parametrize("row", rows.CARRIED, ids=lambda row: f"{row}-{ROWS[row - 1]['gateway']}")
def test_each_published_payload_is_found_out(row: int, tmp_path: Path) -> None:
    message = rows.carried(row)
    heard = [Heard(message.topic, message.payload, CAME)]
    proposal = propose(heard)
    assert proposal is not None and not proposal.decoded
    found = read_back(proposal, heard, tmp_path)
    wired = ROWS[row - 1]["gateway"].startswith("Elvaco")
    assert [one.frame for one in found] == [WIRED if wired else TELEGRAM] * message.count
    if "2026-01-02 03:04:05" in message.payload.decode("utf-8", "replace"):
        assert found[0].stamp == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    if '"rssi":-70' in message.payload.decode("utf-8", "replace"):
        assert found[0].rssi_dbm == -70


@pytest.mark.parametrize("server", ["tts", "chirpstack"])
@pytest.mark.parametrize("bridge", [((34, 7), (35, 8), (36, 9)), ((39, 7),)], ids=["lobaro", "imst"])
def test_bridges_over_lorawan_are_found_out(bridge: tuple[tuple[int, int], ...], server: str, tmp_path: Path) -> None:
    messages = [rows.uplink(row, server, counter) for row, counter in bridge]
    heard = [Heard(one.topic, one.payload, CAME) for one in messages]
    proposal = propose(heard)
    assert proposal is not None
    found = read_back(proposal, heard, tmp_path)
    assert [one.frame for one in found] == [TELEGRAM] * (1 + (len(bridge) == 3))
    assert {one.rssi_dbm for one in found} == {None}


@pytest.mark.parametrize("row", sorted(rows.DECODED), ids=lambda row: f"{row}-{ROWS[row - 1]['gateway']}")
def test_values_are_proposed_where_there_is_no_telegram(row: int, tmp_path: Path) -> None:
    message = rows.decoded(row)
    heard = [Heard(message.topic, message.payload, CAME)]
    proposal = propose(heard)
    assert proposal is not None and proposal.decoded
    (found,) = read_back(proposal, heard, tmp_path)
    assert found.values and (found.meter == "00000042" or row in range(17, 22))


@pytest.mark.parametrize("row", sorted(row for row in rows.WITHOUT if ROWS[row - 1]["payload"]))
def test_what_is_neither_is_never_said_to_be_telegrams(row: int) -> None:
    proposal = propose([Heard("x/y", rows.payload(row), CAME)])
    assert proposal is None or proposal.decoded


def test_a_format_that_nobody_has_seen_is_found_out_by_what_was_fed(tmp_path: Path) -> None:
    """Made up: packed, lists in lists, CRCs kept, base64, level without its sign under a name that says nothing, local
    time in a format of its own, a status beside it, and a broker's garbage."""
    rng, heard, fed = random.Random(5), [], []
    for batch in range(12):
        items = []
        for mark in range(3):
            one = Fed(frame(batch * 3 + mark), -float(rng.randrange(40, 110)), CAME + timedelta(seconds=batch))
            fed.append(one)
            items.append({
                "blob": base64.b64encode(add_crcs_a(one.frame)).decode(), "q": int(-one.rssi_dbm), "z": rng.random(),
                "when": (one.at + timedelta(hours=2)).strftime("%Y-%m-%d %H:%M:%S"),
            })  # fmt: skip
        hops = [{"time": (CAME + timedelta(seconds=batch)).isoformat(), "rssi": -50}]  # not the telegrams' own
        body = {"h": {"seq": batch, "n": 3}, "hops": hops, "sets": [{"rx": items[:1]}, {"rx": items[1:]}]}
        at = CAME + timedelta(seconds=batch + 3)
        heard.append(Heard(f"plant/box {batch % 2}/d", zlib.compress(json.dumps(body).encode()), at))
        heard.append(Heard(f"plant/box {batch % 2}/s", json.dumps({"up": batch, "rssi": -20}).encode(), at))
        heard.append(Heard("\x1b[31m\x7f/\u202e", rng.randbytes(40), at))
    proposal = propose(heard, fed)
    assert proposal is not None
    assert proposal.fed_found == proposal.telegrams == len(fed)
    found = read_back(proposal, [one for one in heard if one.topic.endswith("/d")], tmp_path)
    assert [(one.frame, one.rssi_dbm, one.stamp) for one in found] == [(o.frame, o.rssi_dbm, o.at) for o in fed]
    (read,) = proposal.reads
    assert read["transform"] == ["base64", "CRCs kept"] and read["topic"] == ["plant/+/d"]
    assert any("not understood" in note for note in proposal.notes)
    text = proposal.toml(BOX)
    assert "\x1b" not in text and "\u202e" not in text


def test_a_telegram_by_two_ways_is_read_by_one() -> None:
    both = [rows.carried(6), rows.carried(7)]
    proposal = propose([Heard(one.topic, one.payload, CAME) for one in both])
    assert proposal is not None
    assert len(proposal.reads) == 1 and proposal.telegrams == 1
    assert any("twice" in note for note in proposal.notes)


@pytest.mark.parametrize("payload", [b"", b"\x00" * 40, b"{" * 5_000, b"9" * 5_000, b"x\x9c broken", b"\xff\xfe{}"])
def test_garbage_proposes_nothing(payload: bytes) -> None:
    proposal = propose([Heard("a/b", payload, CAME)] * 3)
    assert proposal is None or proposal.decoded
