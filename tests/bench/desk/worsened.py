"""The reference gateway with one thing wrong: `python -m tests.bench.desk.worsened NAME ...`, the rest as sim.gateway.

Each is a process of its own with one patch, named after what it does. FAILS says which rows of the contract suite must
see it; every other row must not.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt

from bench.desk.traffic import KEY
from sim.core import clock
from sim.endpoint import session as sessions
from sim.endpoint.client import ConnectedClient
from sim.gateway import process, radio_inputs
from sim.gateway.in_flight import InFlight
from sim.gateway.kinds.virtual import VirtualGateway
from sim.gateway.outbox import Outbox
from sim.gateway.process import Process
from wmbus.dissect import parse
from wmbus.errors import BadTelegram
from wmbus.receiver import unlock

_HOUR_NS: Final = 3_600 * clock.NS_PER_S


def _now_s() -> float:
    return clock.unix_ns() / clock.NS_PER_S


def _hears(change: Callable[[Process, bytes, float], tuple[bytes, float] | None]) -> None:
    """Another frame or level in place of what the radio heard; None: it is lost."""
    heard = Process._heard

    def worse(self: Process, frame: bytes, rssi_dbm: float) -> None:
        changed = change(self, frame, rssi_dbm)
        if changed is not None:
            heard(self, *changed)

    Process._heard = worse  # type: ignore[method-assign]


def _drops(when: Callable[[bytes], bool]) -> None:
    _hears(lambda _, frame, level: None if when(frame) else (frame, level))


def _pumps(before: Callable[[VirtualGateway], None]) -> None:
    pump = VirtualGateway.pump

    def worse(self: VirtualGateway, now_ns: int) -> None:
        before(self)
        pump(self, now_ns)

    VirtualGateway.pump = worse  # type: ignore[method-assign]


def _again(gateway: VirtualGateway, frames: tuple[bytes, ...]) -> None:
    for frame in frames:
        gateway.receive(frame, clock.unix_ns(), -68.5)


def _counted(count: list[int]) -> int:
    count[0] += 1
    return count[0]


# --- what is wrong ---------------------------------------------------------------------------------------------------


def loses_one_in_a_thousand() -> None:
    """Once it has worked for a while."""
    count = [0]
    _drops(lambda _: _counted(count) > 2_200 and count[0] % 1_000 == 500)


def reorders() -> None:
    """The last two of a bundle, while it is connected."""
    close = VirtualGateway._close

    def worse(self: VirtualGateway, now_ns: int) -> None:
        if self.session.connected:
            self._open[-2:] = reversed(self._open[-2:])
        close(self, now_ns)

    VirtualGateway._close = worse  # type: ignore[method-assign]


def doubles_after_reconnect() -> None:
    """The latest bundle that the portal had acknowledged."""
    bundles: dict[int, tuple[bytes, ...]] = {}
    latest: list[tuple[bytes, ...]] = [()]
    seen = [1]
    close, acknowledged = VirtualGateway._close, Outbox.acknowledged

    def closed(self: VirtualGateway, now_ns: int) -> None:
        opened = self.open_bundle
        close(self, now_ns)
        bundles[self.outbox.waiting()[-1][0]] = opened

    def taken(self: Outbox, sequences: Any) -> None:
        known = list(sequences)
        for sequence in known:
            latest[0] = bundles.pop(sequence, latest[0])
        acknowledged(self, known)

    def before(gateway: VirtualGateway) -> None:
        if gateway.session.connects > seen[0]:
            seen[0] = gateway.session.connects
            _again(gateway, latest[0])

    VirtualGateway._close, Outbox.acknowledged = closed, taken  # type: ignore[method-assign]
    _pumps(before)


def forgets_on_power_cut() -> None:
    """Its outbox was memory."""
    opened = Outbox.__init__

    def worse(self: Outbox, path: Path) -> None:
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        opened(self, path)

    Outbox.__init__ = worse  # type: ignore[method-assign]


def trusts_any_broker() -> None:
    context = sessions.tls_context
    sessions.tls_context = lambda identity, verify=True, **more: context(identity, verify=False, **more)  # type: ignore[assignment]


def decrypts_and_leaks() -> None:
    """It was given the meters' key, and logs what it reads."""

    def change(_: Process, frame: bytes, level: float) -> tuple[bytes, float]:
        if len(frame) > 15 and frame[10] == 0x7A and frame[14] & 0x1F == 5:
            with contextlib.suppress(BadTelegram):
                clear = unlock(parse(frame), KEY).plaintext
                print(f"meter {frame[4:8].hex()}: {clear.hex()}", file=sys.stderr, flush=True)
        return frame, level

    _hears(change)


