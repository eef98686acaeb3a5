"""./wmbench in copies of its own, with a wheel made here as the only requirement: no network, and real hashes."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from arrays import cache_folder
from tests.bench.command_line import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent.parent
SAYS = "import sys, tiny; print(tiny.VERSION, *sys.argv[1:])"
COMPILES = """
import sys
from arrays import cache_folder
print(cache_folder.COMPILING, file=sys.stderr)
place = cache_folder.mark()
place.parent.mkdir(parents=True, exist_ok=True)
with (place.parent / "times").open("a") as times:
    times.write("once ")
place.touch()
"""


def make_wheel(folder: Path, version: str, package: str = "tiny") -> str:
    """A package; returns its line for requirements.txt."""
    info = f"{package}-{version}.dist-info"
    files = {
        f"{package}.py": f"VERSION = '{version}'\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},\n"
        for name, text in files.items()
    )
    wheel = folder / f"{package}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)
    return f"{package} @ {wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the launcher, a bench that names its arguments, one requirement, and a part that counts how
    often it was to compile."""
    place = tmp_path / "a checkout"  # blanks happen
    (place / "bench").mkdir(parents=True)
    (place / "bench" / "__main__.py").write_text(SAYS, encoding="utf-8")
    (place / "sim" / "city").mkdir(parents=True)
    (place / "sim" / "city" / "warm_up.py").write_text(COMPILES, encoding="utf-8")
    (place / "arrays").mkdir()
    shutil.copy(ROOT / "arrays" / "cache_folder.py", place / "arrays")
    shutil.copy(ROOT / "wmbench", place)
    (place / "requirements.txt").write_text(make_wheel(tmp_path, "1.0"), encoding="utf-8")
    return place


def wmbench(checkout: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(checkout / "wmbench"), *words],
        capture_output=True,
        text=True,
        cwd="/",
        env={**os.environ, "XDG_CACHE_HOME": str(checkout.parent / "cache"), **environment},
    )


