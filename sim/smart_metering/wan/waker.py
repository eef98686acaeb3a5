"""The one port on a gateway's WAN side: datagrams come in, and nothing ever goes out of it."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable

from sim.smgw.wake_up import MOST_BYTES, WakeUps


class Waker:
    """Listens on one address until `stop`; `call()` is done for each datagram that wakes. `counts`: what became of
    them."""

    def __init__(
        self, wake_ups: WakeUps, now_s: Callable[[], int], call: Callable[[], None], address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:  # fmt: skip
        self.counts: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, port))
        self._socket.settimeout(0.1)
        self._stopped = threading.Event()
        self._wake_ups, self._now_s, self._call = wake_ups, now_s, call
        self._thread = threading.Thread(target=self._listen, name="wake-up", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def _listen(self) -> None:
        while not self._stopped.is_set():
            try:
                datagram = self._socket.recv(MOST_BYTES + 1)
            except TimeoutError:
                continue
            except OSError:
                return
            became = self._wake_ups.heed(datagram, self._now_s())
            self.counts[became] += 1
            if became == "woken":
                self._call()

    def stop(self) -> None:
        """Idempotent; leaves no thread and no port."""
        self._stopped.set()
        self._thread.join()
        self._socket.close()
