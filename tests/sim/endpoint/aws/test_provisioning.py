"""Devices in an account, against moto's control plane; and a crash at every call that provisioning makes."""

from __future__ import annotations

import itertools
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.endpoint.aws.account_ledger import Ledger
from sim.endpoint.aws.control_plane import AMAZON_ROOTS, ControlPlane, Refused, amazon_roots
from sim.endpoint.aws.provisioning import ATTRIBUTE, Provisioning
from sim.endpoint.port import EndpointError
from sim.pki.device_requests import key_of_certificate
from tests.sim.endpoint.aws.moto_account import ACCOUNT, REGION, credentials, left_in, moto, one_account

NOTHING: dict[str, list[str]] = {"certificates": [], "things": [], "policies": []}


@pytest.fixture
def iot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    yield from one_account(monkeypatch, tmp_path)


def devices(iot: Any, folder: Path, account: str = ACCOUNT) -> Provisioning:
    ledger = Ledger(folder / "ledger.jsonl", account, REGION)
    return Provisioning(ControlPlane(iot, account, REGION), ledger, folder / "identities")


def test_a_device_stands_in_the_account_and_its_key_only_here(iot: Any, tmp_path: Path) -> None:
    made = devices(iot, tmp_path)
    for name in ("portal", "gw1", "gw1"):
        made.provision(name)
    identities = tmp_path / "identities"
    assert sorted(one.name for one in identities.iterdir()) == ["gw1.crt", "gw1.key", "portal.crt", "portal.key"]
    assert stat.S_IMODE((identities / "gw1.key").stat().st_mode) == 0o600
    (principal,) = iot.list_thing_principals(thingName="gw1")["principals"]
    described = iot.describe_certificate(certificateId=principal.rsplit("/", 1)[1])["certificateDescription"]
    assert described["status"] == "ACTIVE"
    assert key_of_certificate(described["certificatePem"].encode()) == key_of_certificate(
        (identities / "gw1.crt").read_bytes()
    )
    assert [one["policyName"] for one in iot.list_attached_policies(target=principal)["policies"]] == [
        "wmbench-gateway"
    ]
    document = json.loads(iot.get_policy(policyName="wmbench-gateway")["policyDocument"])
    assert f"arn:aws:iot:{REGION}:{ACCOUNT}:client/" in document["Statement"][0]["Resource"][0]
    written = (tmp_path / "ledger.jsonl").read_text()
    assert "PRIVATE" not in written and "not-a-secret-0123" not in written and "AKIDNOTASECRET" not in written
    assert devices(iot, tmp_path).cleanup() == []
    assert left_in(iot) == NOTHING and list(identities.iterdir()) == [] and made.ledger.place.exists()


def test_a_rotated_device_has_a_new_key_and_the_old_certificate_is_gone(iot: Any, tmp_path: Path) -> None:
    made = devices(iot, tmp_path)
    made.provision("gw1")
    key = tmp_path / "identities" / "gw1.key"
    before, old = key.read_bytes(), left_in(iot)["certificates"]
    made.rotate("gw1")
    (new,) = left_in(iot)["certificates"]
    assert key.read_bytes() != before and [new] != old
    (principal,) = iot.list_thing_principals(thingName="gw1")["principals"]
    assert principal.endswith(new) and iot.list_attached_policies(target=principal)["policies"]


def test_a_revoked_device_has_no_good_certificate(iot: Any, tmp_path: Path) -> None:
    made = devices(iot, tmp_path)
    made.provision("gw1")
    made.revoke("gw1")
    (one,) = iot.list_certificates()["certificates"]
    assert one["status"] == "REVOKED"
    assert made.cleanup() == [] and left_in(iot) == NOTHING


