"""Compiled code of yesterday is not run today: what numba keeps on disk is dropped when what it was made of changes.

numba keeps a function's machine code until the function's own file changes. But the code of other files is in it too,
functions inlined and constants frozen: a table of the fleet changed, and the loop that writes telegrams would go on
with the old one. So whenever a source has another content than last time, the code of every file that imports it,
however indirectly, is dropped. A record of the contents lies beside the cache. What a process compiles after a source
was changed under it is not kept. `wmbus/` used without the world does not look.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from arrays import keeping

ROOT: Final = Path(__file__).resolve().parent.parent
_BESIDE: Final = ROOT / "sim" / "__pycache__"
SOURCES: Final = (
    *("wmbus", "arrays", "sim", "sim/core", "sim/radio", "sim/meters", "sim/meters/physics", "sim/portal", "sim/truth"),
    *("sim/gateway", "sim/city"),
)
_IMPORT = re.compile(
    r"^\s*from\s+((?:wmbus|arrays|sim)(?:\.\w+)*)\s+import\s+(\([^)]*\)|.*)"
    r"|^\s*import\s+((?:wmbus|arrays|sim)[\w.]*)",
    re.MULTILINE,
)
_NAME = re.compile(r"import_module\(\"((?:wmbus|arrays|sim)[\w.]*)\"\)")


def folder() -> Path:
    """Where numba keeps what it compiles; of the folders beside the sources, one."""
    return _apart() or _BESIDE


def _apart() -> Path | None:
    """The one folder in which it has a folder for each folder of sources; None where it keeps all beside them. As numba
    chooses: the first that can be written of what it is told, beside the sources, and the user's cache."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen and writable(Path(chosen)):
        return Path(chosen)
    if writable(_BESIDE) or importlib.util.find_spec("numba") is None:
        return None
    places = importlib.import_module("numba.misc.appdirs").AppDirs(appname="numba", appauthor=False)
    return Path(places.user_cache_dir)


def writable(place: Path) -> bool:
    """Can a folder be written, or made?"""
    return os.access(next(one for one in (place, *place.absolute().parents) if one.exists()), os.W_OK)


def sources(root: Path) -> list[Path]:
    """Every file that compiled code may be made of. Editors have links to nowhere beside what they edit."""
    return [path for place in SOURCES for path in sorted((root / place).glob("*.py")) if path.is_file()]


def drop_stale(root: Path = ROOT) -> list[str]:
    """Drop what has become stale since the last call, in any process. Returns the files whose code that is. Where
    nothing can be written, nothing is kept either."""
    place = folder() / "sources.json"
    try:
        known: dict[str, list[str]] = json.loads(place.read_text())
    except (OSError, ValueError):
        known = {}
    now = _stamps(root)
    keeping.ask["sources"] = lambda: _stamps(root) == now
    if {name: stamp for name, (stamp, _) in known.items()} == now:
        return []
    contents = {name: [stamp, _digest(root / name)] for name, stamp in now.items()}
    changed = {name for name, (_, digest) in contents.items() if known.get(name, ["", ""])[1] != digest}
    stale = importers(changed | known.keys() - contents.keys(), root) if changed else []
    for name in stale:
        for index in _indices(root / name):
            with suppress(OSError):  # numba reads nothing where it cannot write
                index.unlink()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(contents))
        beside.replace(place)
    except OSError:
        pass  # then the next start looks again
    return stale


def importers(changed: Iterable[str], root: Path) -> list[str]:
    """These files and all that import them, however indirectly."""
    users: dict[str, set[str]] = {}
    for path in sources(root):
        for used in _imported(path.read_text(encoding="utf-8")):
            users.setdefault(f"{used.replace('.', '/')}.py", set()).add(str(path.relative_to(root)))
    found, rest = set(changed), list(changed)
    while rest:
        more = users.get(rest.pop(), set()) - found
        found |= more
        rest += more
    return sorted(found)


def _imported(source: str) -> set[str]:
    """Modules of ours that a source names; a name out of a module may be a module itself."""
    out = set(_NAME.findall(source))
    for module, names, plain in _IMPORT.findall(source):
        out |= {plain} if plain else {module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))}
    return out


def _stamps(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): _stamp(path) for path in sources(root)}


def _stamp(path: Path) -> str:
    kept = path.stat()
    return f"{kept.st_mtime_ns} {kept.st_size}"


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def _indices(path: Path) -> list[Path]:
    """numba's index files of one source's functions."""
    apart = _apart()
    places = [path.parent / "__pycache__"] if apart is None else apart.glob(f"{path.parent.name}_*")
    return [index for place in places for index in place.glob(f"{path.stem}.*.nbi")]
