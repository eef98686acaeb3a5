"""A message repeats nothing raw, and no key: at every door that reads a file in which somebody may have put one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.options import Options, changed
from bench.run_directory import RunDirectoryError, find, read
from bench.run_errors import CannotRun
from bench.sweep.grid import load as load_sweep
from reports.wording import plain
from sim.core.quoting import LONGEST, hidden, named, quoted, shown
from sim.core.settings import SpecError
from sim.portal.keyring import Keyring, KeyringError
from sim.recording.log import BadLog, read_log
from sim.world_spec import load as load_world
from tests.small_worlds import TOML, dozen
from wmbus.explain import escaped

KEY = "9b38951d51bf6e730aa4d92a4bcf4eae"
CSV = f"QDS 10000001 36 08,{KEY}\n"
SHAPES = {
    "csv": CSV,
    "swapped": f"{KEY},QDS 10000001 36 08\n",
    "id alone": f"10000001,{KEY}\n",
    "semicolons": CSV.replace(",", ";"),
    "cut": f"{KEY}\n",
    "one digit short": CSV.replace(KEY, KEY[:-1]),
    "upper case": CSV.upper(),
    "toml": f'[[meter]]\naddress = "QDS 10000001 36 08"\nkey = "{KEY}"\n',
    "a key as a name": f'"{KEY}" = 1\n',
    "within a world": TOML + f'\n[portal]\nbilling = "{KEY}"\n',
    "a world's type": TOML.replace("qundis-q-caloric", KEY, 1),
    "json": f'{{"time": "{KEY}", "rssi": 1, "telegram": "{KEY}x"}}\n',
    "json mode": f'{{"time": 1, "telegram": "2e44", "mode": "{KEY}"}}\n',
}
DOORS: dict[str, Callable[[Path], object]] = {
    "log": read_log,
    "keys": Keyring.load,
    "world": load_world,
    "sweep": load_sweep,
    "run.json": lambda path: read(path.parent),
    "a run's name": lambda path: find(path.read_text(encoding="utf-8")),
}


@pytest.mark.parametrize("suffix", [".csv", ".toml"])
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_key_file_at_the_wrong_door(tmp_path: Path, shape: str, door: str, suffix: str) -> None:
    path = tmp_path / ("run.json" if door == "run.json" else f"mixed-up{suffix}")
    path.write_text(SHAPES[shape], encoding="utf-8")
    path.chmod(0o600)
    try:
        DOORS[door](path)
    except (BadLog, KeyringError, SpecError, RunDirectoryError, CannotRun) as error:
        said = hidden(str(error)) if door == "a run's name" else str(error)  # the command line hides words of its own
        assert KEY[:-1] not in said.lower()


@pytest.mark.parametrize("setting", [f"portal.billing={KEY}", f"{KEY}=1", f"portal.{KEY}=1", f"fleet.{KEY}.count=2"])
def test_a_key_on_the_command_line(tmp_path: Path, setting: str) -> None:
    with pytest.raises(SpecError) as error:
        changed(dozen(tmp_path), Options(None, (setting,)))
    assert KEY not in str(error.value)


def test_what_a_terminal_obeys_is_shown() -> None:
    assert shown("a\x1b[2Jb\u202ec\n") == "a\\x1b[2Jb\\u202ec\\n"
    assert shown("café, 5 °C") == "café, 5 °C"
    assert named("x\x07") == "x\\x07"


def test_one_rule_says_what_is_shown_in_messages_documents_and_frames() -> None:
    """A document differs by the letters that it is laid out by, and by nothing else."""
    every = "".join(map(chr, range(0x30000)))
    apart = [(one, other) for one, other in zip(map(shown, every), map(plain, every), strict=True) if one != other]
    assert apart == [("\\t", "\t"), ("\\u202f", "\u202f")]
    assert escaped(every) == shown(every)


def test_only_what_may_be_a_key_is_hidden() -> None:
    assert hidden(f"a {KEY} b") == "a (32 hex digits) b"
    assert hidden("10000001 and " + "ab" * 11) == "10000001 and " + "ab" * 11
    assert quoted(KEY.encode()) == "b'(32 hex digits)'"


@pytest.mark.parametrize(("length", "whole"), [(LONGEST - 2, True), (LONGEST - 1, False)])
def test_the_beginning_of_what_is_long(length: int, whole: bool) -> None:
    assert quoted("x" * length).endswith("...") is not whole
