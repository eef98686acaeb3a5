"""A dask.distributed cluster that runs already: `--scheduler tcp://HOST:8786`.

The library is an optional extra, imported only when asked for. The rule kept here: what a worker does counts only if
its code is this checkout's, by a digest of the folders that matter.

Its workers must be able to import the checkout: PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/dask worker tcp://HOST:8786
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

from bench import run_directory
from bench.run_errors import CannotRun

CONNECT_S: Final = 10
ADDRESS: Final = re.compile(r"((tcp|tls|ws|wss)://)?(\[[0-9A-Fa-f:.]+\]|[^\s/:@\[\]]+):\d{1,5}")
WORKERS_NEED: Final = "they run as PYTHONPATH=CHECKOUT CHECKOUT/.venv/bin/dask worker ADDRESS"
SIMULATION: Final = ("arrays", "sim", "wmbus")


@contextmanager
def connected(address: str) -> Iterator[tuple[ModuleType, Any]]:
    """(the library, a client) of a cluster that has workers. Raises CannotRun: no library, no scheduler there, no
    workers."""
    distributed = library()
    if not ADDRESS.fullmatch(address):  # dask would look for it half a minute, and end with a stack trace
        raise CannotRun(f"--scheduler {address}: this is no address of a scheduler; one is tcp://HOST:8786")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise CannotRun(f"--scheduler {address}: no dask scheduler answers there ({error})") from None
    with client:
        if not workers(client):
            raise CannotRun(f"--scheduler {address}: it has no workers; {WORKERS_NEED}")
        yield distributed, client


def workers(client: Any) -> list[str]:
    """Addresses of the workers."""
    return sorted(client.scheduler_info(n_workers=-1)["workers"])


@functools.cache
def code_digest(folders: tuple[str, ...] = SIMULATION) -> str:
    """Of these folders of the checkout as they stand here."""
    whole = hashlib.blake2b(digest_size=8)
    for folder in folders:
        for path in sorted((run_directory.ROOT / folder).rglob("*.py")):
            whole.update(str(path.relative_to(run_directory.ROOT)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def library() -> ModuleType:
    """dask.distributed. Raises CannotRun."""
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise CannotRun(
            "--scheduler needs dask.distributed, an optional extra: install it with ./wmbench setup scale"
        ) from None


def refuse_other_code(address: str, worker: str, theirs: str, ours: str) -> None:
    """Raises CannotRun where two digests differ."""
    if theirs != ours:
        raise CannotRun(
            f"--scheduler {address}: worker {worker} runs other code ({theirs}) than this checkout ({ours}): "
            "bring its checkout to the same commit and start it again"
        )


def cannot_import(address: str, error: ImportError) -> CannotRun:
    """What a worker says that lacks a module."""
    return CannotRun(f"--scheduler {address}: a worker cannot import {error.name}; {WORKERS_NEED}")
