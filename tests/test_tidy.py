"""The house's doors: what may be used in one place only, and what may stand nowhere. Each rule is also shown bad code,
so that a rule which has stopped looking is noticed. Who may import whom of ours is import-linter's (pyproject.toml).
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("wmbus", "arrays", "sim", "attacks", "bench", "reports", "scenarios")
LONGEST_LINES = 450
MOST_PARAMETERS = 7
MAY_BE_LONG = ("scenarios",)  # a scenario's table of expected verdicts is as long as it is
NOT_OURS = {"runs", "__pycache__", "build"}  # and folders with a dot, which tools make, but for these:
OURS = {".ci", ".github"}


# --- doors -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """`names` are dotted: a module (then all below it) or a function. `only_in` are files, or folders with a slash."""

    what: str
    names: tuple[str, ...]
    only_in: tuple[str, ...]
    way_out: str


DOORS = (
    Door(
        "a cipher",
        (
            "Crypto",
            "cryptography.hazmat.primitives.ciphers",
            "cryptography.hazmat.primitives.cmac",
            "cryptography.fernet",
        ),
        ("wmbus/security.py", "sim/pki/wrapping.py", "sim/pki/content_ciphers.py"),
        "call wmbus.security; sim.pki.wrapping wraps keys at rest, sim.pki.sealed_content seals content",
    ),
    Door(
        "certificates and their keys",
        ("cryptography.x509", "cryptography.hazmat.primitives.asymmetric"),
        ("sim/pki/",),
        "call sim.pki.authority, sim.pki.statements",
    ),
    Door("scapy", ("scapy",), ("attacks/", "tests/witnesses/"), "work on IP packets in attacks/; tests/ has a witness"),
    Door("matplotlib", ("matplotlib",), ("reports/plots/",), "draw in reports/plots/"),
    Door("an MQTT client", ("paho",), ("sim/endpoint/",), "use the port sim.endpoint.port"),
    Door(
        "randomness",
        ("random", "secrets", "numpy.random", "os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4"),
        ("sim/core/seeds.py",),
        "draw from sim.core.seeds, which a seed replays",
    ),
    Door(
        "wall time",
        (
            *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns"),
            *("time.perf_counter", "time.perf_counter_ns", "time.sleep"),
            *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
        ),
        ("sim/core/clock.py", "bench/perf/"),
        "ask the world for its time, or sim.core.clock for the wall's (wall_s, wall_now, wall_sleep)",
    ),
)


TYPES = ("numpy.random.Generator",)  # of what a caller hands over: naming it draws nothing


def breaches(path: str, source: str, nodes: list[ast.AST] | None = None) -> list[str]:
    """`path:line: what, the way out` for each use of something behind a door that this file is not. `nodes`: what
    `walked` makes of the source, where it is at hand."""
    words = set(re.findall(r"\w+", source))
    closed = [
        door
        for door in DOORS
        if not any(_is_in(path, place) for place in door.only_in)
        and any(words.issuperset(name.split(".")) for name in door.names)  # to use one, its whole name is written
    ]
    if not closed:
        return []
    return [
        f"{path}:{line}: {name} is {door.what}, which only {' and '.join(door.only_in)} may use; {door.way_out}"
        for line, name in sorted(set(_uses(nodes or walked(source))))
        for door in closed
        if name not in TYPES and any(name == n or name.startswith(n + ".") for n in door.names)
    ]


def walked(source: str) -> list[ast.AST]:
    """Its nodes, an outer one before those in it."""
    return list(ast.walk(ast.parse(source)))


def _is_in(path: str, place: str) -> bool:
    return path.startswith(place) if place.endswith("/") else path == place


def _uses(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    """Every imported name and every dotted use of one, under its full name, whatever it is called here."""
    called: dict[str, str] = {}
    within: set[ast.expr] = set()  # a and a.b of a.b.c; the outer one comes first
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                called[alias.asname or top] = alias.name if alias.asname else top
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                called[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield node.lineno, f"{node.module}.{alias.name}"
    for node in nodes:
        if isinstance(node, ast.Attribute) and node not in within:
            parts, inner = [node.attr], node.value
            while isinstance(inner, ast.Attribute):
                within.add(inner)
                parts.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id in called:
                yield node.lineno, ".".join([called[inner.id], *reversed(parts)])


BAD = [
    ("sim/portal/intake.py", "from Crypto.Cipher import AES"),
    ("attacks/parts/forgery.py", "from cryptography.hazmat.primitives.ciphers import Cipher"),
    ("sim/pki/authority.py", "from cryptography.hazmat.primitives.cmac import CMAC"),
    ("attacks/mitm.py", "from cryptography import x509"),
    ("attacks/mitm.py", "from cryptography.hazmat.primitives.asymmetric import ec"),
    ("sim/gateway/kinds/virtual.py", "import scapy.all"),
    ("reports/html.py", "import matplotlib.pyplot as plt"),
    ("reports/html.py", "def draw():\n    from matplotlib.figure import Figure"),
    ("attacks/clone.py", "from paho.mqtt import client"),
    ("sim/radio/air.py", "import random"),
    ("sim/radio/air.py", "import numpy as np\nnoise = np.random.default_rng(1)"),
    ("sim/radio/air.py", "from numpy import random as r"),
    ("sim/portal/keyring.py", "import os\nkey = os.urandom(16)"),
    ("sim/portal/keyring.py", "from secrets import token_bytes"),
    ("sim/gateway/kinds/virtual.py", "import time as t\nt.sleep(1)"),
    ("sim/gateway/kinds/virtual.py", "from time import monotonic"),
    ("bench/run_directory.py", "import datetime as d\nstamp = d.datetime.now()"),
    ("bench/run_directory.py", "from datetime import datetime\nstamp = datetime.now(None)"),
    ("bench/run_directory.py", "from datetime import date\nday = date.today()"),
]


@pytest.mark.parametrize(("path", "source"), BAD)
def test_a_use_beside_the_door_is_found(path: str, source: str) -> None:
    found = breaches(path, source)
    assert found
    assert found[0].startswith(f"{path}:{len(source.splitlines())}: ")


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("wmbus/security.py", "from cryptography.hazmat.primitives.ciphers import Cipher"),
        ("sim/core/seeds.py", "import os\nos.urandom(8)"),
        ("sim/endpoint/session.py", "import paho.mqtt.client as mqtt"),
        ("bench/perf/test_speed.py", "import time\ntime.perf_counter()"),
        ("wmbus/dates.py", "from datetime import date, datetime, time\ntime(1, 2)\ndate(2026, 1, 1)"),
        ("wmbus/phy/iq.py", "import numpy as np\ndef noise(source: np.random.Generator) -> None: ..."),
        ("sim/portal/opener.py", "seen = reading.time.sleep\nrandom = draw()\nrandom.random()"),
    ],
)
def test_a_use_at_the_door_is_let_through(path: str, source: str) -> None:
    assert breaches(path, source) == []


@dataclass(frozen=True)
class Code:
    """What was found in all our files of Python, each parsed once."""

    breaches: list[str]
    too_many: list[str]


@pytest.fixture(scope="module")
def code() -> Code:
    found = Code([], [])
    for path in python_files():
        source = read(path)
        nodes = walked(source)
        found.breaches.extend(breaches(path, source, nodes))
        found.too_many.extend(too_many(path, nodes))
    return found


def test_everybody_uses_the_doors(code: Code) -> None:
    assert not code.breaches, "\n" + "\n".join(code.breaches)


# --- rooms -----------------------------------------------------------------------------------------------------


def too_long(path: str, source: str) -> str | None:
    lines = len(source.splitlines())
    if lines <= LONGEST_LINES or path.startswith(MAY_BE_LONG):
        return None
    return f"{path}:{lines}: over {LONGEST_LINES} lines hold more than one idea; give the second a file of its own"


def speechless(path: str, source: str) -> str | None:
    if ast.get_docstring(ast.parse(source)):
        return None
    return f"{path}:1: no docstring; its first sentence says what the file is, a folder's what its room is for"


def contents(path: str, source: str) -> list[str]:
    """Each line of a folder's docstring that is a row about one of its modules: nothing would hold such a row to the
    module's own first sentence, nor the list to the folder."""
    text = ast.get_docstring(ast.parse(source), clean=False) or ""
    return [
        f"{path}:{line}: a row of a table of contents; what a file is stands in its own first sentence"
        for line, row in enumerate(text.splitlines(), 1)
        if re.match(r"\s*[\w/]+(,\s[\w/]+)*\s{2,}\S", row)
    ]


