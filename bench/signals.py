"""How a run ends early: asked to (Ctrl-C, SIGTERM, a terminal that is closed) or killed. When asked, worlds are closed,
brokers stopped and run.json is written of what was finished. Killed, nothing of it stays behind running: workers go
with their controller (sim.core.parent), brokers with their worker (sim.endpoint.supervised_process).
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import NoReturn

_asked = False


def listen() -> None:
    """SIGTERM and SIGHUP do what Ctrl-C does. A signal that is ignored already (nohup) stays ignored."""
    global _asked
    _asked = False
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(one) is not signal.SIG_IGN:
            signal.signal(one, _interrupt)


def obey() -> None:
    """Raises KeyboardInterrupt where it was raised before and lost, as in a finaliser, whose errors Python drops."""
    if _asked:
        raise KeyboardInterrupt


def forget_handled() -> None:
    """Python ends by SIGINT, whatever the exit code, after a KeyboardInterrupt that left an `exec` of text, even one
    that was caught further out (dataclasses and named tuples are made by such an `exec` while they are imported). The
    next `exec` of text clears that mark; `python -m` reads it only at the end."""
    exec("")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    global _asked
    _asked = True
    raise KeyboardInterrupt
