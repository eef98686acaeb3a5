"""What there is, kind by kind (KINDS). Each entry has an `id` by which commands know it.

What is slow to import is imported by the kind that needs it, so that a list of another kind does not wait for it.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import importlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import scenario_files, worlds
from sim.core import own
from sim.core.settings import SpecError, read_toml, without

if TYPE_CHECKING:
    from sim.core.parts import Folder

Entries = list[dict[str, Any]]


class NotFound(Exception):
    """There is no entry of this id; the message names near ones."""


def scenario_entries(*places: Path) -> Entries:
    """From the files' syntax, without importing them: listing must not run anything. `places`: folders or files (none:
    those of `scenario_files.listed`). Raises SpecError for a file that is not Python."""
    paths = [path for place in places or scenario_files.listed() for path in scenario_files.under(place)]
    return [entry for path in paths for entry in _of_file(path)]


def _of_file(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        body = ast.parse(text, str(path)).body if "scenario" in text else []
    except (SyntaxError, ValueError, OSError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise SpecError(f"{path}{line}: cannot be read: {getattr(error, 'msg', None) or error}") from None
    for node in body:
        inside: list[tuple[str, ast.stmt]] = [("", node)]
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            inside = [(f"{node.name}::", one) for one in node.body]
        for prefix, one in inside:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                settings = _decorator(one, "scenario")
                if settings is not None:
                    yield _scenario_entry(path, prefix, one, settings)


def _scenario_entry(path: Path, prefix: str, node: ast.FunctionDef, settings: dict[str, Any]) -> dict[str, Any]:
    name = node.name.removeprefix("test_").replace("_", " ")
    return {
        "id": f"{scenario_files.name_of(path)}::{prefix}{node.name}",
        "title": name[:1].upper() + name[1:],
        "world": settings.get("world", ""),
        "threats": list(settings.get("threats", [])),
        "settings": dict(settings.get("settings") or {}),
        "needs": list(settings.get("needs", [])),
        "file": str(path.resolve()),
        "line": node.lineno,
        "doc": " ".join((ast.get_docstring(node) or "").split()),
    }


def _decorator(node: ast.FunctionDef, name: str) -> dict[str, Any] | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and name in (
            getattr(decorator.func, "id", ""), getattr(decorator.func, "attr", "")
        ):  # fmt: skip
            settings = {}
            for keyword in decorator.keywords:
                try:
                    settings[keyword.arg or ""] = ast.literal_eval(_Subtracted().visit(keyword.value))
                except ValueError:
                    continue
            return settings
    return None


class _Subtracted(ast.NodeTransformer):
    """`without("bind")` as the value that it is; the file of a scenario is read here and not run."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id == without.__name__:
            return ast.copy_location(ast.Constant(without(*(ast.literal_eval(name) for name in node.args))), node)
        return node


def attack_entries() -> Entries:
    """From the attacks' records. Raises CannotRun for one that names what there is not."""
    from attacks.attack import attacks
    from bench.rig.attack_record import look

    for cls in attacks().values():
        look(cls)
    records = {id_: cls.record for id_, cls in attacks().items()}
    return [
        {
            "id": id_, "title": one.title, "threats": list(one.threats), "can": one.abilities, "ics": list(one.ics),
            "weakness": one.weakness, "seen_as": one.seen_as, "needs": sorted(one.needs), "doc": one.doc,
        }
        for id_, one in records.items()
    ]  # fmt: skip


def _of(where: str, more: Callable[[Any], dict[str, Any]] = lambda _: {}) -> Callable[[], Entries]:
    """Parts of the folder `module:NAME`, by their order where they have one, and name. `more`: of each, what this kind
    has besides."""
    module, _, name = where.partition(":")
    return lambda: _parts(getattr(importlib.import_module(module), name), more)


def _parts(folder: Folder[Any], more: Callable[[Any], dict[str, Any]]) -> Entries:
    parts = sorted(folder.parts().values(), key=lambda one: getattr(one, "order", 0))
    pages = {one.id: " ".join(folder.page(one.id).split()) for one in parts}
    return [
        {"id": one.id, "title": getattr(one, "title", "") or _first_sentence(pages[one.id]), **more(one),
         "doc": pages[one.id]}
        for one in parts
    ]  # fmt: skip


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].removesuffix(".")


def _meter(one: Any) -> dict[str, Any]:
    return {
        "manufacturer": one.manufacturer, "version": f"{one.version:02X}", "device_type": f"{one.device_type:02X}",
        "securities": list(one.securities), "links": list(one.links),
    }  # fmt: skip


def _keys(one: Any) -> dict[str, Any]:
    """Of a kind that a file names: its keys there, with their defaults."""
    return {"settings": _settings(one.spec)}


def _features(one: Any) -> dict[str, Any]:
    """Of a kind that a world file names."""
    return {"features": sorted(one.features), **_keys(one)}


def _profiles(where: str, *more: str) -> Callable[[], Entries]:
    """What `module:function` gives by id: data in files."""
    module, _, name = where.partition(":")

    def entries_of() -> Entries:
        known: Mapping[str, Any] = getattr(importlib.import_module(module), name)()
        return [
            {"id": id_, "title": one.title, **{key: _plain(getattr(one, key)) for key in more}}
            for id_, one in known.items()
        ]

    return entries_of


def _settings(table: Any) -> dict[str, Any]:
    """The fields of a table's class (name -> default, "needed" where there is none), or of a fault (name -> value)."""
    fields = dataclasses.fields(table) if dataclasses.is_dataclass(table) else ()
    a_class = isinstance(table, type)
    keys = (f for f in fields if f.init and f.name != "kind")
    return {f.name: _plain(_default(f) if a_class else getattr(table, f.name)) for f in keys}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return "needed" if field.default is dataclasses.MISSING else field.default


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return {"kind": value.kind, **_settings(value)} if hasattr(value, "kind") else value