def test_a_folder_says_what_its_room_is_for_and_lists_nothing() -> None:
    assert not contents("sim/x/__init__.py", '"""The air.  Losses too.\n\nEmissions in. `air` is the door.\n"""')
    for row in ("    link_search  who hears whom", "kinds/   one file a kind", "air, sweep   receptions out"):
        assert contents("sim/x/__init__.py", f'"""The air.\n\n{row}\n"""')[0].startswith("sim/x/__init__.py:3: ")
    files = [path for path in python_files() if path.endswith("/__init__.py")]
    found = [row for path in files for row in contents(path, read(path))]
    assert not found, "\n" + "\n".join(found)


def test_a_file_fits_in_a_head() -> None:
    assert too_long("sim/x.py", "\n" * (LONGEST_LINES + 1))
    assert not too_long("sim/x.py", "\n" * LONGEST_LINES)
    found = [text for path in python_files() if (text := too_long(path, read(path)))]
    assert not found, "\n" + "\n".join(found)


def too_many(path: str, nodes: list[ast.AST]) -> list[str]:
    """Each function that is called with more values by their place than a reader can tell apart."""
    found = []
    for node in nodes:
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
        count = len(names) - (names[:1] in (["self"], ["cls"]))
        if count > MOST_PARAMETERS:
            way_out = "make what belongs together a NamedTuple (of arrays, for a kernel), or have options named: *"
            found.append(f"{path}:{node.lineno}: {count} positional parameters, over {MOST_PARAMETERS}; {way_out}")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, b, c, d, e, f, g, h): ...",
        "class C:\n    async def f(self, a, b, c, d, e, f, g, /, h): ...",
        "def f():\n    return lambda a, b, c, d, e, f, g, h: 0",
    ],
)
def test_parameters_beyond_the_limit_are_found(source: str) -> None:
    (told,) = too_many("sim/x.py", walked(source))
    assert told.startswith(f"sim/x.py:{len(source.splitlines())}: 8 positional parameters, over 7")


