"""Provisioning by claim: by documents, without a socket; then through the companion, by our own client."""

from __future__ import annotations

import hashlib
import json
import ssl
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sim.endpoint.aws import certificate_claims
from sim.endpoint.aws.certificate_claims import CREATE, FROM_CSR, Claims, Registered, TemplateError, template
from sim.endpoint.aws.claim_client import claim
from sim.endpoint.aws.fleet_policies import CLAIM, TEMPLATE
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import EndpointError, Identity
from sim.pki import device_requests
from sim.pki.authority import Authority
from tests.sim.endpoint.brokers import found_mosquitto, until

PROVISION = f"$aws/provisioning-templates/{TEMPLATE}/provision/json"
BODY: dict[str, Any] = {
    "Parameters": {"SerialNumber": {"Type": "String"}, "Model": {"Type": "String", "Default": "M1"}},
    "Resources": {
        "thing": {"Type": "AWS::IoT::Thing", "Properties": {
            "ThingName": {"Fn::Join": ["-", ["gw", {"Ref": "SerialNumber"}]]},
            "AttributePayload": {"model": {"Ref": "Model"}}}},
        "certificate": {"Type": "AWS::IoT::Certificate", "Properties": {
            "CertificateId": {"Ref": "AWS::IoT::Certificate::Id"}, "Status": "Active"}},
        "policy": {"Type": "AWS::IoT::Policy", "Properties": {"PolicyName": "wmbench-gateway"}},
    },
    "DeviceConfiguration": {"interval": "900"},
}  # fmt: skip


class Desk:
    """Claims with everything in hand. `allows`: what the hook says."""

    def __init__(self, folder: Path, **document: Any) -> None:
        authority = Authority(folder / "ca")
        self.now_s, self.asked, self.says = 1_000.0, [], {"allowProvisioning": True}
        found = template(TEMPLATE, {"templateBody": BODY, **document}, {"wmbench-gateway": ()})

        def issue(name: str, request: bytes) -> tuple[bytes, str]:
            pem = authority.issue(name, request)
            return pem, device_requests.key_of_certificate(pem)

        def call(function: str, event: Any) -> Any:
            self.asked.append((function, event))
            if isinstance(self.says, Exception):
                raise self.says
            return self.says

        self.claims = Claims({TEMPLATE: found}, issue, call, lambda: self.now_s)

    def say(self, topic: str, document: Any) -> tuple[str, dict[str, Any]]:
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        ((answer, said),) = self.claims.handle(topic, payload, "claimant")
        return answer.removeprefix(topic + "/"), said

    def made(self) -> tuple[str, str]:
        """(id, token) of a new certificate."""
        _, request = device_requests.new_pair_request(None, "gw-7")
        word, said = self.say(FROM_CSR, {"certificateSigningRequest": request.decode()})
        assert word == "accepted", said
        return said["certificateId"], said["certificateOwnershipToken"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_certificate_is_pending_until_its_template_registers_it(desk: Desk) -> None:
    identifier, token = desk.made()
    assert desk.claims.registry[identifier] == Registered()
    word, said = desk.say(PROVISION, {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "7"}})
    assert (word, said) == ("accepted", {"deviceConfiguration": {"interval": "900"}, "thingName": "gw-7"})
    assert desk.claims.registry[identifier] == Registered("ACTIVE", "gw-7", {"model": "M1"}, ("wmbench-gateway",))
    assert (
        desk.say(PROVISION, {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "8"}})[0] == "rejected"
    )
    assert desk.claims.registry[identifier].thing == "gw-7", "a token is good for once"


def test_a_key_of_aws_comes_with_its_certificate(desk: Desk) -> None:
    word, said = desk.say(CREATE, b"")
    assert word == "accepted"
    assert device_requests.key_of_private(said["privateKey"].encode()) == device_requests.key_of_certificate(
        said["certificatePem"].encode()
    )


def test_after_an_hour_the_token_is_worth_nothing_and_neither_is_the_certificate(desk: Desk) -> None:
    identifier, token = desk.made()
    asked = {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "7"}}
    desk.now_s += certificate_claims.TOKEN_S
    word, said = desk.say(PROVISION, asked)
    assert (word, said["statusCode"], said["errorCode"]) == ("rejected", 400, "InvalidCertificateOwnershipToken")
    assert desk.claims.registry[identifier].status == "INACTIVE"
    _, later = desk.made()
    desk.now_s += certificate_claims.TOKEN_S - 1
    assert desk.say(PROVISION, {**asked, "certificateOwnershipToken": later})[0] == "accepted"