def world_entries() -> Entries:
    """Every world file."""
    from sim.world_spec import load

    found = []
    for id_, path in worlds.known().items():
        spec = load(path)
        found.append({
            "id": id_, "title": spec.title, "meters": spec.meters, "gateways": spec.gateways,
            "types": sorted({group.type for group in spec.fleet}),
            "securities": sorted({group.security for group in spec.fleet}),
            "interval_s": sorted({group.interval_s for group in spec.fleet}),
            "endpoint": spec.endpoint.kind, "file": str(path), "doc": _comment(path),
        })  # fmt: skip
    return found


def sweep_entries() -> Entries:
    """Every sweep file."""
    found = []
    for id_, path in worlds.known(own.SWEEPS).items():
        table, _ = read_toml(path)
        kept = {key: table.get(key) for key in ("world", "hours", "seeds")}
        entry = {"id": id_, "title": table.get("title", id_), **kept, "file": str(path), "doc": _comment(path)}
        found.append(entry)
    return found


def _comment(path: Path) -> str:
    """What a TOML file says of itself: the comment that it begins with."""
    lines = itertools.takewhile(lambda line: line.startswith("#"), path.read_text(encoding="utf-8").splitlines())
    return " ".join(" ".join(line.strip("# ") for line in lines).split())


def threat_entries() -> Entries:
    """The threat list, with the scenarios that name each."""
    from reports import coverage

    declared = {entry["id"]: entry["threats"] for entry in scenario_entries()}
    return [
        {
            "id": row.id, "title": row.title, "area": row.area, "stopped_by": row.stopped_by,
            "answered_by": row.answered_by, "claims": row.claims, "scenarios": row.scenarios,
        }
        for row in coverage.threat_matrix([], declared=declared)
    ]  # fmt: skip


ENTRIES: Final[dict[str, Callable[[], Entries]]] = {
    "scenarios": scenario_entries,
    "attacks": attack_entries,
    "faults": _of("sim.faults.port:FAULTS", lambda one: {"needs": sorted(one.needs), "settings": _settings(one)}),
    "meters": _of("sim.meters.meter_type:KINDS", _meter),
    "gateways": _of("sim.gateway.registry:GATEWAYS", _features),
    "endpoints": _of("sim.endpoint.registry:ENDPOINTS", _features),
    "checks": _of(
        "sim.portal.check:CHECKS", lambda one: {"settings": _settings(one.settings), "refuses_as": list(one.reasons)}
    ),
    "alarms": _of("sim.portal.alarm:ALARMS", lambda one: {"settings": _settings(one.settings)}),
    "stores": _of("sim.portal.store_port:STORES"),
    "systems": _of("sim.systems.port:SYSTEMS"),
    "feeders": _of("sim.feeders.port:FEEDERS", _keys),
    "lines": _of("sim.feeders.lines.port:LINES", _keys),
    "readers": _of("sim.readers.port:READERS", _keys),
    "codecs": _of("sim.lines.codecs.port:CODECS"),
    "worlds": world_entries,
    "sweeps": sweep_entries,
    "threats": threat_entries,
    "invariants": _of("bench.rig.checks.port:INVARIANTS", lambda one: {"unproven": one.unproven}),
    "receivers": _profiles("sim.radio.receiver_profile:profiles", "source", "lacks"),
    "models": _of("sim.radio.models.port:MODELS", lambda one: {"source": one.source, "sigma_db": one.sigma_db}),
    "backhauls": _profiles("sim.network.backhaul:backhauls", "source", "assumed"),
    "dialects": _of("sim.smart_metering.han.known_dialects:DIALECTS"),
    "rows": _of("bench.desk.rows.port:ROWS", lambda one: {"faults": list(one.faults)}),
    "broker-rows": _of(
        "bench.broker.rows.port:BROKER_ROWS",
        lambda one: {"threats": list(one.threats), "remedy": one.remedy.mosquitto},
    ),
    "portal-rows": _of(
        "bench.product.rows.port:PORTAL_ROWS",
        lambda one: {"threats": list(one.threats), "modes": list(one.modes), "remedy": one.remedy},
    ),
    "load-shapes": _of("bench.load.shapes.port:SHAPES", lambda one: {"takers": one.takers}),
    "fuzz-targets": _of("bench.fuzz.target:TARGETS"),
}
KINDS: Final = tuple(ENTRIES)
"""That list and show know."""


def entries(kind: str) -> Entries:
    """All entries of one of KINDS, as plain data."""
    return ENTRIES[kind]()


def show(id_: str) -> dict[str, Any]:
    """The entry of this id, of whatever kind. Raises NotFound."""
    known: dict[str, dict[str, Any]] = {}
    for kind in KINDS:
        for entry in entries(kind):
            known.setdefault(entry["id"], {"kind": kind.removesuffix("s"), **entry})
        if id_ in known:  # of two kinds the first; the others need not be made
            return known[id_]
    inside = [k for k in known if id_ in k]
    if len(inside) == 1:
        return known[inside[0]]
    inside.sort(key=len)  # an attack or a meter before the scenarios that have its name in theirs
    near = inside or difflib.get_close_matches(id_, known, n=3, cutoff=0.4)
    hint = f"; near it: {', '.join(near[:5])}" if near else ""
    raise NotFound(f"there is nothing called {id_!r}{hint}. See ./wmbench list")
