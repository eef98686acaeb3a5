"""Clients of AWS IoT Core that nobody here wrote, unchanged, against the companion: what they accept, a real one
accepts.

They say nothing of the service itself: a client does not notice a rule that the service has and the companion lacks.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws.fleet_policies import CLAIM, TEMPLATE
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.pki import device_requests
from tests.sim.endpoint.aws.test_certificate_claims import BODY
from tests.sim.endpoint.brokers import found_mosquitto, until

REASON = "the extra aws-tests is not here: ./wmbench setup aws aws-tests"
DEADLINE_S = 30.0
SHADOW = "$aws/things/gw1/shadow"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[AwsLocal]:
    found_mosquitto()
    (tmp_path / "t.json").write_text(json.dumps({TEMPLATE: {"templateBody": BODY}}))
    made = AwsLocal(tmp_path / "local", AwsLocalSpec(templates=str(tmp_path / "t.json")))
    made.start()
    yield made
    made.stop()


def files(local: AwsLocal, name: str) -> dict[str, str]:
    identity = local.identity(name)
    return {"cert_filepath": str(identity.certificate), "pri_key_filepath": str(identity.key),
            "ca_filepath": str(identity.authorities)}  # fmt: skip


def port(local: AwsLocal) -> int:
    assert local.address is not None
    return local.address.port


def broken(local: AwsLocal) -> list[str]:
    return [one["limit"] for one in local.enforced()]


def connected(local: AwsLocal, name: str, client_id: str) -> Any:
    """The SDK's MQTT 3.1.1 connection."""
    builder = pytest.importorskip("awsiot.mqtt_connection_builder", reason=REASON)
    made = builder.mtls_from_path(
        endpoint="localhost", port=port(local), client_id=client_id, keep_alive_secs=60, **files(local, name)
    )
    assert made.connect().result(DEADLINE_S) == {"session_present": False}
    return made


def qos() -> Any:
    return pytest.importorskip("awscrt.mqtt", reason=REASON).QoS.AT_LEAST_ONCE


def subscribed(subscribe: Callable[..., tuple[Future[Any], str]], request: Any, got: Future[Any]) -> None:
    subscribe(request, qos(), callback=lambda answer: got.done() or got.set_result(answer))[0].result(DEADLINE_S)


def test_awsiotsdk_comes_to_a_certificate_by_claim(local: AwsLocal, tmp_path: Path) -> None:
    identity = pytest.importorskip("awsiot.iotidentity", reason=REASON)
    connection = connected(local, CLAIM, "claim-1")
    client = identity.IotIdentityClient(connection)
    made: Future[Any] = Future()
    done: Future[Any] = Future()
    request = identity.CreateCertificateFromCsrSubscriptionRequest()
    subscribed(client.subscribe_to_create_certificate_from_csr_accepted, request, made)
    subscribed(client.subscribe_to_create_certificate_from_csr_rejected, request, made)
    register = identity.RegisterThingSubscriptionRequest(template_name=TEMPLATE)
    subscribed(client.subscribe_to_register_thing_accepted, register, done)
    subscribed(client.subscribe_to_register_thing_rejected, register, done)
    csr = device_requests.new_request(tmp_path / "gw-9.key", "gw-9").decode()
    client.publish_create_certificate_from_csr(
        identity.CreateCertificateFromCsrRequest(certificate_signing_request=csr), qos()
    ).result(DEADLINE_S)
    answer = made.result(DEADLINE_S)
    client.publish_register_thing(
        identity.RegisterThingRequest(
            template_name=TEMPLATE, certificate_ownership_token=answer.certificate_ownership_token,
            parameters={"SerialNumber": "9"},
        ), qos(),
    ).result(DEADLINE_S)  # fmt: skip
    assert done.result(DEADLINE_S).thing_name == "gw-9"
    connection.disconnect().result(DEADLINE_S)
    assert device_requests.fits(answer.certificate_pem.encode(), (tmp_path / "gw-9.key").read_bytes())
    assert broken(local) == []


