"""The ends of a CLS channel in these tests: a participant who waits for one, a device that asks for one."""

from __future__ import annotations

import http.client
import socket
import ssl

from sim.core.clock import wall_s
from sim.smart_metering.han.inverter import TIMEOUT_S


class CallPort:
    """Where the participant waits for a channel that it wanted; it asks through whatever the gateway opens."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(TIMEOUT_S)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """One request through the next channel. Raises OSError where none comes or it breaks off."""
        plain, _ = self._listener.accept()
        plain.settimeout(TIMEOUT_S)
        with self._context.wrap_socket(plain, server_side=True) as channel:
            return over(channel, method, path, body)

    def close(self) -> None:
        self._listener.close()


def over(channel: socket.socket, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    """One HTTP request through a socket that is there already. Raises OSError, http.client.HTTPException."""
    head = f"{method} {path} HTTP/1.1\r\nHost: cls\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    channel.sendall(head.encode() + body)
    answer = http.client.HTTPResponse(channel, method=method)
    answer.begin()
    return answer.status, answer.read()


def through_proxy(context: ssl.SSLContext, port: int, address: tuple[str, int]) -> ssl.SSLSocket:
    """A device's way out: TLS to its gateway's proxy, SOCKS5 inside to its peer. Raises OSError where it is refused."""
    host, peer_port = address
    end_s = wall_s() + TIMEOUT_S
    channel = context.wrap_socket(socket.create_connection(("127.0.0.1", port), TIMEOUT_S))
    name = host.encode("ascii")
    channel.sendall(b"\x05\x01\x00\x05\x01\x00\x03" + bytes((len(name),)) + name + peer_port.to_bytes(2, "big"))
    told = b""
    while len(told) < 12 and wall_s() < end_s:
        more = channel.recv(12 - len(told))
        if not more:
            break
        told += more
    if told[:4] != b"\x05\x00\x05\x00":
        channel.close()
        raise ConnectionRefusedError(f"the proxy refuses, reply {told[3] if len(told) > 3 else 'none'}")
    return channel
