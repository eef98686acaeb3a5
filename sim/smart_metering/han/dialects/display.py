"""A page for a browser, beside every dialect: what a consumer has to know, on a screen of any width.

Readings, tariff registers, who was sent what and when, a bill worked out again, the own log and whether it is whole;
for a technician the state. It has no script and loads nothing. Whatever came from outside is shown as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from html import escape
from typing import Final

from sim.core.digits import whole_of
from sim.core.quoting import shown
from sim.smart_metering.han import export
from sim.smart_metering.han.bill_check import AGREES, DIFFERS, Compared, compared
from sim.smart_metering.han.grid_words import quantity
from sim.smart_metering.han.holding import COUNT, WATT_HOURS, GatewayState, HeldMeter
from sim.smart_metering.han.page_style import STYLE
from sim.smart_metering.han.role_matrix import Role
from sim.smart_metering.han.visits import Dialect, Response, Visit
from sim.smgw.delivered_content import Value, decode
from sim.smgw.german_time import local
from sim.smgw.logs.hash_chain import encode, ends_in, verify
from sim.smgw.logs.log_entries import LogEvent, consumer
from sim.smgw.obis_codes import of_text
from sim.smgw.status_words import BILLED_UP_TO, ptb

PATH: Final = "/display"
EXPORT: Final = "/display/export"
LOG: Final = "/display/log"
"""The own log for a program: rows, and the logs' ends as the gateway signed them."""
_HTML: Final = "text/html; charset=utf-8"
_PERIODS_SHOWN: Final = 3
_ROWS_SHOWN: Final = 12
_ERROR_REGISTER: Final = 63
_FED_IN: Final = (1, 2)


class Display(Dialect):
    id = "display"
    title = "the display page alone"

    def owns(self, path: str) -> bool:
        return path in (PATH, EXPORT, LOG)

    def answer(self, visit: Visit) -> Response:
        if visit.request.method not in ("GET", "HEAD"):
            return Response(405, b"this page is read; nothing is changed here")
        if visit.request.path == EXPORT:
            return _export(visit)
        if visit.request.path == LOG:
            return _rows(visit)
        if visit.access.account.role == Role.TECHNICIAN:
            return _page(visit, "Service technician", _state(visit.access.state()))
        return _page(visit, visit.access.account.owner, _household(visit))


DIALECT: Final = Display()


def _export(visit: Visit) -> Response:
    source = visit.source
    held = [each for name in _names(visit) for each in visit.access.readings(name)]
    made = export.readings(source.gateway, held, source.certificate, source.sign, visit.now_s)
    as_file = ("Content-Disposition", "attachment; filename=readings.p7m")
    return Response(200, made, "application/pkcs7-mime", (as_file,))


def _rows(visit: Visit) -> Response:
    signed = visit.access.ends()
    made = {
        "rows": [json.loads(encode(row)) for row in visit.access.log()],
        "statement": "" if signed is None else signed.statement.decode(),
        "signature": "" if signed is None else signed.signature.hex(),
    }
    return Response(200, json.dumps(made).encode(), "application/json")


def _names(visit: Visit) -> list[str]:
    return list(dict.fromkeys(one.name for one in visit.access.meters()))


def _household(visit: Visit) -> str:
    meters = visit.access.meters()
    parts = visit.access.sent()
    values = [value for part in parts for value in decode(part.content).values]
    return "".join((
        _readings(meters), _receivers(visit), _bill(visit, values, meters), _registers(values, meters), _log(visit),
    ))  # fmt: skip


# --- sections -------------------------------------------------------------------------------------------------------


def _readings(meters: Sequence[HeldMeter]) -> str:
    rows = []
    for one in meters:
        if one.captured:
            last = one.captured[-1]
            day = [each for each in one.captured if each.at_s >= last.at_s - 86_400 and each.period == last.period]
            used = one.amount(last.value) - one.amount(day[0].value)
            mark = "" if ptb(last.status) <= BILLED_UP_TO else " (not for billing)"
            now = f"{_number(one.amount(last.value))} {_unit(one)}{mark}"
            rows.append((_register(one.name, one.obis), now, _time(last.at_s), f"{_number(used)} {_unit(one)}"))
    head = ("Meter", "Now", "Read", "Last 24 hours")
    more = f'<p><a href="{EXPORT}">Take all readings away, signed by the gateway</a></p>'
    return _section("Your readings", _table(head, rows, "No reading has been taken yet.") + more)


