"""A secret is found in every form, at every place, and nothing else is."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.rig import secrets
from bench.rig.checks import no_key_on_disk
from bench.rig.secrets import Secrets
from sim.core.clock import NS_PER_S
from sim.world import World
from tests.small_worlds import dozen, keyless
from wmbus.security import derive_pair
from wmbus.telegram import read

KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
OTHER = bytes.fromhex("8f3e5ac01b7d42e69a0c77f1d2b4e835")
NOISE = random.Random(3).randbytes(5_000)


def written(form: Callable[[bytes], bytes]) -> list[str]:
    """The names of secrets found in this form of a key, in the midst of noise."""
    return [one.secret for one in Secrets({"a": KEY, "b": OTHER}).within(NOISE + form(OTHER) + NOISE)]


@pytest.mark.parametrize(
    "form",
    [
        bytes,
        lambda key: key[::-1],
        lambda key: key.hex().encode(),
        lambda key: key.hex().upper().encode(),
        lambda key: key[::-1].hex().encode(),
        lambda key: key.hex(" ").encode(),
        lambda key: key.hex(":").upper().encode(),
        base64.b64encode,
        base64.urlsafe_b64encode,
        lambda key: base64.b64encode(b"x" + key + b"yz"),
        lambda key: base64.b64encode(b"xx" + key),
        lambda key: base64.b64encode(b"xxx" + key + b"y"),
        lambda key: base64.urlsafe_b64encode(b"x" + key),
        lambda key: json.dumps({"k": list(key)}).encode(),
        lambda key: json.dumps(list(key), separators=(",", ":")).encode(),
        lambda key: json.dumps(key.decode("latin-1")).encode(),
        lambda key: repr(key).encode(),
        lambda key: bytes(int(f"{byte:02x}"[::-1], 16) for byte in key),
    ],
)
def test_a_key_is_found_in_each_form(form: Callable[[bytes], bytes]) -> None:
    assert set(written(form)) == {"b"}


def test_nothing_is_found_where_nothing_is() -> None:
    assert list(Secrets({"a": KEY}).within(NOISE)) == []
    assert list(Secrets({"a": KEY}).within(NOISE + KEY[:-1])) == []
    assert list(Secrets({}).within(NOISE)) == []


def test_a_secret_across_two_blocks_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = Secrets({"a": KEY})
    for block_bytes in (7, 100, 4_096):
        monkeypatch.setattr(secrets, "BLOCK_BYTES", block_bytes)
        for before in range(80, 120):
            text = NOISE[:before] + KEY.hex().upper().encode() + NOISE[:150]
            found = list(hidden.in_file(io.BytesIO(text)))
            assert [one.offset for one in found] == [before], (block_bytes, before)


def test_a_short_secret_is_refused_and_none_is_shown() -> None:
    with pytest.raises(ValueError, match="4 bytes"):
        Secrets({"a": b"1234"})
    assert KEY.hex() not in repr(Secrets({"a": KEY}))


# --- a world's ------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with World(dozen(tmp_path), 1, tmp_path / "world") as made:
        secrets.listen(made)
        made.run(120 * NS_PER_S)
        yield made


def leaked(world: World, what: bytes) -> list[str]:
    (world.directory / "gateways" / "debug.log").write_bytes(b"state " + what)
    return no_key_on_disk.check(world, False)


def encrypted(world: World, security: str) -> int:
    return next(meter for meter in range(world.fleet.n) if world.fleet.security(meter) == security)


def test_every_meters_key_is_looked_for(world: World) -> None:
    assert no_key_on_disk.check(world, False) == []
    for meter in range(world.fleet.n):
        key = world.fleet.key(meter)
        if key is not None:
            [problem] = leaked(world, base64.b64encode(b"a" + key))
            assert str(world.fleet.address(meter)) in problem
            assert "gateways/debug.log" in problem
            assert key.hex() not in problem


def test_a_key_derived_for_one_telegram_is_looked_for(world: World) -> None:
    fleet, meter = world.fleet, encrypted(world, "mode7")
    k = next(sent.k for sent in world.truth.sent(meter=meter))
    counter = int(fleet.population.counter0[meter]) + k
    for key in derive_pair(fleet.key(meter) or b"", counter, fleet.address(meter).wire()[2:6]):
        assert len(leaked(world, key)) == 1


def test_decrypted_records_are_looked_for(world: World) -> None:
    fleet, meter = world.fleet, encrypted(world, "mode5")
    k = next(sent.k for sent in world.truth.sent(meter=meter))
    records = read(fleet.telegram(meter, k), fleet.key(meter)).records
    [problem] = leaked(world, b"".join(record.dif_vif + record.raw for record in records))
    assert "consumption" in problem


def test_what_a_meter_in_clear_says_word_for_word_as_well_is_no_leak(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two flats that used as much: the records of the one that encrypts stand on the air, in the name of the other."""
    fleet, meter = world.fleet, encrypted(world, "none")
    k = next(sent.k for sent in world.truth.sent(meter=meter))
    said, other = fleet.telegram(meter, k)[-fleet.kind(meter).records_bytes :], bytes(range(20))
    names = [f"{secrets.CANARY} {number} of somebody" for number in range(2)]
    hidden = Secrets(dict(zip(names, (said, other), strict=True)) | {"the key of somebody": said[::-1]})
    assert secrets.said_in_clear(world, hidden, [*names, "the key of somebody"]) == {names[0]}
    monkeypatch.setattr(secrets, "_of_fleet", lambda _: {names[0]: said})
    assert no_key_on_disk.check(world, False) == []
    monkeypatch.setattr(secrets, "_of_fleet", lambda _: {names[1]: other})
    [problem] = leaked(world, other)
    assert names[1] in problem


def test_what_a_meter_says_after_something_happened_to_it_is_looked_for(world: World) -> None:
    assert no_key_on_disk.check(world, False) == []
    meter = encrypted(world, "mode5")
    k = next(sent.k for sent in world.truth.sent(meter=meter))
    world.fleet.tamper(meter, 0)
    telegram = world.fleet.in_clear().telegram(meter, k)
    [problem] = leaked(world, telegram[-world.fleet.kind(meter).records_bytes :])
    assert "consumption" in problem


@pytest.mark.parametrize("in_topic", [False, True])
def test_what_a_client_says_is_looked_through(world: World, *, in_topic: bool) -> None:
    key = world.fleet.key(encrypted(world, "mode5"))
    assert key is not None
    session = keyless(world).gateways[0].session
    session.publish(f"log/{key.hex()}" if in_topic else "log/x", b"" if in_topic else base64.b64encode(key))
    [problem] = no_key_on_disk.check(world, False)
    assert "was said by gw-0001" in problem
