"""Each telegram as one HTTP POST to the address that a product listens on. One thread sends, in order."""

from __future__ import annotations

import contextlib
import http.client
import os
import queue
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sim.core.quoting import named
from sim.core.settings import number
from sim.feeders.lines.port import Answer, LineError, LineKind, LineSpec

WAITING_MOST: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPostSpec(LineSpec):
    """`url`: http://host:port/path. `content_type`: of each body, which is what the format writes for one telegram."""

    kind: str = "http_post"
    url: str
    content_type: str = "text/plain"
    timeout_s: float = number(5.0, low=0.1, high=600.0)


class HttpPost:
    """See port.Line."""

    broken = ""

    def __init__(self, spec: HttpPostSpec) -> None:
        self.place = spec.url
        self._spec = spec
        self._waiting: queue.Queue[bytes | None] = queue.Queue(WAITING_MOST)
        self._thread: threading.Thread | None = None
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        return self._problem

    def open(self, answer: Answer) -> None:
        parts = urlsplit(self._spec.url)
        if parts.scheme != "http" or not parts.hostname:
            raise LineError(f"{named(self._spec.url)}: a url like http://127.0.0.1:8080/telegrams is needed")
        self._thread = threading.Thread(target=self._send_all, name="http post", daemon=True)
        self._thread.start()

    def attach(self, descriptor: int) -> None:
        os.close(descriptor)

    def send(self, data: bytes) -> int:
        if self._thread is None:
            return 0
        try:
            self._waiting.put_nowait(data)
        except queue.Full:
            self._problem = f"{self.place} takes too little: {WAITING_MOST} telegrams wait"
            return 0
        return len(data)

    def close(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._waiting.get_nowait()
            self._waiting.put(None)
            thread.join(self._spec.timeout_s + 1.0)

    def _send_all(self) -> None:
        parts = urlsplit(self._spec.url)
        assert parts.hostname is not None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        while (data := self._waiting.get()) is not None:
            connection = None
            try:
                connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=self._spec.timeout_s)
                connection.request("POST", path, data, {"Content-Type": self._spec.content_type})
                status = connection.getresponse().status
                self._problem = None if 200 <= status < 300 else f"{self.place} answered {status}; see its log"
            except (OSError, http.client.HTTPException, ValueError) as error:
                said = getattr(error, "strerror", None) or type(error).__name__
                self._problem = f"{self.place}: {said}; see that the product listens there"
            finally:
                if connection is not None:
                    connection.close()


def _make(spec: HttpPostSpec, _directory: Path, _bits_per_s: int | None) -> HttpPost:
    return HttpPost(spec)


LINE = LineKind("http_post", "HTTP, one POST a telegram", HttpPostSpec, _make)