def _registers(values: Sequence[Value], meters: Sequence[HeldMeter]) -> str:
    sums = [one for one in values if one.from_s is not None]
    periods = sorted({one.until_s for one in sums})[-_PERIODS_SHOWN:]
    tariffs = sorted({one.tariff for one in sums})
    lines: dict[tuple[int, str], dict[int, Value]] = {}
    for one in sums:
        if one.until_s in periods:
            lines.setdefault((-one.until_s, _register(one.meter, one.obis)), {})[one.tariff] = one
    rows = [
        (meter, _span(next(iter(found.values()))), *(_amount(found[n], meters) if n in found else "" for n in tariffs))
        for (_, meter), found in sorted(lines.items())
    ]
    head = ("Meter", "Period", *(_tariff(one).capitalize() for one in tariffs))
    body = _table(head, rows, "No billing period has ended yet.")
    single = [
        (_register(one.meter, one.obis), _time(one.until_s), f"TAF {one.taf}", _amount(one, meters))
        for one in values if one.from_s is None
    ][-_ROWS_SHOWN:][::-1]  # fmt: skip
    if single:
        body += "<h2>Single values</h2>" + _table(("Meter", "Of", "Use case", "Value"), single, "")
    return _section("Your tariff registers", body)


def _receivers(visit: Visit) -> str:
    log = visit.access.log()
    there = {(row.entry.subject, row.entry.text.split(" ")[1]): row.entry.at_s for row in log
             if row.entry.event is LogEvent.HANDED_OVER}  # fmt: skip
    rows = []
    for part in visit.access.sent()[-_ROWS_SHOWN:][::-1]:
        values = decode(part.content).values
        handed_s = there.get((part.receiver, str(part.number)))
        tafs = ", ".join(f"TAF {taf}" for taf in sorted({one.taf for one in values}))
        rows.append((part.receiver, f"{len(values)} values, {tafs}", _time(part.at_s),
                     "waits in the gateway" if handed_s is None else _time(handed_s)))  # fmt: skip
    head = ("Receiver", "What", "Sealed", "Handed over")
    return _section("Who received what", _table(head, rows, "Nothing has left the gateway."))


def _log(visit: Visit) -> str:
    rows, signed = visit.access.log(), visit.access.ends()
    log = consumer(visit.access.account.owner)
    ends = {} if signed is None else ends_in(signed.statement, visit.source.gateway)
    found = verify(rows, ends[log]) if log in ends else []
    if found:
        said = "".join(f"<li>{escape(str(one))}</li>" for one in found[:10])
        whole = f'<p class="bad">This log was tampered with:</p><ul class="bad">{said}</ul>'
    else:
        end = f"{rows[-1].number}, {rows[-1].digest[:16]}" if rows else "none"
        whole = f'<p class="good">The log is whole. Its last row: {escape(end)}. Note it, to hold later rows to it.</p>'
    head = ("Row", "When", "What")
    shown_rows = [(str(row.number), _time(row.entry.at_s), row.entry.text) for row in rows[-_ROWS_SHOWN:][::-1]]
    return _section("Your log", whole + _table(head, shown_rows, "It is empty."))


def _state(state: GatewayState) -> str:
    rows = [
        ("Gateway", state.gateway), ("Time", _time(state.now_s)), ("Switched on", f"{state.boots} times"),
        ("Meters paired", str(state.meters)), ("Deliveries waiting", str(state.waiting)),
        ("Alarms of meters", str(state.alarms)),
        *((f"Rows in the log: {name}", str(count)) for name, count in state.logs),
        *((f"Firmware: {one.name}", f"{one.version}, {one.checksum[:16]}") for one in state.firmware),
    ]  # fmt: skip
    return _section("State", _table(("What", "Is"), rows, ""))


# --- a bill ---------------------------------------------------------------------------------------------------------