def test_a_function_takes_few_values_by_their_place(code: Code) -> None:
    assert not too_many("sim/x.py", walked("class C:\n    def f(self, a, b, c, d, e, f, g, *more, h, i): ..."))
    assert not code.too_many, "\n" + "\n".join(code.too_many)


def test_every_file_and_folder_says_what_it_is() -> None:
    assert speechless("sim/x/__init__.py", "import os\n")
    assert not speechless("sim/x/__init__.py", '"""What is here."""\n')
    found = [text for path in python_files() if path.endswith("__init__.py") and (text := speechless(path, read(path)))]
    assert not found, "\n" + "\n".join(found)


# A file of one of these names, or of one of these folders, has the name of what it mirrors: a port or a registry of its
# kind, a measurement of what it measures, a kind of gateway of what it brings in, an alarm of what it watches for.
MIRRORS = ("__init__.py", "__main__.py", "port.py", "registry.py")
MIRRORING = ("bench/perf/", "sim/portal/alarms/", "sim/gateway/kinds/box.py")


def namesakes(paths: list[str]) -> list[str]:
    """A line for each file name that two of `paths` have which mirror nothing."""
    places: dict[str, list[str]] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        if name not in MIRRORS and not path.startswith(MIRRORING):
            places.setdefault(name, []).append(path)
    return [f"{' and '.join(same)} have one name: rename one for what it holds" for same in places.values() if same[1:]]


def test_no_two_files_have_one_name_unless_they_mirror_each_other() -> None:
    assert namesakes(["sim/radio/site.py", "reports/plots/site.py"])
    mirrors = ["sim/endpoint/port.py", "sim/gateway/port.py", "bench/perf/air.py", "sim/radio/air.py", "attacks/jam.py"]
    assert not namesakes([*mirrors, "sim/portal/alarms/jam.py"])
    assert not namesakes(python_files())


# --- time ------------------------------------------------------------------------------------------------------

CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "wall_s"}
PROCESSOR = {"process_time", "process_time_ns", "thread_time", "thread_time_ns", "ru_utime", "ru_stime"}


