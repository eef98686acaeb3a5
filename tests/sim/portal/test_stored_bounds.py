"""What a flood leaves in the store is bounded, by count: twice the flood leaves the same (A9, A10, A11)."""

from __future__ import annotations

from pathlib import Path

from sim.core.bundle import Birth
from sim.endpoint.port import Message
from sim.portal.alarms import freshness
from sim.portal.evidence_quota import ROWS_MOST
from sim.portal.store_port import BOOTS_KEPT
from tests.sim.portal.bed import INTERVAL_S, Bed, telegram
from tests.sim.portal.test_gateways import METERS, many

TABLES = ("births", "alarms", "evidence", "refusals", "readings", "messages", "sightings", "freshness")


def _counts(b: Bed) -> dict[str, int]:
    return {table: b.sql(f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES}


def _flood(b: Bed, times: int) -> None:
    """All that a certificate's thief can say without a key, several times each, over a restart."""
    for turn in range(times):
        now_s = 1_000.0 + turn
        births = [Birth("gw1", f"x{turn}.{n}", n, refused=n % 2).encode() for n in range(700)]
        garbage = [b"{%d" % (n + turn * 1_200) for n in range(1_200)]
        b.take(*(Message("gw/gw1/birth", one) for one in births), now_s=now_s)
        b.take(*(Message("gw/gw1/up", one) for one in garbage), now_s=now_s)
        b.take(*[Message("gw/gw2/up", b"retained")] * 50, now_s=now_s)
        b.take(*(b.message("gw1", [(b"", 900.0)] * 2_000, 1) for _ in range(20)), now_s=now_s)
        b.take(*(Message(f"gw/stranger{n}/up", b"{}") for n in range(5)), now_s=now_s)
        b.restart()


def test_twice_the_flood_leaves_no_more(tmp_path: Path) -> None:
    once, twice = (many(tmp_path / name, 80, gateways=("gw1", "gw2")) for name in ("once", "twice"))
    for b in (once, twice):
        b.take(b.message("gw1", [(telegram(1, meter=METERS[0], security="mode7"), INTERVAL_S)]), now_s=905.0)
    _flood(once, 1)
    _flood(twice, 2)
    counts = _counts(once)
    assert _counts(twice) == counts
    # Of gw1 its quota, one retained message, and each stranger's.
    assert counts["births"] == BOOTS_KEPT and counts["evidence"] == ROWS_MOST + 1 + 5
    assert counts["alarms"] == 2 and set(once.kinds()) == {"twin", "custody"}
    assert counts["readings"] == 1 and counts["refusals"] == 0
    assert counts["messages"] == 2  # the genuine one, and the empty one under its number
    assert once.hear(telegram(2, meter=METERS[0], security="mode7"), 2 * INTERVAL_S) is None


def test_junk_alarms_are_bounded_however_often_it_comes(tmp_path: Path) -> None:
    once, twice = (many(tmp_path / name, 80) for name in ("once", "twice"))
    for b, times in ((once, 1), (twice, 3)):
        for turn in range(times):
            junk = [(telegram(1, meter=m, security="mode7", key=bytes([turn] * 16)), 900.0) for m in METERS]
            b.take(b.message("gw1", junk), now_s=905.0 + turn)
    assert _counts(twice)["alarms"] == _counts(once)["alarms"] == freshness.MOST + 1