def test_a_certificate_for_another_key_is_refused_and_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As moto gives it by itself: this is what `signs_the_request` changes for the other tests."""
    credentials(monkeypatch, tmp_path)
    with moto.mock_aws():
        import boto3

        iot = boto3.client("iot", region_name=REGION)
        made = devices(iot, tmp_path)
        with pytest.raises(EndpointError, match="is for another key; it was removed again"):
            made.provision("gw1")
        assert left_in(iot)["certificates"] == [] and made.cleanup() == [] and left_in(iot) == NOTHING


class Crash(BaseException):
    """The power is gone: nothing that could catch it catches it."""


class Failing:
    """The same calls; the n-th ends in a crash, before it reached AWS or after it was done there."""

    def __init__(self, iot: Any, n: int, after: bool) -> None:
        self._iot, self._left, self._after = iot, n, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._iot, name)

        def counted(**how: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise Crash(name)
            try:
                return call(**how)
            finally:
                if self._left == 0:
                    raise Crash(name)

        return counted


@pytest.mark.parametrize(
    "after", [pytest.param(False, marks=pytest.mark.night), True], ids=["before the call", "after it"]
)
def test_a_crash_at_any_call_leaves_nothing_unsaid(iot: Any, tmp_path: Path, after: bool) -> None:
    crashed = set()
    for n in itertools.count(1):
        folder = tmp_path / str(n)
        failing: Any = Failing(iot, n, after)
        try:
            made = devices(failing, folder)
            made.provision("gw1")
            made.rotate("gw1")
            break
        except Crash as crash:
            crashed.add(str(crash))
        if n % 2:  # the folder goes on as if nothing had been, or everything goes
            devices(iot, folder).provision("gw1")
            assert len(left_in(iot)["certificates"]) == 1
            (principal,) = iot.list_thing_principals(thingName="gw1")["principals"]
            assert iot.list_attached_policies(target=principal)["policies"]
        assert devices(iot, folder).cleanup() == []
        assert left_in(iot) == NOTHING, f"after a crash {'after' if after else 'before'} call {n}"
    assert {"create_policy", "create_thing", "create_certificate_from_csr", "attach_thing_principal", "attach_policy",
            "detach_policy", "update_certificate", "delete_certificate"} <= crashed  # fmt: skip


def test_a_crash_between_key_and_certificate_is_seen(iot: Any, tmp_path: Path) -> None:
    made = devices(iot, tmp_path)
    made.provision("gw1")
    made.provision("gw2")
    identities = tmp_path / "identities"
    (identities / "gw1.key").write_bytes((identities / "gw2.key").read_bytes())
    with pytest.raises(EndpointError, match="no certificate here to be renewed"):
        made.rotate("gw1")
    devices(iot, tmp_path).provision("gw1")
    assert len(left_in(iot)["certificates"]) == 2
    assert devices(iot, tmp_path).cleanup() == []
    assert left_in(iot) == NOTHING


def test_what_others_made_stays(iot: Any, tmp_path: Path) -> None:
    iot.create_thing(thingName="gw1", attributePayload={"attributes": {"owner": "others"}})
    iot.create_policy(policyName="wmbench-portal", policyDocument="{}")
    made = devices(iot, tmp_path)
    with pytest.raises(EndpointError, match="thing gw1 is there already and is not ours"):
        made.provision("gw1")
    with pytest.raises(EndpointError, match="is there and is not ours; take another --prefix"):
        made.provision("portal")
    assert made.cleanup() == []
    assert left_in(iot) == {"certificates": [], "things": ["gw1"], "policies": ["wmbench-portal"]}
    assert ATTRIBUTE not in iot.describe_thing(thingName="gw1")["attributes"]


def test_what_cannot_be_removed_is_named_and_kept_in_the_ledger(iot: Any, tmp_path: Path) -> None:
    made = devices(iot, tmp_path)
    made.provision("gw1")
    foreign = iot.create_keys_and_certificate(setAsActive=True)["certificateArn"]
    iot.attach_policy(policyName="wmbench-gateway", target=foreign)
    (left,) = made.cleanup()
    assert left.startswith("policy wmbench-gateway: ") and [one.kind for one in made.ledger.standing()] == ["policy"]
    iot.detach_policy(policyName="wmbench-gateway", target=foreign)
    assert devices(iot, tmp_path).cleanup() == []


def test_another_account_is_not_cleaned_with_this_ledger(iot: Any, tmp_path: Path) -> None:
    devices(iot, tmp_path)
    with pytest.raises(EndpointError, match=r"is of account 123456789012 .* of 210987654321 in"):
        Provisioning(ControlPlane(iot, "210987654321", REGION), Ledger(tmp_path / "ledger.jsonl"), tmp_path)


def test_a_half_written_line_is_the_crash_and_another_is_not(tmp_path: Path) -> None:
    place = tmp_path / "ledger.jsonl"
    ledger = Ledger(place, ACCOUNT, REGION)
    ledger.intends("thing", "gw1")
    with place.open("a") as file:
        file.write('{"unix_ms": 17')
    again = Ledger(place)
    assert [(one.name, one.doubt) for one in again.standing()] == [("gw1", True)]
    again.made("thing", "gw1")
    assert [one.doubt for one in Ledger(place).standing()] == [False]
    lines = place.read_text().splitlines()
    place.write_text("\n".join([lines[0], '{"state": "broken"}', *lines[1:]]) + "\n")
    with pytest.raises(EndpointError, match=r"ledger\.jsonl, line 2: not of a ledger"):
        Ledger(place)
    with pytest.raises(EndpointError, match=r"no ledger .*nothing was provisioned"):
        Ledger(tmp_path / "none" / "ledger.jsonl")


def test_the_roots_are_amazons() -> None:
    found = amazon_roots()
    assert found.count(b"BEGIN CERTIFICATE") == len(AMAZON_ROOTS)


def test_a_refusal_keeps_its_code(iot: Any, tmp_path: Path) -> None:
    from sim.endpoint.aws.control_plane import said

    with pytest.raises(Refused) as refused:
        said("look at thing x", iot.describe_thing, thingName="x")
    assert refused.value.code == "ResourceNotFoundException"
