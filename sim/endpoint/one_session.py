"""One MQTT 3.1.1 session without a second try, for tests of a broker: every answer of the broker is kept.

The sessions of a fleet (sim/endpoint/session.py) dial again and hide what a broker said; a test wants to see it: the
code of a CONNACK, the codes of a SUBACK, an end and its reason. Calls block, each with a deadline. Under TLS 1.3 a
refused certificate shows after the handshake, so a session stands when its CONNACK came and not before.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final

from sim.core import clock
from sim.endpoint import mqtt_wire
from sim.endpoint.mqtt_wire import CONNACK, CONNECT, DISCONNECT, PUBACK, PUBLISH, SUBACK, SUBSCRIBE, BadPacket, Packet
from sim.endpoint.port import Address, Message
from sim.endpoint.tls_connect import reason_of

CODES: Final = {
    1: "wrong protocol version", 2: "client id refused", 3: "server unavailable", 4: "bad user name or password",
    5: "not authorised",
}  # fmt: skip
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
KEEP_ALIVE_S: Final = 60
_READ_BYTES: Final = 1 << 16


class Refused(Exception):
    """No session: the broker, or TLS, said no; the message says how. `code`: of the CONNACK, 0 where none came."""

    def __init__(self, words: str, code: int = 0) -> None:
        super().__init__(words)
        self.code = code


class Silent(Exception):
    """No answer within the deadline, or one that is not MQTT."""


@dataclass(frozen=True, slots=True)
class Login:
    """`user` and `password` as they stand in CONNECT; None: not there."""

    client_id: str
    user: str | None = None
    password: str | None = None
    clean: bool = True
    will: tuple[str, bytes] | None = None


def connect_packet(login: Login) -> Packet:
    """3.1."""
    flags = 0x02 if login.clean else 0
    tail = mqtt_wire.text(login.client_id)
    if login.will is not None:
        flags |= 0x04 | 0x08
        tail += mqtt_wire.text(login.will[0]) + mqtt_wire.binary(login.will[1])
    if login.user is not None:
        flags |= 0x80
        tail += mqtt_wire.text(login.user)
    if login.password is not None:
        flags |= 0x40
        tail += mqtt_wire.text(login.password)
    return Packet(CONNECT, 0, mqtt_wire.text("MQTT") + bytes([4, flags]) + KEEP_ALIVE_S.to_bytes(2, "big") + tail)


def dialled(address: Address, context: ssl.SSLContext | None, name: str, deadline_s: float) -> socket.socket:
    """TCP, and TLS where there is a context. Raises Refused, Silent."""
    stage = "TCP"
    try:
        plain = socket.create_connection((address.host, address.port), deadline_s)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stage = "TLS"
        return plain if context is None else context.wrap_socket(plain, server_hostname=name)
    except TimeoutError:
        raise Silent(f"no answer within {deadline_s:g} s ({stage})") from None
    except (OSError, ValueError) as error:
        raise Refused(reason_of(error)) from None


class OneSession:
    """Stands once it is made, until it is closed or the broker ends it (`ended` says how). `holds`: messages are taken
    and not acknowledged, until `release`. Raises Refused, Silent."""

    def __init__(
        self, address: Address, context: ssl.SSLContext | None, name: str, login: Login, deadline_s: float = 5.0
    ) -> None:
        self.login, self.ended, self.deadline_s = login, "", deadline_s
        self.inbox: list[Message] = []
        self.acknowledged = 0
        self.holds = False
        self._held: list[bytes] = []
        self.session_present = False
        self._packets = mqtt_wire.Packets()
        self._subacks: list[bytes] = []
        self._connack: Packet | None = None
        self._next_id = 0
        self._socket = dialled(address, context, name, deadline_s)
        try:
            self.send(connect_packet(login).encode())
            self.turn(lambda: self._connack is not None)
            self._judge_connack()
        except BaseException:
            self._socket.close()
            raise

    def _judge_connack(self) -> None:
        if self._connack is None:
            if self.ended:
                raise Refused(self.ended)
            raise Silent(f"no CONNACK within {self.deadline_s:g} s")
        if len(self._connack.body) != 2:
            raise Silent("a CONNACK of another length than 2 bytes")
        present, code = self._connack.body
        if code:
            raise Refused(f"CONNACK {code}: {CODES.get(code, 'a code that MQTT 3.1.1 does not have')}", code)
        self.session_present = bool(present & 1)

    # --- what a client says -----------------------------------------------------------------------------------------

    def subscribe(self, *topics: str) -> list[bool]:
        """Whether each was granted, as the SUBACK says; that is no promise that anything is delivered. All False where
        the broker ended the session instead. Raises Silent."""
        number = self._number()
        body = number + b"".join(mqtt_wire.text(topic) + b"\x01" for topic in topics)
        before = len(self._subacks)
        self.send(Packet(SUBSCRIBE, 2, body).encode())
        self.turn(lambda: len(self._subacks) > before)
        if len(self._subacks) > before:
            return [code < 0x80 for code in self._subacks[-1][2:]]
        if self.ended:
            return [False] * len(topics)
        raise Silent(f"no SUBACK within {self.deadline_s:g} s")

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """QoS 1, and does not wait; `acknowledged` counts."""
        self.send(mqtt_wire.publish(mqtt_wire.Publish(topic, payload, 2 | retain, self._number())).encode())

    def send(self, data: bytes) -> None:
        """These bytes; reads meanwhile, so that two full buffers never wait for each other."""
        at = 0
        while at < len(data) and not self.ended:
            self.turn(lambda: True)
            try:
                self._socket.settimeout(self.deadline_s)
                at += self._socket.send(data[at : at + _READ_BYTES])
            except TimeoutError:
                self.ended = f"it reads nothing any more for {self.deadline_s:g} s"
            except (OSError, ValueError) as error:
                self._read_last(error)

    # --- what the broker says ---------------------------------------------------------------------------------------

    def turn(self, done: Callable[[], bool], deadline_s: float | None = None) -> bool:
        """Take what comes until `done` or the deadline; whether it is done. Takes what is there in any case."""
        end_s = clock.wall_s() + (self.deadline_s if deadline_s is None else deadline_s)
        while True:
            self._take_all()
            if done():
                return True
            left_s = end_s - clock.wall_s()
            if self.ended or left_s <= 0:
                return False
            select.select([self._socket], [], [], min(left_s, 0.2))

    def _take_all(self) -> None:
        """All that is there, without waiting."""
        while not self.ended:
            try:
                self._socket.settimeout(0.0)
                data = self._socket.recv(_READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except (OSError, ValueError) as error:
                self.ended = reason_of(error)
                return
            if not data:
                self.ended = "closed by the server"
                return
            try:
                for packet in self._packets.feed(data):
                    self._take(packet)
            except BadPacket as error:
                self.ended = f"it is not MQTT: {error}"

    def _take(self, packet: Packet) -> None:
        if packet.kind == CONNACK:
            self._connack = packet
        elif self._connack is None:
            raise BadPacket(f"its first packet is a {packet.name} and no CONNACK")
        elif packet.kind == SUBACK:
            self._subacks.append(packet.body)
        elif packet.kind == PUBACK:
            self.acknowledged += 1
        elif packet.kind == PUBLISH:
            got = packet.publish()
            self.inbox.append(Message(got.topic, got.payload, bool(got.flags & 1)))
            if got.packet_id is not None:
                self._held.append(got.packet_id)
                if not self.holds:
                    self.release()

    def release(self) -> None:
        """Acknowledge what came meanwhile, and from now on at once."""
        self.holds = False
        held, self._held = self._held, []
        try:
            self._socket.settimeout(self.deadline_s)
            self._socket.sendall(b"".join(Packet(PUBACK, 0, one).encode() for one in held))
        except (OSError, ValueError) as error:
            self.ended = reason_of(error)

    def _read_last(self, error: Exception) -> None:
        """A broker that refuses says why and closes: the write fails before the reason is read."""
        self._take_all()
        self.ended = self.ended or reason_of(error)

    # --- endings ----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """With DISCONNECT."""
        if not self.ended:
            self.send(Packet(DISCONNECT, 0, b"").encode())
            self.ended = "closed"
        self._socket.close()

    def handed_over(self) -> socket.socket:
        """Its socket, which no longer blocks, for a caller that goes on with the session by itself."""
        self._socket.setblocking(False)
        self.ended = "handed over"
        return self._socket

    def reset(self) -> None:
        """With RST, as a cut line looks to the other side."""
        if not self.ended:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.ended = "reset"
        self._socket.close()

    def __enter__(self) -> OneSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _number(self) -> bytes:
        self._next_id = self._next_id % 65_535 + 1
        return self._next_id.to_bytes(2, "big")


def pump(sessions: Sequence[OneSession], done: Callable[[], bool], deadline_s: float) -> bool:
    """Take what comes on several sessions, by turns, until `done`."""
    end_s = clock.wall_s() + deadline_s
    while not done():
        if clock.wall_s() >= end_s:
            return False
        for session in sessions:
            session.turn(lambda: True, 0.0)
        alive = [session._socket for session in sessions if not session.ended]
        if not alive:
            return done()
        if not done():
            select.select(alive, [], [], 0.05)
    return True
