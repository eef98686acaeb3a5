"""Is all that an attack's record names there: threats, words of forms, settings of its control? Asked when it is listed
and when it is put on a stage.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import cache
from typing import Any

from bench.rig import frame_words
from bench.run_errors import CannotRun
from reports import threat_list
from sim.core.meant import did_you_mean
from sim.core.quoting import quoted
from sim.core.settings import SpecError
from sim.endpoint.registry import ENDPOINTS
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.registry import GATEWAYS
from sim.meters.fleet_spec import FleetSpec
from sim.systems.port import SYSTEMS
from sim.world_spec import WorldSpec


def look(attack: Any) -> None:
    """Of an attack, or of the class of one. Raises CannotRun, naming its file, for what there is not."""
    one = object.__new__(attack) if isinstance(attack, type) else attack
    record, file = one.record, inspect.getsourcefile(type(one))
    frame_words.check(one)
    known_threats(record.threats, f"{file}: {record.id}: ")
    for which in (record.weakness, *record.weakness_of.values()):
        for key, value in which.items():
            if said := _refused(key, value):
                raise CannotRun(f"{file}: {record.id}: weakness: {said}")
    if unknown := [kind for kind in record.weakness_of if kind not in SYSTEMS.parts()]:
        near = did_you_mean(unknown[0], SYSTEMS.parts()) or ";"
        raise CannotRun(f"{file}: {record.id}: weakness_of: there is no system {quoted(unknown[0])}{near}")


def known_threats(ids: Iterable[str], whose: str = "") -> None:
    """Raises CannotRun for an id that the threat list has not."""
    for one in ids:
        if one not in threat_list.threats():
            hint = did_you_mean(one, threat_list.threats()) or ";"
            raise CannotRun(f"{whose}threats: there is no {quoted(one)}{hint} ./wmbench threats lists them")


def _refused(key: str, value: object) -> str:
    """Why no world can have this setting; "" where one of some kind can."""
    said = ""
    for spec in _worlds(key.partition(".")[0]):
        try:
            spec.with_setting(key, value, source="")
            return ""
        except SpecError as error:
            said = said or str(error).removeprefix(": ")
    return said


@cache
def _worlds(table: str) -> list[WorldSpec]:
    """A small world, and where the table has kinds, one of each: a kind has keys of its own."""
    fleet = (FleetSpec("a", "vipa-c10", 1),)
    plain = WorldSpec("any", "Any", fleet, (GatewaySpec(),), endpoint=ENDPOINTS.find("memory").spec())
    kinds = {"system": SYSTEMS.parts(), "endpoint": ENDPOINTS.parts(), "gateway": GATEWAYS.parts()}.get(table, {})
    return [
        plain,
        *(plain.with_setting(f"{table}.kind", kind) for kind in kinds if table != "gateway" or kind != "box"),
    ]
