"""A request to end that Python dropped is obeyed at the end of the window."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import pytest

from bench import signals


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def ask(one: signal.Signals) -> None:
    os.kill(os.getpid(), one)
    time.sleep(5)  # cut short by it


class Finalised:
    """What raises while it is thrown away raises nowhere else."""

    def __del__(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            ask(signal.SIGTERM)


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_raises_at_once_and_again_until_somebody_listens_anew(asked: signal.Signals) -> None:
    signals.listen()
    signals.obey()
    with pytest.raises(KeyboardInterrupt):
        ask(asked)
    with pytest.raises(KeyboardInterrupt):
        signals.obey()
    signals.listen()
    signals.obey()


def test_one_that_got_lost_is_obeyed_later() -> None:
    signals.listen()
    Finalised()
    with pytest.raises(KeyboardInterrupt):
        signals.obey()