def wrong_clock() -> None:
    """Its zone."""
    process.unix_ns = lambda: clock.unix_ns() + _HOUR_NS  # type: ignore[attr-defined]


def begins_in_1970() -> None:
    """After a power cut, until somebody tells it the time."""
    begun, again = clock.unix_ns(), Path(sys.argv[sys.argv.index("--outbox") + 1]).exists()
    process.unix_ns = lambda: clock.unix_ns() - begun if again else clock.unix_ns()  # type: ignore[attr-defined]


def swallows_repeats() -> None:
    """Bytes equal to one of the last ten."""
    last: deque[bytes] = deque(maxlen=10)

    def when(frame: bytes) -> bool:
        known = frame in last
        last.append(frame)
        return known

    _drops(when)


def mutes_a_meter() -> None:
    """After one telegram that it cannot read."""
    muted: set[bytes] = set()

    def when(frame: bytes) -> bool:
        if frame[10] == 0xFE:
            muted.add(frame[4:8])
        return frame[4:8] in muted

    _drops(when)


def counts_in_a_small_register() -> None:
    _drops(lambda frame: frame[0] >= 225)


def passes_only_44() -> None:
    _drops(lambda frame: frame[1] != 0x44)


def ignores_the_crc_flag() -> None:
    line = radio_inputs.Lines._line
    radio_inputs.Lines._line = (  # type: ignore[method-assign]
        lambda self, text: line(self, re.sub(rb"^(\w\d);0;", rb"\1;1;", text))
    )


def loses_torn_lines() -> None:
    """What a short read leaves over."""
    read = radio_inputs.Lines.read

    def worse(self: radio_inputs.Lines) -> None:
        read(self)
        if 0 < len(self._rest) < 200:
            self._rest = b""

    radio_inputs.Lines.read = worse  # type: ignore[method-assign]


def publishes_before_connack() -> None:
    reconnect = ConnectedClient.reconnect

    def worse(self: ConnectedClient) -> Any:
        done = reconnect(self)
        name = sys.argv[sys.argv.index("--name") + 1]
        mqtt.Client.publish(self, f"gw/{name}/birth", b"{}", qos=1)
        return done

    ConnectedClient.reconnect = worse  # type: ignore[method-assign]


def invents_levels() -> None:
    _hears(lambda _, frame, __: (frame, -33.0))


def has_a_small_table() -> None:
    """Of 2 000 meters."""
    known: set[bytes] = set()

    def when(frame: bytes) -> bool:
        if len(known) < 2_000:
            known.add(frame[4:8])
        return frame[4:8] not in known

    _drops(when)


def doubles_by_a_late_puback() -> None:
    """What has no PUBACK after 1.2 s is sent as if it were new."""
    since: list[float | None] = [None]
    latest: list[tuple[bytes, ...]] = [()]
    close = VirtualGateway._close

    def closed(self: VirtualGateway, now_ns: int) -> None:
        latest[0] = self.open_bundle
        close(self, now_ns)

    def before(gateway: VirtualGateway) -> None:
        if not gateway.session.connected or gateway.session.unacknowledged <= 0:
            since[0] = None
        elif since[0] is None:
            since[0] = _now_s()
        elif _now_s() - since[0] > 1.2 and latest[0]:
            frames, latest[0], since[0] = latest[0], (), None
            _again(gateway, frames)

    VirtualGateway._close = closed  # type: ignore[method-assign]
    _pumps(before)


def plays_a_backlog_backwards() -> None:
    seen = [0]

    def before(gateway: VirtualGateway) -> None:
        if gateway.session.connects > seen[0]:
            seen[0] = gateway.session.connects
            in_flight: InFlight = gateway._in_flight
            in_flight.connection_ended()
            in_flight._ready.reverse()
            gateway._live = False

    _pumps(before)


def retains() -> None:
    put = ConnectedClient.put

    def worse(self: ConnectedClient, topic: str, payload: bytes, *, retain: bool = False) -> None:
        put(self, topic, payload, retain=topic.endswith("/up"))

    ConnectedClient.put = worse  # type: ignore[method-assign]


