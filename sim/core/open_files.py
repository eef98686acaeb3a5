"""Why a file cannot be opened or written: SQLite says the same of a wrong folder and of a process without a free
descriptor, and of a bad disk and a shell's limit of file sizes."""

from __future__ import annotations

import errno
import os
import resource

_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE)
OPEN_FILES = "too many open files: raise the limit with ulimit -n 65536"
FILE_SIZE = "a file reached the size limit of this shell: raise it with ulimit -f unlimited"


def way_out(otherwise: str, error: BaseException | None = None) -> str:
    """What to do about a file: `otherwise`, or raise the limit that stands in the way. `error`: what was raised, where
    it has a number; without one the limits themselves are tried."""
    number = getattr(error, "errno", None)
    if number in _NO_DESCRIPTOR:
        return OPEN_FILES
    if number == errno.EFBIG:
        return FILE_SIZE
    if number is not None:
        return otherwise
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as refused:
        if refused.errno in _NO_DESCRIPTOR:
            return OPEN_FILES
    return otherwise


def size_is_limited() -> bool:
    """Files of this process may only grow so far: what SQLite then says is "disk I/O error"."""
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY
