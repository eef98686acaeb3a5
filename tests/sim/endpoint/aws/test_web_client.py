"""The companion's second port: WebSocket signed by SigV4, MQTT by ALPN, one publish by HTTPS; MQTT 5 over each."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sim.core import clock
from sim.endpoint.aws.https_publish import publish
from sim.endpoint.aws.sigv4 import Credentials, presigned
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import Address, EndpointError
from sim.endpoint.session import MqttSession
from sim.endpoint.tls_connect import tls_context
from tests.sim.endpoint.brokers import found_mosquitto, states, until

KEY = Credentials("AKIDLOCAL", "made-for-this-machine")
REGION = "eu-central-1"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsLocal]:
    found_mosquitto()
    folder: Path = tmp_path_factory.mktemp("web")
    (folder / "users.json").write_text(json.dumps({KEY.access_key: {"secret_key": KEY.secret_key, "client": "gw1"}}))
    made = AwsLocal(folder / "local", AwsLocalSpec(web=True, web_users=str(folder / "users.json")))
    made.start()
    yield made
    made.stop()


def web(local: AwsLocal) -> Address:
    assert local.web_address is not None
    return local.web_address


def last(local: AwsLocal) -> list[str]:
    return [one["limit"] for one in local.enforced()]


def signed(credentials: Credentials = KEY, ahead_s: float = 0.0) -> Callable[[], str]:
    return lambda: presigned(credentials, "localhost", REGION, clock.unix_ns() / 1e9 + ahead_s)


def by_websocket(local: AwsLocal, target: Callable[[], str], *topics: str, v5: bool = False) -> MqttSession:
    nameless = replace(local.identity("gw1"), certificate=None, key=None)  # an address signed by a key is who it is
    return MqttSession(local.loop, nameless, web(local), subscribe=topics, websocket=target, v5=v5)


@pytest.mark.parametrize("v5", [False, True], ids=["3.1.1", "5"])
def test_mqtt_over_a_signed_websocket(local: AwsLocal, v5: bool) -> None:
    portal = local.connect(local.identity("portal"), subscribe=("gw/+/up",))
    gateway = by_websocket(local, signed(), "gw/gw1/ack", v5=v5)
    until(local, lambda: portal.connected and gateway.connected)
    payloads = [b"x" * size for size in (0, 1, 125, 126, 65_535, 131_072)]
    for payload in payloads:
        gateway.publish("gw/gw1/up", payload)
    portal.publish("gw/gw1/ack", b"y" * 70_000)
    until(local, lambda: len(portal.inbox) == len(payloads) and len(gateway.inbox) == 1 and not gateway.unacknowledged)
    assert [one.payload for one in portal.inbox] == payloads
    gateway.publish("gw/gw2/up", b"x")
    until(local, lambda: "dropped" in states(gateway))
    assert last(local)[-1] == "publish-denied"
    gateway.close()
    portal.close()


@pytest.mark.parametrize(
    ("credentials", "ahead_s", "said"),
    [
        (Credentials(KEY.access_key, "another"), 0.0, "the signature does not match"),
        (Credentials("AKIDOTHER", KEY.secret_key), 0.0, "the access key is not known"),
        (KEY, 3_600.0, "its clock is off"),
    ],
)
def test_a_bad_signature_gets_no_websocket(
    local: AwsLocal, credentials: Credentials, ahead_s: float, said: str
) -> None:
    refused = by_websocket(local, signed(credentials, ahead_s))
    until(local, lambda: "refused" in states(refused))
    refused.close()
    assert "the WebSocket is refused: HTTP/1.1 403" in refused.log[0][1]
    assert any(one["limit"] == "signature" and said in one["detail"] for one in local.enforced())


@pytest.mark.parametrize("v5", [False, True], ids=["3.1.1", "5"])
def test_mqtt_by_alpn_beside_https_on_one_port(local: AwsLocal, v5: bool) -> None:
    one = MqttSession(local.loop, local.identity("gw1"), web(local), alpn="x-amzn-mqtt-ca", v5=v5, clean=not v5)
    until(local, lambda: one.connected)
    one.publish("gw/gw1/up", b"x")
    until(local, lambda: not one.unacknowledged)
    one.close()
    before = len(last(local))
    nameless = replace(local.identity("gw1"), certificate=None, key=None)
    bare = MqttSession(local.loop, nameless, web(local), alpn="x-amzn-mqtt-ca")
    until(local, lambda: "refused" in states(bare))
    bare.close()
    assert "certificate" in last(local)[before:]


def test_a_publish_by_https_reaches_the_portal(local: AwsLocal) -> None:
    portal = local.connect(local.identity("portal"), subscribe=("gw/+/up",))
    until(local, lambda: portal.connected)
    gateway = local.identity("gw1")
    for payload in (b"", b"bundle", b"x" * 131_072):
        publish(web(local), gateway, "gw/gw1/up", payload)
    until(local, lambda: len(portal.inbox) == 3)
    assert [len(one.payload) for one in portal.inbox] == [0, 6, 131_072]
    with pytest.raises(
        EndpointError, match=r"gw/gw2/up: HTTP 403 \(refused: publish-denied\); does the certificate's policy"
    ):
        publish(web(local), gateway, "gw/gw2/up", b"x")
    with pytest.raises(EndpointError, match=r"HTTP 400 \(refused: payload\)"):
        publish(web(local), gateway, "gw/gw1/up", b"x" * 131_073)
    with pytest.raises(EndpointError, match=r"HTTP 403 \(refused: retain-denied\)"):
        publish(web(local), gateway, "gw/gw1/up", b"x", retain=True)
    with pytest.raises(EndpointError, match="a client certificate is needed"):
        publish(web(local), replace(gateway, certificate=None, key=None), "gw/gw1/up", b"x")
    stranger = replace(gateway, authorities=gateway.certificate)
    with pytest.raises(EndpointError, match="server certificate refused"):
        publish(web(local), stranger, "gw/gw1/up", b"x")
    portal.close()


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /topics/a HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
        (b"POST /other HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"POST /topics/gw%2Fgw1%2Fup?qos=2 HTTP/1.1\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"POST /topics/a HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /topics/a HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"400"),
        (b"POST /topics/a HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET /mqtt HTTP/1.1\r\nUpgrade: websocket\r\n\r\n", b"403"),
        (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00" + b"x" * 20_000, b"400"),
    ],
)
def test_a_bad_request_is_answered_and_harms_nobody(local: AwsLocal, request_: bytes, status: bytes) -> None:
    context = tls_context(local.identity("gw1"), verify=True)
    assert isinstance(context, ssl.SSLContext)
    with (
        socket.create_connection(("127.0.0.1", web(local).port), 10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        tls.sendall(request_)
        assert tls.recv(4_096).startswith(b"HTTP/1.1 " + status)
    publish(web(local), local.identity("gw1"), "gw/gw1/up", b"x")
