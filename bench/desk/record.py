"""`gateway record`: listen to what a gateway publishes, perhaps feed it meanwhile, and keep what was heard."""

from __future__ import annotations

import base64
import dataclasses
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Final

from bench.frame.sample import samples
from bench.run_errors import CannotRun
from sim.core import clock
from sim.core.clock import Calendar, wall_ns
from sim.core.vocabulary import Security
from sim.desk.box import Box, BoxError, broker_for
from sim.desk.guesses import Fed
from sim.desk.inventory import GatewayEntry, ListenSpec
from sim.desk.propose import Heard
from sim.endpoint.event_loop import EventLoop
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, EndpointError, Identity, OutOfReach, SaysNothing, Session
from sim.endpoint.session import MqttSession
from sim.endpoint.topic_acl import READER
from sim.feeders.kinds.iq_feed import IqSpec
from sim.feeders.lines.named_pipe import PathSpec
from sim.feeders.port import Sent
from sim.meters.meter_type import kinds

MESSAGES_MOST: Final = 50_000
BYTES_MOST: Final = 64 << 20
EVERYTHING: Final = "#"
_CONNECT_S: Final = 10.0
_TRIES: Final = 3
_TURN_S: Final = 0.05
_FEED_EVERY_S: Final = 0.5
FED_AS: Final[tuple[Security, ...]] = ("none", "mode5")
_EACH: Final = 8  # meters of a type and security mode
_LOUDEST_DBM: Final = -45.0
_UNIX: Final = Calendar.since_1970()
Settle = Callable[[float], None]


@dataclass
class Record:
    """`broker`: where it was listened, host:port. `full`: it was ended because it was enough. `lost`: why the session
    with the broker ended, "" if it did not. `said`: the last words of its program, where one was started."""

    broker: str
    heard: list[Heard] = field(default_factory=list)
    fed: list[Fed] = field(default_factory=list)
    full: bool = False
    lost: str = ""
    said: str = ""

    def write(self, path: Path) -> None:
        """A line of JSON a message; payloads in base64."""
        with path.open("w", encoding="ascii") as file:
            for one in self.heard:
                row = {"at": one.at.isoformat(), "topic": one.topic, "retained": one.retained,
                       "payload_base64": base64.b64encode(one.payload).decode()}  # fmt: skip
                file.write(json.dumps(row) + "\n")


@dataclass(frozen=True)
class GivenBroker:
    """A broker that runs already. `identity`: with certificates for TLS, without them in clear."""

    address: Address
    identity: Identity


def unnamed() -> GatewayEntry:
    """A gateway that stands in no inventory: fed by radio, at a broker on the loopback, in clear."""
    feed = IqSpec(sample_format="cs8", rate_hz=2_000_000, line=PathSpec(path="air.cs8"))
    return GatewayEntry(name="box", feed=(feed,), read=(), listen=ListenSpec(tls=False))


def at_given(broker: GivenBroker, seconds_s: float, said: Callable[[str], None]) -> Record:
    """Raises CannotRun for certificates that cannot be used, OutOfReach for a broker that gives no session."""
    loop = EventLoop()
    where = f"{broker.address.host}:{broker.address.port}"
    try:
        session = MqttSession(loop, broker.identity, broker.address, subscribe=(EVERYTHING,))
    except EndpointError as error:
        loop.close()
        raise CannotRun(str(error)) from None
    try:
        loop.settle(lambda: session.connected or len(session.log) >= _TRIES, _CONNECT_S)
        if not session.connected:
            why = session.log[-1][1] if session.log else "no answer"
            raise OutOfReach(f"no session with the broker {where}: {why}; see --broker, --ca, --certificate, --key")
        said(f"listening at {where}")
        return _listen(Record(where), session, _turner(loop.settle), seconds_s)
    finally:
        session.close()
        loop.close()


