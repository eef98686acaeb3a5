"""Endpoint `aws_iot`: AWS IoT Core itself, by MQTT 3.1.1 or 5 with mutual TLS on port 8883, or 443 with ALPN; or over
WebSocket on 443, each session's address signed by SigV4.

The account is prepared beforehand (docs/how-to/run-on-aws.md): things, certificates and policies as
sim.endpoint.aws.fleet_policies writes them. Nothing is provisioned, nothing is left behind, and nothing of
the account is written down but the address. Amazon's root is pinned: of all authorities only `authorities` is trusted.

`host`, `identities` (a folder of NAME.crt and NAME.key, one pair a client id) and `authorities` (a PEM file) come
from the world, or from WMBENCH_AWS_HOST, WMBENCH_AWS_IDENTITIES and WMBENCH_AWS_AUTHORITIES. `transport` "websocket"
needs no certificates; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN sign, read from the environment
and kept nowhere, and what a client may do is what IAM lets the key's owner do.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

from sim.core import clock
from sim.core.settings import number
from sim.endpoint.aws.aws_limits import FILTERS_A_SUBSCRIBE, PUBLISHES_A_SECOND
from sim.endpoint.aws.bill import Meter, units
from sim.endpoint.aws.sigv4 import Credentials, presigned
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import FENCE, Address, EndpointError, EndpointFeature, Identity, OutOfReach, Session
from sim.endpoint.registry import EndpointKind, Readiness
from sim.endpoint.session import AT_SUBSCRIBE, Dialled, MqttSession
from sim.endpoint.topic_acl import PORTAL
from sim.pki.authority import Authority

ALPN: Final = "x-amzn-mqtt-ca"
ALPN_PORT: Final = 443
START_DEADLINE_S: Final = 15.0
_VARIABLES: Final = ("WMBENCH_AWS_HOST", "WMBENCH_AWS_IDENTITIES", "WMBENCH_AWS_AUTHORITIES")


@dataclass(frozen=True, slots=True)
class AwsIotSpec(EndpointSpec):
    """[endpoint] with kind = "aws_iot"; see the module."""

    kind: str = "aws_iot"
    host: str = ""
    port: int = number(8_883, low=1, high=65_535)
    identities: str = ""
    authorities: str = ""
    mqtt: Literal["3.1.1", "5"] = "3.1.1"
    transport: Literal["tls", "websocket"] = "tls"
    region: str = ""

    def credentials(self) -> Credentials:
        """Of the environment. Raises OutOfReach."""
        found = [
            os.environ.get(name, "") for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        ]
        if not found[0] or not found[1]:
            raise OutOfReach(
                'endpoint aws_iot: a WebSocket is signed; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, '
                'or transport = "tls"'
            )
        return Credentials(*found)

    def region_of(self, host: str) -> str:
        """`region`, or the one in the host's name, or AWS_REGION. Raises OutOfReach."""
        named = re.fullmatch(r"[^.]+\.iot\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?", host)
        region = self.region or (named[1] if named else "") or os.environ.get("AWS_REGION", "")
        if not region:
            raise OutOfReach(
                f"endpoint aws_iot: {host} names no region; set endpoint.region or the variable AWS_REGION"
            )
        return region

    def found(self) -> tuple[str, Path, Path]:
        """Host, folder of identities, file of authorities. Raises OutOfReach for what is missing."""
        given = (self.host, self.identities, self.authorities)
        host, identities, authorities = (
            value or os.environ.get(name, "") for value, name in zip(given, _VARIABLES, strict=True)
        )
        if self.transport == "websocket":
            identities = identities or os.devnull  # nobody shows a certificate
        keys = zip((host, identities, authorities), ("host", "identities", "authorities"), _VARIABLES, strict=True)
        for value, key, variable in keys:
            if not value:
                raise OutOfReach(f"endpoint aws_iot: no {key}; set endpoint.{key} or the variable {variable}")
        return host, Path(identities), Path(authorities)


