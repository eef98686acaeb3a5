"""The companion: a process in front of Mosquitto that enforces AWS's rules (see aws_limits.py).

    python -m sim.endpoint.aws.companion        reads companion.json in its working directory

It terminates mutual TLS, looks at every packet and hands on what is allowed to Mosquitto, which listens on a Unix
socket in the same directory and nowhere else. It ends on SIGTERM; on SIGHUP it reads the lists of revoked certificates
anew, and ends the sessions that one of them opened. It writes companion.jsonl (a line for each rule enforced),
meter.json (what AWS would bill) and shadows.json, both once a second and at once on SIGUSR1. One thread, one epoll.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import select
import signal
import socket
import ssl
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sim.core import clock, whole_file
from sim.core.quoting import shown
from sim.endpoint.aws import shadow_file
from sim.endpoint.aws.account import Account, Certificate, names_of
from sim.endpoint.aws.aws_limits import BEFORE_CONNECT_S, KEEP_ALIVE_FACTOR, PACKET_BYTES
from sim.endpoint.aws.certificate_claims import TemplateError
from sim.endpoint.aws.companion_sockets import Side
from sim.endpoint.aws.connection import Connection
from sim.endpoint.aws.own_session import OwnSession, broker_socket
from sim.endpoint.aws.policies import Policy, PolicyError
from sim.endpoint.aws.rule_actions import Actions, installed
from sim.endpoint.aws.rules import RuleError
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.mqtt_wire import BadPacket, Packets
from sim.endpoint.tls_connect import reason_of

CONFIG: Final = "companion.json"
LOG: Final = "companion.jsonl"
METER: Final = "meter.json"
READY: Final = "companion ready"
_LINES_MOST: Final = 100_000  # of the log: a hostile client must not fill the disk
_HELD_BYTES: Final = 1 << 20  # towards one side, before the other is no longer read


class Companion:
    """Everything of the process. `config`: see aws_local, which writes it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.loop = EventLoop()
        self._lines = 0
        self._log = Path(LOG).open("a", encoding="utf-8")  # noqa: SIM115 (open as long as the process)
        self._own = OwnSession(self.loop)
        rules = [installed(one) for one in config.get("rules", [])]
        actions = Actions(
            rules,
            Path("actions"),
            self._own.publish,
            lambda rule, why: self.said(rule, "rule-action", why),
            config.get("functions", {}),
            draws(config.get("seed", 1)) if rules else lambda: 0.5,
        )
        self.account = Account(
            {name: tuple(Policy(one) for one in many) for name, many in config["policies"].items()},
            self.said,
            clock.wall_s,
            lambda: clock.unix_ns() / 1e9,
            actions,
            enforce_rates=config.get("enforce_rates", False),
            max_message_bytes=config["max_message_bytes"],
            named={name: tuple(Policy(one) for one in many) for name, many in config.get("named", {}).items()},
        )
        shadow_file.restore(self.account.shadows)
        self._shadows_written = self.account.shadows.changes
        if config.get("templates"):
            from sim.endpoint.aws import claim_registry  # with all that makes certificates

            claim_registry.open_in(self.account, config["templates"], Path(config["authority"]))
        self.live: set[Client] = set()
        self.context = self.tls()
        self._door = Door(self, config["port"], Client)
        if config.get("web_port"):
            from sim.endpoint.aws.web_client import WebClient

            self._web_door = Door(self, config["web_port"], WebClient)
        self._written, self._asked = "", 0

    def tls(self, *protocols: str) -> ssl.SSLContext | None:
        """AWS takes TLS 1.2 and 1.3. None: the weakness of a world without TLS."""
        config = self.config
        if not config["tls"]:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(config["certificate"], config["key"])
        context.load_verify_locations(config["authorities"])
        context.load_verify_locations(config["crl"])
        context.verify_flags |= ssl.VerifyFlags.VERIFY_CRL_CHECK_LEAF
        context.verify_mode = ssl.CERT_REQUIRED if config["require_certificate"] else ssl.CERT_OPTIONAL
        if config["require_sni"]:
            context.sni_callback = self._named
        context.set_alpn_protocols(list(protocols or ("x-amzn-mqtt-ca", "mqtt")))
        return context

    def _named(self, _tls: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        if name is not None:
            return None
        self.said("", "sni", "no server name in the handshake")
        return ssl.AlertDescription.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """To all subscribers, with no client as the sender."""
        self._own.publish(topic, payload, qos)

    def said(self, client: str, limit: str, detail: str) -> None:
        """A line of the log."""
        self._lines += 1
        if self._lines <= _LINES_MOST:
            line = {"unix_ms": clock.unix_ns() // 1_000_000, "client": shown(client)[:128], "limit": limit,
                    "detail": shown(detail)[:200]}  # fmt: skip
            with contextlib.suppress(OSError):  # a full disk ends no connection
                self._log.write(json.dumps(line) + "\n")
                self._log.flush()

    def write_meter(self) -> None:
        meter = self.account.meter
        now_s = clock.wall_s()
        connected_s = meter.connected_s + sum(now_s - one.since_s for one in self.live if one.connection.keep_alive_s)
        counts = {one: getattr(meter, one) for one in ("messages", "shadow_operations", "rules", "actions")}
        text = json.dumps({"asked": self._asked, **counts, "connected_s": round(connected_s, 3)})
        if text != self._written:
            whole_file.write(Path(METER), text)
            self._written = text

    def write(self) -> None:
        """The files that say how things are. What a full disk does not take is written when it has room."""
        shadows = self.account.shadows
        with contextlib.suppress(OSError):
            if shadows.changes != self._shadows_written:
                shadow_file.write(shadows)
                self._shadows_written = shadows.changes
        with contextlib.suppress(OSError):
            self.write_meter()

    def run(self) -> None:
        """Until SIGTERM."""
        told: list[int] = []
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda number, _frame: told.append(number))
        print(READY, file=sys.stderr, flush=True)
        while signal.SIGTERM not in told:
            self.loop.turn()
            while told and told[0] != signal.SIGTERM:
                self._obey(told.pop(0))
        self.write()

    def _obey(self, number: int) -> None:
        if number == signal.SIGUSR1:
            self._asked += 1
            self.write()
            return
        from sim.endpoint.aws import claim_registry
        from sim.pki.authority import revocations

        try:
            claim_registry.obey(self.account)
            self.context = self.tls()
            if self.context is not None:
                self.account.revoked = frozenset(revocations(Path(self.config["crl"])))
            for client in tuple(self.live):
                client.look_again()
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError):
                print(f"companion: cannot read the list of revoked certificates: {error}", file=sys.stderr)


