"""What there is, kind by kind (options.KINDS). Each entry has an `id` by which commands know it."""

from __future__ import annotations

import ast
import dataclasses
import difflib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks.attack import attacks
from bench.desk.rows.port import ROWS
from bench.options import KINDS
from bench.rig.scenario import SCENARIOS
from sim.core.parts import Folder
from sim.core.settings import SpecError, without
from sim.endpoint.registry import ENDPOINTS
from sim.faults.port import FAULTS
from sim.gateway.registry import GATEWAYS
from sim.meters.meter_type import kinds
from sim.portal.alarm import ALARMS, alarms_in_order
from sim.portal.check import CHECKS, in_order
from sim.portal.store_port import STORES
from sim.systems.port import SYSTEMS


class NotFound(Exception):
    """There is no entry of this id; the message names near ones."""


def scenario_entries(place: Path = SCENARIOS) -> list[dict[str, Any]]:
    """From the files' syntax, without importing them: listing must not run anything. `place`: a folder, or one file
    (its scenarios' ids then begin with its whole path). Raises SpecError for a file that is not Python."""
    found = []
    for path in sorted(place.rglob("test_*.py")) if place.is_dir() else [place]:
        try:
            body = ast.parse(path.read_text(encoding="utf-8"), str(path)).body
        except (SyntaxError, UnicodeDecodeError, OSError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            raise SpecError(f"{path}{line}: cannot be read: {getattr(error, 'msg', None) or error}") from None
        for node in body:
            if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
                continue
            settings = _decorator(node, "scenario")
            if settings is not None:
                found.append(_scenario_entry(path, place, node, settings))
    return found


def _scenario_entry(path: Path, place: Path, node: ast.FunctionDef, settings: dict[str, Any]) -> dict[str, Any]:
    name = node.name.removeprefix("test_").replace("_", " ")
    file = path.relative_to(place) if place.is_dir() else path.resolve()
    return {
        "id": f"{file.as_posix()}::{node.name}",
        "title": name[:1].upper() + name[1:],
        "world": settings.get("world", ""),
        "threats": list(settings.get("threats", [])),
        "settings": dict(settings.get("settings") or {}),
        "needs": list(settings.get("needs", [])),
        "doc": " ".join((ast.get_docstring(node) or "").split()),
    }


def _decorator(node: ast.FunctionDef, name: str) -> dict[str, Any] | None:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == name:
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
    """From the attacks' records."""
    records = {id_: cls.record for id_, cls in attacks().items()}
    return [
        {
            "id": id_, "title": one.title, "threats": list(one.threats), "can": one.abilities, "ics": list(one.ics),
            "weakness": one.weakness, "seen_as": one.seen_as, "needs": sorted(one.needs), "doc": one.doc,
        }
        for id_, one in records.items()
    ]  # fmt: skip


def fault_entries() -> list[dict[str, Any]]:
    """`settings`: the fault's fields with their defaults."""
    return [
        {"id": id_, "title": one.title, "needs": sorted(one.needs), "settings": _settings(one), "doc": FAULTS.page(id_)}
        for id_, one in FAULTS.parts().items()
    ]


def meter_entries() -> list[dict[str, Any]]:
    """The meter types."""
    return [
        {
            "id": one.id, "title": one.title, "manufacturer": one.manufacturer, "version": f"{one.version:02X}",
            "device_type": f"{one.device_type:02X}", "securities": list(one.securities), "links": list(one.links),
        }
        for one in kinds().values()
    ]  # fmt: skip


def _of_a_table(folder: Folder[Any]) -> list[dict[str, Any]]:
    """Kinds that a world file names. `settings`: their keys there, with their defaults."""
    return [
        {
            "id": one.id, "title": one.title, "features": sorted(one.features), "settings": _settings(one.spec),
            "doc": _page(folder, one.id),
        }
        for one in folder.parts().values()
    ]  # fmt: skip


def _of_the_portal(folder: Folder[Any], id_: str, settings: type) -> dict[str, Any]:
    """A check or an alarm. Its title is the first sentence of its file; `settings`: its keys under [portal]."""
    text = _page(folder, id_)
    title = text.partition(". ")[0].removesuffix(".")
    return {"id": id_, "title": title, "settings": _settings(settings), "doc": text}


def _page(folder: Folder[Any], id_: str) -> str:
    return " ".join(folder.page(id_).split())


def _settings(table: Any) -> dict[str, Any]:
    """The fields of a table's class (name -> default), or of a fault (name -> value)."""
    fields = dataclasses.fields(table) if dataclasses.is_dataclass(table) else ()
    a_class = isinstance(table, type)
    defaults = {f.name: f.default if a_class else getattr(table, f.name) for f in fields if f.name != "kind"}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in defaults.items()}


_ENTRIES: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "scenarios": scenario_entries,
    "attacks": attack_entries,
    "faults": fault_entries,
    "meters": meter_entries,
    "gateways": lambda: _of_a_table(GATEWAYS),
    "endpoints": lambda: _of_a_table(ENDPOINTS),
    "checks": lambda: [  # in the order of judgement
        {**_of_the_portal(CHECKS, one.id, one.settings), "refuses_as": list(one.reasons)} for one in in_order()
    ],
    "alarms": lambda: [_of_the_portal(ALARMS, one.id, one.settings) for one in alarms_in_order()],
    "stores": lambda: [
        {"id": id_, "title": one.title, "doc": _page(STORES, id_)} for id_, one in STORES.parts().items()
    ],
    "systems": lambda: [
        {"id": id_, "title": one.title, "doc": SYSTEMS.page(id_)} for id_, one in SYSTEMS.parts().items()
    ],
    "rows": lambda: [  # of the contract suite; `gateway check` knows them
        {"id": id_, "title": one.title, "faults": list(one.faults), "doc": _page(ROWS, id_)}
        for id_, one in ROWS.parts().items()
    ],
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
    if id_ in known:
        return known[id_]
    inside = [k for k in known if id_ in k]
    if len(inside) == 1:
        return known[inside[0]]
    inside.sort(key=len)  # an attack or a meter before the scenarios that have its name in theirs
    near = inside or difflib.get_close_matches(id_, known, n=3, cutoff=0.4)
    hint = f"; near it: {', '.join(near[:5])}" if near else ""
    raise NotFound(f"there is nothing called {id_!r}{hint}. See ./wmbench list")
