"""Theben: JSON by POST to one path, as the published interface IF_GW_CON 1.4 has it.

Digest is offered with MD5, which the clients in the field force; the published gateway certificate is on P-384.
`readings` has the data bases origin (captured), derived and calculated (what was sent: registers), at most 31 days;
`log` at most 1 500 entries. Not known, and this model's: database `daily`, which is the first reading of each day.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from sim.core.digits import whole_of
from sim.smart_metering.han import export, self_test
from sim.smart_metering.han.holding import Captured, HeldContract, HeldMeter
from sim.smart_metering.han.role_matrix import FOREVER_S, Denied, Thing
from sim.smart_metering.han.visits import Dialect, Response, Visit
from sim.smgw.delivered_content import Value, decode
from sim.smgw.german_time import local
from sim.smgw.logs.log_entries import LogEvent
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import seconds

ROOT: Final = "/smgw/m2m"
_VERSION: Final = "1.2.0"
_DAYS_31_S: Final = 31 * 86_400
_LOG_MOST: Final = 1_500


class Theben(Dialect):
    id = "theben"
    title = "Theben: JSON by POST, IF_GW_CON 1.4"
    curve = "secp384r1"
    algorithms = ("MD5",)
    cookie = False
    sessions_most = 8

    def owns(self, path: str) -> bool:
        return path.rstrip("/") == ROOT or path.startswith(f"{ROOT}/")

    def answer(self, visit: Visit) -> Response:
        own = f"{ROOT}/{visit.access.account.name}.sm/json"
        path, method = visit.request.path, visit.request.method
        if path.rstrip("/") == ROOT:
            return Response(307, b"", headers=(("Location", own),))
        if path != own:
            raise Denied(visit.access.account.role, Thing.METERS)
        if method != "POST":
            return Response(405, b"a method is asked for by POST")
        asked = _asked(visit)
        answers = {
            "smgw-info": _smgw_info, "user-info": _user_info, "usage-point-info": _usage_point, "readings": _readings,
            "log": _log, "self-test": _self_test,
        }  # fmt: skip
        name = asked.get("method")
        if not isinstance(name, str) or name not in answers:
            raise RuleError("method", f"there is no such method; there are {', '.join(answers)}")
        try:
            said = answers[name](visit, asked)
        except RuleError as error:
            return Response(403 if error.clause == "self-test" else 400, str(error).encode())
        whole = {"version": _VERSION, "method": name, "elapsed-time": "0 miliseconds", name: said}
        return Response(200, json.dumps(whole).encode(), "application/json")


DIALECT: Final = Theben()


def _asked(visit: Visit) -> dict[str, Any]:
    try:
        given = json.loads(visit.request.body)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise RuleError("json", "the body is no object in JSON with a method")
    return given


def _smgw_info(visit: Visit, asked: dict[str, Any]) -> dict[str, Any]:
    state = visit.access.state()
    (firmware,) = state.firmware
    return {
        "smgw-id": state.gateway, "smgw-time": _utc(state.now_s), "smgw-state": "a0000000",
        "firmware-info": {"component": firmware.name, "version": firmware.version, "hash": firmware.checksum},
        "certificates": {"wan": [{"cert-index": "1", "sig": export_certificate(visit).hex()}]},
    }  # fmt: skip


def export_certificate(visit: Visit) -> bytes:
    """The one that values are signed under; a consumer holds it against what came with the contract."""
    from sim.pki.party_certificates import as_der

    return as_der(visit.source.certificate)


def _point_id(visit: Visit, contract: HeldContract) -> str:
    return f"{visit.source.gateway}.{contract.id}.sm"


def _user_info(visit: Visit, asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "usage-points": [
            {
                "usage-point-id": _point_id(visit, one), "usage-point-name": one.id, "taf-number": str(one.taf),
                "taf-state": "running", "delivery-id": one.receiver, "metering-point-id": visit.access.account.owner,
                "meter": [{"meter-id": export.device_id(meter)} for meter in one.meters],
                "billing-Periods": [
                    {"start-time": _utc(from_s), "end-time": _utc(until_s)} for from_s, until_s in _periods(visit)
                ],
            }
            for one in visit.access.contracts()
        ]
    }  # fmt: skip


def _periods(visit: Visit) -> list[tuple[int, int]]:
    spans = {(one.from_s, one.until_s) for one in _sent(visit) if one.from_s is not None}
    return sorted((from_s, until_s) for from_s, until_s in spans if from_s is not None)


def _sent(visit: Visit) -> list[Value]:
    return [value for part in visit.access.sent() for value in decode(part.content).values]


def _contract(visit: Visit, asked: dict[str, Any]) -> HeldContract:
    for one in visit.access.contracts():
        if asked.get("usage-point-id") == _point_id(visit, one):
            return one
    raise Denied(visit.access.account.role, Thing.CONTRACTS)


def _usage_point(visit: Visit, asked: dict[str, Any]) -> dict[str, Any]:
    contract = _contract(visit, asked)
    own = [one for one in visit.access.meters() if one.name in contract.meters]
    return {
        "usage-point-id": _point_id(visit, contract), "usage-point-name": contract.id, "emts": [contract.receiver],
        "databases": [{
            "database": "origin",
            "channels": [
                {"obis": export.obis_hex(one.obis), "scaler": str(one.scaler), "unit": str(one.unit)} for one in own
            ],
        }],
    }  # fmt: skip


def _readings(visit: Visit, asked: dict[str, Any]) -> dict[str, Any]:
    contract = _contract(visit, asked)
    last = asked.get("last-reading") in (True, "true")
    from_s, until_s = (0, FOREVER_S) if last else _span(asked)
    database = asked.get("database")
    if database in ("origin", "daily"):
        channels = [_channel(visit, one, last, database == "daily") for one in _held(visit, contract, from_s, until_s)]
    elif database in ("derived", "calculated"):
        channels = _registers(_sent(visit), from_s, until_s, last)
    else:
        raise RuleError("database", "it is origin, derived, calculated or daily")
    wanted = asked.get("channels")
    if isinstance(wanted, list):
        codes = [one.get("channel") for one in wanted if isinstance(one, dict)]
        channels = [one for one in channels if one["obis"].partition(".")[0] in codes]
    return {"channels": channels, "records": str(sum(len(one["readings"]) for one in channels))}


def _span(asked: dict[str, Any]) -> tuple[int, int]:
    from_s, until_s = (seconds(asked.get(name), name) for name in ("fromtime", "totime"))
    if not 0 < until_s - from_s <= _DAYS_31_S:
        raise RuleError("totime", "at most 31 days are answered at once, and the end is behind the beginning")
    return from_s + 1, until_s


def _held(visit: Visit, contract: HeldContract, from_s: int, until_s: int) -> Iterable[HeldMeter]:
    for name in contract.meters:
        if any(one.name == name for one in visit.access.meters()):
            yield from visit.access.readings(name, from_s, until_s)


def _channel(visit: Visit, meter: HeldMeter, last: bool, daily: bool) -> dict[str, Any]:
    name = export.logical_name(meter.name, meter.obis)
    shown: Iterable[Captured] = meter.captured
    if daily:
        days = {local(one.at_s).date(): one for one in reversed(meter.captured)}
        shown = sorted(days.values())
    rows = []
    for one in list(shown)[-1:] if last else shown:
        statement = export.value_statement(visit.source.gateway, name, one.period, meter.scaler, meter.unit, one)
        rows.append({
            "capture-time": _utc(one.at_s), "target-time": _utc(one.at_s), "value": str(one.value),
            "owner-number": export.device_id(meter.name), "smgw-status": f"{one.status:08x}",
            "meter-status": "00000000", "cosem-status": f"{one.status:08x}00000000",
            "signature": visit.source.sign(statement).hex(),
        })  # fmt: skip
    return {"obis": name, "readings": rows}


def _registers(values: list[Value], from_s: int, until_s: int, last: bool) -> list[dict[str, Any]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for one in values:
        if from_s <= one.until_s <= until_s and one.amount is not None:
            name = export.logical_name(one.meter, one.obis)
            rows.setdefault(name, []).append({
                "capture-time": _utc(one.until_s), "target-time": _utc(one.until_s), "value": format(one.amount, "f"),
                "owner-number": f"taf{one.taf}", "signature": None,
            })  # fmt: skip
    return [{"obis": name, "readings": found[-1:] if last else found} for name, found in rows.items()]


def _log(visit: Visit, asked: dict[str, Any]) -> dict[str, Any]:
    rows = visit.access.log()
    if "fromtime" in asked or "totime" in asked:
        from_s, until_s = (seconds(asked.get(name), name) for name in ("fromtime", "totime"))
        rows = [one for one in rows if from_s <= one.entry.at_s <= until_s]
    first, count = whole_of(str(asked.get("fromindex", 0))), whole_of(str(asked.get("count", _LOG_MOST)))
    if first is None or count is None:
        raise RuleError("count", "fromindex and count are whole numbers")
    rows = [one for one in rows if one.number >= first][: min(count, _LOG_MOST)]
    return {
        "entries": [
            {
                "index": str(row.number), "time": _utc(row.entry.at_s), "level": str(int(row.entry.level)),
                "vendor-id": "BSI" if row.entry.event is LogEvent.VALUES_SENT else "wmbench",
                "event-id": str(int(row.entry.event)), "event-sub-id": "0", "version": "1",
                "subject-identity": row.entry.subject, "user-identity": row.entry.user,
                "outcome": str(row.entry.outcome), "message": row.entry.text, "content": row.entry.content,
                "before": row.before, "digest": row.digest,
            }
            for row in rows
        ],
        "records": str(len(rows)),
    }  # fmt: skip


def _self_test(visit: Visit, asked: dict[str, Any]) -> dict[str, Any]:
    return {"result": self_test.run(visit)}


def _utc(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
