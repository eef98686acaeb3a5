"""One client's connection under AWS's rules: packets in from both sides, bytes out on both, and never a socket.

    connection = Connection(account, certificate, "127.0.0.1", wire)
    connection.client_frame(bytes)      a packet of the client's, whole
    connection.broker_frame(bytes)      one that Mosquitto sends it

A topic is judged once. What comes on it later goes on as its bytes stand: `_plain` and `_heard` hold the topics of
which nothing but the size of a message is left to look at.

Mosquitto behind holds sessions, subscriptions and queues. What is enforced here is the table of aws_limits.py: each
place that enforces one names its id.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from sim.endpoint.aws import aws_limits as limits
from sim.endpoint.aws import client_packets as packets
from sim.endpoint.aws import offers, topics
from sim.endpoint.aws.account import ARN, Account, Certificate, Wire
from sim.endpoint.aws.bill import units
from sim.endpoint.aws.certificate_claims import PREFIXES as CLAIM_TOPICS
from sim.endpoint.aws.connection_checks import Refused, check_topic, unshared
from sim.endpoint.aws.policies import Client, allowed
from sim.endpoint.aws.rule_function import Facts
from sim.endpoint.aws.shadows import prefix, request_of
from sim.endpoint.aws.unanswered import Unanswered
from sim.endpoint.mqtt_wire import (
    CONNACK,
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    UNSUBSCRIBE,
    BadPacket,
    Packet,
    header_bytes,
    packet_of,
    text,
)  # fmt: skip
from sim.endpoint.port import FENCE

_NOT_AUTHORIZED: Final = {4: 5, 5: 0x87}
_BAD_IDENTIFIER: Final = {4: 2, 5: 0x85}
_MARKERS: Final = FENCE.partition("{")[0]  # the bench's own, which no bill shows
_REMEMBERED: Final = 10_000  # decisions about topics, a connection
_QOS_1, _PUBLISHED, _ACKNOWLEDGED = 0x32, (0x30, 0x32), 0x40  # first bytes: PUBLISH without DUP and RETAIN, PUBACK


class Connection:
    """See the module. `keep_alive_s`: 0 until CONNECT; the caller ends a connection that is silent for
    aws_limits.KEEP_ALIVE_FACTOR of it."""

    def __init__(self, account: Account, certificate: Certificate | None, source_ip: str, wire: Wire) -> None:
        self.client_id = ""
        self.keep_alive_s = 0
        self.level = 4
        self.ended = False
        self.broke = ""  # the limit that ended it
        self._account, self._certificate, self._source_ip, self._wire = account, certificate, source_ip, wire
        self._client: Client | None = None
        self._policies = account.policies_of(certificate)
        self._may: dict[tuple[str, str], bool] = {}
        self._plain: dict[bytes, bool] = {}  # topics it publishes to -> whether they are the bench's own markers
        self._heard: dict[bytes, bool] = {}  # the same of those it is sent
        self._filters: dict[str, int] = {}
        self._filters_known = True
        self._has_parents = False
        self._aliases: dict[int, str] = {}
        self._unacknowledged = 0
        self._unanswered = Unanswered()
        self._expiry = b""  # of the session, as granted, where the client named one
        self._assigned = ""  # the client id, where the client named none
        self._window: tuple[float, int, int] = (0.0, 0, 0)

    @property
    def full(self) -> bool:
        """So many publishes wait for their PUBACK that no more is read ("in-flight")."""
        return self._unacknowledged >= limits.IN_FLIGHT

    # --- what the client says ------------------------------------------------------------------------------------

    def client_frame(self, frame: bytes) -> None:
        """As from_client, of the packet's bytes."""
        first = frame[0]
        if first in _PUBLISHED and self._passes(frame, first == _QOS_1):
            return
        if first == _ACKNOWLEDGED and self._client is not None and not self.ended:
            self._account.meter.messages += 1
            self._unanswered.answered(frame[2:4])
            self._wire.to_broker(frame)
            return
        self.from_client(packet_of(frame))

    def _passes(self, frame: bytes, qos: bool) -> bool:
        """Whether it is a publish of MQTT 3.1.1 to a topic that was judged, and went on."""
        begin = header_bytes(frame)
        end = begin + 2 + int.from_bytes(frame[begin : begin + 2], "big")
        is_ours = self._plain.get(frame[begin + 2 : end])
        account = self._account
        payload_bytes = len(frame) - end - 2 * qos
        if is_ours is None or self.ended or account.enforce_rates or account.actions.rules:
            return False
        if not 0 <= payload_bytes <= account.max_message_bytes:
            return False
        if not is_ours:
            account.meter.messages += units(end - begin - 2, payload_bytes)
        self._unacknowledged += qos
        self._wire.to_broker(frame)
        return True

    def from_client(self, packet: Packet) -> None:
        """Never raises; a connection that broke a rule is closed."""
        if self.ended:
            return
        try:
            if packet.kind == PUBLISH and self._client is not None:
                self._publish(packet)
            elif packet.kind in (PUBACK, PINGREQ) and self._client is not None:
                self._account.meter.messages += packet.kind == PUBACK
                self._wire.to_broker(packet.encode())
            elif packet.kind == CONNECT:
                self._connect(packet)
            elif self._client is None:
                raise BadPacket("the first packet is no CONNECT")
            elif packet.kind == SUBSCRIBE:
                self._subscribe(packet)
            elif packet.kind == UNSUBSCRIBE:
                for one in packets.unsubscribe(packet, self.level):
                    self._filters.pop(one, None)
                self._note_parents()
                self._wire.to_broker(packet.encode())
            elif packet.kind == DISCONNECT:
                self._wire.to_broker(packet.encode())
                self._close()
            else:
                raise Refused("qos-2", packet.name, 0x9B)
        except Refused as refused:
            self._end(refused)
        except BadPacket as error:
            self._end(Refused("bad-packet", str(error), 0x81))

    def of_one_request(self) -> None:
        """For publishing by HTTPS: no CONNECT and no client id, the certificate alone says who it is."""
        if status := self._account.inactive(self._certificate):
            self._end(Refused("inactive", f"a certificate that is {status}"))
            return
        self._client = self._account.client("", self._certificate, self._source_ip)

    def look_again(self) -> None:
        """Certificates were taken back: a session that one of them opened ends. Which reason AWS gives to MQTT 5 is
        nowhere said, and none is given here."""
        if not self.ended and (status := self._account.inactive(self._certificate)):
            self._end(Refused("revoked-live", f"its certificate is {status}"))

    def _end(self, refused: Refused) -> None:
        self.broke = refused.limit
        self._account.said(self.client_id, refused.limit, refused.detail)
        if refused.reason and self.level == packets.V5 and self._client is not None:
            self._wire.to_client(Packet(DISCONNECT, 0, bytes([refused.reason, 0])).encode())
        self._close()

    def _close(self) -> None:
        self.ended = True
        self._wire.close()

    def _connect(self, packet: Packet) -> None:
        if self._client is not None:
            raise Refused("second-connect", "a second CONNECT", 0x82)
        asked = packets.connect(packet)
        self.level = packets.V5 if asked.level == packets.V5 else 4
        if self.level == packets.V5 and not asked.client_id:
            asked = replace(asked, client_id=self._account.assigned_id())
            self._assigned = asked.client_id
        self.client_id = asked.client_id
        self._account.meter.messages += 1
        name = asked.client_id.encode()
        if not name or len(name) > limits.CLIENT_ID_BYTES or name.startswith(b"$"):
            self._answer(_BAD_IDENTIFIER[self.level])
            raise Refused("client-id", f"{len(name)} bytes")
        if broken := self._account.connect_rate(self.client_id):
            raise Refused(broken, "too soon")
        attributes = ((), ("PersistentConnect",))[not asked.clean] + (("LastWill",) if asked.will else ())
        client = self._account.client(
            self.client_id,
            self._certificate,
            self._source_ip,
            connect_attributes=attributes,
            last_will_topic=asked.will[0] if asked.will else None,
        )
        self._client = client
        if status := self._account.inactive(self._certificate):
            self._refuse_connect("inactive", f"a certificate that is {status}")
        if not self._allowed("iot:Connect", f"client/{self.client_id}"):
            self._refuse_connect("connect-denied", f"client id {self.client_id}")
        if asked.will:
            self._check_will(*asked.will)
        least, most = limits.KEEP_ALIVE_S
        wanted = asked.keep_alive_s
        self.keep_alive_s = most if not wanted else min(max(wanted, least), most)
        if wanted != self.keep_alive_s:
            self._account.said(self.client_id, "keep-alive", f"{wanted} s becomes {self.keep_alive_s} s")
        if asked.clean:
            self._account.subscriptions.pop(self.client_id, None)
        self._filters_known = asked.clean or self.client_id in self._account.subscriptions
        self._filters = self._account.subscriptions.setdefault(self.client_id, {})
        self._note_parents()
        granted = offers.capped(asked.properties)
        self._expiry = dict(granted).get(packets.SESSION_EXPIRY, b"")
        self._wire.to_broker(asked.forwarded(0, granted).encode())

    def _check_will(self, topic: str, qos: int, retain: bool) -> None:
        may = self._allowed("iot:Publish", f"topic/{topic}")
        if retain:
            may = may and self._allowed("iot:RetainPublish", f"topic/{topic}")
        if not may or qos > 1:
            self._refuse_connect("will-denied", f"will on {topic}")

    def _refuse_connect(self, limit: str, detail: str) -> None:
        self._client = None
        self._answer(_NOT_AUTHORIZED[self.level])
        raise Refused(limit, detail)

    def _answer(self, code: int) -> None:
        body = bytes([0, code]) + (b"\0" if self.level == packets.V5 else b"")
        self._wire.to_client(Packet(CONNACK, 0, body).encode())

    def _allowed(self, action: str, name: str) -> bool:
        """Remembered: a gateway publishes to a handful of topics."""
        known = self._may.get((action, name))
        if known is None:
            assert self._client is not None
            known = allowed(self._policies, action, ARN + name, self._client)
            if len(self._may) < _REMEMBERED:
                self._may[action, name] = known
        return known

    def _publish(self, packet: Packet) -> None:
        topic, id_at, properties, payload_at = packets.publish(packet, self.level)
        if self.level == packets.V5:
            topic = self._aliased(topic, properties)
        payload_bytes, qos = len(packet.body) - payload_at, packet.flags >> 1 & 3
        if qos > 1:
            self._no_qos_2(f"PUBLISH to {topic}")
            return
        if payload_bytes > self._account.max_message_bytes:
            raise Refused("payload", f"{payload_bytes} bytes to {topic}", 0x95)
        ingest = topics.ingested(topic)
        check_topic(ingest[1] if ingest else topic)
        if not self._allowed("iot:Publish", f"topic/{topic}"):
            raise Refused("publish-denied", topic, 0x87)
        if packet.flags & 1 and not self._allowed("iot:RetainPublish", f"topic/{topic}"):
            raise Refused("retain-denied", topic, 0x87)
        if broken := self._rate(payload_bytes):
            self._account.said(self.client_id, broken, topic)
            return
        self._pass_on(packet, topic, qos, packet.body[id_at : id_at + 2], payload_at, ingest is not None)

    def _pass_on(
        self, packet: Packet, topic: str, qos: int, packet_id: bytes, payload_at: int, is_ingest: bool
    ) -> None:
        account = self._account
        is_ours = topic.startswith(_MARKERS)
        request = request_of(topic) if topic.startswith("$aws/things/") else None
        account.meter.published(topic, len(packet.body) - payload_at)
        claims = account.claims if topic.startswith(CLAIM_TOPICS) else None
        if is_ingest or claims is not None:
            if qos:
                self._wire.to_client(Packet(PUBACK, 0, packet_id).encode())
        else:
            self._unacknowledged += qos
            self._wire.to_broker(packet.encode())
            if request is None and claims is None and self.level != packets.V5 and len(self._plain) < _REMEMBERED:
                self._plain[topic.encode()] = is_ours
        if claims is not None:
            for name, document in claims.handle(
                topic, packet.body[payload_at:], self._certificate.id if self._certificate else ""
            ):
                self._answer_on(name, document)
        if request:
            replies = account.shadows.handle(*request, packet.body[payload_at:], int(account.unix_s()))
            account.actions.reply(prefix(request[0], request[1]), replies)
        if account.actions.rules:
            facts = Facts(
                topic=topic,
                clock_ms=int(account.unix_s() * 1_000),
                client_id=self.client_id or None,
                principal=self._certificate.id if self._certificate else None,
                source_ip=self._source_ip,
                draw=account.actions.draw,
                shadow=account.shadow,
                called=account.actions.answer,
            )
            account.actions.handle(packet.body[payload_at:], facts, account.meter)

    def _answer_on(self, topic: str, document: dict[str, Any]) -> None:
        """To this client alone, where it subscribed: a token and a private key are nobody else's."""
        if any(topics.matches(unshared(one), topic) for one in self._filters):
            properties = b"\0" if self.level == packets.V5 else b""
            body = text(topic) + properties + json.dumps(document).encode()
            self._deliver(Packet(PUBLISH, 0, body))

    def _aliased(self, topic: str, properties: packets.Properties) -> str:
        alias = packets.number(properties, packets.ALIAS)
        if alias is None:
            return topic
        if not 0 < alias <= limits.TOPIC_ALIASES:
            raise Refused("bad-packet", f"topic alias {alias}", 0x94)
        if topic:
            self._aliases[alias] = topic
        return self._aliases.get(alias, "")

    def _no_qos_2(self, detail: str) -> None:
        if self.level == packets.V5:
            raise Refused("qos-2", detail, 0x9B)
        self._account.said(self.client_id, "qos-2", detail)

    def _rate(self, payload_bytes: int) -> str:
        """The id of the limit that this publish breaks; empty when none."""
        if not self._account.enforce_rates:
            return ""
        since_s, count, size = self._window
        now_s = self._account.now_s()
        if now_s - since_s >= 1:
            since_s, count, size = now_s, 0, 0
        if count >= limits.PUBLISHES_A_SECOND:
            return "publish-rate"
        if size + payload_bytes > limits.BYTES_A_SECOND:
            return "byte-rate"
        self._window = (since_s, count + 1, size + payload_bytes)
        return ""

    def _subscribe(self, packet: Packet) -> None:
        asked = packets.subscribe(packet, self.level)
        self._account.meter.messages += 1
        if len(asked.filters) > limits.FILTERS_A_SUBSCRIBE:
            raise Refused("filters", f"{len(asked.filters)} filters", 0x97)
        for whole, qos in asked.filters:
            name = unshared(whole)
            if qos > 1:
                self._no_qos_2(f"SUBSCRIBE to {whole}")
                return
            if topics.matches(name, topics.INGEST + "x/y") or name.startswith(topics.INGEST):
                raise Refused("ingest-subscribed", name, 0x87)
            if len(name.encode()) > limits.TOPIC_BYTES:
                raise Refused("topic-length", f"a filter of {len(name.encode())} bytes", 0x8F)
            if name.count("/") > limits.TOPIC_SLASHES and not name.startswith("$aws/"):
                raise Refused("topic-levels", name, 0x8F)
            if not self._allowed("iot:Subscribe", f"topicfilter/{name}"):
                raise Refused("subscribe-denied", name, 0x87)
        if len(self._filters.keys() | {one for one, _ in asked.filters}) > limits.FILTERS_A_CONNECTION:
            raise Refused("subscriptions", f"more than {limits.FILTERS_A_CONNECTION}", 0x97)
        self._filters.update(asked.filters)
        self._note_parents()
        self._wire.to_broker(packet.encode())

    def _note_parents(self) -> None:
        self._heard.clear()
        self._has_parents = any(one.endswith("/#") for one in self._filters)

    # --- what the broker says ------------------------------------------------------------------------------------

    def broker_frame(self, frame: bytes) -> None:
        """As from_broker, of the packet's bytes."""
        first = frame[0]
        if first in _PUBLISHED and not self.ended:
            begin = header_bytes(frame)
            end = begin + 2 + int.from_bytes(frame[begin : begin + 2], "big")
            is_ours = self._heard.get(frame[begin + 2 : end])
            if is_ours is not None:
                if not is_ours:
                    self._account.meter.messages += units(end - begin - 2, len(frame) - end - 2 * (first == _QOS_1))
                if first == _QOS_1 and self._account.enforce_rates:
                    self._unanswered.sent(frame[end : end + 2], frame, self._account.now_s())
                self._wire.to_client(frame)
                return
        elif first == _ACKNOWLEDGED and not self.ended:
            self._unacknowledged -= self._unacknowledged > 0
            self._wire.to_client(frame)
            return
        self.from_broker(packet_of(frame))

    def from_broker(self, packet: Packet) -> None:
        """Never raises."""
        if self.ended:
            return
        if packet.kind == PUBLISH:
            self._deliver(packet)
            return
        if packet.kind == PUBACK and self._unacknowledged:
            self._unacknowledged -= 1
        elif packet.kind == CONNACK and self.level == packets.V5:
            packet = offers.with_offers(packet, self.level, self.keep_alive_s, self._expiry, self._assigned)
        self._wire.to_client(packet.encode())

    def _deliver(self, packet: Packet) -> None:
        topic, id_at, _, payload_at = packets.publish(packet, self.level)
        why = ""
        if not self._allowed("iot:Receive", f"topic/{topic}"):
            why = "receive-denied"
        elif topic.startswith("$") and not topic.startswith("$aws/"):
            why = "broker-topics"
        elif packet.flags & 1 and self._filters_known and topic not in map(unshared, self._filters):
            why = "wildcard-retained"
        elif self._has_parents and self._filters_known and not self._hears(topic):
            why = "parent-level"
        if why:
            self._account.said(self.client_id, why, topic)
            if packet.flags & 0x06:
                self._wire.to_broker(Packet(PUBACK, 0, packet.body[id_at : id_at + 2]).encode())
            return
        is_ours = topic.startswith(_MARKERS)
        if not is_ours:
            self._account.meter.messages += units(len(topic.encode()), len(packet.body) - payload_at)
        if not packet.flags & 1 and self.level != packets.V5 and len(self._heard) < _REMEMBERED:
            self._heard[topic.encode()] = is_ours
        frame = Packet(PUBLISH, packet.flags & ~0x08, packet.body).encode()  # "no-dup"
        if packet.flags & 0x06 and self._account.enforce_rates:
            self._unanswered.sent(packet.body[id_at : id_at + 2], frame, self._account.now_s())
        self._wire.to_client(frame)

    def _hears(self, topic: str) -> bool:
        return any(topics.matches(unshared(one), topic) for one in self._filters)

    def misc(self, now_s: float) -> None:
        """Now and then: what the client has not acknowledged goes out again."""
        if self._account.enforce_rates and not self.ended:
            for frame in self._unanswered.due(now_s):
                self._account.said(self.client_id, "unacknowledged", f"sent again after {limits.RESEND_S} s")
                self._wire.to_client(frame)