def test_awsiotsdk_reads_a_rejection(local: AwsLocal) -> None:
    identity = pytest.importorskip("awsiot.iotidentity", reason=REASON)
    connection = connected(local, CLAIM, "claim-1")
    client = identity.IotIdentityClient(connection)
    refused: Future[Any] = Future()
    register = identity.RegisterThingSubscriptionRequest(template_name=TEMPLATE)
    subscribed(client.subscribe_to_register_thing_rejected, register, refused)
    client.publish_register_thing(
        identity.RegisterThingRequest(template_name=TEMPLATE, certificate_ownership_token="x", parameters={}), qos()
    ).result(DEADLINE_S)
    found = refused.result(DEADLINE_S)
    assert (found.status_code, found.error_code) == (400, "InvalidCertificateOwnershipToken")
    connection.disconnect().result(DEADLINE_S)


def test_awsiotsdk_keeps_a_shadow(local: AwsLocal) -> None:
    shadow = pytest.importorskip("awsiot.iotshadow", reason=REASON)
    connection = connected(local, "gw1", "gw1")
    client = shadow.IotShadowClient(connection)
    updated: Future[Any] = Future()
    got: Future[Any] = Future()
    update = shadow.UpdateShadowSubscriptionRequest(thing_name="gw1")
    subscribed(client.subscribe_to_update_shadow_accepted, update, updated)
    get = shadow.GetShadowSubscriptionRequest(thing_name="gw1")
    subscribed(client.subscribe_to_get_shadow_accepted, get, got)
    state = shadow.ShadowState(reported={"firmware": "1.2"}, desired={"firmware": "1.3"})
    client.publish_update_shadow(
        shadow.UpdateShadowRequest(thing_name="gw1", state=state, client_token="token-7"), qos()
    ).result(DEADLINE_S)
    assert updated.result(DEADLINE_S).client_token == "token-7"
    client.publish_get_shadow(shadow.GetShadowRequest(thing_name="gw1"), qos()).result(DEADLINE_S)
    found = got.result(DEADLINE_S)
    assert (found.version, found.state.delta) == (1, {"firmware": "1.3"})
    connection.disconnect().result(DEADLINE_S)
    assert broken(local) == []


def test_awscrt_agrees_on_mqtt_5_as_the_service_does(local: AwsLocal) -> None:
    """The figures of CONNACK are those that awscrt's own suite asserts against the service."""
    builder = pytest.importorskip("awsiot.mqtt5_client_builder", reason=REASON)
    mqtt5 = pytest.importorskip("awscrt.mqtt5", reason=REASON)
    up: Future[Any] = Future()
    heard: Future[Any] = Future()
    stopped: Future[Any] = Future()
    client = builder.mtls_from_path(
        endpoint="localhost", port=port(local), **files(local, "gw1"),
        on_lifecycle_connection_success=lambda said: up.set_result(said.connack_packet),
        on_lifecycle_stopped=lambda _: stopped.set_result(None),
        on_publish_received=lambda said: heard.set_result(said.publish_packet),
        connect_options=mqtt5.ConnectPacket(client_id="gw1", keep_alive_interval_sec=2_000),
    )  # fmt: skip
    client.start()
    connack = up.result(DEADLINE_S)
    assert connack.maximum_qos == mqtt5.QoS.AT_LEAST_ONCE
    assert connack.receive_maximum == limits.IN_FLIGHT and connack.maximum_packet_size == limits.PACKET_BYTES
    assert connack.topic_alias_maximum == limits.TOPIC_ALIASES and connack.server_keep_alive_sec == 1_200
    assert connack.subscription_identifiers_available is False
    asked = mqtt5.SubscribePacket([mqtt5.Subscription("fence/gw1", mqtt5.QoS.AT_LEAST_ONCE)])
    assert client.subscribe(asked).result(DEADLINE_S).reason_codes == [mqtt5.SubackReasonCode.GRANTED_QOS_1]
    client.publish(mqtt5.PublishPacket(topic="fence/gw1", payload=b"seven", qos=mqtt5.QoS.AT_LEAST_ONCE)).result(
        DEADLINE_S
    )
    assert heard.result(DEADLINE_S).payload == b"seven"
    client.stop()
    stopped.result(DEADLINE_S)
    assert set(broken(local)) <= {"keep-alive"}


