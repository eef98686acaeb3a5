"""Keys of smart meter gateways renewed within a world: nothing is lost, the new ones are at work, the old ones are
worth nothing afterwards, and whatever is wrong with a request is refused by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench.rig import checks
from sim.core.clock import NS_PER_S
from sim.core.events import ContainerRefused, KeysRenewed
from sim.faults.gateway_power_cut import PowerCut
from sim.pki.party_certificates import as_der, certified_point
from sim.pki.sealed_content import issuer_and_serial
from sim.pki.sm_chain import ChainError
from sim.pki.sm_triples import PURPOSES, request, slot_of
from sim.smart_metering.wan import renewal
from sim.smart_metering.wan.http_messages import Reply
from sim.smart_metering.wan.tls import WanError
from sim.smgw.module.in_world import InWorldModule
from sim.systems._smgw_running import Smgw, smgw
from sim.truth.delivered_values import wrong_values
from sim.world import World
from tests.small_worlds import smart_world

HOUR = 3_600 * NS_PER_S


def run(folder: Path, hours: int = 1, **settings: object) -> World:
    return smart_world(folder, hours, **settings)


def told(world: World) -> list[tuple[str, int, str]]:
    return [(one.gateway, one.number, one.what) for one in world.history.of(KeysRenewed)]


def renewed(world: World) -> Smgw:
    system = smgw(world.system)
    system.renewals.order(0)
    world.run(HOUR)
    return system


@pytest.mark.parametrize(
    "settings",
    [
        {"system__taf": 7, "system__wired": 1},
        {"system__wired": 1, "system__feed_in": True},
        pytest.param(
            {"system__wired": 1, "system__padding_bytes": 1_024, "system__dummy_every_s": 900.0,
             "system__dummy_cells": 16},
            marks=pytest.mark.night,
        ),
    ],
)  # fmt: skip
def test_the_new_keys_are_at_work_and_the_old_ones_end(tmp_path: Path, settings: dict[str, object]) -> None:
    with run(tmp_path, **settings) as world:
        system = smgw(world.system)
        box = system.gateways[0]
        before, handshakes = box.triple, system.wan.lines[0].handshakes
        renewed(world)
        world.run(HOUR)
        assert told(world) == [(box.id, 2, "certified"), (box.id, 1, "superseded")]
        assert box.triple.number == before.number + 1 == 2
        for purpose in PURPOSES:
            own = system.modules[0]._keys[slot_of(purpose, 2)].public
            assert own == certified_point(box.triple.certificates[purpose])
            assert own != certified_point(before.certificates[purpose])
            now = world.calendar.at(world.now_ns)
            with pytest.raises(ChainError, match="list-revoked"):
                system.root.trust.check(before.certificates[purpose], now, purpose)
        assert system.wan.lines[0].handshakes == handshakes + 1, "its session ended with its certificate"
        last = [one.payload for one in system.administrator.relayed if one.gateway == box.id][-1]
        assert issuer_and_serial(box.certificate) in last and issuer_and_serial(before.certificates["SIG"]) not in last
        assert wrong_values(world.truth) == [] and world.history.of(ContainerRefused) == []
        assert checks.apply(world, attacked=False) == []


def test_equal_worlds_have_equal_keys(tmp_path: Path) -> None:
    digests, points = [], []
    for name in "ab":
        with run(tmp_path / name) as world:
            system = renewed(world)
            digests.append(world.history.digest)
            points.append(certified_point(system.gateways[0].certificate))
    assert digests[0] == digests[1] and points[0] == points[1]


def test_without_power_or_a_module_it_waits(tmp_path: Path) -> None:
    with run(tmp_path) as world:
        system = smgw(world.system)
        system.modules[0].answers = False
        world.fault(PowerCut(gateway=1, duration_s=5_000.0))
        for number in range(2):
            system.renewals.order(number)
        world.run(HOUR)
        assert told(world) == []
        system.modules[0].answers = True
        world.run(2 * HOUR)
        assert {(one, what) for one, _, what in told(world)} == {
            (box.id, what) for box in system.gateways for what in ("certified", "superseded")
        }
        assert wrong_values(world.truth) == []


# --- what is refused ------------------------------------------------------------------------------------------------


def _asked(system: Smgw, number: int = 2) -> dict[str, Any]:
    body = renewal.encode_request(request("gw-0001.SMGW", number, InWorldModule(system._ground.seeds, "another")))
    return dict(json.loads(body))


def _cut(given: dict[str, Any]) -> object:
    return {**given, "points": {"TLS": given["points"]["TLS"]}}


def _no_hex(given: dict[str, Any]) -> object:
    return {**given, "proofs": {**given["proofs"], "SIG": "zz"}}


def _no_point(given: dict[str, Any]) -> object:
    return {**given, "points": {**given["points"], "ENC": "04" * 65}}


def _others_proof(given: dict[str, Any]) -> object:
    return {**given, "proofs": {**given["proofs"], "SIG": given["proofs"]["ENC"]}}


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (_cut, 400, "there is one for each of TLS, ENC, SIG"), (_no_hex, 400, "SIG is no hex"),
        (_no_point, 409, "request-possession: the new key TLS"),
        (_others_proof, 409, "request-possession: the new key SIG"),
        (lambda given: {**given, "number": 7}, 409, "request-number: gw-0001.SMGW is to have triple 2 next, not 7"),
        (lambda given: {**given, "number": "2"}, 400, "number is"), (lambda given: [given], 400, "it is no object"),
        (lambda given: {**given, "number": 10**4_000}, 400, "number is"),
        (lambda given: {**given, "more": 1}, 400, "it is no object"),
    ],
)  # fmt: skip
def test_a_request_that_is_wrong_is_refused_by_name(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], status: int, said: str
) -> None:
    with run(tmp_path, hours=0) as world:
        system = smgw(world.system)
        world.run(900 * NS_PER_S)
        given = change(_asked(system, 7 if said.startswith("request-number") else 2))
        reply = system.renewals.answer("gw-0001", "POST", json.dumps(given).encode() if given else b"")
        assert reply.status == status and said in reply.body.decode()
        if status == 409:
            assert [(one.what, one.detail) for one in world.history.of(KeysRenewed)] == [
                ("refused", said.partition(":")[0])
            ]
        assert system.renewals.former == {}


def test_what_is_no_request_is_refused(tmp_path: Path) -> None:
    with run(tmp_path, hours=0) as world:
        world.run(900 * NS_PER_S)
        answer = smgw(world.system).renewals.answer
        for body in (b"", b"{", b"[" * 100_000, b'{"number": 1e400}', b"\xff"):
            assert answer("gw-0001", "POST", body).status == 400
            assert answer("gw-0001", "DELETE", body).status == 400
        assert answer("gw-0001", "DELETE", b'{"number": 1}').status == 409
        assert answer("gw-0001", "PUT", b"").status == 405


def test_a_gateway_takes_certificates_of_its_own_new_keys_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes is for another name or key: it goes on under what it has, and loses nothing."""
    with run(tmp_path) as world:
        system = smgw(world.system)
        theirs = system.gateways[1].triple
        monkeypatch.setattr(system.renewals, "_grant", lambda asked: Reply(200, renewal.encode_triple(theirs)))
        before = system.gateways[0].triple
        renewed(world)
        assert system.gateways[0].triple is before and system.gateways[0].counts["keys not renewed"] == 1
        assert wrong_values(world.truth) == []
    asked = request("gw-0001.SMGW", 2, InWorldModule(system._ground.seeds, "another"))
    mixed = {one: as_der(cert).hex() for one, cert in theirs.certificates.items()}
    for body in (json.dumps(mixed), json.dumps({**mixed, "SIG": "00"}), json.dumps({**mixed, "SIG": None}), "null"):
        with pytest.raises(WanError):
            renewal.read_triple(asked, body.encode())
