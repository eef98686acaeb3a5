"""What there is, kind by kind (options.KINDS). Each entry has an `id` by which commands know it.

What is slow to import is imported by the kind that needs it, so that a list of another kind does not wait for it.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from attacks.attack import attacks
from bench import scenario_files, worlds
from bench.broker.rows.port import BROKER_ROWS
from bench.options import KINDS
from bench.product.rows.port import PORTAL_ROWS
from reports import coverage
from sim.core import own
from sim.core.parts import Folder
from sim.core.settings import SpecError, read_toml, without
from sim.endpoint.registry import ENDPOINTS
from sim.faults.port import FAULTS
from sim.feeders.lines.port import LINES
from sim.feeders.port import FEEDERS
from sim.lines.codecs.port import CODECS
from sim.portal.check import CHECKS, in_order
from sim.portal.store_port import STORES
from sim.readers.port import READERS
from sim.systems.port import SYSTEMS


class NotFound(Exception):
    """There is no entry of this id; the message names near ones."""


def scenario_entries(*places: Path) -> list[dict[str, Any]]:
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


def attack_entries() -> list[dict[str, Any]]:
    """From the attacks' records. Raises CannotRun for one that names what there is not."""
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


def meter_entries() -> list[dict[str, Any]]:
    """The meter types."""
    from sim.meters.meter_type import kinds

    return [
        {
            "id": one.id, "title": one.title, "manufacturer": one.manufacturer, "version": f"{one.version:02X}",
            "device_type": f"{one.device_type:02X}", "securities": list(one.securities), "links": list(one.links),
        }
        for one in kinds().values()
    ]  # fmt: skip


def _of(folder: Folder[Any], more: Callable[[Any], dict[str, Any]] = lambda _: {}) -> list[dict[str, Any]]:
    """Parts of a folder, in the order of their names. `more`: of each, what this kind has besides."""
    return [
        {"id": id_, "title": one.title, **more(one), "doc": _page(folder, id_)} for id_, one in folder.parts().items()
    ]


def _keys(one: Any) -> dict[str, Any]:
    """Of a kind that a file names: its keys there, with their defaults."""
    return {"settings": _settings(one.spec)}


def _features(one: Any) -> dict[str, Any]:
    """Of a kind that a world file names."""
    return {"features": sorted(one.features), **_keys(one)}


def _of_the_portal(folder: Folder[Any], id_: str, settings: type) -> dict[str, Any]:
    """A check or an alarm. Its title is the first sentence of its file; `settings`: its keys under [portal]."""
    text = _page(folder, id_)
    title = text.partition(". ")[0].removesuffix(".")
    return {"id": id_, "title": title, "settings": _settings(settings), "doc": text}


def _page(folder: Folder[Any], id_: str) -> str:
    return " ".join(folder.page(id_).split())


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


def world_entries() -> list[dict[str, Any]]:
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


def sweep_entries() -> list[dict[str, Any]]:
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


def gateway_entries() -> list[dict[str, Any]]:
    """The kinds of gateway."""
    from sim.gateway.registry import GATEWAYS

    return _of(GATEWAYS, _features)


def alarm_entries() -> list[dict[str, Any]]:
    """The portal's alarms, in their order."""
    from sim.portal.alarm import ALARMS, alarms_in_order

    return [_of_the_portal(ALARMS, one.id, one.settings) for one in alarms_in_order()]


def row_entries() -> list[dict[str, Any]]:
    """The rows of the contract suite; `gateway check` knows them."""
    from bench.desk.rows.port import ROWS

    return _of(ROWS, lambda one: {"faults": list(one.faults)})


def shape_entries() -> list[dict[str, Any]]:
    """The shapes of `load`."""
    from bench.load.shapes.port import SHAPES

    return _of(SHAPES, lambda one: {"takers": one.takers})


def threat_entries() -> list[dict[str, Any]]:
    """The threat list, with the scenarios that name each."""
    declared = {entry["id"]: entry["threats"] for entry in scenario_entries()}
    return [
        {
            "id": row.id, "title": row.title, "area": row.area, "stopped_by": row.stopped_by,
            "answered_by": row.answered_by, "claims": row.claims, "scenarios": row.scenarios,
        }
        for row in coverage.threat_matrix([], declared=declared)
    ]  # fmt: skip


_ENTRIES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "scenarios": scenario_entries,
    "attacks": attack_entries,
    "faults": lambda: _of(FAULTS, lambda one: {"needs": sorted(one.needs), "settings": _settings(one)}),
    "meters": meter_entries,
    "gateways": gateway_entries,
    "endpoints": lambda: _of(ENDPOINTS, _features),
    "checks": lambda: [  # in the order of judgement
        {**_of_the_portal(CHECKS, one.id, one.settings), "refuses_as": list(one.reasons)} for one in in_order()
    ],
    "alarms": alarm_entries,
    "stores": lambda: _of(STORES),
    "systems": lambda: _of(SYSTEMS),
    "rows": row_entries,
    "broker-rows": lambda: _of(  # `attack broker` knows them
        BROKER_ROWS, lambda one: {"threats": list(one.threats), "remedy": one.remedy.mosquitto}
    ),
    "portal-rows": lambda: _of(  # `attack portal` knows them
        PORTAL_ROWS, lambda one: {"threats": list(one.threats), "modes": list(one.modes), "remedy": one.remedy}
    ),
    "load-shapes": shape_entries,
    "feeders": lambda: _of(FEEDERS, _keys),
    "lines": lambda: _of(LINES, _keys),
    "readers": lambda: _of(READERS, _keys),
    "codecs": lambda: _of(CODECS),
    "worlds": world_entries,
    "sweeps": sweep_entries,
    "threats": threat_entries,
}


def entries(kind: str) -> list[dict[str, Any]]:
    """All entries of one kind of options.KINDS, as plain data."""
    return _ENTRIES[kind]()


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
