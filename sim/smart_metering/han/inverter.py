"""A controllable inverter behind a gateway, and the participant who limits its feed-in: HTTP over the CLS channel, in
both directions. The objects are this model's; a real one speaks a protocol of its own inside the channel.

    inverter      GET /state    {"available_w", "limit_w", "feed_in_w"}        PUT /limit  {"limit_w": N}
    participant   GET /limit    {"limit_w": N}, for the device that asks       POST /state what the device reports
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Final

from sim.network.https_thread import HttpsHandler, HttpsThread

TIMEOUT_S: Final = 10.0
_BODY_MOST: Final = 4_096

Reply = tuple[int, object]


class Inverter:
    """`available_w`: what the sun gives; it feeds in no more than `limit_w`."""

    def __init__(self, available_w: int) -> None:
        self.available_w = available_w
        self.limit_w = available_w

    @property
    def feed_in_w(self) -> int:
        return min(self.available_w, self.limit_w)

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        if (method, path) == ("GET", "/state"):
            return 200, {"available_w": self.available_w, "limit_w": self.limit_w, "feed_in_w": self.feed_in_w}
        if (method, path) == ("PUT", "/limit"):
            return self.obey(body)
        return 404, {"error": "GET /state, PUT /limit"}

    def obey(self, body: bytes) -> Reply:
        """A limit as it came; one that is none changes nothing."""
        try:
            limit_w = json.loads(body)["limit_w"]
        except (ValueError, TypeError, KeyError):
            limit_w = None
        if type(limit_w) is not int or not 0 <= limit_w <= 10**9:
            return 400, {"error": "limit_w is a whole number of watts from 0 on"}
        self.limit_w = limit_w
        return 200, {"limit_w": limit_w}


class Controller:
    """The participant's side. `limit_w`: what the inverter may feed in; `reports`: states that it sent."""

    def __init__(self, limit_w: int) -> None:
        self.limit_w = limit_w
        self.reports: list[dict[str, int]] = []

    def answer(self, method: str, path: str, body: bytes) -> Reply:
        if (method, path) == ("GET", "/limit"):
            return 200, {"limit_w": self.limit_w}
        if (method, path) == ("POST", "/state"):
            try:
                told = json.loads(body)
                self.reports.append({str(name): int(value) for name, value in told.items()})
            except (ValueError, TypeError, AttributeError):
                return 400, {"error": "a state is an object of numbers"}
            return 204, None
        return 404, {"error": "GET /limit, POST /state"}


class ControlServer(HttpsThread):
    """One of both on the loopback, in TLS, from `start` to `stop`."""

    def __init__(self, context: ssl.SSLContext, answer: Callable[[str, str, bytes], Reply], *, port: int = 0) -> None:
        made = context

        class Handler(HttpsHandler):
            context = made
            handshake_s = idle_s = TIMEOUT_S
            body_most_bytes = _BODY_MOST

            def _do(self) -> None:
                if (body := self.body()) is None:
                    self.send_error(413)
                    return
                status, told = answer(self.command, self.path, body)
                said = b"" if told is None else json.dumps(told).encode()
                self.say(status, said, [("Content-Type", "application/json")])

            do_GET = do_PUT = do_POST = _do

        super().__init__(Handler, "control", port=port)