class CountedSession(MqttSession):
    """Counts what AWS bills of one session; the bench's own markers are left out."""

    def __init__(self, meter: Meter, loop: EventLoop, identity: Identity, address: Address, **how: Any) -> None:
        self._meter, self._up_s = meter, 0.0
        self._asked = len(how.get("subscribe", ()))
        super().__init__(loop, identity, address, **how)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        super().publish(topic, payload, retain=retain)
        self._meter.published(topic, len(payload))

    def _up(self) -> None:
        super()._up()
        self._up_s = clock.wall_s()
        self._meter.messages += 1 + bool(self._asked)

    def _on_message(self, client: Any, data: Any, message: Any) -> None:
        super()._on_message(client, data, message)
        if message.topic != FENCE.format(client=self.client_id):
            self._meter.messages += units(len(message.topic.encode()), len(message.payload)) + (message.qos > 0)

    def _let_go(self) -> None:
        if self._up_s:
            self._meter.connected_s += clock.wall_s() - self._up_s
            self._up_s = 0.0
        super()._let_go()


class AwsIot(Dialled):
    """See port.Endpoint."""

    name: ClassVar[str] = "aws_iot"
    features: ClassVar[frozenset[EndpointFeature]] = frozenset(
        {"acl", "bind", "denial closes", "persistence", "shadows", "size limit", "sockets", "takeover"}
    )

    def __init__(self, directory: Path, spec: AwsIotSpec | None = None) -> None:
        self.spec = spec or AwsIotSpec()
        self.directory = directory
        super().__init__()
        self._meter = Meter()

    @property
    def address(self) -> Address | None:
        host = self.spec.host or os.environ.get(_VARIABLES[0], "")
        return Address(host, self.spec.port) if host else None

    @property
    def pid(self) -> int | None:
        return None

    @property
    def authority(self) -> Authority:
        raise EndpointError("endpoint aws_iot: Amazon issues its certificates, no authority of ours")

    def start(self) -> None:
        """Ready: the portal's certificate is let in. What AWS says to a clock that is off, a foreign certificate or a
        policy that denies is little; so each is named as a cause."""
        host, _, authorities = self.spec.found()
        if not authorities.is_file():
            raise OutOfReach(f"endpoint aws_iot: no file {authorities}; it is to hold Amazon's root, as PEM")
        probe = self.connect(self.identity(PORTAL))
        self.loop.settle(lambda: probe.connected or len(probe.log) >= 2, START_DEADLINE_S)
        connected, log = probe.connected, list(probe.log)
        probe.close()
        if not connected:
            said = log[-1][1] if log else "no answer"
            raise OutOfReach(
                f"endpoint aws_iot: {host}:{self.spec.port} gives no session to '{PORTAL}': {_cause(said, PORTAL)}"
            )

    def let_down(self, session: Session, what: str) -> OutOfReach:
        """See port.Elsewhere."""
        client, (state, said) = session.client_id, session.log[-1] if session.log else ("refused", "no answer")
        ups = sum(state == "connected" for state, _ in session.log[-6:])
        denied = next((words for _, words in session.log[-6:] if words.startswith("subscription to ")), "")
        if denied:
            why = f"'{client}': {denied} is refused; does the policy of its certificate allow iot:Subscribe to it?"
        elif session.connected and state == "connected" and ups == 1:
            why = (
                f"'{client}' is connected and gets no acknowledgement; AWS discards what is above {PUBLISHES_A_SECOND} "
                "publishes or 512 KiB a second of a connection: let bundles be fewer and larger"
            )
        elif ups:
            why = (
                f"'{client}' gets sessions and loses them again; does the policy of its certificate allow iot:Publish "
                f"to its topics (`./wmbench aws fleet` writes one), and has no other client its id?"
            )
        else:
            why = f"'{client}': {_cause(said, client)}"
        return OutOfReach(f"endpoint aws_iot: {what}; what is not acknowledged stays in the outboxes: {why}")

    def stop(self) -> None:
        self._close_sessions()

    def identity(self, client_id: str) -> Identity:
        """Its files, made when the account was prepared. Raises OutOfReach when they are not there."""
        _, identities, authorities = self.spec.found()
        if self.spec.transport == "websocket":
            return Identity(client_id, authorities=authorities)
        certificate, key = identities / f"{client_id}.crt", identities / f"{client_id}.key"
        for file in (certificate, key):
            if not file.is_file():
                raise OutOfReach(
                    f"endpoint aws_iot: no file {file}; prepare '{client_id}' as docs/how-to/run-on-aws.md says"
                )
        return Identity(client_id, certificate, key, authorities)

    def connect(
        self,
        identity: Identity,
        *,
        subscribe: tuple[str, ...] = (),
        address: Address | None = None,
        verify: bool = True,
        clean: bool = True,
    ) -> MqttSession:
        where = address or self.address
        if where is None:
            raise OutOfReach(f"endpoint aws_iot: no host; set endpoint.host or the variable {_VARIABLES[0]}")
        if len(subscribe) > FILTERS_A_SUBSCRIBE:
            raise EndpointError(f"endpoint aws_iot: {len(subscribe)} filters at once; AWS takes {FILTERS_A_SUBSCRIBE}")
        websocket = None
        if self.spec.transport == "websocket":
            region, _ = self.spec.region_of(where.host), self.spec.credentials()  # what is missing is said now
            websocket = partial(self._signed, where.host, region)
        try:
            session = CountedSession(
                self._meter, self.loop, identity, where, subscribe=subscribe, verify=verify, clean=clean,
                taps=self.taps, alpn=ALPN if where.port == ALPN_PORT and websocket is None else "",
                v5=self.spec.mqtt == "5", websocket=websocket,
            )  # fmt: skip
        except EndpointError as error:
            files = [str(one) for one in (identity.certificate, identity.key, identity.authorities) if one]
            raise OutOfReach(
                f"endpoint aws_iot: {error} (`./wmbench aws rotate {identity.client_id}`): {', '.join(files)}"
            ) from None
        self._sessions.add(session)
        return session

    def _signed(self, host: str, region: str) -> str:
        """Anew for each dial: credentials of the environment may have been renewed, and a signature has its time."""
        return presigned(self.spec.credentials(), host, region, clock.unix_ns() / 1e9)

    def meter(self) -> Meter:
        """What these clients made AWS bill, counted on our side."""
        return self._meter

    def revoke(self, client_id: str) -> None:
        raise EndpointError(
            f"endpoint aws_iot: revoke the certificate of '{client_id}' in the account; none is held here"
        )

    def kill(self) -> None:
        raise EndpointError("endpoint aws_iot: nobody but Amazon can kill it")

    def restart(self, *, refusing: bool = False) -> None:
        raise EndpointError("endpoint aws_iot: nobody but Amazon can restart it")


