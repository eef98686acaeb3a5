"""What is new is said, compiled and kept, by several processes at once too; and LLVM is asked only for what it has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from arrays import jit
from bench.run_directory import ROOT

_TWICE = """
import sys
from arrays.jit import compiled, njit
@njit(cache=True)
def twice(number):
    return later(number)
@njit()
def later(number):
    return FACTOR * number
FACTOR = 2
print(*[twice(eval(word)) for word in sys.argv[1:]], len(compiled.names))
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "twice.py"
    path.write_text(_TWICE, encoding="utf-8")
    return path


def begun(script: Path, *words: str, cache: Path | None = None) -> subprocess.Popen[str]:
    around = os.environ | {"NUMBA_CACHE_DIR": str(cache or script.parent / "cache"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, str(script), *words], env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def told(script: Path, *words: str, cache: Path | None = None) -> tuple[str, str]:
    out, err = begun(script, *words, cache=cache).communicate()
    return out, err


SAID = "wmbench: compiling code that is new, __main__.twice first; it is kept\n"


@pytest.mark.acceptance
def test_what_is_new_is_said_and_kept(script: Path) -> None:
    assert told(script, "21", "1.5") == ("42 3.0 4\n", SAID)
    assert told(script, "21", "1.5") == ("42 3.0 0\n", "")
    script.write_text(_TWICE.replace("FACTOR = 2", "FACTOR = 3"), encoding="utf-8")
    assert told(script, "21", "1.5") == ("63 4.5 4\n", SAID)
    script.write_text(_TWICE, encoding="utf-8")
    assert told(script, "21", "1.5") == ("42 3.0 0\n", "")


@pytest.mark.acceptance
def test_several_that_compile_at_once_keep_their_own_code(script: Path) -> None:
    """One function for other types in each process."""
    words = ["21", "1.5", "True", "1j"]
    for process in [begun(script, word) for word in words]:
        process.communicate()
    assert told(script, *words) == ("42 3.0 2 2j 0\n", "")


@pytest.mark.parametrize("ending", ["nbc", "nbi"])
@pytest.mark.acceptance
def test_what_a_killed_writer_left_out_is_compiled_again(script: Path, ending: str) -> None:
    told(script, "21")
    for file in (script.parent / "cache").rglob(f"twice.twice-*.{ending}"):
        file.unlink()
    assert told(script, "21") == ("42 1\n", SAID)
    assert told(script, "21") == ("42 0\n", "")


@pytest.mark.acceptance
def test_without_a_folder_code_is_compiled_and_not_kept(script: Path) -> None:
    in_the_way = script.parent / "file"
    in_the_way.touch()
    for _ in range(2):
        out, _ = told(script, "21", cache=in_the_way / "cache")
        assert out == "42 2\n"


@pytest.mark.acceptance
def test_where_no_lock_can_be_had(script: Path) -> None:
    told(script, "21")
    (lock,) = (script.parent / "cache").rglob(jit.LOCK)
    lock.unlink()
    lock.mkdir()  # root may write anywhere; this it cannot open either
    assert told(script, "21", "1.5") == ("42 3.0 2\n", SAID)
    assert told(script, "21", "1.5") == ("42 3.0 0\n", "")


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
    for setting, least in ({"NUMBA_CPU_NAME": "generic"}, "tables 8 False"), ({"NUMBA_ENABLE_AVX": "0"}, " 8 "):
        told = subprocess.run(
            [sys.executable, "-c", tell], cwd=ROOT, env=os.environ | setting, check=True, stdout=subprocess.PIPE
        ).stdout.decode()
        assert least in told


def test_without_a_compiler_it_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import arrays.jit"], cwd=ROOT, env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert "ImportError: numba compiles nothing where NUMBA_DISABLE_JIT is set" in done.stderr
