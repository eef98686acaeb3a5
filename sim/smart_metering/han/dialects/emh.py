"""EMH CASA: JSON by GET, as free clients of it read it (emh-casa-go, ha-ppc-smgw).

They read: lists of identifiers, a contract's `taf_type` and `sensor_domains`, a meter's last `values`. Not known, and
this model's: everything else that a device may answer; Digest with both algorithms; mDNS is left out.
"""

from __future__ import annotations

import json
from typing import Any, Final

from sim.smart_metering.han import export
from sim.smart_metering.han.role_matrix import Denied, Thing
from sim.smart_metering.han.visits import Dialect, Response, Visit

ORIGIN, DERIVED = "/json/metering/origin", "/json/metering/derived"


class Emh(Dialect):
    id = "emh"
    title = "EMH CASA: JSON by GET, as free clients read it"
    curve = "prime256v1"
    algorithms = ("SHA-256", "MD5")
    cookie = False
    sessions_most = 8

    def owns(self, path: str) -> bool:
        return any(path == one or path.startswith(f"{one}/") for one in (ORIGIN, DERIVED))

    def answer(self, visit: Visit) -> Response:
        if visit.request.method != "GET":
            return Response(405, b"everything here is read with GET")
        found = _found(visit, [part for part in visit.request.path.split("/") if part][2:])
        return Response(404, b"there is nothing here") if found is None else _json(found)


DIALECT: Final = Emh()


def _found(visit: Visit, parts: list[str]) -> Any:
    if parts == ["origin"]:
        return list(dict.fromkeys(_sensor(one.name) for one in visit.access.meters()))
    if parts == ["derived"]:
        return [one.id for one in visit.access.contracts()]
    if len(parts) == 2 and parts[0] == "derived":
        for one in visit.access.contracts():
            if one.id == parts[1]:
                return {"taf_type": f"TAF-{one.taf}", "sensor_domains": [_sensor(meter) for meter in one.meters]}
        raise Denied(visit.access.account.role, Thing.CONTRACTS)
    if len(parts) == 3 and parts[0] == "origin" and parts[2] == "extended":
        return _values(visit, parts[1])
    return None


def _values(visit: Visit, sensor: str) -> dict[str, Any]:
    names = [one.name for one in visit.access.meters() if _sensor(one.name) == sensor]
    if not names:
        raise Denied(visit.access.account.role, Thing.READINGS)
    return {
        "values": [
            {
                "value": str(meter.captured[-1].value), "unit": meter.unit, "scaler": meter.scaler,
                "logical_name": f"{export.obis_hex(meter.obis)}.{sensor}",
            }
            for meter in visit.access.readings(names[0])
            if meter.captured
        ]
    }  # fmt: skip


def _sensor(meter: str) -> str:
    return f"{export.device_id(meter)}.sm"


def _json(found: Any) -> Response:
    return Response(200, json.dumps(found).encode(), "application/json")
