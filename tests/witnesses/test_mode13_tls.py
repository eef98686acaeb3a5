"""The TLS inside security mode 13 before programs that nobody here wrote: `openssl s_server` stands for the meter and
`openssl s_client` for the gateway, frame by frame, and tshark takes the joined stream apart."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from sim.core.clock import wall_now, wall_sleep
from sim.pki.link_certificates import made
from sim.smart_metering.lmn import radio_frames
from sim.smart_metering.lmn.radio_registers import records_of
from sim.smart_metering.wan.tls import CURVE, SUITES
from tests.sim.smart_metering.lmn import radio_rig
from tests.sim.smart_metering.lmn.radio_rig import METER, NOW_S, Pair, registers
from wmbus import mode13
from wmbus.dissect import parse
from wmbus.fragments import Reassembly
from wmbus.tls_records import APPLICATION, CHANGE_CIPHER, HANDSHAKE, TlsRecord, records

OPENSSL = shutil.which("openssl")
TSHARK = shutil.which("tshark")
PATIENCE_S = 60.0
_AGAIN_S = 0.05
HELLO_DONE = 14
Wanted = Callable[[list[TlsRecord]], bool]


def says_hello_done(found: list[TlsRecord]) -> bool:
    return any(one.kind == HELLO_DONE for record in found for one in record.messages)


def says_finished(found: list[TlsRecord]) -> bool:
    kinds = [one.kind for one in found]
    return CHANGE_CIPHER in kinds and HANDSHAKE in kinds[kinds.index(CHANGE_CIPHER) :]


class Outside:
    """In place of an end's sessions: TLS is the program's at the other end of a socket."""

    def __init__(self, program: subprocess.Popen[bytes], *, server: bool) -> None:
        self.program, self.server = program, server
        self.outgoing: deque[tuple[bool, bytes]] = deque()
        self.counts: Counter[str] = Counter()
        self.handshaking = False
        self.live: Any = None
        self.socket: socket.socket | None = None

    def is_live(self, _: int) -> bool:
        return self.live is not None

    def begin(self, _: int) -> None:
        self.handshaking = True
        self._read(lambda found: bool(found))

    def drop_handshake(self) -> None:
        pass

    break_off = drop_handshake

    def say(self, data: bytes) -> None:
        assert self.program.stdin is not None
        self.program.stdin.write(data)
        self.program.stdin.flush()
        self._read(lambda found: found[-1].kind == APPLICATION)

    def take(self, message: mode13.Message13, _: int) -> bytes:
        assert self.socket is not None
        self.socket.sendall(message.stream)
        found = list(message.records)
        if found[0].kind == APPLICATION:
            assert self.program.stdout is not None
            return self.program.stdout.read(len(records_of(registers(NOW_S))))
        if self.server and not says_finished(found):
            self._read(says_hello_done)
        elif says_hello_done(found) or (self.server and says_finished(found)):
            self._read(says_finished)
        if says_finished(found):
            self.live, self.handshaking = self, False
        return b""

    def _read(self, wanted: Wanted) -> None:
        """Whole records, until it said what is wanted."""
        assert self.socket is not None
        data, found = b"", list[TlsRecord]()
        while not found or found[-1].missing or not wanted(found):
            more = self.socket.recv(65_536)
            assert more, "openssl ended the connection"
            data += more
            found = records(data, whole=False)
        self.outgoing.extend(mode13.by_ci(data))


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """With certificates that OpenSSL, which asks this machine's clock, takes for valid."""
    since = wall_now().replace(microsecond=0)
    genuine = radio_rig.draws
    monkeypatch.setattr(
        radio_rig, "end", lambda name: made(name, genuine(radio_rig.Seeds(13), name, "key"), since.replace(hour=0))
    )
    return Pair(tmp_path)


def words_of(both: Pair, what: str, *more: str) -> list[str]:
    own, other = ("meter", "gateway") if what == "s_server" else ("gateway", "meter")
    folder = both.folder
    return [
        str(OPENSSL), what, "-quiet", "-tls1_2", "-cipher", SUITES, "-groups", CURVE, "-no_ticket",
        "-cert", f"{folder}/{own}.crt", "-key", f"{folder}/{own}.key", "-CAfile", f"{folder}/{other}.crt",
        "-verify_return_error", *more,
    ]  # fmt: skip


