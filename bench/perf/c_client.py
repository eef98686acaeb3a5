"""QoS 1 messages through Mosquitto with mutual TLS from clients in C, and from our sessions, in the same run.

A C client is Mosquitto's own: one `mosquitto_pub -l -q 1` a connection, fed by a pipe, 20 messages in flight; ours are
given 20 at a time. The receiver of what both publish is one `mosquitto_sub -q 1`, so that the two sides differ in the
publishing client alone. The time is from the first message handed over to the last one taken; connecting is not in it.

    python -m bench.perf.c_client --connections 100 1000

Wall time: client, broker and taker share the machine's cores, as they do in a run.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, Protocol

from sim.core.clock import wall_s
from sim.core.parent import die_with_parent
from sim.core.quoting import last_line
from sim.endpoint.kinds.mosquitto import Mosquitto
from sim.endpoint.port import Address, EndpointError, Identity
from sim.endpoint.topic_acl import READER

PAYLOAD: Final = (b"6e4493157856341233037a" * 24)[:256]
"""Of one message: text without a line's end, since `mosquitto_pub -l` publishes lines."""
MESSAGES: Final = 40_000
"""Of one measurement, shared by its connections."""
IN_FLIGHT: Final = 20
"""Of mosquitto_pub, which has no option for it."""
_CONNECT_AT_ONCE: Final = 50  # Mosquitto's listen queue holds about 100
_CONNECT_S: Final = 30.0
_PASS_S: Final = 180.0
_PIPE_BYTES: Final = 1 << 20
_TOPIC: Final = "gw/{name}/up"


class NoCClient(Exception):
    """A program is not there, or did not do what it was asked: one sentence with the way out."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Messages a second at so many connections, the best of the rounds of each; `ratio`: ours of the C client's."""

    connections: int
    messages: int
    c_per_s: float
    ours_per_s: float

    @property
    def ratio(self) -> float:
        return self.ours_per_s / self.c_per_s


class Reached(Protocol):
    """What the clients in C ask of a broker: where it is, and who they are."""

    @property
    def address(self) -> Address | None: ...

    def identity(self, client_id: str) -> Identity: ...


def program(name: str) -> str:
    """Its path. Raises NoCClient."""
    found = shutil.which(name)
    if found is None:
        raise NoCClient(f"no program {name} is on the PATH; install the package mosquitto-clients")
    return found


def options(broker: Reached, identity: Identity) -> list[str]:
    """By which Mosquitto's clients reach this broker as this device."""
    where = broker.address
    if where is None:
        raise NoCClient("the broker has no address; start it")
    words = ["-h", where.host, "-p", str(where.port), "-i", identity.client_id, "-q", "1"]
    if identity.certificate is None:
        return [*words, "-u", identity.client_id]
    return [*words, "--cafile", str(identity.authorities), "--cert", str(identity.certificate),
            "--key", str(identity.key)]  # fmt: skip


class Taker:
    """One `mosquitto_sub` at the portal's place; `count`: messages that it took so far."""

    def __init__(self, broker: Reached, topic: str = "gw/+/up", name: str = READER) -> None:
        words = [program("mosquitto_sub"), *options(broker, broker.identity(name)), "-t", topic, "-F", "x"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=with_us())
        self.count = 0
        self._reading = threading.Thread(target=self._read, name="taker", daemon=True)
        self._reading.start()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        while data := os.read(self._process.stdout.fileno(), 1 << 16):
            self.count += data.count(b"\n")

    def await_count(self, count: int, seconds_s: float) -> None:
        """Raises NoCClient when they do not come."""
        end_s = wall_s() + seconds_s
        while self.count < count:
            if self._process.poll() is not None:
                raise NoCClient(f"mosquitto_sub ended with {self._process.returncode}: {_last_words(self._process)}")
            if wall_s() > end_s:
                raise NoCClient(f"{self.count} of {count} messages came within {seconds_s:g} s")
            select.select([], [], [], 0.001)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reading.join()


class Publishers:
    """`mosquitto_pub -l`, one a name, each with a pipe that takes the messages."""

    def __init__(self, broker: Reached, names: Sequence[str]) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._broker, self._names = broker, names
        self._of_name: dict[str, subprocess.Popen[bytes]] = {}

    def connect(self, taker: Taker) -> None:
        """Each connected: its first message was taken. Raises NoCClient."""
        self._connect(self._names, taker)

    def connect_and_show(self, taker: Taker) -> None:
        """The same where nothing has shown yet that the taker takes: the first client says something until it does."""
        first, end_s = self._started(self._names[0]), wall_s() + _CONNECT_S
        while not taker.count:
            if wall_s() > end_s:
                raise NoCClient(f"mosquitto_sub took nothing within {_CONNECT_S:g} s")
            self._write(first, b"?\n")
            select.select([], [], [], 0.05)
        select.select([], [], [], 0.3)  # those said last are taken, too
        self._connect(self._names[1:], taker)

    def _connect(self, names: Sequence[str], taker: Taker) -> None:
        before = taker.count
        for at, name in enumerate(names):
            self._write(self._started(name), b"up\n")
            if (at + 1) % _CONNECT_AT_ONCE == 0:
                taker.await_count(before + at + 1, _CONNECT_S)
        taker.await_count(before + len(names), _CONNECT_S)

    def _started(self, name: str) -> subprocess.Popen[bytes]:
        words = [program("mosquitto_pub"), *options(self._broker, self._broker.identity(name)),
                 "-t", _TOPIC.format(name=name), "-l"]  # fmt: skip
        one = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=with_us()
        )
        self._processes.append(one)
        self._of_name[name] = one
        _widen(one.stdin)
        return one

    @property
    def pids(self) -> list[int]:
        return [one.pid for one in self._processes]

    def publish_one(self, name: str, payload: bytes) -> None:
        """One message, a line of text, from this client. Raises NoCClient."""
        self._write(self._of_name[name], payload + b"\n")

    def publish(self, each: int, payload: bytes = PAYLOAD) -> None:
        """So many from each, as fast as they take them. `payload`: text without a line's end."""
        lines = (payload + b"\n") * each
        for one in self._processes:
            self._write(one, lines)

    @staticmethod
    def _write(one: subprocess.Popen[bytes], data: bytes) -> None:
        assert one.stdin is not None
        try:
            one.stdin.write(data)
            one.stdin.flush()
        except BrokenPipeError:
            raise NoCClient(f"mosquitto_pub ended with {one.wait()} before it published") from None

    def stop(self) -> None:
        for one in self._processes:
            one.kill()
        for one in self._processes:
            one.wait()
            if one.stdin is not None:
                with contextlib.suppress(BrokenPipeError):
                    one.stdin.close()
        self._processes.clear()
        self._of_name.clear()