def _cause(said: str, client: str) -> str:
    """What a refusal of this client most often means, beside its own words."""
    causes = {
        "not yet valid": "is this machine's clock right?",
        "alert certificate expired": f"the certificate's time is over; renew it: `./wmbench aws rotate {client}`",
        "alert certificate revoked": f"it was revoked: `./wmbench aws rotate {client}` makes another",
        "expired": "is this machine's clock right? Else it is the endpoint's certificate, and Amazon's to renew",
        "certificate refused": "is endpoint.authorities Amazon's root, and the host an AWS IoT endpoint (-ats)?",
        "Hostname mismatch": "is the host an AWS IoT endpoint of this account?",
        "WebSocket is refused": "is endpoint.region the endpoint's, and the access key active and allowed, and "
        "this machine's clock right?",
        AT_SUBSCRIBE: "does the policy of its certificate allow iot:Subscribe to its topics?",
        "CONNACK": "does the policy of its certificate allow iot:Connect under this client id?",
        "closed by the server": "is its certificate active, of this account and region, with a policy? Or a quota of "
        "the account is used up: wait a minute",
        "alert": "is its certificate active and of this account and region?",
        "Connection refused": f"is endpoint.host right, and is endpoint.port right, 8883 or {ALPN_PORT}?",
        "Name or service": "is endpoint.host right, and the network up?",
        "no answer": f"is the port open from here? {ALPN_PORT} is, where 8883 is not",
    }
    return f"{said}; " + next(
        (cause for words, cause in causes.items() if words in said), "see docs/how-to/run-on-aws.md"
    )


def _missing(spec: AwsIotSpec) -> str:
    try:
        _, identities, authorities = spec.found()
    except OutOfReach as error:
        return f"{error}; see docs/how-to/run-on-aws.md"
    missing = [one for one in (identities, authorities) if not one.exists()]
    return f"endpoint aws_iot: {missing[0]} is not there; see docs/how-to/run-on-aws.md" if missing else ""


def _ready() -> Readiness:
    spec = AwsIotSpec()
    if missing := _missing(spec):
        return Readiness(False, "no account is named", missing)
    return Readiness(True, f"{spec.found()[0]}, not dialled")


KIND = EndpointKind(
    id=AwsIot.name,
    title="AWS IoT Core, on an account that was prepared",
    features=AwsIot.features,
    spec=AwsIotSpec,
    make=AwsIot,
    ready=_ready,
    missing=_missing,
)
