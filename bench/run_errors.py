"""Errors that are no fault of wmbench, with messages for the person who can mend them.

Each room raises its own error whose message names cause and way out; what the machine refuses (a full disk, no rights)
gets its words here. Anything else is a fault of wmbench: it keeps its traceback in scenario.json and junit.xml, and the
terminal gets one line.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator

from sim.core.quoting import hidden


class CannotRun(Exception):
    """A command or a scenario cannot be carried out; the message names cause and way out."""


class Inconclusive(Exception):
    """The attack never reached its target, or its control did not succeed: nothing is proven either way."""


class Failed(Exception):
    """A verdict, a measure or an invariant is not what it must be."""


DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MACHINE = {
    errno.ENOSPC: "free some space (old runs under runs/ can be deleted) or give another place with --runs DIR",
    errno.EDQUOT: "your quota is used up: delete old runs under runs/ or give another place with --runs DIR",
    errno.EFBIG: "a file reached the size limit of this shell: raise it with ulimit -f unlimited",
    errno.EROFS: "give a place that can be written with --runs DIR",
    errno.EACCES: "make the place yours (chown, chmod) or give another one with --runs DIR",
    errno.EPERM: "make the place yours (chown, chmod) or give another one with --runs DIR",
    errno.EMFILE: "raise the limit of open files: ulimit -n 65536",
    errno.ENFILE: "this machine has too many open files: close other programs",
    errno.ENOMEM: "run fewer meters or fewer scenarios side by side",
    errno.EIO: "the disk reports a fault: give another place with --runs DIR",
}


def explained(error: BaseException) -> str | None:
    """One message for people, or None for an error that no rule here explains."""
    for one in _chain(error):
        if isinstance(one, OSError) and one.errno in _MACHINE:
            where = f" ({one.filename})" if one.filename else ""
            return f"{one.strerror}{where}: {_MACHINE[one.errno]}"
    if isinstance(error, MemoryError):
        return f"not enough memory: {_MACHINE[errno.ENOMEM]}"
    if isinstance(error, _foreseen()):
        return str(error) or type(error).__name__
    return None


def complain(text: str) -> None:
    """A line on standard error, whatever came from outside shown and never raw, and never a key."""
    print("wmbench: " + "\n".join(map(hidden, text.splitlines())), file=sys.stderr)


def disk_is_full(error: BaseException) -> bool:
    """Nothing that writes can go well from here on."""
    full = ("no space", "disk is full", "disk full")  # SQLite's words, passed on by stores and outboxes
    return any(
        (isinstance(one, OSError) and one.errno in DISK_FULL) or any(words in str(one).lower() for words in full)
        for one in _chain(error)
    )


def of_kind(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether it is such an error, or was raised because of one."""
    return any(isinstance(one, kind) for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """SimPy raises a copy of what a process raised; the original, with its file name, is the cause."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _foreseen() -> tuple[type[BaseException], ...]:
    """Imported when something has gone wrong, so that `list` need not wait for brokers and stores."""
    from bench.cli.catalogue import NotFound
    from bench.run_directory import RunDirectoryError
    from reports.run_model import RunError
    from sim.core.parts import PartError, UnknownPart
    from sim.core.seeds import SeedError
    from sim.core.settings import SpecError
    from sim.desk.box import BoxError
    from sim.endpoint.apt_packages import CannotFetch
    from sim.endpoint.port import EndpointError
    from sim.faults.port import CannotInject
    from sim.gateway.outbox import OutboxError
    from sim.lockstep import NotSettled
    from sim.pki.authority import PkiError
    from sim.portal.keyring import KeyringError
    from sim.portal.store import StoreError
    from sim.recording.log import BadLog

    return (
        BoxError,
        BadLog, CannotFetch, CannotInject, CannotRun, EndpointError, KeyringError, NotFound, NotSettled, OutboxError,
        PartError, PkiError, RunDirectoryError, RunError, SeedError, SpecError, StoreError, UnknownPart,
    )  # fmt: skip