def test_the_older_sdk_publishes_and_hears(local: AwsLocal) -> None:
    sdk = pytest.importorskip("AWSIoTPythonSDK.MQTTLib", reason=REASON)
    heard: Future[bytes] = Future()
    names = files(local, "gw1")
    client = sdk.AWSIoTMQTTClient("gw1")
    client.configureEndpoint("localhost", port(local))
    client.configureCredentials(names["ca_filepath"], names["pri_key_filepath"], names["cert_filepath"])
    client.configureConnectDisconnectTimeout(int(DEADLINE_S))
    client.configureMQTTOperationTimeout(int(DEADLINE_S))
    assert client.connect(60)
    assert client.subscribe("fence/gw1", 1, lambda _client, _data, message: heard.set_result(message.payload))
    assert client.publish("fence/gw1", "seven", 1)
    assert heard.result(DEADLINE_S) == b"seven"
    client.disconnect()
    assert broken(local) == []


@pytest.fixture
def by_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsLocal]:
    found_mosquitto()
    (tmp_path / "users.json").write_text(json.dumps({"AKIDLOCAL": {"secret_key": "made-here", "client": "gw1"}}))
    made = AwsLocal(tmp_path / "local", AwsLocalSpec(web=True, web_users=str(tmp_path / "users.json")))
    made.start()
    for name, value in (("AWS_ACCESS_KEY_ID", "AKIDLOCAL"), ("AWS_SECRET_ACCESS_KEY", "made-here")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    yield made
    made.stop()


def test_awsiotsdk_comes_by_a_websocket_that_it_signs(by_web: AwsLocal) -> None:
    builder = pytest.importorskip("awsiot.mqtt_connection_builder", reason=REASON)
    auth = pytest.importorskip("awscrt.auth", reason=REASON)
    assert by_web.web_address is not None
    connection = builder.websockets_with_default_aws_signing(
        region="eu-central-1", credentials_provider=auth.AwsCredentialsProvider.new_static("AKIDLOCAL", "made-here"),
        endpoint="localhost", port=by_web.web_address.port, client_id="gw1", keep_alive_secs=60,
        ca_filepath=str(by_web.identity("gw1").authorities),
    )  # fmt: skip
    connection.connect().result(DEADLINE_S)
    heard: Future[bytes] = Future()
    connection.subscribe("fence/gw1", qos(), lambda topic, payload, **_: heard.set_result(payload))[0].result(
        DEADLINE_S
    )
    connection.publish("fence/gw1", "seven", qos())[0].result(DEADLINE_S)
    assert heard.result(DEADLINE_S) == b"seven"
    connection.disconnect().result(DEADLINE_S)
    assert broken(by_web) == []


@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="allowed: mosquitto_pub is not on the PATH")
@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_mosquitto_pub_reaches_the_portal(local: AwsLocal, version: str) -> None:
    portal = local.connect(local.identity("portal"), subscribe=("gw/+/up",))
    until(local, lambda: portal.connected)
    names = files(local, "gw1")

    def publish(topic: str) -> int:
        return subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(port(local)), "-i", "gw1", "-V", version, "-q", "1",
             "--cafile", names["ca_filepath"], "--cert", names["cert_filepath"], "--key", names["pri_key_filepath"],
             "-t", topic, "-m", "seven"], capture_output=True, timeout=DEADLINE_S, check=False,
        ).returncode  # fmt: skip

    assert publish("gw/gw1/up") == 0
    until(local, lambda: [one.payload for one in portal.inbox] == [b"seven"])
    publish("gw/gw2/up")
    until(local, lambda: "publish-denied" in broken(local))
