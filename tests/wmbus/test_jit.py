"""Two that compile at the same instant do not store one's code under the other's name."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

import pytest

caching: Any = pytest.importorskip("numba.core.caching")
import wmbus.jit  # noqa: E402, F401 - what is tested is what importing it does


def test_two_that_save_at_once_keep_their_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    load_index = caching.IndexDataCacheFile._load_index

    def met(self: Any) -> Any:
        """Whoever has read the list of numbers gives the other the time to read the same."""
        known = load_index(self)
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.2)
        return known

    def file() -> Any:
        return caching.IndexDataCacheFile(str(tmp_path), "function", "stamp")

    with monkeypatch.context() as patched:
        patched.setattr(caching.IndexDataCacheFile, "_load_index", met)
        savers = [threading.Thread(target=lambda n=n: file().save(n, f"code of {n}")) for n in ("a", "b")]
        for saver in savers:
            saver.start()
        for saver in savers:
            saver.join()
    assert [file().load(n) for n in ("a", "b")] == ["code of a", "code of b"]


def test_a_cache_that_cannot_be_written_is_still_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = caching.IndexDataCacheFile(str(tmp_path), "function", "stamp")
    cache.save("a", "code of a")
    (tmp_path / "function.nbi.lock").unlink()
    (tmp_path / "function.nbi.lock").mkdir()  # root may write anywhere; this it cannot open either
    assert cache.load("a") == "code of a"
