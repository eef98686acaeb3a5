"""A PostgreSQL server of our own for tests: in a folder that is deleted, on a Unix socket, not as root."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_TRIES = 600  # a tenth of a second each


def programs() -> Path | None:
    """The folder of the newest server on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[4]))
    return found[-1].parent if found else None


def _user() -> dict[str, int]:
    """The server refuses to run as root; then it is the user that the package made, or nobody."""
    if os.geteuid() != 0:
        return {}
    names = {one.pw_name: one for one in pwd.getpwall()}
    other = names.get("postgres") or names["nobody"]
    return {"user": other.pw_uid, "group": other.pw_gid}


@contextmanager
def running(bin_: Path) -> Iterator[str]:
    """The URL of an empty database; the server is stopped and its folder deleted afterwards."""
    other = _user()
    folder = Path(tempfile.mkdtemp(prefix="wmbench-pg-"))
    try:
        if other:
            os.chown(folder, other["user"], other["group"])
        around = {"LC_ALL": "C", "PATH": os.environ["PATH"]}
        made = subprocess.run(
            [bin_ / "initdb", "-D", folder / "data", "-U", "wmbench", "-A", "trust", "-E", "UTF8", "-N"],
            capture_output=True, text=True, env=around, cwd="/", **other,  # type: ignore[call-overload]
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
        with (folder / "log").open("w") as log:
            server = subprocess.Popen(
                [bin_ / "postgres", "-D", folder / "data", "-k", folder, "-h", ""],
                stdout=log, stderr=log, env=around, cwd="/", **other,
            )  # fmt: skip
        try:
            ready = [bin_ / "pg_isready", "-h", folder, "-q"]
            for _ in range(START_TRIES):
                if server.poll() is not None or subprocess.run(ready, env=around).returncode == 0:
                    break
                time.sleep(0.1)
            else:
                raise AssertionError((folder / "log").read_text())
            assert server.poll() is None, (folder / "log").read_text()
            yield f"postgresql://wmbench@/postgres?host={folder}"
        finally:
            server.send_signal(signal.SIGINT)  # sessions that are open are ended
            server.wait()
    finally:
        shutil.rmtree(folder)
