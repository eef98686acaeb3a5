"""Why a file cannot be opened: SQLite says the same of a wrong folder and of a process without a free descriptor."""

from __future__ import annotations

import errno
import os


def way_out(otherwise: str) -> str:
    """What to do after "unable to open": `otherwise`, or raise the limit where no file at all can be opened now."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            return "too many open files: raise the limit with ulimit -n 65536"
    return otherwise