@pytest.mark.parametrize(
    ("topic", "document", "code"),
    [
        (FROM_CSR, {}, "InvalidPayload"),
        (FROM_CSR, b"{", "InvalidPayload"),
        (FROM_CSR, b"[]", "InvalidPayload"),
        (FROM_CSR, {"certificateSigningRequest": "x"}, "InvalidCertificateSigningRequest"),
        (FROM_CSR, {"certificateSigningRequest": 7}, "InvalidPayload"),
        (PROVISION, {}, "InvalidPayload"),
        (PROVISION, {"certificateOwnershipToken": "x"}, "InvalidCertificateOwnershipToken"),
        (PROVISION.replace(TEMPLATE, "other"), {"certificateOwnershipToken": "x"}, "ResourceNotFound"),
    ],
)
def test_a_bad_request_is_rejected_in_words(desk: Desk, topic: str, document: Any, code: str) -> None:
    word, said = desk.say(topic, document)
    assert (word, said["errorCode"]) == ("rejected", code) and said["errorMessage"]
    assert desk.claims.registry == {}


@pytest.mark.parametrize("parameters", [{}, {"SerialNumber": 7}, [], {"SerialNumber": None}])
def test_parameters_that_do_not_fit_register_nothing(desk: Desk, parameters: Any) -> None:
    identifier, token = desk.made()
    word, said = desk.say(PROVISION, {"certificateOwnershipToken": token, "parameters": parameters})
    assert (word, said["errorCode"]) == ("rejected", "InvalidParameters")
    assert desk.claims.registry[identifier] == Registered()


def test_a_request_of_a_stolen_claim_fills_no_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate_claims, "PENDING_MOST", 2)
    desk.made()
    desk.made()
    assert desk.say(CREATE, b"{}")[1]["statusCode"] == 429


def test_a_hook_decides_by_what_the_gateway_says_of_itself(tmp_path: Path) -> None:
    desk = Desk(tmp_path, preProvisioningHook={"targetArn": "arn:aws:lambda:x:1:function:listed"})
    identifier, token = desk.made()
    asked = {"certificateOwnershipToken": token, "parameters": {"SerialNumber": "7"}}
    for no in ({"allowProvisioning": False}, {}, None, {"allowProvisioning": "yes"}, ValueError("slow")):
        desk.says = no  # type: ignore[assignment]
        assert desk.say(PROVISION, asked)[1]["errorCode"] == "AccessDenied"
    assert desk.claims.registry[identifier] == Registered()
    desk.says = {"allowProvisioning": True, "parameterOverrides": {"SerialNumber": "8"}}  # type: ignore[dict-item]
    assert desk.say(PROVISION, asked)[1]["thingName"] == "gw-8"
    assert desk.asked[0][1] == {
        "claimCertificateId": "claimant", "certificateId": identifier, "templateName": TEMPLATE,
        "parameters": {"SerialNumber": "7"},
    }  # fmt: skip


def without(*path: str) -> dict[str, Any]:
    body = json.loads(json.dumps(BODY))
    inner = body
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return {"templateBody": body}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "is to have templateBody"), ({}, "is to have templateBody"),
        ({"templateBody": "{"}, "is to have templateBody"),
        (without("Resources", "thing"), "one thing and one certificate"),
        (without("Resources", "certificate", "Properties", "CertificateId"), "CertificateId is to be a Ref"),
        (without("Resources", "thing", "Properties", "ThingName"), "no ThingName"),
        ({"templateBody": json.dumps(BODY).replace("wmbench-gateway", "other")}, "no policy 'other'; there are: "),
        ({"templateBody": json.dumps(BODY).replace("IoT::Policy", "IoT::Job")}, "no resource 'AWS::IoT::Job' here"),
    ],
)  # fmt: skip
def test_a_template_that_cannot_be_followed_is_named(document: Any, said: str) -> None:
    with pytest.raises(TemplateError, match=said):
        template("t", document, {"wmbench-gateway": ()})


# --- through the companion ---------------------------------------------------------------------------------------


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., AwsLocal]]:
    found_mosquitto()
    running: list[AwsLocal] = []

    def start(hook: str = "") -> AwsLocal:
        document: dict[str, Any] = {"templateBody": BODY}
        if hook:
            document["preProvisioningHook"] = {"targetArn": "listed"}
            (tmp_path / "f.json").write_text(json.dumps({"listed": [sys.executable, "-S", "-c", hook]}))
        (tmp_path / "t.json").write_text(json.dumps({TEMPLATE: document}))
        made = AwsLocal(
            tmp_path / "local",
            AwsLocalSpec(templates=str(tmp_path / "t.json"), functions=str(tmp_path / "f.json") if hook else ""),
        )
        made.start()
        running.append(made)
        return made

    yield start
    for one in running:
        one.stop()


def limits(local: AwsLocal) -> list[str]:
    return [one["limit"] for one in local.enforced()]


def test_a_gateway_comes_to_a_certificate_of_its_own(started: Callable[..., AwsLocal], tmp_path: Path) -> None:
    good = "json.load(sys.stdin)['parameters']['SerialNumber'] == '7'"
    hook = f"import json,sys; print(json.dumps({{'allowProvisioning': {good}}}))"
    local = started(hook)
    by = local.identity(CLAIM)
    got = claim(local, by, TEMPLATE, {"SerialNumber": "7"}, "box-7", tmp_path)
    assert (got.thing, got.configuration, got.identity.client_id) == ("gw-7", {"interval": "900"}, "gw-7")
    session = local.connect(got.identity, subscribe=("gw/gw-7/ack",))
    until(local, lambda: session.connected)
    session.publish("gw/gw-7/up", b"x")
    until(local, lambda: not session.unacknowledged)
    assert limits(local) == []
    with pytest.raises(EndpointError, match="rejected: AccessDenied: the hook does not allow it"):
        claim(local, by, TEMPLATE, {"SerialNumber": "8"}, "box-8", tmp_path)
    assert not (tmp_path / "box-8.crt").exists()
    # a restart knows it still
    local.restart()
    again = local.connect(got.identity)
    until(local, lambda: again.connected)
    again.publish("gw/other/up", b"x")
    until(local, lambda: "publish-denied" in limits(local))


def test_a_certificate_that_came_by_claim_can_be_taken_back(started: Callable[..., AwsLocal], tmp_path: Path) -> None:
    local = started()
    by = local.identity(CLAIM)
    seven, eight = (claim(local, by, TEMPLATE, {"SerialNumber": n}, f"box-{n}", tmp_path) for n in ("7", "8"))
    live, others = local.connect(seven.identity), local.connect(eight.identity)
    until(local, lambda: live.connected and others.connected)
    local.revoke("gw-7")
    until(local, lambda: any(state == "dropped" for state, _ in live.log))
    assert "revoked-live" in limits(local) and others.connected and others.connects == 1
    live.close()
    others.close()
    until(local, lambda: json.loads((local.directory / "registry.json").read_text())[_id(seven)]["status"] == "REVOKED")
    for _ in range(2):
        refused, fine = local.connect(seven.identity), local.connect(eight.identity)
        until(local, lambda: fine.connected and any(state == "refused" for state, _ in refused.log))  # noqa: B023
        assert limits(local)[-1] == "inactive"
        refused.close()
        fine.close()
        local.restart()
    renewed = claim(local, by, TEMPLATE, {"SerialNumber": "7"}, "box-7b", tmp_path)
    session = local.connect(renewed.identity)
    until(local, lambda: session.connected)
    with pytest.raises(EndpointError, match="never issued"):
        local.revoke("gw-9")


def _id(got: Any) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(got.identity.certificate.read_text())).hexdigest()


def test_a_claim_is_good_for_nothing_else_and_a_pending_certificate_for_nothing(
    started: Callable[..., AwsLocal], tmp_path: Path
) -> None:
    local = started()
    by = local.identity(CLAIM)
    session = local.connect(by, subscribe=(f"{FROM_CSR}/accepted",))
    other = local.connect(
        Identity("claim-2", by.certificate, by.key, by.authorities), subscribe=(f"{FROM_CSR}/accepted",)
    )
    until(local, lambda: session.connected and other.connected)
    request = device_requests.new_request(tmp_path / "portal.key", "portal")
    session.publish(FROM_CSR, json.dumps({"certificateSigningRequest": request.decode()}).encode())
    until(local, lambda: len(session.inbox) == 1 and not session.unacknowledged)
    assert len(other.inbox) == 0, "what is answered is nobody else's"
    made = json.loads(session.inbox[0].payload)
    (tmp_path / "portal.crt").write_text(made["certificatePem"])
    taken = local.connect(Identity("portal", tmp_path / "portal.crt", tmp_path / "portal.key", by.authorities))
    until(local, lambda: any(state == "refused" for state, _ in taken.log))
    assert limits(local) == ["inactive"], "whatever common name it asked for"
    taken.close()
    other.publish(CREATE, b"{}")
    until(local, lambda: "publish-denied" in limits(local))


def test_a_template_that_is_wrong_keeps_the_endpoint_from_starting(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(json.dumps({"t": {"templateBody": {}}}))
    local = AwsLocal(tmp_path / "local", AwsLocalSpec(templates=str(tmp_path / "t.json")))
    with pytest.raises(EndpointError, match=r"endpoint\.templates: .*t\.json: template 't'"):
        local.start()
