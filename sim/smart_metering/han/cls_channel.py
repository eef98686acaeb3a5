"""The gateway's proxy for controllable systems: SOCKS5 (RFC 1928) inside TLS towards the home, TLS 1.2 of the WAN
towards the market participant, bytes passed on as they come.

A device shows its certificate and names its peer; the gateway dials that peer only where the device's profile names it,
and passes nothing on before the peer has shown the name of the profile. Started from the other side it is the gateway
again that dials, both ends: nothing comes in from the WAN. A channel that begins or is refused stands in the log.
Authentication inside SOCKS is none, since TLS has done it; only CONNECT is done.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from sim.network.loop_thread import LoopThread
from sim.pki.authority import Pair
from sim.smart_metering.han.cls_profile import ClsProfile
from sim.smart_metering.han.han_server import SUITES, HanError
from sim.smart_metering.han.http_digest import IDLE_S
from sim.smart_metering.wan.tls import SESSION_MOST_S, party, tls_12

HANDSHAKE_S: Final = 10.0
CHUNK_BYTES: Final = 1 << 14
CHANNELS_MOST: Final = 16
_VERSION, _CONNECT, _NO_LOGIN, _NO_METHOD = 5, 1, 0, 0xFF
_IPV4, _NAME, _IPV6 = 1, 3, 4
DONE, NOT_ALLOWED, UNREACHABLE, NO_COMMAND, NO_ADDRESS = 0, 2, 4, 7, 8
"""Replies of RFC 1928, 6."""

T = TypeVar("T")
Note = Callable[[str, str, bool], None]
"""(whose log, "" for nobody's, what happened, it went well)."""


class Refused(Exception):
    """`reply`: the code of RFC 1928."""

    def __init__(self, reply: int, detail: str) -> None:
        super().__init__(detail)
        self.reply = reply


class _Ends(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def device_context(own: Pair, devices: Path) -> ssl.SSLContext:
    """Of the proxy, towards the home: whoever dials shows one of these certificates (PEM). Raises HanError."""
    try:
        made = tls_12(own, SUITES, "", server=True)
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(devices)
    except (OSError, ValueError) as error:
        raise HanError(f"{own.certificate}: {error}") from None
    return made


class ClsProxy:
    """On 127.0.0.1 from `start` to `stop`. `home`: device_context; `to_device` and `to_peer`: client contexts of the
    HAN and of the WAN. `counts`: "opened", "called", and "refused: <why>"."""

    def __init__(
        self, home: ssl.SSLContext, to_device: ssl.SSLContext, to_peer: ssl.SSLContext, profiles: Sequence[ClsProfile],
        note: Note, *, port: int = 0,
    ) -> None:  # fmt: skip
        self._home, self._to_device, self._to_peer = home, to_device, to_peer
        self._profiles, self._note, self._wanted_port = tuple(profiles), note, port
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._open: set[asyncio.Task[None]] = set()
        self._thread = LoopThread("cls")
        self._server: asyncio.Server | None = None

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.do(work, HANDSHAKE_S * 3)

    def start(self) -> None:
        """Raises HanError."""
        self._thread.start()
        try:
            self._do(self._listen())
        except OSError as error:
            self.stop()
            raise HanError(f"port {self._wanted_port}: {error.strerror or error}; free it or choose another") from None

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._from_home, "127.0.0.1", self._wanted_port, ssl=self._home, ssl_handshake_timeout=HANDSHAKE_S
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        """Idempotent; leaves no thread, no channel and no port."""
        if self._thread.alive:
            with contextlib.suppress(TimeoutError):
                self._do(self._close())
        self._thread.stop()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for one in self._open:
            one.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    # --- started in the home ----------------------------------------------------------------------------------------

    async def _from_home(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(_Ends(reader, writer))
        except asyncio.CancelledError:
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _serve(self, device: _Ends) -> None:
        shown = device.writer.get_extra_info("ssl_object").getpeercert(binary_form=True) or b""
        mark = hashlib.sha256(shown).hexdigest()
        owner = next((one.owner for one in self._profiles if one.certificate == mark), "")
        try:
            if len(self._open) > CHANNELS_MOST:
                raise Refused(NOT_ALLOWED, f"{CHANNELS_MOST} channels are open")
            address = await asyncio.wait_for(_asked(device), HANDSHAKE_S)
            profile = self._allowed(mark, address)
            peer = await self._dial(profile.peer_port, self._to_peer, profile.peer)
        except Refused as error:
            self.counts[f"refused: {error}"] += 1
            self._note(owner, f"a channel was refused: {error}", False)
            with contextlib.suppress(OSError):
                device.writer.write(_reply(error.reply))
                await device.writer.drain()
            return
        except (TimeoutError, asyncio.IncompleteReadError, OSError):
            self.counts["refused: it broke off"] += 1
            return
        device.writer.write(_reply(DONE))
        self.counts["opened"] += 1
        self._note(owner, f"{profile.device} opened a channel to {profile.peer}", True)
        await _pass_on(device, peer)

    def _allowed(self, mark: str, address: tuple[str, int]) -> ClsProfile:
        for one in self._profiles:
            if one.certificate == mark and one.address == address:
                return one
        raise Refused(NOT_ALLOWED, "no profile of this device names that peer")

    # --- started on the WAN -----------------------------------------------------------------------------------------

    def call(self, device: str) -> bool:
        """The administrator wants a channel between a device and its peer: dial both. False: it is not to be had."""
        return self._do(self._call(device))

    async def _call(self, device: str) -> bool:
        profile = next((one for one in self._profiles if one.device == device and one.device_port), None)
        if profile is None:
            self.counts["refused: no profile"] += 1
            self._note("", "a channel was wanted that no profile names", False)
            return False
        try:
            home = await self._dial(profile.device_port, self._to_device, "", profile.certificate)
            try:
                peer = await self._dial(profile.call_port, self._to_peer, profile.peer)
            except Refused:
                home.writer.close()
                raise
        except Refused as error:
            self.counts[f"refused: {error}"] += 1
            self._note(profile.owner, f"a channel was refused: {error}", False)
            return False
        self.counts["called"] += 1
        self._note(profile.owner, f"{profile.peer} had a channel opened to {profile.device}", True)
        task = asyncio.ensure_future(_pass_on(home, peer))
        self._open.add(task)
        task.add_done_callback(self._open.discard)
        return True

    async def _dial(self, port: int, context: ssl.SSLContext, name: str, mark: str = "") -> _Ends:
        """Raises Refused where nobody is there, or somebody else."""
        try:
            made = _Ends(*await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port, ssl=context), HANDSHAKE_S))
        except (OSError, TimeoutError):
            raise Refused(UNREACHABLE, "the other end cannot be reached, or its certificate is not trusted") from None
        shown: Any = made.writer.get_extra_info("ssl_object")
        other = hashlib.sha256(shown.getpeercert(binary_form=True) or b"").hexdigest()
        if (name and party(shown) != name) or (mark and other != mark):
            made.writer.close()
            raise Refused(NOT_ALLOWED, "somebody else answers than the profile names")
        return made


async def _asked(device: _Ends) -> tuple[str, int]:
    """The peer that a device names. Raises Refused, IncompleteReadError."""
    reader, writer = device
    version, methods = await reader.readexactly(2)
    if version != _VERSION:
        raise Refused(NOT_ALLOWED, "it is no SOCKS5")
    offered = await reader.readexactly(methods)
    if _NO_LOGIN not in offered:
        writer.write(bytes((_VERSION, _NO_METHOD)))
        raise asyncio.IncompleteReadError(offered, None)
    writer.write(bytes((_VERSION, _NO_LOGIN)))
    version, command, _, kind = await reader.readexactly(4)
    if kind == _NAME:
        (length,) = await reader.readexactly(1)
        host = (await reader.readexactly(length)).decode("ascii", "replace")
    elif kind in (_IPV4, _IPV6):
        host = (await reader.readexactly(4 if kind == _IPV4 else 16)).hex()
    else:
        raise Refused(NO_ADDRESS, "an address of an unknown kind")
    port = int.from_bytes(await reader.readexactly(2), "big")
    if version != _VERSION or command != _CONNECT:
        raise Refused(NO_COMMAND, "only CONNECT is done")
    return host, port


def _reply(code: int) -> bytes:
    return bytes((_VERSION, code, 0, _IPV4, 0, 0, 0, 0, 0, 0))


async def _pass_on(one: _Ends, other: _Ends) -> None:
    """Both ways until an end is closed, nothing comes for IDLE_S, or the session is over."""

    async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await asyncio.wait_for(source.read(CHUNK_BYTES), IDLE_S):
            to.write(data)
            await to.drain()

    pairs = (one.reader, other.writer), (other.reader, one.writer)
    ways = [asyncio.ensure_future(copy(source, to)) for source, to in pairs]
    try:
        await asyncio.wait(ways, timeout=SESSION_MOST_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (one, other):
            end.writer.close()
