"""Set-up's part for compiled code: what a run calls compiled is compiled, by playing a small city and a small world.

    python -m sim.city.warm_up            all of it; returns at once where it was done for these sources
    python -m sim.city.warm_up --part     telegrams alone, into $NUMBA_CACHE_DIR

Two processes share the work: what makes telegrams is compiled by one of its own, in a folder of its own, whose files
are moved in when it has ended. Two that are started at once take turns, and the second finds it done. A mark says that
all is there; it is made last, so a set-up that was killed is done again, and finds what it had compiled.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arrays import cache_folder, jit
from sim.core import own
from sim.core.clock import NS_PER_S, wall_s
from sim.core.parts import to_mend

if TYPE_CHECKING:  # here nothing is imported that asks for parts, one of which may be broken: `main` says which
    from sim.world_spec import WorldSpec

_MARKS, _VERSIONS, _CONTENTS = 16, 3, 4  # how many are kept: marks, folders, contents of one function
_PART = "part-"
_COMMAND = [sys.executable, "-m", "sim.city.warm_up", "--part"]
_KEPT_CODE = re.compile(r"(?P<function>.*)-[0-9a-f]{20}\.")


def compile_all() -> int:
    """Compile what is not compiled yet; returns how many functions this process compiled. Raises OSError where the
    folder cannot be written."""
    place = cache_folder.base()
    place.mkdir(parents=True, exist_ok=True)
    with cache_folder.locked(place / "setup.lock"):
        done = cache_folder.mark()  # of the sources as they were loaded; they may change meanwhile
        if done.exists():
            return 0
        _read_parts()
        print(cache_folder.COMPILING, file=sys.stderr, flush=True)
        for left in place.glob(f"{_PART}*"):  # of one that was killed
            shutil.rmtree(left)
        jit.compiled.quiet = True
        with tempfile.TemporaryDirectory(prefix=_PART, dir=place) as part:
            here, own = jit.folder(), Path(part) / jit.folder().name
            here.mkdir(exist_ok=True)
            with cache_folder.locked(here / jit.LOCK):
                shutil.copytree(here, own, ignore=shutil.ignore_patterns("*.tmp.*"))
            around = os.environ | {"NUMBA_CACHE_DIR": part}
            with subprocess.Popen(_COMMAND, cwd=cache_folder.ROOT, env=around) as telegrams:
                _city("radio")
            if telegrams.returncode == 0:
                _move_in(own, here)
        _city("readings")
        _world()
        done.touch()
        _prune(place)
    return len(jit.compiled.names)


def _read_parts() -> None:
    """All that compiling imports, so that a file which cannot be read is said before anything is compiled. Raises what
    such a file does."""
    from sim.world import World  # noqa: F401

    _spec()


def compile_own() -> bool:
    """Compile the checks of the user's own repository together with ours, where that was not done for these sources;
    returns whether it was to be done, and says so before. Otherwise the first window would stand still for it. Raises
    OSError where the folder cannot be written."""
    checks = own.folder("checks")
    files = sorted(checks.glob("*.py")) if checks is not None else []
    if not files:
        return False
    digest = hashlib.blake2b(cache_folder.mark().name.encode(), digest_size=10)
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    place = cache_folder.base()
    place.mkdir(parents=True, exist_ok=True)
    done = place / f"own-{digest.hexdigest()}"
    if done.exists():
        return False
    said = f"wmbench: the checks in {checks} are new: compiling them before the first window"
    print(said, file=sys.stderr, flush=True)
    jit.compiled.quiet = True
    _world()
    done.touch()
    for oldest in _by_age(place.glob("own-*"))[:-_MARKS]:
        oldest.unlink(missing_ok=True)
    return True


@cache
def _spec() -> WorldSpec:
    from sim.endpoint.kinds.memory import MemorySpec
    from sim.gateway.gateway_spec import GatewaySpec
    from sim.meters.fleet_spec import FleetSpec
    from sim.world_spec import WorldSpec

    fleet = (
        FleetSpec("a", "vipa-c10", 60, security="mode5"), FleetSpec("b", "vipa-c10", 60, security="mode7", link="C1"),
        FleetSpec("c", "vipa-c10", 60, security="none", link="S1"),
    )  # fmt: skip
    return WorldSpec("setup", "What compiles the loops", fleet, (GatewaySpec(count=2),), endpoint=MemorySpec())


def _telegrams() -> None:
    """Every security, with and without CRCs."""
    from sim.core.seeds import Seeds
    from sim.meters.fleet import Fleet

    spec = _spec()
    fleet = Fleet(spec.fleet, Seeds(1), start=spec.start)
    meter = np.arange(fleet.n)
    for crcs in (True, False):
        fleet.telegrams(meter, np.full(fleet.n, 48), crcs=crcs)


def _city(depth: str) -> None:
    """All securities, all modes, for an hour."""
    from sim.city.conduct import play
    from sim.city.plan import Blocks, CityPlan

    plan = CityPlan(_spec(), 1, 3_600 * NS_PER_S, depth)  # type: ignore[arg-type]
    play(plan, Blocks.of(_spec()).tiles(1)[0])


def _world() -> None:
    """A quarter of an hour, and a search through what stays on disk of it, in bytes read and in bytes mapped."""
    from arrays.find_many import candidates, filter_of, heads_of
    from sim.world import World

    with tempfile.TemporaryDirectory() as directory, World(_spec(), 1, Path(directory)) as world:
        world.run(900 * NS_PER_S)
    heads = heads_of([bytes(16), bytes(range(16))])
    for block in (bytes(32), bytearray(32)):
        candidates(np.frombuffer(block, dtype=np.uint8), heads, filter_of(heads))


def _move_in(part: Path, here: Path) -> None:
    """A part's functions, those that are not here yet; each one's code before its index, so that no reader finds an
    index without its code."""
    with cache_folder.locked(here / jit.LOCK):
        for index in part.glob("*.nbi"):
            if not (here / index.name).exists():
                for code in part.glob(f"{index.stem}.*.nbc"):
                    os.replace(code, here / code.name)
                os.replace(index, here / index.name)


def _prune(place: Path) -> None:
    """The newest stay. Checkouts and machines may share the folder; what they miss they compile again."""
    for oldest in _by_age(place.glob("complete-*"))[:-_MARKS]:
        oldest.unlink(missing_ok=True)
    for folder in _by_age(one for one in place.glob("numba-*") if one.is_dir())[:-_VERSIONS]:
        shutil.rmtree(folder, ignore_errors=True)
    contents: dict[str, list[Path]] = {}
    for index in _by_age(jit.folder().glob("*.nbi")):
        if match := _KEPT_CODE.match(index.name):
            contents.setdefault(match["function"], []).append(index)
    with cache_folder.locked(jit.folder() / jit.LOCK):
        for indices in contents.values():
            for index in indices[:-_CONTENTS]:
                index.unlink(missing_ok=True)
                for code in index.parent.glob(f"{index.stem}.*.nbc"):
                    code.unlink(missing_ok=True)


def _by_age(paths: object) -> list[Path]:
    """The oldest first."""
    return sorted(paths, key=lambda one: one.stat().st_mtime_ns)  # type: ignore[call-overload,no-any-return]


def main(arguments: list[str]) -> None:
    begun_s = wall_s()
    try:
        if arguments == ["--part"]:
            jit.compiled.quiet = True
            _telegrams()
            return
        count = compile_all()
    except Exception as error:
        said = to_mend(error, Path(__file__))
        if said is None:
            raise
        sys.exit(f"{cache_folder.TO_MEND}{said}")
    if count:
        took_s = wall_s() - begun_s
        print(f"wmbench: compiled {count} functions, and telegrams beside them, in {took_s:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