def draws(seed: int) -> Callable[[], float]:
    """For rand() and newuuid(). Imported where a rule may call them: numpy takes longer to load than all the rest."""
    from sim.core.seeds import Seeds

    seeds, count = Seeds(seed), iter(range(1 << 31))
    return lambda: seeds.one_u32("aws rule", next(count)) / (1 << 32)


class Door:
    """A port that clients dial, and what one becomes."""

    def __init__(
        self, companion: Companion, port: int, kind: Callable[[Companion, socket.socket, str], object]
    ) -> None:
        self._companion, self._kind = companion, kind
        self._listener = socket.create_server((companion.config["address"], port), backlog=1_024)
        self._listener.setblocking(False)
        companion.loop.watch(self._listener.fileno(), self, select.EPOLLIN)

    def ready(self, _mask: int) -> None:
        for _ in range(64):
            try:
                accepted, address = self._listener.accept()
            except (BlockingIOError, OSError):
                return
            self._kind(self._companion, accepted, address[0])

    def misc(self) -> None:
        self._companion.write()


class Client:
    """A client's socket, its TLS handshake, and the socket to Mosquitto that belongs to it (account.Wire)."""

    def __init__(self, companion: Companion, accepted: socket.socket, address: str) -> None:
        self._companion, self._address = companion, address
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        context = self.context(companion)
        try:
            self._client = Side(self, accepted, context)
        except OSError:
            accepted.close()
            return
        self._broker: Side | None = None
        self._from_client, self._from_broker = Packets(PACKET_BYTES * 2), Packets()
        self._waiting: deque[bytes] = deque()
        self._closing = False
        self.since_s = self._last_s = clock.wall_s()
        self.connection: Connection
        self._watch(self._client, select.EPOLLIN)
        if context is None:
            self._open(None)

    @staticmethod
    def context(companion: Companion) -> ssl.SSLContext | None:
        """Under which TLS rules it comes."""
        return companion.context

    # --- account.Wire --------------------------------------------------------------------------------------------

    def to_client(self, data: bytes) -> None:
        self._client.out += data

    def to_broker(self, data: bytes) -> None:
        if self._broker is not None:
            self._broker.out += data

    def close(self) -> None:
        self._closing = True

    # --- turns ---------------------------------------------------------------------------------------------------

    def turn(self, side: Side) -> None:
        """Never raises: what one client does costs the others nothing."""
        if self._broker is None:
            self._before_mqtt()
            if self._broker is None:
                return
        if side is self._client:
            self._read_client()
        else:
            self._read_broker()
        if self._waiting:
            self._hand_on()
        self._settle()

    def _before_mqtt(self) -> None:
        self._handshake()

    def _handshake(self) -> None:
        tls = self._client.tls
        assert tls is not None
        try:
            if not self._client.handshake():
                self._watch(self._client, select.EPOLLIN | (select.EPOLLOUT if self._client.waiting_bytes else 0))
                return
        except (OSError, ValueError) as error:
            # Who goes before a certificate is judged, in whatever way, only looked whether the port is open.
            if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                self._companion.said(self._address, "certificate", reason_of(error))
            self._drop()
            return
        shown_, der = tls.getpeercert(), tls.getpeercert(binary_form=True)
        certificate = None
        if der and shown_:
            subject, issuer = names_of(shown_.get("subject")), names_of(shown_.get("issuer"))
            serial = int(str(shown_.get("serialNumber", "0")), 16)
            certificate = Certificate(hashlib.sha256(der).hexdigest(), subject, issuer, serial)
        self._open(certificate)

    def _open(self, certificate: Certificate | None) -> None:
        self.connection = Connection(self._companion.account, certificate, self._address, self)
        try:
            self._broker = Side(self, broker_socket())
        except OSError as error:
            self._companion.said(self._address, "broker", reason_of(error))
            self._drop()
            return
        self._companion.live.add(self)
        self._watch(self._broker, select.EPOLLIN)
        self._watch(self._client, select.EPOLLIN)

    def _read_client(self) -> None:
        data = self._client.read()
        if data is None:
            self._drop()
            return
        if not data:
            return
        self._last_s = clock.wall_s()
        self._take(data)

    def _take(self, data: bytes) -> None:
        """What the client sent, as MQTT's bytes."""
        connection = self.connection
        try:
            for frame in self._from_client.frames(data):
                if self._waiting or connection.full:
                    self._waiting.append(frame)
                else:
                    connection.client_frame(frame)
        except BadPacket as error:
            self._companion.said(connection.client_id, "bad-packet", str(error))
            self._closing = True

    def _read_broker(self) -> None:
        assert self._broker is not None
        data = self._broker.read()
        if data is None:  # the broker ended it: a second session with this client id, or it is gone
            if not self.connection.ended:
                self._companion.said(self.connection.client_id, "duplicate-id", "ended by the broker")
            self._closing = True
            return
        for frame in self._from_broker.frames(data):
            self.connection.broker_frame(frame)

    def _hand_on(self) -> None:
        while self._waiting and not self.connection.full and not self.connection.ended:
            self.connection.client_frame(self._waiting.popleft())

    def _settle(self) -> None:
        """Send, and say to epoll what is awaited next."""
        client, broker = self._client, self._broker
        if broker is None or not client.flush() or not broker.flush():
            self._drop()
            return
        if self._closing:
            self._drop()
            return
        unsent_bytes, unpassed_bytes = client.waiting_bytes, len(broker.out)
        held = bool(self._waiting) or unpassed_bytes > _HELD_BYTES
        self._watch(client, (0 if held else select.EPOLLIN) | (select.EPOLLOUT if unsent_bytes else 0))
        slow = unsent_bytes > _HELD_BYTES
        self._watch(broker, (0 if slow else select.EPOLLIN) | (select.EPOLLOUT if unpassed_bytes else 0))

    def _watch(self, side: Side, mask: int) -> None:
        if mask != side.mask:
            side.mask = mask
            self._companion.loop.watch(side.fd, side, mask)

    def look_again(self) -> None:
        """Certificates were taken back."""
        self.connection.look_again()
        self._settle()

    def misc(self) -> None:
        """Keep alive, what is sent again, and the patience with who dials and says nothing."""
        silent_s = clock.wall_s() - self._last_s
        seconds = 0
        if self._broker is not None:
            seconds = self.connection.keep_alive_s
            self.connection.misc(clock.wall_s())
            if self._client.out:
                self._settle()
                return
        if seconds and silent_s > KEEP_ALIVE_FACTOR * seconds:
            self._companion.said(self.connection.client_id, "keep-alive", f"silent for {silent_s:.0f} s")
            self._drop()
        elif not seconds and silent_s > BEFORE_CONNECT_S:
            self._companion.said(self._address, "no-connect", f"silent for {silent_s:.0f} s")
            self._drop()

    def _drop(self) -> None:
        """Both ends. A socket to Mosquitto that closes without DISCONNECT lets a will speak."""
        if self in self._companion.live:
            self._companion.live.discard(self)
            self._companion.account.meter.connected_s += clock.wall_s() - self.since_s
        for side in (self._client, self._broker):
            if side is not None and side.fd >= 0:
                self._companion.loop.forget(side.fd)
                side.fd = -1
                side.socket.close()


def main() -> int:
    """Exit code 2 with one sentence where it cannot start."""
    try:
        Companion(json.loads(Path(CONFIG).read_text(encoding="utf-8"))).run()
    except (OSError, ValueError, KeyError, PolicyError, RuleError, TemplateError) as error:
        print(f"companion: Error: {reason_of(error)}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
