"""What there is, kind by kind (options.KINDS). Each entry has an `id` by which commands know it."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

from attacks.attack import attacks
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


def entries(kind: str) -> list[dict[str, Any]]:
    """All entries of one kind, as plain data."""
    return {
        "scenarios": scenario_entries,
        "attacks": attack_entries,
        "faults": fault_entries,
        "meters": meter_entries,
        "gateways": gateway_entries,
        "endpoints": endpoint_entries,
        "checks": check_entries,
        "alarms": alarm_entries,
        "stores": store_entries,
        "systems": system_entries,
    }[kind]()


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
    return [
        {
            "id": id_,
            "title": cls.record.title,
            "threats": list(cls.record.threats),
            "can": cls.record.abilities,
            "ics": list(cls.record.ics),
            "weakness": cls.record.weakness,
            "seen_as": cls.record.seen_as,
            "needs": sorted(cls.record.needs),
            "doc": cls.record.doc,
        }
        for id_, cls in attacks().items()
    ]


def fault_entries() -> list[dict[str, Any]]:
    return [
        {
            "id": id_,
            "title": fault.title,
            "needs": sorted(fault.needs),
            "settings": {field.name: getattr(fault, field.name) for field in dataclasses.fields(fault)},
            "doc": FAULTS.page(id_),
        }
        for id_, fault in FAULTS.parts().items()
    ]


def system_entries() -> list[dict[str, Any]]:
    return [{"id": id_, "title": system.title, "doc": SYSTEMS.page(id_)} for id_, system in SYSTEMS.parts().items()]


def meter_entries() -> list[dict[str, Any]]:
    return [
        {
            "id": kind.id,
            "title": kind.title,
            "manufacturer": kind.manufacturer,
            "version": f"{kind.version:02X}",
            "device_type": f"{kind.device_type:02X}",
            "securities": list(kind.securities),
            "links": list(kind.links),
        }
        for kind in kinds().values()
    ]


def gateway_entries() -> list[dict[str, Any]]:
    kinds_ = GATEWAYS.parts().values()
    return [_part_entry(GATEWAYS, kind.id, kind.title, kind.features, kind.spec) for kind in kinds_]


def endpoint_entries() -> list[dict[str, Any]]:
    kinds_ = ENDPOINTS.parts().values()
    return [_part_entry(ENDPOINTS, kind.id, kind.title, kind.features, kind.spec) for kind in kinds_]


def check_entries() -> list[dict[str, Any]]:
    """In the order of judgement."""
    return [
        {**_portal_entry(CHECKS, check.id, check.settings), "refuses_as": list(check.reasons)} for check in in_order()
    ]


def alarm_entries() -> list[dict[str, Any]]:
    return [_portal_entry(ALARMS, alarm.id, alarm.settings) for alarm in alarms_in_order()]


def store_entries() -> list[dict[str, Any]]:
    return [{"id": kind.id, "title": kind.title, "doc": _page(STORES, kind.id)} for kind in STORES.parts().values()]


def _portal_entry(folder: Folder[Any], id_: str, settings: type) -> dict[str, Any]:
    """A check or an alarm. Its title is the first sentence of its file; `settings`: its keys under [portal]."""
    text = _page(folder, id_)
    fields = dataclasses.fields(settings) if dataclasses.is_dataclass(settings) else ()
    title = text.partition(". ")[0].removesuffix(".")
    return {"id": id_, "title": title, "settings": {one.name: one.default for one in fields}, "doc": text}


def _page(folder: Folder[Any], id_: str) -> str:
    return " ".join(folder.page(id_).split())


def _part_entry(folder: Folder[Any], id_: str, title: str, features: frozenset[str], spec: type) -> dict[str, Any]:
    """A kind found by folder. `settings`: its keys in a world file, with their defaults."""
    fields = {f.name: f.default for f in dataclasses.fields(spec) if f.name != "kind"}
    return {
        "id": id_,
        "title": title,
        "features": sorted(features),
        "settings": {key: list(value) if isinstance(value, tuple) else value for key, value in fields.items()},
        "doc": _page(folder, id_),
    }


def show(id_: str) -> dict[str, Any]:
    """The entry of this id, of whatever kind. Raises NotFound."""
    import difflib

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
