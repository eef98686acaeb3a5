"""The client side of AWS IoT Core against the local one: the same port, rules and names. No account is touched."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.endpoint.aws.bill import Meter
from sim.endpoint.kinds import aws_iot
from sim.endpoint.kinds.aws_iot import AwsIot, AwsIotSpec
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.endpoint.port import EndpointError
from sim.endpoint.tls_connect import tls_context
from tests.sim.endpoint.brokers import found_mosquitto, states, until


def started(directory: Path) -> Iterator[AwsLocal]:
    found_mosquitto()
    made = AwsLocal(directory)
    made.start()
    for name in ("portal", "gw1"):
        made.identity(name)
    yield made
    made.stop()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[AwsLocal]:
    yield from started(tmp_path / "local")


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsLocal]:
    """For tests that neither change nor count it."""
    yield from started(tmp_path_factory.mktemp("standing"))


def spec_of(local: AwsLocal, **other: str) -> AwsIotSpec:
    assert local.address is not None
    pki = local.directory / "pki"
    return AwsIotSpec(
        **{"host": local.address.host, "identities": str(pki), "authorities": str(pki / "ca.crt"), **other},  # type: ignore[arg-type]
        port=local.address.port,
    )


def test_bundles_go_through_and_are_billed_as_counted_in_front(local: AwsLocal, tmp_path: Path) -> None:
    aws = AwsIot(tmp_path, spec_of(local))
    before = local.meter()
    aws.start()
    portal = aws.connect(aws.identity("portal"), subscribe=("gw/+/up",))
    gateway = aws.connect(aws.identity("gw1"))
    until(aws, lambda: portal.connected and gateway.connected)
    gateway.publish("gw/gw1/up", b"x" * 5_111)  # with its topic 5 120 bytes
    gateway.publish("gw/gw1/up", b"x" * 5_112)
    until(aws, lambda: len(portal.inbox) == 2 and not gateway.unacknowledged)
    until(aws, aws.fence(portal))
    aws.stop()
    # probe, portal and gateway CONNECT; one SUBSCRIBE; 1 + 2 units in, 1 + 2 out, two PUBACKs of the portal's
    assert aws.meter().messages == 3 + 1 + 3 + 3 + 2
    fence_subscribed = 1  # the bench's own, which only the front can see
    until(local, lambda: local.meter().messages - before.messages == aws.meter().messages + fence_subscribed)
    assert isinstance(aws.meter(), Meter) and aws.meter().connected_s > 0


def test_what_is_denied_there_ends_the_connection_here(standing: AwsLocal, tmp_path: Path) -> None:
    aws = AwsIot(tmp_path, spec_of(standing))
    gateway = aws.connect(aws.identity("gw1"))
    until(aws, lambda: gateway.connected)
    gateway.publish("gw/gw2/up", b"x")
    until(aws, lambda: "dropped" in states(gateway))
    aws.stop()


def test_port_443_asks_for_mqtt_by_alpn(standing: AwsLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert standing.address is not None
    monkeypatch.setattr(aws_iot, "ALPN_PORT", standing.address.port)
    aws = AwsIot(tmp_path, spec_of(standing))
    gateway = aws.connect(aws.identity("gw1"))
    until(aws, lambda: gateway.connected)
    assert gateway._client is not None
    tls = gateway._client.socket()
    assert isinstance(tls, ssl.SSLSocket) and tls.selected_alpn_protocol() == "x-amzn-mqtt-ca"
    aws.stop()
    context = tls_context(aws.identity("gw1"), verify=True)
    assert context is not None


def test_another_root_is_not_trusted(standing: AwsLocal, tmp_path: Path) -> None:
    from sim.pki.authority import Authority

    foreign = Authority(tmp_path / "foreign").certificate
    with pytest.raises(EndpointError, match=r"certificate refused.*is endpoint\.authorities Amazon's root"):
        AwsIot(tmp_path, spec_of(standing, authorities=str(foreign))).start()


def test_a_policy_that_denies_and_a_foreign_certificate_are_named(standing: AwsLocal, tmp_path: Path) -> None:
    for suffix in ("crt", "key"):
        (tmp_path / f"portal.{suffix}").write_bytes((standing.directory / "pki" / f"gw1.{suffix}").read_bytes())
    with pytest.raises(EndpointError, match=r"CONNACK.*does the policy"):
        AwsIot(tmp_path, spec_of(standing, identities=str(tmp_path))).start()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"host": ""}, r"no host; set endpoint\.host or the variable WMBENCH_AWS_HOST"),
        ({"authorities": "/nowhere/root.pem"}, r"no file /nowhere/root\.pem; it is to hold Amazon's root"),
        ({"identities": "/nowhere"}, r"no file /nowhere/portal\.crt; prepare 'portal'"),
        ({"host": "no-such-host.invalid"}, r"no-such-host\.invalid"),
    ],
)
def test_what_is_missing_is_named(
    standing: AwsLocal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: dict[str, str], said: str
) -> None:
    for variable in ("WMBENCH_AWS_HOST", "WMBENCH_AWS_IDENTITIES", "WMBENCH_AWS_AUTHORITIES"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(EndpointError, match=said):
        AwsIot(tmp_path, spec_of(standing, **other)).start()


@pytest.mark.parametrize("mqtt", ["3.1.1", "5"])
def test_the_same_over_a_signed_websocket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mqtt: str) -> None:
    found_mosquitto()
    users = {f"AKID{name}": {"secret_key": "made-here", "client": name} for name in ("portal", "gw1")}
    (tmp_path / "users.json").write_text(json.dumps(users))
    local = AwsLocal(tmp_path / "local", AwsLocalSpec(web=True, web_users=str(tmp_path / "users.json")))
    local.start()
    assert local.web_address is not None
    spec = AwsIotSpec(
        host="localhost", port=local.web_address.port, authorities=str(local.directory / "pki" / "ca.crt"),
        transport="websocket", region="eu-central-1", mqtt=mqtt,  # type: ignore[arg-type]
    )  # fmt: skip
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(EndpointError, match="a WebSocket is signed; set AWS_ACCESS_KEY_ID"):
        AwsIot(tmp_path, spec).start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDportal")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-here")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    aws = AwsIot(tmp_path, spec)
    aws.start()
    portal = aws.connect(aws.identity("portal"), subscribe=("gw/+/up",), clean=False)
    until(aws, lambda: portal.connected)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDgw1")
    gateway = aws.connect(aws.identity("gw1"))
    until(aws, lambda: gateway.connected)
    gateway.publish("gw/gw1/up", b"x" * 70_000)
    until(aws, lambda: len(portal.inbox) == 1 and not gateway.unacknowledged)
    aws.stop()
    local.stop()


def test_a_region_is_in_the_hosts_name_or_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    assert AwsIotSpec().region_of("abc-ats.iot.eu-west-1.amazonaws.com") == "eu-west-1"
    with pytest.raises(EndpointError, match=r"names no region; set endpoint\.region"):
        AwsIotSpec().region_of("localhost")
