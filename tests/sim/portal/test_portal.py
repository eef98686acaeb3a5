"""Custody: what is acknowledged is stored, what is stored is stored once, and what is refused is kept."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import random
import sqlite3
import stat
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from bed import CALENDAR, INTERVAL_S, METER, Bed, acked, payload, telegram
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.billing.set_date_units import units_at
from sim.core import bundle
from sim.core.bundle import Birth
from sim.core.clock import NS_PER_S
from sim.core.events import TelegramRefused
from sim.endpoint.port import Message
from sim.portal import reasons
from sim.portal.checks import acc
from sim.portal.meter_registry import MeterEntry
from sim.portal.portal_spec import PortalSpec
from sim.portal.store import StoreError, fingerprint
from sim.portal.store.sqlite import SqliteStore
from tests.forked import begun
from wmbus.link import Address
from wmbus.telegram import build


def one(k: int) -> list[tuple[bytes, float]]:
    return [(telegram(k), k * INTERVAL_S)]


def test_acknowledged_after_the_commit_one_message_a_gateway(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    acks = b.take(b.message("gw1", one(1)), b.message("gw2", one(2)), b.message("gw1", one(3)), now_s=3_000)
    assert [(m.topic, acked(m)) for m in acks] == [("gw/gw1/ack", [1, 2]), ("gw/gw2/ack", [1])]
    other = sqlite3.connect(b.portal.store.path)  # what another process sees is what is committed
    assert other.execute("SELECT count(*) FROM readings").fetchone() == (3,)
    other.close()


def test_an_empty_bundle_is_acknowledged(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    assert acked(b.take(b.message("gw1", []), now_s=1)[0]) == [1]


@pytest.mark.parametrize("restart", [True, False])
def test_the_same_message_again_is_dropped_and_acknowledged(tmp_path: Path, restart: bool) -> None:
    """The acknowledgement was lost, or the portal died between commit and acknowledgement."""
    b = Bed(tmp_path, PortalSpec(checks=()))  # no check would stop a second reading
    message = b.message("gw1", one(1))
    b.take(message, now_s=1_000)
    if restart:
        b.restart()
    acks = b.take(message, message, now_s=1_100)
    assert acked(acks[0]) == [1]
    assert b.portal.store.count_readings() == 1
    assert b.portal.counts["duplicate bundles"] == 2


def test_copies_of_other_gateways_are_counted_not_stored(tmp_path: Path) -> None:
    """In the weakest portal too; but a replay ten seconds later is no copy, nor is an echo at the same gateway."""
    b = Bed(tmp_path, PortalSpec(checks=(), alarms=()))
    raw = telegram(1)
    assert b.hear(raw, 900.0) is None
    assert b.hear(raw, 901.9, gateway="gw2") == "copy"
    assert b.hear(raw, 898.1, gateway="gw3") == "copy"
    assert b.hear(raw, 910.0, gateway="gw4") is None
    assert b.hear(raw, 900.5) is None
    assert b.portal.counts["copies"] == 2
    sql = "SELECT gateway, taken, copies FROM sightings ORDER BY gateway"
    assert b.sql(sql) == [("gw1", 2, 0), ("gw2", 0, 1), ("gw3", 0, 1), ("gw4", 1, 0)]


def test_twin_bundles_are_both_judged_kept_and_acknowledged(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    first, second = b.message("gw1", one(1), 7), b.message("gw1", one(2), 7)
    b.take(first, now_s=1_900)
    acks = b.take(second, now_s=1_900)
    assert acked(acks[0]) == [7]
    assert [row.acc for row in b.portal.store.readings()] == [1, 2]
    assert b.kinds() == ["twin"]
    assert [(row.reason, row.payload) for row in b.portal.store.evidence()] == [(reasons.TWIN_BUNDLE, second.payload)]
    b.take(first, second, now_s=1_901)
    assert b.portal.store.count_readings() == 2
    assert b.kinds() == ["twin"]


def test_a_gateway_that_speaks_under_anothers_topic(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    genuine = b.message("gw1", one(1))
    assert b.take(Message("gw/gw2/up", genuine.payload), now_s=1_000) == []
    assert b.portal.store.count_readings() == 0
    assert b.portal.store.evidence()[0].reason == reasons.OTHER_GATEWAY
    birth = Message("gw/gw2/birth", Birth("gw1", "boot", 1).encode())
    assert b.take(birth, now_s=1_000) == []
    assert len(b.portal.store.evidence()) == 2


def _broken() -> list[Message]:
    good = {"v": 1, "gw": "gw1", "seq": 1, "closed": 0, "telegrams": [[1, -70.0, telegram(1).hex()]]}
    bodies = [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 20_000, b'{"v":2}', b'{"v":1}',
        json.dumps({**good, "telegrams": [[1, 10**400, "00"]]}).encode(),
        json.dumps({**good, "telegrams": [[1.5, 0, "00"]]}).encode(),
        json.dumps({**good, "telegrams": [[1, 0, "0g"]]}).encode(),
        json.dumps({**good, "telegrams": [[1, 0]]}).encode(),
        json.dumps({**good, "telegrams": 5}).encode(),
        json.dumps({**good, "seq": 2**70}).encode(),
        json.dumps({**good, "seq": True}).encode(),
        json.dumps({**good, "gw": "\ud800"}).encode(),
        json.dumps({**good, "gw": ""}).encode(),
    ]  # fmt: skip
    return [Message("gw/gw1/up", body) for body in bodies] + [
        Message("gw/gw1/birth", b"{}"), Message("gw/gw1/birth", Birth("gw1", "\ud800", 1).encode()),
        Message("gw/\ud800/up", json.dumps({**good, "gw": "\ud800"}).encode()),
        Message("elsewhere", b"x"), Message("gw/gw1/ack", b"x"), Message("", b""),
    ]  # fmt: skip


def test_malformed_messages_are_kept_with_a_reason_and_stop_nothing(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    broken = _broken()
    acks = b.take(*broken, b.message("gw1", one(1)), now_s=1_000)
    assert [acked(m) for m in acks] == [[1]]
    assert b.portal.store.count_readings() == 1
    kept = b.portal.store.evidence()
    assert len(kept) == len(broken) == b.portal.counts["bad messages"]
    assert [row.payload for row in kept] == [message.payload for message in broken]
    assert all(row.reason == reasons.BAD_MESSAGE and row.detail for row in kept)


def test_numbers_that_no_clock_and_no_antenna_show(tmp_path: Path) -> None:
    body = {"v": 1, "gw": "gw1", "seq": -(2**63), "closed": 0}
    rows = [[2**63 - 1, 1e999, telegram(1).hex()], [-(2**63), 0.0, telegram(2).hex()], [0, -70, ""]]
    text = json.dumps({**body, "telegrams": rows})
    assert "Infinity" in text
    for spec in (PortalSpec(), PortalSpec(checks=())):
        b = Bed(tmp_path / str(len(spec.checks)), spec)
        assert len(b.take(Message("gw/gw1/up", text.encode()), now_s=1_000)) == 1
        assert b.portal.store.count_readings() + len(b.portal.store.refusals()) == 2
        assert [row.reason for row in b.portal.store.evidence()] == [reasons.TOO_SHORT]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_payload(tmp_path_factory: pytest.TempPathFactory, payload: bytes) -> None:
    if not _ANY:
        _ANY.append(Bed(tmp_path_factory.mktemp("any")))
    assert _ANY[0].take(Message("gw/gw1/up", payload), Message("gw/gw1/birth", payload), now_s=1) == []


_ANY: list[Bed] = []


def test_refused_telegrams_are_kept_whole_and_told_without_their_bytes(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    assert b.hear(telegram(1), 910.0, now_s=1_000) == acc.REPLAYED_ACC
    row = b.portal.store.refusals()[0]
    assert (row.telegram, row.gateway, row.received_ns, row.stored_ns) == (
        telegram(1), "gw1", 910 * NS_PER_S, 1_000 * NS_PER_S,
    )  # fmt: skip
    told = [event for event in b.events if isinstance(event, TelegramRefused)]
    mark = fingerprint(telegram(1))
    assert told == [TelegramRefused(1_000 * NS_PER_S, str(METER), "gw1", acc.REPLAYED_ACC, mark)]
    assert b.portal.store.refusal_reasons(mark) == [acc.REPLAYED_ACC]


def test_full_disk(tmp_path: Path) -> None:
    """Nothing of the take is kept, nothing is acknowledged, no check remembers it; with room again all is taken."""
    meters = [Address("QDS", f"3{i:07d}", 0x36, 0x08) for i in range(300)]
    b = Bed(tmp_path, entries=[MeterEntry(m, gateways=frozenset({"gw1"})) for m in meters])
    b.take(b.message("gw1", [(telegram(1, meter=meters[0]), 900)]), now_s=910)
    message = b.message("gw1", [(telegram(2, meter=m), 1_800) for m in meters])
    connection = b.portal.store.connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 4}")
    events = len(b.events)
    with pytest.raises(StoreError, match=r"portal\.sqlite: .*full.*free disk space"):
        b.take(message, now_s=1_810)
    assert b.portal.store.count_readings() == 1
    assert len(b.events) == events
    connection.execute("PRAGMA max_page_count = 1000000")
    assert acked(b.take(message, now_s=1_820)[0]) == [2]
    assert b.portal.store.count_readings() == 301
    assert b.portal.store.refusals() == []
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_store_is_private_and_says_what_is_wrong(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    store = b.portal.store
    assert isinstance(store, SqliteStore)
    assert store.connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "portal.sqlite").write_bytes(b"not a database, not even nearly" * 100)
    with pytest.raises(StoreError, match=r"portal\.sqlite.*damaged"):
        SqliteStore(damaged)
    with pytest.raises(StoreError, match="choose a folder"):
        SqliteStore(store.path)


def twenty() -> list[Address]:
    """The child's meters."""
    return [Address("QDS", f"3{i:07d}", 0x36, 0x08) for i in range(20)]