def at_the_desk(entry: GatewayEntry, seconds_s: float, said: Callable[[str], None], *, feed: bool) -> Record:
    """At the broker that the gateway's `listen` describes, where it may say anything; its feeders and program are
    started only to `feed`. Raises SaysNothing for a desk that cannot be set up: nothing was heard."""
    listen = dataclasses.replace(entry.listen, broker=True, topics=(EVERYTHING,))
    entry = dataclasses.replace(entry, listen=listen, read=())
    with tempfile.TemporaryDirectory(prefix="wmbench-record-") as folder:
        try:
            with _standing(entry, Path(folder), feed=feed) as (box, session, settle, where):
                said(f"listening at {where}")
                return _listen(Record(where), session, settle, seconds_s, box)
        except (BoxError, EndpointError) as error:
            raise SaysNothing(str(error)) from None


@contextmanager
def _standing(entry: GatewayEntry, folder: Path, *, feed: bool) -> Iterator[tuple[Box | None, Session, Settle, str]]:
    if feed:
        with Box(entry, folder) as box:
            assert box.endpoint is not None and box.endpoint.address is not None
            endpoint = box.endpoint
            session = endpoint.connect(endpoint.identity(READER), subscribe=(EVERYTHING,))
            endpoint.settle(lambda: session.connected, _CONNECT_S)
            yield box, session, box.turn, f"{box.endpoint.address.host}:{box.endpoint.address.port}"
        return
    broker = broker_for(entry, folder / "endpoint", Mosquitto)
    try:
        broker.start()
        session = broker.connect(broker.identity(READER), subscribe=(EVERYTHING,))
        broker.settle(lambda: session.connected, _CONNECT_S)
        where = f"{entry.listen.address}:{broker.address.port}" if broker.address is not None else ""
        yield None, session, _turner(broker.settle), where
    finally:
        broker.stop()


def _listen(record: Record, session: Session, settle: Settle, seconds_s: float, box: Box | None = None) -> Record:
    every = list(_telegrams()) if box is not None else []
    telegrams, pace_s = iter(every), max(_FEED_EVERY_S, seconds_s / max(1, len(every)))
    size, next_s = 0, clock.wall_s()
    end_s = next_s + seconds_s
    try:
        while clock.wall_s() < end_s and not record.full:
            if box is not None and clock.wall_s() >= next_s:
                next_s += pace_s
                _feed(box, next(telegrams, None), record)
            settle(min(_TURN_S, max(0.0, end_s - clock.wall_s())))
            while session.inbox:
                one = session.inbox.popleft()
                at = _UNIX.at(clock.unix_ns() - (wall_ns() - one.arrived_ns)).astimezone(UTC)
                record.heard.append(Heard(one.topic, one.payload, at, one.retained))
                size += len(one.payload)
            record.full = len(record.heard) >= MESSAGES_MOST or size >= BYTES_MOST
    except KeyboardInterrupt:  # what was heard is enough
        pass
    record.said = box.problem or box.last_words() if box is not None else ""
    if not session.connected:
        record.lost = session.log[-1][1] if session.log else "it was never up"
    return record


def _telegrams() -> Iterator[bytes]:
    """Telegrams of every meter type, in clear and enciphered, from many meters."""
    for security in FED_AS:
        for sampled in zip(*(samples(one, security, _EACH, 1) for one in kinds().values()), strict=True):
            yield from (bytes.fromhex(str(one["telegram"])) for one in sampled)


def _feed(box: Box, frame: bytes | None, record: Record) -> None:
    if frame is None or box.problem is not None:
        return
    rssi_dbm = _LOUDEST_DBM - len(record.fed) * 7 % 45
    if box.feed(Sent(frame, "T1", rssi_dbm, wall_ns())):
        record.fed.append(Fed(frame, rssi_dbm, clock.wall_now()))


def _turner(settle: Callable[[Callable[[], bool], float], bool]) -> Settle:
    def turn(for_s: float) -> None:
        settle(lambda: False, for_s)

    return turn