@pytest.fixture
def port() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        taken.settimeout(PATIENCE_S)
        yield taken


def now_s() -> int:
    return int(wall_now().timestamp())


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not on the PATH (Debian package openssl)")
def test_openssl_is_a_meter_that_our_gateway_reads(both: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    words = words_of(both, "s_server", "-accept", f"127.0.0.1:{number}", "-naccept", "1", "-Verify", "1")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            outside = Outside(program, server=True)
            for _ in range(round(PATIENCE_S / _AGAIN_S)):
                try:
                    outside.socket = socket.create_connection(("127.0.0.1", number), PATIENCE_S)
                    break
                except ConnectionRefusedError:
                    assert program.poll() is None
                    wall_sleep(_AGAIN_S)
            assert outside.socket is not None, "openssl s_server does not listen"
            with outside.socket:
                both.meter.sessions = outside  # type: ignore[assignment]
                both.cycle(now_s())
        finally:
            program.kill()
    assert len(both.taken) == 1 and both.taken[0].fed_in == 500, both.told
    live = both.link.sessions.live
    assert live is not None and live.agreed[0] == "TLSv1.2"


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not on the PATH (Debian package openssl)")
def test_openssl_is_a_gateway_that_our_meter_speaks_to(both: Pair, port: socket.socket) -> None:
    words = words_of(both, "s_client", "-connect", f"127.0.0.1:{port.getsockname()[1]}", "-verify", "1")
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        try:
            outside = Outside(program, server=False)
            outside.socket = port.accept()[0]
            outside.socket.settimeout(PATIENCE_S)
            with outside.socket:
                both.link.sessions = outside  # type: ignore[assignment]
                both.cycle(now_s())
        finally:
            program.kill()
    assert len(both.taken) == 1 and both.taken[0].fed_in == 500, both.told
    assert both.meter.sessions.counts == {"full": 1}


@pytest.mark.skipif(TSHARK is None, reason="tshark is not on the PATH (Debian package tshark)")
def test_tshark_takes_the_joined_stream_apart(tmp_path: Path) -> None:
    both = Pair(tmp_path)
    both.cycle()
    reassembly = {"meter": Reassembly(), "gateway": Reassembly()}
    at = {"meter": 1, "gateway": 1}
    packets = []
    for who, frame in both.frames:
        telegram = parse(frame)
        if telegram.afl is None or frame[1] & ~radio_frames.FCB not in (radio_frames.SND_UD, radio_frames.RSP_UD):
            continue
        whole = reassembly[who].add(telegram)
        if whole is None:
            continue
        stream = mode13.message_of(whole).stream
        other = "meter" if who == "gateway" else "gateway"
        ends = (40_000, 4_433) if who == "gateway" else (4_433, 40_000)
        hosts = ("10.0.0.1", "10.0.0.2") if who == "gateway" else ("10.0.0.2", "10.0.0.1")
        layers = IP(src=hosts[0], dst=hosts[1]) / TCP(
            sport=ends[0], dport=ends[1], flags="PA", seq=at[who], ack=at[other]
        )
        packets.append(Ether() / layers / stream)
        at[who] += len(stream)
    wrpcap(str(tmp_path / "tls.pcap"), packets)
    words = [
        str(TSHARK), "-r", str(tmp_path / "tls.pcap"), "-d", "tcp.port==4433,tls", "-T", "fields",
        "-e", "tls.record.content_type", "-e", "tls.handshake.type", "-e", "_ws.malformed",
    ]  # fmt: skip
    out = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    rows = [line.split("\t") for line in out.stdout.splitlines()]
    assert len(packets) == 5 and [row[1] for row in rows[:2]] == ["1", "2,11,12,13,14"]
    assert rows[2][1].startswith("11,16,15") and rows[2][0].endswith("20,22") and rows[3][0] == "20,22"
    assert rows[4][0] == "23" and not any(row[2] for row in rows)
    assert METER.wire() in both.frames[0][1]
