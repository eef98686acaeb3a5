"""A world on an account where something of the account is not as it should be: INCONCLUSIVE with one sentence, at the
start and midway, and nothing that a gateway or the portal has stored is lost. The local endpoint stands for the
service."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim import lockstep
from sim.core.clock import NS_PER_S
from sim.endpoint.aws.account import DEFAULT
from sim.endpoint.aws.fleet_policies import fleet_policies
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import SaysNothing, WrongFile
from sim.pki.authority import Authority
from sim.systems import keyless
from sim.world import World
from tests.sim.endpoint.aws_as_service import Account
from tests.sim.endpoint.brokers import found_mosquitto
from tests.small_worlds import dozen

MINUTE = 60 * NS_PER_S


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    found_mosquitto()
    monkeypatch.setattr(lockstep, "DEADLINE_S", 3.0)
    monkeypatch.setattr(keyless, "START_DEADLINE_S", 3.0)


def without(whose: str, action: str, folder: Path) -> str:
    """The fleet's policies in a file, one action left out of one of them."""
    (document,) = fleet_policies()[whose]
    kept = [one for one in document["Statement"] if action not in one["Action"]]
    assert len(kept) < len(document["Statement"])
    place = folder / "policies.json"
    place.write_text(json.dumps({whose: [document | {"Statement": kept}]}), encoding="utf-8")
    return str(place)


GATEWAYS = ("gw-0001", "gw-0002")


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    made = Account(tmp_path, *GATEWAYS)
    yield made
    made.local.stop()


def world_on(account: Account, folder: Path) -> World:
    return World(replace(dozen(folder), endpoint=account.spec), 1, folder / "world")


def lay(account: Account, name: str, certificate: bytes, key: bytes) -> None:
    (account.pki / f"{name}.crt").write_bytes(certificate)
    (account.pki / f"{name}.key").write_bytes(key)


def a_foreign_certificate(account: Account, _folder: Path) -> None:
    pair = Authority(account.pki / "other").device("gw-0002")
    lay(account, "gw-0002", pair.certificate.read_bytes(), pair.key.read_bytes())


def a_torn_file(account: Account, _folder: Path) -> None:
    lay(account, "gw-0002", b"-----BEGIN CERTIFICATE-----\n", b"")


def no_file(account: Account, _folder: Path) -> None:
    (account.pki / "gw-0002.key").unlink()


def may_not_subscribe(account: Account, folder: Path) -> None:
    account.local.spec = AwsLocalSpec(policies=without(DEFAULT, "iot:Subscribe", folder))


AT_THE_START: dict[str, tuple[Callable[[Account, Path], None], str]] = {
    "a foreign certificate": (a_foreign_certificate, "'gw-0002': TLS: alert unknown ca; is its certificate active"),
    "a torn certificate": (a_torn_file, "(`./wmbench aws rotate gw-0002`)"),
    "no key": (no_file, "gw-0002.key; prepare 'gw-0002' as docs/how-to/run-on-aws.md says"),
    "no iot:Subscribe": (may_not_subscribe, "does the policy of its certificate allow iot:Subscribe to its topics?"),
}


def by_night(rows: Iterable[str], *day: str) -> list[Any]:
    """Each row starts a broker, a companion and a world."""
    return [pytest.param(row, marks=() if row in day else pytest.mark.night) for row in rows]


@pytest.mark.parametrize("row", by_night(AT_THE_START, "a foreign certificate", "no iot:Subscribe"))
def test_a_gateway_that_is_not_let_in_is_named(account: Account, tmp_path: Path, row: str) -> None:
    prepare, expected = AT_THE_START[row]
    prepare(account, tmp_path)
    account.start()
    with pytest.raises(SaysNothing) as raised, world_on(account, tmp_path):
        pass
    said = str(raised.value)
    assert expected in said and "\n" not in said and said.startswith("endpoint aws_iot: "), said


def may_not_publish(account: Account, folder: Path) -> None:
    account.local.spec = AwsLocalSpec(policies=without(DEFAULT, "iot:Publish", folder))


MIDWAY: dict[str, tuple[Callable[[Account], None], str]] = {
    "the endpoint is gone": (lambda account: account.local.kill(), "is endpoint.host right, and is endpoint.port"),
    "a revoked certificate": (lambda account: account.local.revoke("gw-0002"), "`./wmbench aws rotate gw-0002`"),
}


@pytest.mark.parametrize("row", MIDWAY)
def test_what_happens_midway_is_named_and_nothing_stored_is_lost(account: Account, tmp_path: Path, row: str) -> None:
    happens, expected = MIDWAY[row]
    account.start()
    with world_on(account, tmp_path) as world:
        world.run(3 * MINUTE)
        before = world.system.stored.count_readings()
        assert before
        happens(account)
        with pytest.raises(SaysNothing) as raised:
            world.run(3 * MINUTE)
        assert expected in str(raised.value) and "stays in the outboxes" in str(raised.value)
        assert world.system.stored.count_readings() >= before
        for gateway in world.system.gateways:
            stored = world.system.stored.bundles_after(gateway.id, 0, 1_000)
            assert gateway.waiting or gateway.id != "gw-0002"
            kept = sorted({*stored, *gateway.waiting})
            assert kept == list(range(kept[0], kept[0] + len(kept))), "a number is in neither"


def test_a_gateway_that_may_not_publish_is_named(account: Account, tmp_path: Path) -> None:
    may_not_publish(account, tmp_path)
    account.start()
    with world_on(account, tmp_path) as world, pytest.raises(SaysNothing, match="allow iot:Publish to its topics"):
        world.run(3 * MINUTE)


@pytest.mark.parametrize("action", by_night(["iot:Connect", "iot:Publish", "iot:Subscribe"], "iot:Publish"))
def test_what_policies_of_the_settings_deny_is_named_with_their_file(tmp_path: Path, action: str) -> None:
    spec = AwsLocalSpec(policies=without(DEFAULT, action, tmp_path))
    world_spec = replace(dozen(tmp_path), endpoint=spec)
    with pytest.raises(WrongFile) as raised, World(world_spec, 1, tmp_path / "world") as world:
        world.run(3 * MINUTE)
    said, denied = str(raised.value), action.partition(":")[2].lower()
    assert said.startswith(f"endpoint.policies: {spec.policies}: ") and f"{denied}-denied for 'gw-" in said, said


def test_what_our_own_policies_deny_is_the_client_s_fault(tmp_path: Path) -> None:
    """Such a gateway is what the endpoint is there to find: no verdict is taken from it."""
    local = AwsLocal(tmp_path, AwsLocalSpec())
    local.start()
    try:
        foreign = local.connect(local.identity("gw1"), subscribe=("gw/gw2/up",))
        assert local.settle(lambda: len(foreign.log) > 1, 10.0)
        assert local.enforced() and local.let_down(foreign, "it") is None
    finally:
        local.stop()
