"""numba's cache outlives two that compile at once, a kill and a power cut; and LLVM is asked only for what it has."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from bench.run_directory import ROOT

caching: Any = pytest.importorskip("numba.core.caching")
from arrays import jit, keeping  # noqa: E402 - importing it is what keeps the cache safe


@pytest.fixture(autouse=True)
def _nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources may be changed while tests run."""
    monkeypatch.setattr(keeping, "ask", {})


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


def test_a_writer_that_is_killed_leaves_no_number_of_older_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was killed: the older source's code stands where the new one's would."""

    class Killed(BaseException):
        pass

    def killed(*_arguments: Any) -> None:
        raise Killed

    old = caching.IndexDataCacheFile(str(tmp_path), "function", "yesterday")
    new = caching.IndexDataCacheFile(str(tmp_path), "function", "today")
    for step in ("_save_data", "_save_index"):
        old.save("a", "code of yesterday")
        with monkeypatch.context() as patched:
            patched.setattr(caching.IndexDataCacheFile, step, killed)
            with pytest.raises(Killed):
                new.save("a", "code of today")
        assert new.load("a") is None
        assert old.load("a") in (None, "code of yesterday")
    new.save("a", "code of today")
    assert new.load("a") == "code of today" and old.load("a") is None


def test_a_file_that_was_cut_off_is_written_anew(tmp_path: Path) -> None:
    cache = caching.IndexDataCacheFile(str(tmp_path), "function", "stamp")
    for ending, left in (("nbc", 0), ("nbc", 9), ("nbi", 0), ("nbi", 40)):
        cache.save("a", "code of a")
        (file,) = tmp_path.glob(f"*.{ending}")
        file.write_bytes(file.read_bytes()[:left])
        assert cache.load("a") is None
        cache.save("a", "code of a")
        assert cache.load("a") == "code of a"


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_arguments: Any) -> None:
        raise OSError("no locks available")

    monkeypatch.setattr(jit.fcntl, "flock", none)
    cache = caching.IndexDataCacheFile(str(tmp_path), "function", "stamp")
    cache.save("a", "code of a")
    assert cache.load("a") == "code of a"


def test_without_any_folder_code_is_compiled_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout that is read-only, and no home."""
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])

    @jit.njit(cache=True)
    def twice(number: Any) -> Any:
        return 2 * number

    assert twice(21) == 42


def test_nothing_is_kept_that_may_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = caching.IndexDataCacheFile(str(tmp_path), "function", "stamp")
    monkeypatch.setattr(keeping, "ask", {"never": lambda: False})
    cache.save("a", "code of a")
    assert not list(tmp_path.iterdir()) and cache.load("a") is None


def test_only_what_numba_compiles_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jit._config, "CPU_FEATURES", "+aes,-vaes,+ssse3")
    monkeypatch.setattr(jit.binding, "get_process_triple", lambda: "x86_64-unknown-linux-gnu")
    assert jit.compiles_for("aes") and jit.compiles_for("aes", "ssse3")
    assert not jit.compiles_for("aes", "vaes") and not jit.compiles_for("pclmul")
    monkeypatch.setattr(jit.binding, "get_process_triple", lambda: "aarch64-unknown-linux-gnu")
    assert not jit.compiles_for("aes")


def test_a_processor_named_by_the_environment_has_no_more_than_that() -> None:
    """LLVM would abort at the first telegram."""
    tell = (
        "from arrays import aes_encrypt, ciphers, crc_instructions\n"
        "print(ciphers.engine(), aes_encrypt.LANES, crc_instructions.has_products())"
    )
    for setting, least in ({"NUMBA_CPU_NAME": "generic"}, "numba 8 False"), ({"NUMBA_ENABLE_AVX": "0"}, " 8 "):
        told = subprocess.run(
            [sys.executable, "-c", tell], cwd=ROOT, env=os.environ | setting, check=True, stdout=subprocess.PIPE
        ).stdout.decode()
        assert least in told


def test_where_numba_compiles_nothing_numpy_does_it() -> None:
    tell = "from arrays import ciphers; print(ciphers.engines())"
    told = subprocess.run(
        [sys.executable, "-c", tell], cwd=ROOT, env=os.environ | {"NUMBA_DISABLE_JIT": "1"}, check=True,
        stdout=subprocess.PIPE,
    ).stdout  # fmt: skip
    assert told == b"('numpy',)\n"
