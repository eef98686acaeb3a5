"""The companion's second port, as AWS's 443 and 8443 are: what a client speaks shows after TLS.

    ALPN x-amzn-mqtt-ca           MQTT with a client certificate, as on the first port
    GET /mqtt, upgrade            MQTT over WebSocket, its address signed by SigV4; no client certificate
    POST /topics/TOPIC?qos=1      one publish, with a client certificate (ALPN x-amzn-http-ca or none)

Signed by an access key of `web_users` a client is the device that stands beside the key there: it has that one's
policies (on AWS it has those of the key's owner, which are not IoT policies). Statuses of HTTP are those that AWS
lists for Publish and iot-errors (200, 400, 403, 404, 405); which one follows which fault is ours alone but for 403.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
from typing import Final
from urllib.parse import parse_qs, unquote

from sim.endpoint.aws.account import REGION_AND_ACCOUNT, Certificate
from sim.endpoint.aws.companion import Client, Companion
from sim.endpoint.aws.connection import Connection
from sim.endpoint.aws.sigv4 import BadSignature, verified
from sim.endpoint.mqtt_wire import PUBLISH, BadPacket, Packet, Packets, binary
from sim.endpoint.websocket import BadFrame, Frames, Head, accept, head

MQTT_ALPN, HTTP_ALPN = "x-amzn-mqtt-ca", "x-amzn-http-ca"
_REASONS: Final = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed"}
_DENIED: Final = frozenset({"publish-denied", "retain-denied", "inactive"})
_HELD_BYTES: Final = 16_384 + 262_144  # a head, and twice the largest payload


class WebClient(Client):
    """See companion.Client. Until it is known what it speaks, its bytes gather in `_early`."""

    def __init__(self, companion: Companion, accepted: socket.socket, address: str) -> None:
        self._certificate: Certificate | None = None
        self._shaken = False
        self._early = b""
        self._frames: Frames | None = None
        super().__init__(companion, accepted, address)

    @staticmethod
    def context(companion: Companion) -> ssl.SSLContext | None:
        context = companion.tls(MQTT_ALPN, HTTP_ALPN)
        if context is not None:
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _open(self, certificate: Certificate | None) -> None:
        """TLS is up."""
        self._certificate, self._shaken = certificate, True
        tls = self._client.tls
        if tls is not None and tls.selected_alpn_protocol() == MQTT_ALPN:
            if certificate is None:
                self._companion.said(self._address, "certificate", "MQTT without a certificate")
                self._drop()
                return
            super()._open(certificate)
            return
        self._watch(self._client, select.EPOLLIN)
        self._before_mqtt()

    def _before_mqtt(self) -> None:
        if not self._shaken:
            self._handshake()
            return
        data = self._client.read()
        if data is None:
            self._drop()
            return
        self._early += data
        try:
            found = head(self._early)
            if found is not None:
                self._obey(*found)
            elif len(self._early) > _HELD_BYTES:
                raise BadFrame("more than a head")
        except BadFrame as error:
            self._companion.said(self._address, "bad-request", str(error))
            self._respond(400, str(error))

    def _obey(self, found: Head, body: bytes) -> None:
        method, _, rest = found.line.partition(" ")
        target = rest.rpartition(" ")[0]
        if found.headers.get("upgrade", "").lower() == "websocket" and method == "GET":
            self._upgrade(target, found, body)
        elif not target.startswith("/topics/"):
            self._respond(404, "there is /topics/TOPIC, and /mqtt for WebSockets")
        elif method != "POST":
            self._respond(405, "a topic takes POST")
        else:
            size = found.headers.get("content-length", "")
            if not size.isascii() or not size.isdigit() or int(size) > _HELD_BYTES // 2:
                raise BadFrame("no Content-Length, or one that is too large")
            if len(body) >= int(size):
                self._publish(target, body[: int(size)])

    # --- WebSocket -----------------------------------------------------------------------------------------------

    def _upgrade(self, target: str, found: Head, body: bytes) -> None:
        users = self._companion.config["web_users"]
        secrets = {key: str(one["secret_key"]) for key, one in users.items()}
        region, host = REGION_AND_ACCOUNT.partition(":")[0], found.headers.get("host", "").lower()
        headers = found.headers | {"host": host}
        now_s = self._companion.account.unix_s()
        try:
            try:
                key = verified(target, headers, secrets, region, now_s)
            except BadSignature:  # some clients sign the name alone, and say a port that is not 443 beside it
                key = verified(target, headers | {"host": host.partition(":")[0]}, secrets, region, now_s)
        except BadSignature as error:
            self._companion.said(self._address, "signature", str(error))
            self._respond(403, str(error))
            return
        answer = accept(found.headers.get("sec-websocket-key", ""))
        self._client.out += (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {answer}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        ).encode()
        self._frames = Frames()
        super()._open(Certificate(f"iam:{key}", {"CommonName": (str(users[key]["client"]),)}, {}))
        self._client.flush()
        if body:
            self._take(body)

    def _take(self, data: bytes) -> None:
        if self._frames is None:
            super()._take(data)
            return
        try:
            payload = self._frames.feed(data)
        except BadFrame as error:
            self._companion.said(self.connection.client_id, "bad-packet", str(error))
            self._closing = True
            return
        self._client.out += self._frames.replies
        self._frames.replies.clear()
        super()._take(payload)
        self._closing = self._closing or self._frames.ended

    def to_client(self, data: bytes) -> None:
        super().to_client(data if self._frames is None else self._frames.encode(data))

    # --- HTTPS ---------------------------------------------------------------------------------------------------

    def _publish(self, target: str, payload: bytes) -> None:
        path, _, text = target.partition("?")
        query = parse_qs(text)
        qos, retain = query.get("qos", ["0"])[-1], query.get("retain", ["false"])[-1]
        topic = unquote(path.removeprefix("/topics/"))
        name = topic.encode()
        if self._certificate is None:
            self._companion.said(self._address, "certificate", "a publish by HTTPS without a certificate")
            self._respond(403, "a client certificate is needed")
            return
        if qos not in ("0", "1") or retain not in ("true", "false") or not 0 < len(name) < 1 << 16:
            self._respond(400, "qos is 0 or 1, retain true or false, and a topic is not empty")
            return
        wire = _OneRequest(self._companion)
        one = Connection(self._companion.account, self._certificate, self._address, wire)
        one.of_one_request()
        packet_id = b"\0\1" if qos == "1" else b""
        body = binary(name) + packet_id + payload
        one.from_client(Packet(PUBLISH, int(qos) << 1 | (retain == "true"), body))
        if one.broke:
            self._respond(403 if one.broke in _DENIED else 400, f"refused: {one.broke}")
        else:
            self._respond(200, "OK")

    def _respond(self, status: int, message: str) -> None:
        body = json.dumps({"message": message}).encode()
        lines = (
            f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self._client.out += lines.encode() + body
        self._client.flush()
        self._drop()


class _OneRequest:
    """account.Wire of a publish that has no connection behind it: the companion publishes it itself."""

    def __init__(self, companion: Companion) -> None:
        self._companion = companion

    def to_client(self, data: bytes) -> None:
        """A PUBACK: the answer is HTTP's."""

    def to_broker(self, data: bytes) -> None:
        try:
            for packet in Packets().feed(data):
                said = packet.publish()
                self._companion.publish(said.topic, said.payload, said.flags >> 1 & 1)
        except BadPacket:  # Connection has read it already
            return

    def close(self) -> None:
        """Nothing is open."""