def taking_for_ever(directory: Path, told: Connection) -> None:
    bed = Bed(directory, entries=[MeterEntry(m, gateways=frozenset(["gw1"])) for m in twenty()])
    for k in range(1, 100_000):
        message = bed.message("gw1", [(telegram(k, meter=m), k * 900) for m in twenty()], k)
        for ack in bed.take(message, now_s=k * 900 + 5):
            told.send(acked(ack))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_in_the_middle_of_a_take(tmp_path: Path, seed: int) -> None:
    """SIGKILL: what was acknowledged is stored whole, a bundle is there whole or not at all, and work goes on."""
    heard, told = multiprocessing.Pipe(duplex=False)
    child = begun(taking_for_ever, tmp_path, told)
    told.close()
    acknowledged = [one for _ in range(random.Random(seed).randint(3, 25)) for one in heard.recv()]
    child.kill()
    with contextlib.suppress(EOFError):
        while True:
            acknowledged += heard.recv()
    child.join()
    assert child.exitcode == -9
    store = SqliteStore(tmp_path)
    assert store.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    taken = [message.sequence for message in store.messages()]
    assert taken[: len(acknowledged)] == acknowledged
    assert len(taken) - len(acknowledged) <= 1
    assert [row.acc for row in store.readings()] == [k & 0xFF for k in taken for _ in range(20)]
    store.close()
    bed = Bed(tmp_path, entries=[MeterEntry(m, gateways=frozenset({"gw1"})) for m in twenty()])
    again = [(telegram(taken[-1], meter=m, units=7), taken[-1] * 900 + 10) for m in twenty()]
    bed.take(bed.message("gw1", again, 1 << 40), now_s=taken[-1] * 900 + 15)
    assert bed.portal.store.refused_by_reason() == {acc.REPLAYED_ACC: 20}