def _bill(visit: Visit, values: Sequence[Value], meters: Sequence[HeldMeter]) -> str:
    """What was delivered worked out again from the readings, and one amount of a bill that the consumer types in."""
    sums = [one for one in values if one.from_s is not None and one.taf in (1, 2)]
    if not sums:
        return _section("Check a bill", "<p>No billing period has ended yet.</p>")
    last = sorted({one.until_s for one in sums})[-_PERIODS_SHOWN:]
    own = [one for one in sums if one.until_s in last]
    outcomes = compared(own, meters)
    bad, good = (sum(one.outcome == outcome for one in outcomes) for outcome in (DIFFERS, AGREES))
    kind, said = "good", f"{good} of {len(outcomes)} registers of the last periods are what the readings give."
    if bad:
        kind, said = "bad", f"{bad} of {len(outcomes)} registers that were delivered are not what the readings give."
    summed = f'<p class="{kind}">{said}</p>'
    options = "".join(
        f'<option value="{number}">{escape(_where(one))}</option>'
        for number, one in enumerate(own)
    )
    form = (
        f'<form action="{PATH}" method="get"><label>Register of the bill<select name="register">{options}</select>'
        '</label><label>Amount on the bill<input name="amount" inputmode="decimal" required maxlength="20"></label>'
        "<button>Compare</button></form>"
    )
    return _section("Check a bill", summed + _typed(visit, own, meters) + form)


def _typed(visit: Visit, own: Sequence[Value], meters: Sequence[HeldMeter]) -> str:
    query = visit.request.query()
    if "register" not in query and "amount" not in query:
        return ""
    number = whole_of(query.get("register", ""), len(own) - 1)
    amount = query.get("amount", "").strip().replace(",", ".")
    try:
        billed = Decimal(amount)
    except InvalidOperation:
        billed = Decimal("NaN")
    if number is None or not billed.is_finite() or len(amount) > 20:
        return '<p class="bad">Choose a register, and write its amount as a number.</p>'
    (found,) = compared([own[number]._replace(amount=billed)], meters)
    return _verdict(found, meters)


def _verdict(found: Compared, meters: Sequence[HeldMeter]) -> str:
    one = found.billed
    where = escape(_where(one))
    if found.outcome == AGREES:
        return f'<p class="good">{where}: the bill is right.</p>'
    if found.outcome == DIFFERS:
        must = _amount(one._replace(amount=found.amount), meters)
        return f'<p class="bad">{where}: billed {escape(_amount(one, meters))}, the readings give {escape(must)}.</p>'
    return f"<p>{where}: {escape(shown(found.why))}</p>"


# --- words ----------------------------------------------------------------------------------------------------------


def _page(visit: Visit, whose: str, body: str) -> Response:
    title = f"Gateway {visit.source.gateway}"
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(shown(title))}</title><style>{STYLE}</style></head>"
    )
    top = f"<header><h1>{escape(shown(title))}</h1><p>{escape(shown(whose))} · {_time(visit.now_s)}</p></header>"
    return Response(200, f"{head}<body>{top}<main>{body}</main></body></html>".encode(), _HTML)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], none: str) -> str:
    lines = [
        "<tr>" + "".join(f'<td data-of="{escape(name)}">{escape(shown(cell))}</td>' for name, cell in
                         zip(head, row, strict=True)) + "</tr>"
        for row in rows
    ]  # fmt: skip
    if not lines:
        return f"<p>{escape(none)}</p>"
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _time(at_s: int) -> str:
    return f"{local(at_s):%d.%m.%Y %H:%M}"


def _span(one: Value) -> str:
    begin, end = local(one.from_s or one.until_s), local(one.until_s)
    same = begin.date() == end.date()
    return f"{begin:%d.%m.%Y %H:%M} to {end:%H:%M}" if same else f"{begin:%d.%m.%Y %H:%M} to {end:%d.%m.%Y %H:%M}"


def _where(one: Value) -> str:
    return f"{_span(one)}, {_register(one.meter, one.obis)}, {_tariff(one.tariff)}"


def _register(meter: str, obis: str) -> str:
    """A meter's name; of what it fed in, and of grid values, that too."""
    code = of_text(obis)
    if (name := quantity(code)[0]):
        return f"{meter}, {name}"
    return f"{meter}, fed in" if (code.a, code.c) == _FED_IN else meter


def _tariff(number: int) -> str:
    return "in no tariff" if number == _ERROR_REGISTER else f"tariff {number}"


def _amount(one: Value, meters: Sequence[HeldMeter]) -> str:
    held = next((each for each in meters if each.name == one.meter), None)
    about_grid = quantity(of_text(one.obis))[1]
    if one.amount is None:
        return "no value" if about_grid else "no value for billing"
    if about_grid:
        return f"{_number(one.amount)} {about_grid}"
    return f"{_number(one.amount)} {_unit(held)}" if held else _number(one.amount)


def _number(amount: Decimal) -> str:
    return f"{amount:f}"


def _unit(meter: HeldMeter) -> str:
    return {COUNT: "units", WATT_HOURS: "kWh"}.get(meter.unit, "m³")