def timed(path: str, source: str) -> list[str]:
    """Each look at a clock that bounds no wait. What a wait needs is `end_s = clock() + some_s`, and the clock again in
    the condition of a loop; anything else ends in a time that is asserted, which fails on a busy machine."""
    if not re.search(rf"\b({'|'.join(sorted(PROCESSOR | CLOCKS))})\b", source):
        return []
    tree = ast.parse(source)
    waits: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.While):
            waits.update(ast.walk(node.test))
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and isinstance(node.value.op, ast.Add):
            waits.update((node.value.left, node.value.right))
    called = {node.func: node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return [
        f"{path}:{node.lineno}: {name} bounds no wait; count steps (tests/steps.py), or measure in bench/perf"
        for node in ast.walk(tree)
        if isinstance(node, (ast.Attribute, ast.Name)) and (name := _clock(node))
        if name in PROCESSOR or (node in called and called[node] not in waits)
    ]


def _clock(node: ast.Attribute | ast.Name) -> str:
    """The clock's name; "" for anything else, such as datetime's time."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id
    return name if name in PROCESSOR | CLOCKS and (name != "time" or ast.unparse(node) == "time.time") else ""


@pytest.mark.parametrize(
    "source",
    [
        "begun_s = time.monotonic()\nwork()\nassert time.monotonic() - begun_s < 5",
        "work()\nassert time.process_time() < 5",
        "took_s = perf_counter() - begun_s",
        "work()\nend_s = clock.wall_s()",
        "while usage < 5:\n    usage = resource.getrusage(resource.RUSAGE_SELF).ru_utime",
        "while time.process_time() < end_s: pass",
    ],
)
def test_a_time_that_could_be_asserted_is_found(source: str) -> None:
    assert timed("tests/test_x.py", source)


def test_a_wait_may_look_at_the_clock() -> None:
    wait = "end_s = clock.wall_s() + 5\nwhile not done() and clock.wall_s() < end_s:\n    clock.wall_sleep(0.01)"
    assert timed("tests/test_x.py", wait) == []


def test_no_test_asserts_a_time() -> None:
    says_only = {"tests/referee/play.py"}  # a program: it prints what its list took, and asserts nothing
    tests = [path for path in text_files() if path.startswith("tests/") and path.endswith(".py")]
    tests = [path for path in tests if path not in says_only]
    found = [text for path in tests for text in timed(path, read(path))]
    assert not found, "\n" + "\n".join(found)


# --- strangers -------------------------------------------------------------------------------------------------

# In two pieces each, so that this file does not hold what it looks for.
STRANGERS = (
    (r"(?<![\w.~}/-])/(work|farm|root|ho" + r"me)/[\w.]", "a path of one machine", "make it relative, or ask for it"),
    (r"--(extra-)?index" + r"-url|find" + r"-links", "a source of packages", "leave it to the user's own settings"),
    (
        r"pypi\." + r"org|pythonhosted\." + r"org|debian\." + r"org/debian|https?://\S+/simp" + r"le\b",
        "a registry's address",
        "name the package only: where it comes from is the user's own setting",
    ),
    (r"\.\./sha" + r"red\b", "a folder outside of the project", "the project stands alone: copy what is needed"),
)


def strangers(path: str, text: str) -> list[str]:
    there = [one for one in STRANGERS if re.search(one[0], text)]  # none is longer than a line
    if not there:
        return []
    return [
        f"{path}:{number}: {what} ({match[0]}); {way_out}"
        for number, line in enumerate(text.splitlines(), 1)
        for pattern, what, way_out in there
        if (match := re.search(pattern, line))
    ]


@pytest.mark.parametrize(
    "line",
    [
        "see /wo" + "rk/main/x.py",
        "HOME=/ro" + "ot/.cache",
        '"/ho' + 'me/me/wmbench"',
        "--index" + "-url=x",
        "--extra-index" + "-url x",
        "--find" + "-links wheels",
        "https://py" + "pi.org/project/x",
        "http://mirror.example/simp" + "le/",
        "read ../sha" + "red/facts",
    ],
)
def test_a_stranger_is_found(line: str) -> None:
    assert strangers("docs/x.md", f"first\n{line}\n")[0].startswith("docs/x.md:2: ")


def test_the_project_stands_alone() -> None:
    found = [breach for path in text_files() for breach in strangers(path, read(path))]
    assert not found, "\n" + "\n".join(found)


# --- files -----------------------------------------------------------------------------------------------------


@cache
def text_files() -> tuple[str, ...]:
    """All files of the checkout that hold text, below ROOT, with slashes."""
    return tuple(_text_files())


def _text_files() -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name in OURS or not (name in NOT_OURS or name[0] == "."))
        for name in sorted(names):
            path = Path(folder, name)
            if name == ".git":  # the file of a linked worktree
                continue
            if not path.is_symlink() and b"\0" not in path.read_bytes()[:4096]:
                yield path.relative_to(ROOT).as_posix()


def python_files() -> list[str]:
    return [path for path in text_files() if path.endswith(".py") and path.startswith(tuple(f"{p}/" for p in PACKAGES))]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")
