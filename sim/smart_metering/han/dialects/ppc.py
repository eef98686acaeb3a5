"""PPC: one CGI, HTML, a session cookie, and exports as CMS.

As py-ppc-smgw 0.2.2 speaks it: GET logs in by Digest and brings a cookie; each POST says `action`. Names of elements
are those that it looks for. Its `tkn`, which an older client sends, is on the login page and is not asked for. Not
known, and this model's: texts, the answer to a wrong action, what `selftest` says (here it switches nothing off).
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Final

from sim.smart_metering.han import export, self_test
from sim.smart_metering.han.holding import HeldMeter
from sim.smart_metering.han.role_matrix import FOREVER_S, Denied, Thing
from sim.smart_metering.han.visits import Dialect, Ended, Response, Visit
from sim.smgw.german_time import instant_s, local
from sim.smgw.refusals import RuleError
from sim.smgw.rule_set import CAPTURE_S

PATH: Final = "/cgi-bin/hanservice.cgi"
_HTML: Final = "text/html; charset=utf-8"


class Ppc(Dialect):
    id = "ppc"
    title = "PPC: HTML forms and CMS, as py-ppc-smgw reads them"
    curve = "prime256v1"
    algorithms = ("SHA-256", "MD5")
    cookie = True
    sessions_most = 1

    def owns(self, path: str) -> bool:
        return path == PATH

    def answer(self, visit: Visit) -> Response:
        if visit.request.method == "GET":
            return _page('<form method="post"><input type="hidden" name="tkn" value="0"><input name="action"></form>')
        if visit.request.method != "POST":
            return Response(405, b"GET logs in, POST asks")
        form = visit.request.form()
        action = form.get("action", "")
        answers = {
            "meterform": _meterform, "showMeterProfile": _show_meter, "exportMeterProfile": _export_profile,
            "exportMeterValues": _export_values, "swversions": _versions, "selftest": _self_test,
        }  # fmt: skip
        if action == "logout":
            raise Ended(_page("<p>logged out</p>"))
        if action not in answers:
            raise RuleError("action", f"there is no such action; there are {', '.join(answers)}, logout")
        return answers[action](visit, form)


DIALECT: Final = Ppc()


def _page(body: str) -> Response:
    return Response(200, f"<!doctype html><html><body>{body}</body></html>".encode(), _HTML)


def _meterform(visit: Visit, form: dict[str, str]) -> Response:
    names = list(dict.fromkeys(one.name for one in visit.access.meters()))
    options = "".join(f'<option value="{escape(export.device_id(one))}">{escape(one)}</option>' for one in names)
    return _page(f'<select id="meterform_select_meter">{options}</select>')


def _meter(visit: Visit, form: dict[str, str], from_s: int = 0, until_s: int = FOREVER_S) -> list[HeldMeter]:
    wanted = form.get("mid", "")
    names = [one.name for one in visit.access.meters() if export.device_id(one.name) == wanted]
    if not names:
        raise Denied(visit.access.account.role, Thing.READINGS)
    return visit.access.readings(names[0], from_s, until_s)


def _show_meter(visit: Visit, form: dict[str, str]) -> Response:
    rows = []
    for meter in _meter(visit, form):
        for one in meter.captured[-1:]:
            cells = (
                ("timestamp", f"{local(one.at_s):%Y-%m-%d %H:%M:%S}"), ("wert", str(meter.amount(one.value))),
                ("obis", export.obis_hex(meter.obis)),
            )  # fmt: skip
            rows.append("".join(f'<td id="table_metervalues_col_{name}">{text}</td>' for name, text in cells))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return _page(f'<table id="metervalue">{body}</table>')


def _export_profile(visit: Visit, form: dict[str, str]) -> Response:
    source = visit.source
    made = export.profile(_meter(visit, form), CAPTURE_S, source.certificate, source.sign, visit.now_s)
    return Response(200, made, "application/pkcs7-mime")


def _export_values(visit: Visit, form: dict[str, str]) -> Response:
    from_s, until_s = (_instant(form.get(name, ""), name) for name in ("from", "to"))
    found = _meter(visit, form, from_s, until_s)
    source = visit.source
    made = export.readings(source.gateway, found, source.certificate, source.sign, visit.now_s)
    return Response(200, made, "application/pkcs7-mime")


def _instant(given: str, name: str) -> int:
    """A local time without a zone, or with one. Raises RuleError."""
    try:
        at = datetime.fromisoformat(given)
        return int(at.timestamp()) if at.tzinfo else instant_s(at)
    except (ValueError, OverflowError):
        raise RuleError(name, "it is no time; write 2026-01-31T00:00:00, or the same with an offset") from None


def _versions(visit: Visit, form: dict[str, str]) -> Response:
    head = "<tr><th>component</th><th>version</th><th>checksum</th></tr>"
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.version)}</td><td>{one.checksum}</td></tr>"
        for one in visit.access.state().firmware
    )
    return _page(f"<table>{head}{rows}</table>")


def _self_test(visit: Visit, form: dict[str, str]) -> Response:
    return _page(f"<p>{escape(self_test.run(visit))}</p>")