def is_deaf_while_it_waits() -> None:
    """For a broker that does not answer."""
    since: list[float] = [_now_s()]

    def change(self: Process, frame: bytes, level: float) -> tuple[bytes, float] | None:
        session = self._gateway.session
        if not session.connected or session.unacknowledged <= 0:
            since[0] = _now_s()
        return None if _now_s() - since[0] > 5.0 else (frame, level)

    _hears(change)


def keeps_nothing() -> None:
    """While it has no connection."""
    _hears(lambda self, frame, level: (frame, level) if self._gateway.session.connected else None)


def logs_its_key() -> None:
    print(Path(sys.argv[sys.argv.index("--key") + 1]).read_text(), file=sys.stderr)


def holds_a_hundred() -> None:
    """Of what came since it looked at its broker last."""
    came = [0]

    def looked(_: VirtualGateway) -> None:
        came[0] = 0

    _pumps(looked)
    _hears(lambda self, frame, level: (frame, level) if _counted(came) <= 100 else None)


def skips_leading_zeros() -> None:
    _drops(lambda frame: frame[7] == 0)


def gives_up() -> None:
    """After its fifth session it dials no more."""

    def before(gateway: VirtualGateway) -> None:
        if gateway.session.connects >= 5:
            gateway.session.close()

    _pumps(before)


def hears_no_s() -> None:
    line = radio_inputs.Lines._line
    radio_inputs.Lines._line = (  # type: ignore[method-assign]
        lambda self, text: None if text.startswith(b"S1") else line(self, text)
    )


def dies_of_a_telegram() -> None:
    """With a CI that it does not know."""

    def when(frame: bytes) -> bool:
        if frame[10] == 0xFE:
            sys.exit("unknown CI")
        return False

    _drops(when)


def replaces_the_older() -> None:
    """Of one meter, right behind each other."""
    last: list[bytes] = [b""]

    def when(frame: bytes) -> bool:
        same, last[0] = frame[2:10] == last[0], frame[2:10]
        return same and frame[4:8] == bytes.fromhex("01000075")

    _drops(when)


def chokes_at_its_start() -> None:
    """On what waits for it when it begins to listen, if it is not its very first start."""
    begun_s, again = _now_s(), Path(sys.argv[sys.argv.index("--outbox") + 1]).exists()
    choked: list[bytes] = []

    def change(self: Process, frame: bytes, level: float) -> tuple[bytes, float] | None:
        if again and not self._gateway.session.connected and _now_s() - begun_s < 1.0:
            choked.append(frame)
        return None if choked else (frame, level)

    _hears(change)


FAILS: Final[Mapping[Callable[[], None], tuple[str, ...]]] = {
    loses_one_in_a_thousand: ("thousand",),
    reorders: ("order",),
    doubles_after_reconnect: ("reconnect",),
    forgets_on_power_cut: ("power-cut",),
    trusts_any_broker: ("verifies-server",),
    decrypts_and_leaks: ("plaintext",),
    wrong_clock: ("stamps",),
    begins_in_1970: ("power-return",),
    swallows_repeats: ("repeats",),
    mutes_a_meter: ("mute",),
    counts_in_a_small_register: ("lengths",),
    passes_only_44: ("c-fields",),
    ignores_the_crc_flag: ("crc-flag",),
    loses_torn_lines: ("two-lines",),
    publishes_before_connack: ("connack",),
    invents_levels: ("rssi",),
    has_a_small_table: ("many-meters",),
    doubles_by_a_late_puback: ("late-puback",),
    plays_a_backlog_backwards: ("backlog-order",),
    retains: ("retained",),
    is_deaf_while_it_waits: ("black-hole",),
    keeps_nothing: ("backlog-order", "outage", "power-cut"),
    logs_its_key: ("keys",),
    holds_a_hundred: ("flood",),
    skips_leading_zeros: ("ids",),
    gives_up: ("restarts",),
    hears_no_s: ("lengths", "modes"),
    dies_of_a_telegram: ("malformed", "mute"),
    replaces_the_older: ("quick-change",),
    chokes_at_its_start: ("early",),
}
WORSENED: Final = {change.__name__: change for change in FAILS}


if __name__ == "__main__":
    WORSENED[sys.argv[1]]()
    sys.exit(process.main(sys.argv[2:]))