def with_python_of_ours(checkout: Path) -> None:
    """A .venv like the launcher's but for its stamp, in a tenth of the time: without pip's installation."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(checkout / ".venv")], check=True)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def borrowing(checkout: Path) -> None:
    """What the launcher borrows a pip with."""
    (checkout / "sim" / "endpoint").mkdir()
    shutil.copy(ROOT / "sim" / "endpoint" / "apt_packages.py", checkout / "sim" / "endpoint")


def stamp(checkout: Path) -> Path:
    return checkout / ".venv" / "wmbench-stamp.json"


@pytest.mark.acceptance
def test_first_use_prepares_and_the_second_does_not(checkout: Path) -> None:
    first = wmbench(checkout, "list", "a b")
    assert (first.returncode, first.stdout) == (0, "1.0 list a b\n"), first.stderr
    assert "making .venv" in first.stderr
    assert json.loads(stamp(checkout).read_text())["place"] == str(checkout / ".venv")
    made = stamp(checkout).stat().st_mtime_ns
    second = wmbench(checkout, "--help")
    assert (second.stdout, second.stderr) == ("1.0 --help\n", "")
    assert stamp(checkout).stat().st_mtime_ns == made

    # Through a link, from a folder that has a bench of its own.
    elsewhere = checkout.parent / "elsewhere"
    (elsewhere / "bench").mkdir(parents=True)
    (elsewhere / "bench" / "__main__.py").write_text("print('the wrong one')", encoding="utf-8")
    (elsewhere / "w").symlink_to(checkout / "wmbench")
    linked = subprocess.run([elsewhere / "w", "run"], capture_output=True, text=True, cwd=elsewhere)
    assert linked.stdout == "1.0 run\n"

    # New requirements are installed, over the old ones.
    (checkout / "requirements.txt").write_text(make_wheel(checkout.parent, "2.0"), encoding="utf-8")
    changed = wmbench(checkout, "run")
    assert changed.stdout == "2.0 run\n"
    assert "up to date" in changed.stderr

    # A checkout that was moved: its scripts point to where it was.
    moved = checkout.rename(checkout.parent / "moved")
    assert "making .venv" in wmbench(moved, "setup").stderr
    assert wmbench(moved).stdout == "2.0\n"


@pytest.mark.acceptance
def test_code_is_compiled_once_for_its_sources(checkout: Path) -> None:
    with_python_of_ours(checkout)
    first = wmbench(checkout, "setup")
    assert "compiling what is new" in first.stderr and "compiled in" in first.stderr
    times = checkout / ".cache" / "compiled" / "times"
    assert "compil" not in wmbench(checkout, "setup").stderr and times.read_text() == "once "
    with (checkout / "arrays" / "cache_folder.py").open("a", encoding="utf-8") as source:
        source.write("# edited\n")
    assert "compiling what is new" in wmbench(checkout, "run").stderr and times.read_text() == "once once "

    # No compiled code is made from an alarm, so one that is added is no reason to compile; a check is one.
    for folder, count in (("alarms", 2), ("checks", 3)):
        (checkout / "sim" / "portal" / folder).mkdir(parents=True)
        (checkout / "sim" / "portal" / folder / "mine.py").write_text("# mine", encoding="utf-8")
        said = wmbench(checkout, "run").stderr
        assert ("compil" in said) == (folder == "checks") and times.read_text() == "once " * count

    # One that ended before all was there leaves no mark.
    warm_up = checkout / "sim" / "city" / "warm_up.py"
    warm_up.write_text("raise MemoryError('no room')", encoding="utf-8")
    for _ in range(2):
        failed = wmbench(checkout, "run")
        assert (failed.returncode, failed.stdout) == (2, "")
        assert failed.stderr.splitlines()[-1] == (
            "wmbench: the loops over arrays could not be compiled (MemoryError: no room)"
        )
    # A part of the user's that cannot be read: its file is named, and not the loops.
    broken = "/x/gateways/mine.py, line 3: cannot be imported: NameError: name 'Kind' is not defined"
    warm_up.write_text(
        f"import sys\nfrom arrays import cache_folder\nsys.exit(cache_folder.TO_MEND + {broken!r})", encoding="utf-8"
    )
    assert wmbench(checkout, "list").stderr == f"wmbench: {broken}\n"
    # One that was killed after it had begun: that it began is no reason.
    warm_up.write_text(f"{COMPILES.partition('place =')[0]}sys.exit(3)", encoding="utf-8")
    assert wmbench(checkout, "list").stderr.splitlines() == [
        cache_folder.COMPILING, "wmbench: the loops over arrays could not be compiled (it ended with 3)"
    ]  # fmt: skip
    warm_up.write_text(COMPILES, encoding="utf-8")
    assert wmbench(checkout, "run").stdout == "1.0 run\n" and times.read_text() == "once " * 3


@pytest.mark.acceptance
def test_an_extra_is_added_and_kept(checkout: Path) -> None:
    with_python_of_ours(checkout)
    (checkout / "requirements-scale.txt").write_text(make_wheel(checkout.parent, "1.0", "wide"), encoding="utf-8")
    (checkout / "bench" / "__main__.py").write_text("import tiny, wide; print(tiny.VERSION, wide.VERSION)")
    assert "No module named 'wide'" in wmbench(checkout, "run").stderr
    added = wmbench(checkout, "setup", "scale")
    assert added.returncode == 0, added.stderr
    assert "up to date with requirements.txt and requirements-scale.txt" in added.stderr
    assert wmbench(checkout, "run").stdout == "1.0 1.0\n"
    assert wmbench(checkout, "setup").stderr == "wmbench: ready\n"

    # Later requirements of either kind are installed, and a setup that was cut short knows what it was for.
    (checkout / "requirements-scale.txt").write_text(make_wheel(checkout.parent, "2.0", "wide"), encoding="utf-8")
    assert wmbench(checkout, "run").stdout == "1.0 2.0\n"
    stamp(checkout).write_text("unfinished scale\n", encoding="utf-8")
    assert wmbench(checkout, "run").stdout == "1.0 2.0\n"
    assert json.loads(stamp(checkout).read_text())["extras"] == ["scale"]


def test_an_unknown_extra_is_refused(checkout: Path) -> None:
    done = wmbench(checkout, "setup", "scales")
    said = "wmbench: setup: there is no extra 'scales'; known: scale, oscal, aws, aws-tests, solver\n"
    assert (done.returncode, done.stderr) == (2, said)
    assert not (checkout / ".venv").exists()


@pytest.mark.acceptance
def test_a_half_made_environment_is_made_again(checkout: Path) -> None:
    with_python_of_ours(checkout)
    stamp(checkout).write_text("unfinished\n", encoding="utf-8")
    done = wmbench(checkout, "run")
    assert done.stdout == "1.0 run\n", done.stderr
    assert "making .venv" in done.stderr


def test_an_interrupted_first_use_says_so_and_is_marked(checkout: Path) -> None:
    os.mkfifo(checkout / "never")  # what pip reads there never comes, so it cannot be done before we interrupt it
    with (checkout / "requirements.txt").open("a", encoding="utf-8") as requirements:
        requirements.write("-r never\n")
    process = subprocess.Popen(
        [sys.executable, str(checkout / "wmbench"), "run"], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    end_s = time.monotonic() + PATIENCE_S
    while not (stamp(checkout).exists() and stamp(checkout).read_text()) and time.monotonic() < end_s:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=PATIENCE_S)[1]
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert stamp(checkout).read_text() == "unfinished\n"


@pytest.mark.acceptance
def test_two_first_uses_at_once_take_turns(checkout: Path) -> None:
    command = [sys.executable, str(checkout / "wmbench"), "run"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE_S) for process in both]
    assert [out for out, _ in said] == ["1.0 run\n", "1.0 run\n"]
    assert sum("making .venv" in err for _, err in said) == 1


@pytest.mark.acceptance
def test_a_python_that_cannot_give_pip_borrows_one(checkout: Path) -> None:
    """As on a Debian without python3-venv. The pip is the system's wheel, or comes out of its package."""
    edit(checkout / "wmbench", '[sys.executable, "-m", "venv", str(VENV)]', '["false"]')
    borrowing(checkout)
    done = wmbench(checkout, "run")
    assert "making one without" in done.stderr
    if shutil.which("apt-get"):
        assert done.stdout == "1.0 run\n", done.stderr
    else:
        assert "sudo apt install python3-venv" in done.stderr


