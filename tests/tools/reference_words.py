"""Pages of docs/reference that list words which a scenario, an attack or a meter type may use, each from its table."""

from __future__ import annotations

from typing import Final

from attacks.attack import attacks, form
from attacks.parts import forgery, survey
from bench.rig import frame_words, whole_reasons
from sim.meters import quantities
from sim.meters.encodings import BCD, BINARY, ENCODINGS, LVAR
from sim.meters.quantities import HALF, MONTH, QUANTITIES, SET_DATE, Quantity
from sim.pki.sealed_content import REASONS
from sim.pki.sm_chain import CLAUSES
from tests.tools.reference_text import MADE, cell, functions, members, said, signature, table

_OPERATIONS: Final = {
    quantities.DATE: "a date", quantities.COUNT: "what was counted", quantities.CLOCK: "the meter's time",
    quantities.OWN: "what the meter holds", quantities.ROOM: "temperature of the room",
    quantities.RADIATOR: "temperature of the radiator", quantities.PIPE: "temperature of the water",
    quantities.POWER: "power of the heat in a heat meter's pipes (no electricity), or a flow that follows it",
    quantities.SPREAD: "difference of flow and return",
    quantities.FAULT_TIME: "when the first fault came",
    quantities.SINCE: "time since it stopped counting, or since a fault",
}  # fmt: skip
_INSTANTS: Final = {SET_DATE: "at the set date", MONTH: "at a month's end", HALF: "at the end of half a month"}


def reasons_page() -> str:
    out = f"""# Reasons: what `because` may name
{MADE}
`world.expect(..., because="replayed counter | time off")` names the reasons for which what is prevented is refused:
whole ones of this page, with " | " between alternatives. Of shots each reason that was given must be among them; of an
attack that sends none, its own sentence must say one of them in whole words. A reason that is not here is refused with
file and line. The checks of a user's own bring theirs (`reasons` of a check), an attack its own sentences
(`refused_as`).
"""
    for title, there in whole_reasons.everywhere().items():
        meanings = {**REASONS, **CLAUSES} if "containers" in title else {}
        rows = [f"| {cell(one)} |" + (f" {meanings[one]} |" if meanings else "") for one in sorted(there)]
        heads = "reason | what does not hold" if meanings else "reason"
        out += f"\n## {title[0].upper()}{title[1:]}\n{table(heads, rows)}"
    own = [f"| `{id_}` | {cell(' / '.join(cls.record.refused_as))} |" for id_, cls in attacks().items()
           if cls.record.refused_as]  # fmt: skip
    out += f"\n## In an attack's own words\n{table('attack | reasons', own)}"
    return out + "\nWhat a portal means by its reasons: [portal-tables.md](portal-tables.md).\n"


def forms_page() -> str:
    shows = [f"| {word} | {cell(what)} |" for word, what in frame_words.SHOWS.items() if not word.startswith("mode ")]
    changed = [f"| {word} | {cell(what)} |" for word, what in frame_words.CHANGED.items()]
    return f"""# Forms: what a variant's frames look like
{MADE}
An attack says of each variant, or of one security mode of it ("variant / mode7"), what its frames look like; the
referee holds the bytes that arrived against it:
`forms={{"masked": form(changed="access number, status", age_s=(550, 800))}}`.

`form{signature(form)}`

- `shows`: words that must all be seen in a frame.
- `changed`: all in which it differs from the genuine telegram that it was made from, no more and no less; "": it is an
  exact copy; None: it is a telegram of the attacker's own.
- `age_s`: (least, most) time since the genuine one began.
- `behind`: (least, most) telegrams which that meter has begun since.

Words stand with commas between them. One that is not here is refused, naming the attack's file.

## `shows`
{table("word | what is seen", [*shows, "| mode 0 ... mode 31 | this security mode in the configuration word |"])}
## `changed`
{table("word | what differs", changed)}"""


def attack_parts() -> str:
    known = [f"| `{name}` | {hint} |" for name, hint in survey.Known.__annotations__.items()]
    return f"""# Parts of attacks
{MADE}
What attacks share lies in `attacks/parts/`. These two are what an attack of one's own most often needs.

## `attacks.parts.survey`: who is there
{" ".join((survey.__doc__ or "").split())}

`Survey(keep=300)`: {said(survey.Survey)}

{table("member | what", members(survey.Survey))}
Of each meter a `Known`: {said(survey.Known)}

{table("field | type", known)}
{table("member | what", members(survey.Known))}
{table("function | what", functions(survey))}
## `attacks.parts.forgery`: telegrams changed without their key
{" ".join((forgery.__doc__ or "").split())}

{table("function | what", functions(forgery))}"""


def meter_words() -> str:
    codings = []
    for one in ENCODINGS.values():
        kind = {BINARY: "binary, least byte first", BCD: "packed BCD"}.get(one.kind, "ASCII digits, the last first")
        dif = "D, and a length byte" if one.data_field == LVAR else f"{one.data_field:X}"
        signed = ", signed" if one.signed else ""
        codings.append(f"| `{one.name}` | {kind}{signed} | {one.width} | {dif} | {one.lowest} to {one.beyond - 1} |")
    rows = [f"| `{name}` | {_unit(one)} | {_what(one)} |" for name, one in QUANTITIES.items()]
    return f"""# Encodings and quantities of meter types
{MADE}
A record of a meter type is `field(head, encoding, quantity)`: [how](../how-to/add-a-meter.md).

## Encodings
-1 is "not available"; `G`, `F` and `I` are the dates of EN 13757-3, `real` is an IEEE number's bits.

{table("name | how | bytes | low half of the DIF | integers", codings)}
## Quantities
Those of all types. A type brings others as `quantities`, and what never moves as `constants`. Where the VIF names
another unit than the quantity counts in, the type is refused when it is loaded.

{table("name | counts in | what", rows)}"""


def _unit(one: Quantity) -> str:
    return f"10^{one.exponent} {one.unit}" if one.exponent else one.unit


def _what(one: Quantity) -> str:
    text = _OPERATIONS[one.op]
    if one.form:
        text += f", type {one.form}"
    if one.op in (quantities.DATE, quantities.COUNT) and one.end in _INSTANTS:
        text += f", {_INSTANTS[one.end]}"
    if one.begin == SET_DATE:
        text += ", since the set date before"
    if one.less != quantities.WHOLE:
        text += ", less the one before"
    return text
