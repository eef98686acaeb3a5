"""Real input: published telegrams of real heat cost allocators, on the air among simulated ones.

What the simulated fleet proves about the portal it proves with telegrams of our own making. These were
made by real devices of eight makers, and what they say was published by others, so here the whole path is held against
something that was not written here.

`ts` and `age` are off in these worlds: both compare the time in a telegram with today's, and these telegrams were
recorded years ago, so the two would refuse every one of them, rightly. Everything else is on.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bench.rig.scenario import Stage, scenario
from sim.core.settings import without
from sim.recording.log import read_log
from sim.recording.replayed_meters import Outcome, announced
from wmbus.link import Address

LOG = Path(__file__).parent / "telegrams.jsonl"
PUBLISHED: list[dict[str, Any]] = [
    json.loads(line) for line in LOG.read_text(encoding="utf-8").splitlines() if line.startswith("{")
]
OLD = {"portal.checks": without("ts", "age")}


def publish(world: Stage, keys: dict[Address, bytes]) -> list[tuple[dict[str, Any], Outcome]]:
    """Play all of them among the fleet; each that was received, with what came of it. The air is shared, so with some
    seeds one is lost to a collision; the limit says how many may be."""
    playing = world.inner.play(read_log(LOG).played, delay_s=90)
    playing.enrol(keys)
    world.run(minutes=15)
    world.measure("simulated telegrams among which they were sent", world.truth.received).at_least(40)
    came = list(zip(PUBLISHED, playing.outcomes(), strict=True))
    received = [(published, outcome) for published, outcome in came if outcome.came != "lost"]
    world.measure("real telegrams received", len(received)).at_least(len(PUBLISHED) - 2)
    return received


def published_keys() -> dict[Address, bytes]:
    found: dict[Address, bytes] = {}
    for published, played in zip(PUBLISHED, read_log(LOG).played, strict=True):
        address, _ = announced(played.telegram)
        if address is not None and published["key"]:
            found[address] = bytes.fromhex(published["key"])
    return found


@scenario(
    world="field-50", settings=OLD,
    not_for={"smgw": "a recording is of meters that it was never paired with"},
)
def test_real_telegrams_are_read_as_published(world: Stage) -> None:
    """Telegrams of real meters, in clear and in mode 5 with their published keys, some with the CRCs of format A and B:
    units, units at the set date and the set date are what was published, at the level they were recorded with. A real
    telegram in mode 7 whose key was never published is refused as "no key"."""
    came = publish(world, published_keys())
    assert len(PUBLISHED) == 13
    for published, outcome in came:
        assert outcome.security == published["security"], published["source"]
        if published["expected"] is None:
            assert (outcome.came, outcome.why) == ("refused", "no key"), published["source"]
            continue
        reading = outcome.reading
        assert reading is not None, (published["source"], outcome.why, outcome.detail)
        expected = dict(published["expected"])
        if day := expected.get("set_date"):  # a first of a month is the day after the last that counts
            expected["set_date"] = str(date.fromisoformat(day) - timedelta(days=day.endswith("-01")))
        stored = {name: getattr(reading, name) for name in expected}
        assert stored == expected, published["source"]
        assert reading.rssi_dbm == published["rssi"], published["source"]
    in_mode_5 = [outcome for published, outcome in came if published["security"] == "mode5"]
    world.measure("real telegrams stored as published", sum(o.came == "stored" for _, o in came)).at_least(10)
    world.measure("of them encrypted", sum(o.came == "stored" for o in in_mode_5)).at_least(3)


@scenario(
    world="field-50", settings=OLD,
    not_for={"smgw": "a recording is of meters that it was never paired with"},
)
def test_without_its_key_no_real_telegram_is_stored(world: Stage) -> None:
    """The same telegrams and no keys: each encrypted one is refused as "no key" and kept; those in clear are read."""
    came = publish(world, {})
    for published, outcome in came:
        expected = ("stored", "") if published["security"] == "none" else ("refused", "no key")
        assert (outcome.came, outcome.why) == expected, published["source"]
    world.measure("refused for want of a key", sum(o.why == "no key" for _, o in came)).at_least(4)


@scenario(
    world="field-50", settings=OLD,
    not_for={"smgw": "a recording is of meters that it was never paired with"},
)
def test_with_a_wrong_key_no_real_telegram_is_stored(world: Stage) -> None:
    """The same telegrams with keys of which one bit is wrong: mode 5 is recognised by the two bytes it must begin with,
    mode 7 by its MAC. Nothing encrypted is stored, no wrong value among the readings."""
    wrong = {address: bytes([key[0] ^ 1]) + key[1:] for address, key in published_keys().items()}
    mode_7 = next(p for p in read_log(LOG).played if announced(p.telegram)[1] == "mode7")
    address, _ = announced(mode_7.telegram)
    assert address is not None
    came = publish(world, wrong | {address: bytes(16)})
    reasons = {"none": ("stored", ""), "mode5": ("refused", "bad cipher"), "mode7": ("refused", "bad mac")}
    for published, outcome in came:
        assert (outcome.came, outcome.why) == reasons[published["security"]], published["source"]
    world.measure("refused for a wrong key", sum(o.came == "refused" for _, o in came)).at_least(4)