def test_events_come_after_the_commit(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    seen: list[int] = []

    def look(event: object) -> None:
        other = sqlite3.connect(b.portal.store.path)
        seen.append(other.execute("SELECT count(*) FROM refusals").fetchone()[0])
        other.close()

    b.portal._record = look
    b.hear(telegram(1), 910.0)
    assert seen == [1, 1]  # the refusal and the alarm


def test_no_key_in_the_store_the_events_or_a_repr(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    b.hear(telegram(1, key=bytes(16)), 1_000)
    b.portal.close()
    key = bytes(range(16))
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    said = repr(b.events) + repr(b.portal) + repr(b.keyring) + repr(vars(b.keyring.__class__))
    for form in (key, key.hex().encode(), key.hex().upper().encode()):
        assert form not in everything
        assert form not in said.encode("utf-8", "replace")


def test_bundle_digest_is_what_names_a_message(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    message = b.message("gw1", one(1))
    b.take(message, now_s=1_000)
    [taken] = b.portal.store.messages()
    assert (taken.gateway, taken.sequence, taken.digest) == ("gw1", 1, bundle.digest(message.payload))
    assert b.portal.store.fingerprints() == {fingerprint(telegram(1))}


def test_an_acknowledgement_names_the_content_that_was_committed(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    genuine, empty = b.message("gw1", [(telegram(1), 900.0)], 7), b.message("gw1", [], 7)
    for message in (empty, genuine, genuine):
        [ack] = b.take(message, now_s=905.0)
        assert bundle.Ack.decode(ack.payload).taken == (bundle.Taken(7, bundle.digest(message.payload)),)


# --- late telegrams and the bill ------------------------------------------------------------------------------------


def late(b: Bed, k: int, units: int, set_units: int) -> None:
    """A telegram of interval k, delivered two hours later, whose units anybody wrote (mode 0)."""
    at_s = k * INTERVAL_S
    raw = build(METER, 60, 0, payload(units, at_s + 120, set_units=set_units), security="none")
    assert b.hear(raw, at_s, claims_s=at_s + 130, now_s=at_s + 9_000) == reasons.LATE


def test_what_is_refused_as_late_is_not_billed_over_what_was_accepted(tmp_path: Path) -> None:
    b = Bed(tmp_path, security="none")
    b.run(range(41), security="none")
    late(b, 30, 100, 9_999)
    assert units_at(b.portal.store, CALENDAR, str(METER), date(2025, 12, 31), method="set date record") == 145


def test_a_late_telegram_is_the_only_witness_of_a_set_date(tmp_path: Path) -> None:
    b = Bed(tmp_path, security="none")
    late(b, 30, 100, 77)
    assert units_at(b.portal.store, CALENDAR, str(METER), date(2025, 12, 31), method="set date record") == 77


@pytest.mark.parametrize(
    ("before", "after", "units", "counts"),
    [(100, 120, 100, True), (100, 120, 120, True), (100, 120, 99, False), (100, 120, 121, False),
     (100, 3, 140, True), (100, 3, 2, True), (100, 3, 50, False)],
)  # fmt: skip
def test_late_units_count_between_their_neighbours(
    tmp_path: Path, before: int, after: int, units: int, counts: bool
) -> None:
    b = Bed(tmp_path, security="none")
    b.run([28], security="none", units=before)
    b.run([41], security="none", units=after)
    late(b, 30, units, 145)
    rows = [row.units for row in b.portal.store.billing(str(METER)) if row.late]
    assert rows == ([units] if counts else [None])
