"""Both stores that a running portal may have answer every question alike, and a server that fails loses no telegram."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bed import INTERVAL_S, Bed, acked, telegram

from sim.core.bundle import Birth
from sim.core.clock import ns
from sim.endpoint.port import Message
from sim.faults.portal_restarted import PortalRestarted
from sim.portal.meter_registry import MeterEntry, Tenancy
from sim.portal.portal_spec import PortalSpec
from sim.portal.roles import Views
from sim.portal.store import StoreError, open_store
from sim.world import World
from tests.sim.portal.postgres_server import programs, running
from tests.small_worlds import dozen
from wmbus.link import Address

LAST_S = 9 * INTERVAL_S + 21_600


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    place = programs()
    if place is None:
        pytest.skip("PostgreSQL's server is not installed: apt-get install postgresql")
    with running(place) as made:
        yield made


def flats() -> list[MeterEntry]:
    return [
        MeterEntry(
            Address("QDS", f"6000000{n}", 0x36, 0x08), "mode7" if n else "mode5", INTERVAL_S, frozenset({"gw1", "gw2"}),
            flat=f"flat {n}", house="big",
        )
        for n in range(4)
    ]  # fmt: skip


def bed(folder: Path, store: str) -> Bed:
    tenancies = [Tenancy("anna", "flat 0", 0, ns(4 * INTERVAL_S)), Tenancy("ben", "flat 0", ns(4 * INTERVAL_S))]
    return Bed(folder, PortalSpec(store=store), entries=flats(), tenancies=tenancies, landlords=[("lord", "big")])


def rows(k: int, **more: Any) -> list[tuple[bytes, float]]:
    return [
        (telegram(k, meter=one.address, security=one.security, units=100 * k + n, **more), k * INTERVAL_S)
        for n, one in enumerate(flats())
    ]


def history(b: Bed) -> list[list[int]]:
    """Readings, copies, replays, twins, strangers, births, late telegrams, tampering, silence, a restart; what was
    acknowledged."""
    acks = []

    def take(*messages: Message, now_s: float) -> None:
        acks.append([sequence for ack in b.take(*messages, now_s=now_s) for sequence in acked(ack)])
        b.portal.watch(ns(now_s))

    for k in range(1, 6):
        take(b.message("gw1", rows(k)), b.message("gw2", rows(k)), now_s=k * INTERVAL_S + 5)
    b.restart()
    take(b.message("gw2", [(raw, at_s + 60) for raw, at_s in rows(4)]), now_s=5 * INTERVAL_S + 60)
    take(b.message("gw1", rows(6, sts=0x08), 77), b.message("gw1", rows(7), 77), now_s=7 * INTERVAL_S + 5)
    take(
        Message("gw/gw1/birth", Birth("gw1", "a", 9).encode()), Message("gw/gw1/birth", Birth("gw1", "a", 1).encode()),
        Message("gw/\0/up", b"\0"), b.message("gw1", [(telegram(8), 8 * INTERVAL_S), (bytes(12), -1e9), (b"\0", -1e9)]),
        now_s=8 * INTERVAL_S + 5,
    )  # fmt: skip
    take(b.message("gw2", rows(8)), b.message("gw9", rows(9)), now_s=LAST_S)
    return acks


def told(b: Bed) -> dict[str, Any]:
    """Every question, answered."""
    store, views = b.portal.store, Views(b.portal.store)
    names = [entry.name for entry in flats()]
    week = ns(7 * 86_400)
    return {
        "readings": store.readings(), "of one": store.readings(names[1]), "refusals": store.refusals(),
        "late": store.refusals("late"), "reasons": store.refused_by_reason(), "evidence": store.evidence(),
        "messages": store.messages(), "fingerprints": store.fingerprints(), "meters": store.meters(),
        "counted": store.count_readings(), "sightings": store.sightings(), "alarms": store.standing_alarms(),
        "billing": [store.billing(name) for name in names],
        "set date": [store.set_date_units(name, "2025-12-31") for name in names],
        "last": [store.last_units(name, week) for name in names], "silence": store.last_taken(),
        "known": store.known(store.fingerprints()), "births": store.births("gw1"),
        "freshness": sorted(store.freshness()), "after": store.readings_after(3, 5),
        "same bytes": store.readings_of(store.readings()[2].fingerprint),
        "why": [store.refusal_reasons(mark) for mark in sorted(store.fingerprints())],
        "anna": store.consumption("anna", "flat 0", 0), "ben": views.tenant("ben", week),
        "lord": (views.landlord("lord", "big", 0, week), views.landlord("lord", "big", 0, week)),
        "answers": store.answers("big", 0, week), "operator": views.operator(), "counts": b.portal.counts,
        "events": b.events,
    }  # fmt: skip


def test_both_stores_answer_alike(tmp_path: Path, url: str) -> None:
    one, other = bed(tmp_path / "one", "sqlite"), bed(tmp_path / "other", url)
    assert history(one) == history(other)
    said, same = told(one), told(other)
    assert set(said["reasons"]) >= {"late", "unknown meter", "foreign gateway", "malformed"}
    assert set(one.kinds()) >= {"tamper", "gap", "freshness", "twin"}
    assert said["lord"][0].units > 0 and len(said["ben"]) > 2
    same["evidence"] = [row._replace(topic=row.topic.replace("\\0", "\0"), detail=row.detail.replace("\\0", "\0"))
                        for row in same["evidence"]]  # fmt: skip
    assert set(said) == set(same)
    for question in said:
        assert said[question] == same[question], question
    other.restart()
    again = told(other) | {"evidence": said["evidence"]}
    assert {question: again[question] for question in said if question != "counts"} == {
        question: said[question] for question in said if question != "counts"
    }


@pytest.mark.parametrize("server", [False, True])
def test_a_take_that_fails_is_as_if_it_had_not_been(tmp_path: Path, url: str, server: bool) -> None:
    b = bed(tmp_path, url if server else "sqlite")
    b.take(b.message("gw1", rows(1)), now_s=INTERVAL_S + 5)
    before = told(b)
    message = b.message("gw1", rows(2, sts=0x08))
    connection = b.portal.store.connection  # type: ignore[attr-defined]
    connection.execute("ALTER TABLE silence RENAME TO elsewhere")
    with pytest.raises(StoreError, match=r"silence.*nothing of this take was kept"):
        b.take(message, now_s=2 * INTERVAL_S + 5)
    connection.execute("ALTER TABLE elsewhere RENAME TO silence")
    assert told(b) == before
    assert acked(b.take(message, now_s=2 * INTERVAL_S + 6)[0]) == [2]
    assert b.portal.store.count_readings() == 8
    assert b.portal.store.refusals() == []
    assert b.kinds().count("tamper") == 4


def test_a_world_of_the_other_store_is_the_same_world(tmp_path: Path, url: str) -> None:
    digests = set()
    for place, store in enumerate(("sqlite", url)):
        spec = dozen(tmp_path, portal__store=store)
        with World(spec, 1, tmp_path / str(place)) as world:
            world.run(ns(600))
            world.fault(PortalRestarted())
            world.run(ns(600))
            assert world.stored.count_readings() > 20
            assert (world.truth.altered(), world.truth.missing()) == ([], [])
            digests.add(world.history.digest)
    assert len(digests) == 1


def test_portals_of_two_directories_share_a_server_and_nothing_else(tmp_path: Path, url: str) -> None:
    one, other = bed(tmp_path / "one", url), bed(tmp_path / "other", url)
    one.take(one.message("gw1", rows(1)), now_s=INTERVAL_S + 5)
    assert (one.portal.store.count_readings(), other.portal.store.count_readings()) == (4, 0)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("postgresql://wmbench@127.0.0.1:1/none", r"127\.0\.0\.1/none.*is the server up"),
        ("sqlit", r"no store 'sqlit'; known, nearest first: sqlite"), ("parquet", "not asked as a running portal asks"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_says_so(tmp_path: Path, where: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        open_store(where, tmp_path)


def test_no_password_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as told:
        open_store("postgresql://me:geheim@127.0.0.1:1/none", tmp_path)
    assert "geheim" not in str(told.value)


def test_a_state_of_another_version_is_named(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.run([1])
    [row, *_] = b.portal.store.freshness()
    with b.portal.store.transaction():
        b.portal.store.put_freshness([row._replace(state=row.state[:-1])])
    with pytest.raises(StoreError, match=r"a meter's state of \d+ bytes is not .* of another version; begin with an"):
        b.restart()


def test_tables_of_another_version_are_named(tmp_path: Path) -> None:
    b = Bed(tmp_path)
    b.portal.close()
    with sqlite3.connect(next(tmp_path.rglob("portal.sqlite"))) as db:
        db.execute("ALTER TABLE freshness RENAME COLUMN layout TO kind")
    with pytest.raises(StoreError, match="of another version; begin with an empty store"):
        b.restart()