def with_us() -> Callable[[], None]:
    """A client ends with us, also when we are killed: it would look for its broker for ever."""
    return functools.partial(die_with_parent, os.getpid())


def _widen(pipe: IO[bytes] | None) -> None:
    """So that all that a client is to publish waits in its pipe; where the system allows no more, writing waits."""
    assert pipe is not None
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _last_words(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    return last_line(process.stderr.read())


@contextlib.contextmanager
def taking(broker: Mosquitto) -> Iterator[Taker]:
    """A taker that has shown that it takes. Raises NoCClient."""
    taker = Taker(broker)
    session = broker.connect(broker.identity("probe"))
    try:
        end_s = wall_s() + _CONNECT_S
        while not taker.count:
            if wall_s() > end_s:
                raise NoCClient(f"mosquitto_sub took nothing within {_CONNECT_S:g} s")
            if session.connected:
                session.publish("gw/probe/up", b"?")
            broker.settle(lambda: taker.count > 0, 0.1)
        broker.settle(lambda: session.unacknowledged == 0, _CONNECT_S)
        broker.settle(lambda: False, 0.2)  # the last probe is taken, too
        yield taker
    finally:
        session.close()
        taker.stop()


def c_per_s(broker: Mosquitto, connections: int, messages: int = MESSAGES) -> float:
    """Messages a second of the C client. Raises NoCClient."""
    each = messages // connections
    with taking(broker) as taker:
        clients = Publishers(broker, names(connections))
        try:
            clients.connect(taker)
            wanted, begin_s = taker.count + each * connections, wall_s()
            clients.publish(each)
            taker.await_count(wanted, _PASS_S)
            return each * connections / (wall_s() - begin_s)
        finally:
            clients.stop()


def ours_per_s(broker: Mosquitto, connections: int, messages: int = MESSAGES) -> float:
    """Messages a second of our sessions, all on one event loop. Raises NoCClient."""
    each = messages // connections
    with taking(broker) as taker:
        sessions = [broker.connect(broker.identity(name)) for name in names(connections)]
        try:
            if not broker.settle(lambda: all(one.connected for one in sessions), _CONNECT_S):
                raise NoCClient(f"our sessions did not all connect within {_CONNECT_S:g} s")
            topics = [_TOPIC.format(name=one.client_id) for one in sessions]
            wanted, begin_s = taker.count + each * connections, wall_s()
            for begin in range(0, each, IN_FLIGHT):
                for one, topic in zip(sessions, topics, strict=True):
                    for _ in range(min(IN_FLIGHT, each - begin)):
                        one.publish(topic, PAYLOAD)
                broker.loop.turn(0.0)
            broker.settle(lambda: taker.count >= wanted, _PASS_S)
            taker.await_count(wanted, 0.0)
            return each * connections / (wall_s() - begin_s)
        finally:
            for one in sessions:
                one.close()


Rate = Callable[[Mosquitto, int, int], float]
"""(broker, connections, messages) -> messages a second."""


def names(connections: int) -> list[str]:
    return [f"gw{number}" for number in range(connections)]


def compared(
    connections: int, *, rounds: int = 3, messages: int = MESSAGES, rate: Rate = ours_per_s
) -> Compared:  # fmt: skip
    """By turns against one broker, the best of the rounds of each. `rate`: what stands beside the C client. Raises
    NoCClient, EndpointError."""
    with tempfile.TemporaryDirectory(prefix="wmbench-c-client-") as folder:
        broker = Mosquitto(Path(folder))
        broker.start()
        try:
            theirs, ours = [], []
            for _ in range(rounds):
                theirs.append(c_per_s(broker, connections, messages))
                ours.append(rate(broker, connections, messages))
            return Compared(connections, messages // connections * connections, max(theirs), max(ours))
        finally:
            broker.stop()


def main(what: str | None, rate: Rate) -> int:
    """The command line of a rate beside the C client's; `what` begins with what it is."""
    parser = argparse.ArgumentParser(description=(what or "").partition("\n\n")[0])
    parser.add_argument("--connections", type=int, nargs="+", default=[100, 1_000])
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    try:
        for connections in asked.connections:
            found = compared(connections, rounds=asked.rounds, messages=asked.messages, rate=rate)
            print(json.dumps(asdict(found) | {"ratio": round(found.ratio, 3)}), flush=True)
    except (NoCClient, EndpointError) as error:
        print(f"wmbench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(__doc__, ours_per_s))
