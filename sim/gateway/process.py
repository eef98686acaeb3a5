"""The reference gateway as a process of its own: what the bench tests as it tests any box.

    rtl_wmbus ... | python -m sim.gateway --name gw-0001 --outbox gw.sqlite --host HOST --port 8883 \\
        --authorities ca.crt --certificate gw.crt --key gw.key --portal-key HEX
    python -m sim.gateway --dongle /dev/ttyUSB0 ...            # an iM871A

It is the gateway of the simulated worlds (kinds.virtual) with a clock, a radio input and a connection of its own:
bundles, an outbox that outlasts a power cut, mutual TLS, the portal's acknowledgements. It holds no key and imports
nothing of the protocol. Times in bundles are nanoseconds since 1970, or since `--epoch`.

It ends when told to (SIGTERM, SIGINT), or when its standard input has ended and nothing waits any more, or nothing has
left for `--linger` seconds. What the portal has not acknowledged by then is in the outbox. What happens is told on
standard error, a line each.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
from datetime import datetime
from pathlib import Path

from sim.core.bundle import ACK
from sim.core.clock import Calendar, unix_ns, wall_s
from sim.core.events import AcknowledgementRefused, BundleQuarantined, Event, SessionChanged
from sim.core.quoting import shown
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.port import Address, EndpointError, Identity
from sim.endpoint.session import MqttSession
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.outbox import OutboxError
from sim.gateway.radio_inputs import Im871a, Input, InputGone, Lines

_TURN_S = 0.02
_TICK_S = 0.25
_KEEPALIVE_S = 30


def main(words: list[str]) -> int:
    arguments = _parser().parse_args(words)
    try:
        gateway = Process(arguments)
    except (EndpointError, OutboxError, InputGone) as error:
        print(f"gateway {arguments.name}: {error}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: gateway.end())
    return gateway.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim.gateway", description="Keyless forwarder with custody.")
    parser.add_argument("--name", required=True, help="its MQTT client id, the common name of its certificate")
    parser.add_argument("--outbox", required=True, type=Path, metavar="FILE", help="SQLite; made when it is not there")
    parser.add_argument("--host", required=True, help="the broker, by the name in its certificate")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--authorities", type=Path, metavar="PEM", help="whom to trust; without it, no TLS")
    parser.add_argument("--certificate", type=Path, metavar="PEM")
    parser.add_argument("--key", type=Path, metavar="PEM")
    parser.add_argument(
        "--portal-key", type=bytes.fromhex, metavar="HEX",
        help="under which the portal signs (Ed25519); without it every acknowledgement is believed",
    )  # fmt: skip
    parser.add_argument("--dongle", metavar="PORT", help="an iM871A there (default: lines on standard input)")
    parser.add_argument("--bundle-age", type=float, default=5.0, metavar="S", help="a bundle closes after (default 5)")
    parser.add_argument("--bundle-count", type=int, default=400, metavar="N", help="or with so many telegrams (400)")
    parser.add_argument("--epoch", type=datetime.fromisoformat, metavar="INSTANT", help="where its time begins (1970)")
    parser.add_argument("--linger", type=float, default=30.0, metavar="S", help="after standard input ended (30)")
    return parser


class Process:
    """One gateway that runs. Raises EndpointError, OutboxError, InputGone."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._epoch_ns = -Calendar(arguments.epoch).ns(datetime(1970, 1, 1)) if arguments.epoch else 0  # noqa: DTZ001
        self._loop = EventLoop()
        self._told = ""
        self._ending = self._input_over = self._a_file = False
        self._linger_until_s = 0.0
        name: str = arguments.name
        identity = Identity(name, arguments.certificate, arguments.key, arguments.authorities)
        address = Address(arguments.host, arguments.port)
        spec = GatewaySpec(name, bundle_age_s=arguments.bundle_age, bundle_count=arguments.bundle_count,
                           verify_acks=arguments.portal_key is not None)  # fmt: skip
        self._gateway = VirtualGateway(
            name,
            spec,
            arguments.outbox,
            lambda: MqttSession(
                self._loop, identity, address, subscribe=(ACK.format(gateway=name),), keepalive_s=_KEEPALIVE_S
            ),
            self._record,
            portal_key=arguments.portal_key,
        )
        self._input = self._open_input()
        self._watched = -1
        self._watch_input()

    def _open_input(self) -> Input:
        if self._arguments.dongle:
            return Im871a(self._arguments.dongle, self._heard)
        os.set_blocking(0, False)
        return Lines(0, self._heard)

    @property
    def now_ns(self) -> int:
        return unix_ns() - self._epoch_ns

    # --- what moves it ----------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Until the end; the exit code."""
        next_tick_s = 0.0
        gateway = self._gateway
        try:
            while not self._ending and not self._over():
                self._loop.turn(_TURN_S)
                if self._a_file:
                    self.ready(select.EPOLLIN)
                if wall_s() >= next_tick_s:
                    next_tick_s = wall_s() + _TICK_S
                    self._tick()
                gateway.close_due(self.now_ns)
                gateway.pump(self.now_ns)
            gateway.flush(self.now_ns)
            gateway.close()
        except OutboxError as error:
            self._tell(str(error))
            return 1
        finally:
            self._loop.close()
        return 0

    def end(self) -> None:
        """In order, at the next turn: what is open is closed into the outbox."""
        self._ending = True

    def _over(self) -> bool:
        return self._input_over and (not self._gateway.waiting or wall_s() > self._linger_until_s)

    def ready(self, mask: int) -> None:
        """The input has something (see event_loop.Watched)."""
        try:
            self._input.read()
        except BlockingIOError:
            pass
        except InputGone as gone:
            self._lose(gone)

    def misc(self) -> None:
        """Nothing to keep alive by itself."""

    def _tick(self) -> None:
        if self._input_over:
            return
        try:
            self._input.tick()
        except InputGone as gone:
            self._lose(gone)
        self._watch_input()

    def _watch_input(self) -> None:
        """The input may have been opened anew, and a number may be that of another file by now."""
        if self._watched != self._input.descriptor:
            if self._watched >= 0:
                self._loop.forget(self._watched)
            self._watched = self._input.descriptor
            if self._watched >= 0:
                try:
                    self._loop.watch(self._watched, self, select.EPOLLIN)
                except PermissionError:  # a file is always ready, and no epoll's business
                    self._a_file = True

    def _lose(self, gone: InputGone) -> None:
        self._tell(str(gone))
        if self._arguments.dongle:
            self._loop.forget(self._watched)
            self._watched = -1
            self._input.close()  # looked for again at the next tick
            return
        self._loop.forget(self._watched)
        self._a_file = False
        self._input_over = True
        self._linger_until_s = wall_s() + self._arguments.linger
        self._gateway.flush(self.now_ns)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _heard(self, frame: bytes, rssi_dbm: float) -> None:
        self._gateway.receive(frame, self.now_ns, rssi_dbm)

    def _record(self, event: Event) -> None:
        if isinstance(event, SessionChanged):
            self._tell(f"{event.state} {event.reason}".rstrip())
        elif isinstance(event, AcknowledgementRefused):
            self._tell("an acknowledgement that the portal did not sign was refused")
        elif isinstance(event, BundleQuarantined):
            self._tell(f"bundle {event.sequence} is in quarantine: {event.reason}")

    def _tell(self, words: str) -> None:
        """Once, however often it happens again."""
        if words != self._told:
            self._told = words
            print(f"gateway {self._arguments.name}: {shown(words)}", file=sys.stderr, flush=True)
