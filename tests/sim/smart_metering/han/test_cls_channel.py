"""The CLS channel: an inverter behind the gateway is limited through its proxy, started from either side; a foreign
SOCKS5 client (curl) goes the same way; whoever the profile does not name goes nowhere."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sim.core.seeds import Seeds
from sim.pki.authority import Pair
from sim.pki.display_certificates import fingerprint, self_signed
from sim.smart_metering.han.cls_channel import ClsProxy, device_context
from sim.smart_metering.han.cls_profile import ClsProfile
from sim.smart_metering.han.han_server import HanError, context
from sim.smart_metering.han.inverter import Controller, ControlServer, Inverter
from sim.smart_metering.wan import tls
from sim.smgw.module.in_world import draws
from tests.sim.smart_metering.han.cls_ends import CallPort, over, through_proxy
from tests.sim.smart_metering.wan.test_wan_sockets import Parties, parties

ADDRESS = ("control.supplier.emt", 443)


def client(own: Pair, trusted: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.load_verify_locations(trusted)
    made.load_cert_chain(own.certificate, own.key)
    return made


@dataclass
class Bed:
    inverter: Inverter
    controller: Controller
    call_port: CallPort
    proxy: ClsProxy
    device: ssl.SSLContext
    stranger: ssl.SSLContext
    said: list[tuple[str, str, bool]]


@contextmanager
def bed(folder: Path, change: dict[str, object] | None = None) -> Iterator[Bed]:
    """An inverter with 8 kW of sun that may feed in 3 kW; its gateway; a supplier who controls it."""
    known: Parties = parties(folder / "wan")
    draw, since = draws(Seeds(4), "cls", "draws"), datetime(2026, 1, 1, tzinfo=UTC)
    box, own, other = (self_signed(one, "prime256v1", folder, draw, since) for one in ("box", "inverter", "other"))
    trusted = folder / "devices.crt"
    trusted.write_bytes(own.certificate.read_bytes() + other.certificate.read_bytes())
    inverter, controller = Inverter(8_000), Controller(3_000)
    peer = tls.context(known.tls_of("supplier.EMT"), known.folder / "root.crt", server=True)
    said: list[tuple[str, str, bool]] = []
    with ExitStack() as stack:
        at_peer = ControlServer(peer, controller.answer)
        at_home = ControlServer(context(own, "prime256v1"), inverter.answer)
        for one in (at_peer, at_home):
            one.start()
            stack.callback(one.stop)
        calls = CallPort(peer)
        stack.callback(calls.close)
        profile = ClsProfile(
            "inverter", fingerprint(own.certificate), "flat 1", ADDRESS, "supplier.EMT", at_peer.port, calls.port,
            at_home.port,
        )  # fmt: skip
        profile = replace(profile, **(change or {}))  # type: ignore[arg-type]
        proxy = ClsProxy(
            device_context(box, trusted), client(box, own.certificate), known.context("gw-0001.SMGW"), [profile],
            lambda *told: said.append(told),
        )  # fmt: skip
        proxy.start()
        stack.callback(proxy.stop)
        device, stranger = (client(one, box.certificate) for one in (own, other))
        yield Bed(inverter, controller, calls, proxy, device, stranger, said)


def test_a_channel_that_the_device_starts_limits_its_feed_in(tmp_path: Path) -> None:
    with bed(tmp_path) as at:
        with through_proxy(at.device, at.proxy.port, ADDRESS) as channel:
            status, limit = over(channel, "GET", "/limit")
        assert (status, at.inverter.feed_in_w) == (200, 8_000)
        assert at.inverter.obey(limit)[0] == 200
        assert at.inverter.feed_in_w == 3_000
        with through_proxy(at.device, at.proxy.port, ADDRESS) as channel:
            _, state = at.inverter.answer("GET", "/state", b"")
            assert over(channel, "POST", "/state", json.dumps(state).encode())[0] == 204
        assert at.controller.reports == [{"available_w": 8_000, "limit_w": 3_000, "feed_in_w": 3_000}]
        assert at.said == [("flat 1", "inverter opened a channel to supplier.EMT", True)] * 2


def test_a_channel_that_the_participant_wants_is_dialled_by_the_gateway(tmp_path: Path) -> None:
    with bed(tmp_path) as at, ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(at.call_port.ask, "PUT", "/limit", b'{"limit_w": 1500}')
        assert at.proxy.call("inverter")
        assert waiting.result(20) == (200, b'{"limit_w": 1500}')
        assert at.inverter.feed_in_w == 1_500
        waiting = beside.submit(at.call_port.ask, "PUT", "/limit", b'{"limit_w": -1}')
        assert at.proxy.call("inverter")
        assert waiting.result(20)[0] == 400 and at.inverter.feed_in_w == 1_500
        assert not at.proxy.call("pool pump")
    assert at.said[0] == ("flat 1", "supplier.EMT had a channel opened to inverter", True)
    assert at.said[-1] == ("", "a channel was wanted that no profile names", False)


def test_nobody_goes_where_the_profile_does_not_name(tmp_path: Path) -> None:
    with bed(tmp_path) as at:
        for address in (("control.supplier.emt", 80), ("127.0.0.1", 443), ("elsewhere.emt", 443)):
            with pytest.raises(ConnectionRefusedError, match="reply 2"):
                through_proxy(at.device, at.proxy.port, address)
        with pytest.raises(ConnectionRefusedError, match="reply 2"):
            through_proxy(at.stranger, at.proxy.port, ADDRESS)
        assert ("", "a channel was refused: no profile of this device names that peer", False) in at.said
        with through_proxy(at.device, at.proxy.port, ADDRESS) as channel:
            assert over(channel, "GET", "/limit")[0] == 200


@pytest.mark.parametrize("change", [{"peer": "another.EMT"}, {"certificate": "00"}])
def test_who_is_not_the_one_of_the_profile_gets_no_byte(tmp_path: Path, change: dict[str, object]) -> None:
    with bed(tmp_path, change) as at, ThreadPoolExecutor(1) as beside:
        if "peer" in change:  # it is dialled, and hung up on when it has shown its name
            waiting = beside.submit(at.call_port.ask, "PUT", "/limit", b'{"limit_w": 0}')
            assert not at.proxy.call("inverter")
            assert isinstance(waiting.exception(20), (OSError, http.client.HTTPException))
        if "certificate" in change:
            assert not at.proxy.call("inverter")
        with pytest.raises(ConnectionRefusedError):
            through_proxy(at.device, at.proxy.port, ADDRESS)
        assert at.inverter.feed_in_w == 8_000


@pytest.mark.parametrize(
    ("sent", "reply"),
    [
        (b"\x04\x01\x00", b"\x05\x02"),
        (b"\x05\x01\x02", b"\x05\xff"),
        (b"\x05\x01\x00\x05\x02\x00\x01\x7f\x00\x00\x01\x00\x50", b"\x05\x00\x05\x07"),
        (b"\x05\x01\x00\x05\x01\x00\x09\x00\x00", b"\x05\x00\x05\x08"),
        (b"\x05\x01\x00\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x50", b"\x05\x00\x05\x02"),
        (b"GET / HTTP/1.1\r\n\r\n", b"\x05\x02"),
    ],
)
def test_what_is_no_socks5_is_refused_and_the_proxy_goes_on(tmp_path: Path, sent: bytes, reply: bytes) -> None:
    with bed(tmp_path) as at:
        with at.device.wrap_socket(socket.create_connection(("127.0.0.1", at.proxy.port), 10)) as channel:
            channel.sendall(sent)
            told = b""
            while len(told) < len(reply) and (more := channel.recv(100)):
                told += more
            assert told.startswith(reply)
        with through_proxy(at.device, at.proxy.port, ADDRESS) as channel:
            assert over(channel, "GET", "/limit")[0] == 200


def test_a_port_in_use_is_one_sentence_and_nothing_is_left(tmp_path: Path) -> None:
    with bed(tmp_path) as at:
        again = ClsProxy(at.proxy._home, at.device, at.device, [], lambda *_: None, port=at.proxy.port)
        with pytest.raises(HanError, match=f"port {at.proxy.port}: .*free it or choose another"):
            again.start()
    assert not [one for one in threading.enumerate() if one.name in ("cls", "control")]


@contextmanager
def wrapped_in_tls(context_: ssl.SSLContext, port: int) -> Iterator[int]:
    """A port that passes on to another one in TLS, for a client that speaks SOCKS5 alone: one connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(30)

    def serve() -> None:
        plain, _ = listener.accept()
        with plain, context_.wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as secure:
            secure.settimeout(0.05)
            plain.settimeout(0.05)
            ends, ways = [plain, secure], [(plain, secure), (secure, plain)]
            while all(one.fileno() >= 0 for one in ends):
                for source, to in ways:
                    try:
                        data = source.recv(16_384)
                    except TimeoutError:
                        continue
                    except OSError:
                        return
                    if not data:
                        return
                    to.sendall(data)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(30)


@pytest.mark.skipif(shutil.which("curl") is None, reason="allowed: no curl on the PATH")
def test_a_foreign_socks5_client_goes_the_same_way(tmp_path: Path) -> None:
    with bed(tmp_path) as at:
        for name, wanted in (("control.supplier.emt", '{"limit_w": 3000}'), ("elsewhere.emt", "")):
            with wrapped_in_tls(at.device, at.proxy.port) as port:
                done = subprocess.run(
                    ["curl", "-sS", "-m", "20", "--noproxy", "", "--socks5-hostname", f"127.0.0.1:{port}",
                     f"http://{name}:443/limit"],
                    capture_output=True, text=True, check=False,
                )  # fmt: skip
            assert done.stdout == wanted, done.stderr
            assert (done.returncode == 0) is bool(wanted)
        assert at.proxy.counts["opened"] == 1
