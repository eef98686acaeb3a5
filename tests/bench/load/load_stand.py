"""A load test whose generator and portal are threads of this process, so that they have what a test puts into it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bench.load import load_trial
from bench.load.brokers import Broker, OwnBroker
from bench.load.fleet_bundles import Sent
from bench.load.load_trial import Setting, Stand
from bench.load.sentence import Sentence
from bench.load.shapes.port import SHAPES

PATIENT = Sentence(within_s=20.0)
"""For loads that are to hold: no test asks how fast a machine is."""

SENT = Sent(gateways=4, telegrams=3)

NEEDS_C_CLIENT = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None, reason="allowed: mosquitto_pub is not on the PATH"
)


class Threaded:
    """See bench.spawned.Spawned."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self.pid = os.getpid()
        self.exit_code: int | None = None
        self._thread = threading.Thread(target=target, args=(theirs, *arguments), daemon=True)
        self._thread.start()

    def await_end(self) -> None:
        self._thread.join(20)

    def stop(self) -> None:
        self.pipe.close()
        self.await_end()


@contextmanager
def stand(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *,
    shape: str = "steady",
    kind: str = "mosquitto",
    sentence: Sentence = PATIENT,
    sent: Sent = SENT,
    seconds_s: float = 1.0,
    workers: int = 1,
    takers: int = 0,
    broker: Broker | None = None,
    scheduler: str = "",
) -> Iterator[Stand]:
    monkeypatch.setattr(load_trial, "Spawned", Threaded)
    setting = Setting(SHAPES.find(shape), sent, sentence, seconds_s, workers, takers=takers, scheduler=scheduler)
    with Stand(setting, broker or OwnBroker(kind, folder / "pki", takers), folder) as made:
        yield made