def test_without_any_pip_it_says_what_to_install(checkout: Path) -> None:
    """No wheel of the system's, and no apt-get on the PATH."""
    edit(checkout / "wmbench", "/usr/share/python-wheels", "/nonexistent")
    borrowing(checkout)
    with_python_of_ours(checkout)
    done = wmbench(checkout, "run", PATH="/nonexistent")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "wmbench: there is no pip here (this system has no apt-get). Install one: sudo apt install python3-venv"
    )
    assert stamp(checkout).read_text() == "unfinished\n"


@pytest.mark.acceptance
def test_a_changed_package_is_refused(checkout: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tiny-1.0-py3-none-any.whl", "a") as archive:
        archive.writestr("evil.py", "")
    done = wmbench(checkout, "run")
    assert done.returncode == 2
    assert "HASHES" in done.stderr
    assert "Traceback" not in done.stderr
    assert stamp(checkout).read_text() == "unfinished\n"


def test_a_folder_that_cannot_be_written_is_named(checkout: Path) -> None:
    (checkout / ".cache").write_text("in the way", encoding="utf-8")
    done = wmbench(checkout, "run")
    assert done.returncode == 2
    assert "a folder it can write in" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_old_python_gets_one_line() -> None:
    """The whole file must parse there, and nothing may come before the question."""
    source = (ROOT / "wmbench").read_text(encoding="utf-8")
    body = ast.parse(source, feature_version=(3, 7)).body
    assert isinstance(body[1], ast.Import)
    assert [alias.name for alias in body[1].names] == ["sys"]
    assert isinstance(body[2], ast.If)
    old = "import sys; sys.version_info = (3, 9, 2, 'final', 0); sys.argv = ['./wmbench']\n" + source
    done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("wmbench: this is Python 3.9 (")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["requirements", "requirements-scale", "requirements-oscal", "requirements-solver"])
def test_everything_required_is_pinned_with_hashes(name: str) -> None:
    lines = (ROOT / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    said = (ROOT / f"{name}.in").read_text(encoding="utf-8").splitlines()
    wanted = {re.split(r"[\[<]", line)[0] for line in said if line[:1].isalpha()}
    assert wanted <= pinned
    for number, line in enumerate(lines):
        if line[:1].isalpha():
            assert line.endswith(" \\"), line
            assert lines[number + 1].startswith("    --hash=sha256:"), line


def test_extras_pin_no_package_twice_with_two_versions() -> None:
    """They are installed together, and pip refuses what contradicts itself."""
    pinned: dict[str, str] = {}
    for path in sorted(ROOT.glob("requirements*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line[:1].isalpha() and "==" in line:
                name, version = line.split()[0].split("==")
                assert pinned.setdefault(name, version) == version, f"{name} in {path.name}"
