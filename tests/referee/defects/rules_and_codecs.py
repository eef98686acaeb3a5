"""Parts that no scenario judges: AWS IoT Core's rules, the tariff engine, SML and HDLC, readers of gateways' messages.
What must notice a defect in them are the tests of published cases and of vectors that were not made with this code."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.referee.defect import DROPS, ENDPOINTS, RIG, STORES, SUMS, VALUES, Patch, Play, defect
from tests.referee.defects import plays
from wmbus.records import UNREADABLE, parse_records

AWS = "sim.endpoint.aws"
SMGW = "sim.smgw"
READERS = "sim.readers"
_RULE = "A topic rule does what is published of it."
_POLICY = "A policy allows what is published of it."
_TARIFF = "Registers are what the rule set says of the readings."
_FRAME = "A frame that is damaged is refused, and a good one is read."
_MESSAGE = "What a gateway's message says is what is read."

Instead = Callable[..., Any]


def _plain(id: str, kind: str, untrue: str, play: Play, place: str, what: str, instead: Instead) -> None:
    """A defect that changes one function."""

    def apply(patch: Patch) -> None:
        patch.around(place, instead)

    apply.__doc__ = what
    defect(id, kind, untrue, play)(apply)


# --- AWS IoT Core ---------------------------------------------------------------------------------------------------

_plain("rule-hears-every-topic", ENDPOINTS, _RULE, plays.AWS_RULES, f"{AWS}.rules:Rule.hears",
       "A topic rule takes messages of every topic.",
       lambda original, rule, topic: original(rule, topic) or topic)  # fmt: skip
_plain("rule-where-compares-nothing", ENDPOINTS, _RULE, plays.AWS_RULES, f"{AWS}.rules:_compared",
       "Every comparison of a topic rule holds.",
       lambda original, operator, left, right: True)  # fmt: skip
_plain("rule-adds-for-minus", ENDPOINTS, _RULE, plays.AWS_CASES, f"{AWS}.rules:_computed",
       "A topic rule adds where it is to subtract.",
       lambda original, operator, left, right, version: original(
           "+" if operator == "-" else operator, left, right, version))  # fmt: skip
_plain("rule-numbers-round-up", ENDPOINTS, _RULE, plays.AWS_CASES, f"{AWS}.rule_values:whole",
       "A number with a fraction becomes the next whole one.",
       lambda original, value, *rounding: original(value, *rounding) + (value != int(value)))  # fmt: skip
_plain("rule-alias-flat", ENDPOINTS, _RULE, plays.AWS_RULES, f"{AWS}.rules:_put",
       "A name of several steps is written as its last one.",
       lambda original, found, path, value: original(found, path[-1:], value))  # fmt: skip
_plain("policy-deny-loses", ENDPOINTS, _POLICY, plays.AWS_POLICIES, f"{AWS}.policies:_Statement.applies",
       "A statement that denies never applies.",
       lambda original, statement, *asked: statement.allows and original(statement, *asked))  # fmt: skip
_plain("policy-condition-ignored", ENDPOINTS, _POLICY, plays.AWS_POLICIES, f"{AWS}.policies:_Condition.holds",
       "Every condition of a policy holds.",
       lambda original, condition, *asked: True)  # fmt: skip
_plain("policy-variable-anybody", ENDPOINTS, _POLICY, plays.AWS_POLICIES, f"{AWS}.policies:Client.substitute",
       "A variable in a policy stands for anything.",
       lambda original, client, name, resource: original(client, name, resource) and "thing-2")  # fmt: skip
_plain("shadow-delta-empty", ENDPOINTS, "A shadow tells what differs.", plays.AWS_SHADOWS, f"{AWS}.shadows:_delta",
       "A shadow never tells a difference.",
       lambda original, state: {})  # fmt: skip
_plain("shadow-version-any", ENDPOINTS, "A shadow takes the version that it has.", plays.AWS_SHADOWS,
       f"{AWS}.shadows:_object",
       "The version that a device names for its shadow is not looked at.",
       lambda original, payload, **how: {
           key: value for key, value in original(payload, **how).items() if key != "version"})  # fmt: skip
_plain("bill-forgets-the-rest", SUMS, "A message counts in units of five kilobytes, begun ones whole.",
       plays.AWS_BILL, f"{AWS}.bill:units",
       "The last unit of a message, which is not full, is not billed.",
       lambda original, topic_bytes, payload_bytes: max(1, (topic_bytes + payload_bytes) // 5_120))  # fmt: skip

for _verb in ("Connect", "Publish", "RetainPublish", "Subscribe", "Receive"):
    _plain(f"policy-not-asked-{_verb.lower()}", ENDPOINTS, "What no policy allows is not done.", plays.AWS_CONNECTION,
           f"{AWS}.connection:Connection._allowed",
           f"The companion asks no policy about iot:{_verb}.",
           lambda original, connection, action, name, verb=f"iot:{_verb}": (
               action == verb or original(connection, action, name)))  # fmt: skip


def _bucket_emptied(original: Any, files: Any) -> None:
    files._given = [one for one in files._bucket.rglob("*") if one.is_file()]
    original(files)


def _files_gone_when_read(original: Any, files: Any) -> Any:
    found = original(files)
    files.taken()
    return found


_plain("file-forgotten", DROPS, "A file goes when the portal committed what is in it.", plays.AWS_FILES,
       f"{AWS}.portal_files:Files.taken",
       "What came while the portal committed is deleted with what it took.", _bucket_emptied)  # fmt: skip
_plain("file-gone-when-read", DROPS, "A file goes when the portal committed what is in it.", plays.AWS_FILES,
       f"{AWS}.portal_files:Files.waiting",
       "A file is deleted when it is read.", _files_gone_when_read)  # fmt: skip

# --- the smart meter gateway ----------------------------------------------------------------------------------------


def _error_register_counts(original: Any, *arguments: Any) -> Any:
    counted, backwards = original(*arguments)
    counted[:, 0] += counted[:, -1]
    return counted, backwards


_plain("tariff-error-register-billed", SUMS, _TARIFF, plays.TARIFF, f"{SMGW}.use_cases:totals",
       "What no stage may count is counted by the first.", _error_register_counts)  # fmt: skip
_plain("tariff-no-summer-time", SUMS, _TARIFF, plays.TARIFF, f"{SMGW}.german_time:offset_s",
       "Days begin by winter time all the year.",
       lambda original, at_s: 3_600)  # fmt: skip
_plain("tariff-first-reading-lost", SUMS, _TARIFF, plays.TARIFF, f"{SMGW}.metrology:Series.summed",
       "The first reading of a period is left out.",
       lambda original, series, start_s, end_s: original(series, start_s, end_s)[1:])  # fmt: skip
_plain("tariff-whole-units", SUMS, _TARIFF, plays.USE_CASES, f"{SMGW}.use_cases:_sums",
       "Registers lose what is behind the decimal point.",
       lambda original, *arguments: [Decimal(int(one)) for one in original(*arguments)])  # fmt: skip
_plain("fed-in-and-drawn", SUMS, _TARIFF, plays.USE_CASES, f"{SMGW}.use_cases:_given_back",
       "Power that is drawn counts as fed in.",
       lambda original, one: original(type(one)(one.meter, one.obis, one.scaler, tuple(
           type(r)(r.at_s, r.target_s, -r.value, r.ptb, r.on_raster) for r in one.readings))))  # fmt: skip
_plain("capture-time-unseen", SUMS, "A value that was captured beside its instant is not billed for it.",
       plays.METROLOGY, f"{SMGW}.metrology:target_s",
       "A value stands for the nearest instant, however far that is.",
       lambda original, at_s, period_s: (at_s + period_s // 2) // period_s * period_s)  # fmt: skip
_plain("status-always-good", SUMS, "What may not be billed is marked.", plays.METROLOGY, f"{SMGW}.status_words:ptb",
       "No status word makes a reading worse.",
       lambda original, gateway, meter=0: type(original(gateway, meter))(0))  # fmt: skip
_plain("hdlc-check-unlooked", VALUES, _FRAME, plays.HDLC, f"{SMGW}.hdlc:_check",
       "The check sequences of an HDLC frame are not looked at.",
       lambda original, data, at, reason: None)  # fmt: skip
_plain("hdlc-short-address", VALUES, _FRAME, plays.HDLC, f"{SMGW}.hdlc:_address_end",
       "An HDLC address ends with its first byte.",
       lambda original, data, begin: begin + 1)  # fmt: skip
_plain("hdlc-splitter-drops-one", VALUES, _FRAME, plays.HDLC, f"{SMGW}.hdlc:Splitter.feed",
       "Of frames that arrive together the last is lost.",
       lambda original, splitter, data: original(splitter, data)[: 1])  # fmt: skip


def _unsigned(original: Any, data: bytes, at: int, depth: int = 0) -> Any:
    node, end = original(data, at, depth)
    if node.kind == "int" and isinstance(node.value, int) and node.value < 0:
        node = type(node)(node.kind, node.value + (1 << 8 * node.size - 1), node.size, node.offset)
    return node, end


_plain("sml-sign-lost", VALUES, _FRAME, plays.SML, f"{SMGW}.sml_octets:decode",
       "A negative number of SML is read without its sign bit.", _unsigned)  # fmt: skip
_plain("sml-order-unlooked", VALUES, _FRAME, plays.SML, f"{SMGW}.sml_file:check",
       "Messages of an SML file may stand in any order and lack any field.",
       lambda original, file: None)  # fmt: skip
_plain("sml-offset-of-nothing", VALUES, "A refusal names the byte of the file as it came.", plays.SML,
       f"{SMGW}.sml_file:_wire",
       "Offsets do not count the bytes that an escape doubles.",
       lambda original, offset, doubled: offset)  # fmt: skip


@defect("sml-crc-unlooked", VALUES, _FRAME, plays.SML)
def _(patch: Patch) -> None:
    """Whatever stands where an SML file or message has its CRC is right."""

    class Any_(bytes):
        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

        __hash__ = bytes.__hash__

    patch.around(f"{SMGW}.sml_file:crc16_wire", lambda original, *arguments: Any_(original(*arguments)))


# --- readers --------------------------------------------------------------------------------------------------------

_plain("reader-keeps-crcs", VALUES, _MESSAGE, plays.READERS, f"{READERS}.transforms:strip_crcs",
       "CRCs that a gateway left in a telegram stay in it.",
       lambda original, data: data)  # fmt: skip
_plain("reader-level-positive", VALUES, _MESSAGE, plays.READERS, f"{READERS}.message_content:_level_dbm",
       "A level is read without its sign.",
       lambda original, value, unit: abs(original(value, unit)))  # fmt: skip
_plain("reader-zone-ignored", VALUES, _MESSAGE, plays.READER_RULES, f"{READERS}.stamps:_names_a_zone",
       "A time that names its zone is taken for one that does not.",
       lambda original, text: False)  # fmt: skip
_plain("reader-lines-lost", VALUES, _MESSAGE, plays.READERS, f"{READERS}.message_content:Content._receptions",
       "Of a message's receptions the first is lost.",
       lambda original, *arguments, **how: original(*arguments, **how)[1:])  # fmt: skip
_plain("values-all-agree", VALUES, _MESSAGE, plays.VALUE_NAMES, f"{READERS}.value_names:_equal",
       "Any value that a gateway tells is the true one.",
       lambda original, told, wanted: True)  # fmt: skip
_plain("units-ignored", VALUES, _MESSAGE, plays.VALUE_NAMES, f"{READERS}.value_names:in_the_unit_of",
       "A value in another unit is compared as it is.",
       lambda original, name, value, unit: value)  # fmt: skip
_plain("lora-gap-unseen", VALUES, "A telegram with a lost segment is not read as whole.", plays.LORA,
       f"{READERS}.lora:_gap",
       "That a segment is lost is not said.",
       lambda original, piece, wanted, came: piece)  # fmt: skip


# --- forms that were agreed for a meter type -------------------------------------------------------------------------

_ODD = "Only what is agreed of a type's odd form is taken, and nothing that nobody encrypted."
_ODD_RECORDS = "sim.portal.odd_form:OddForm.records"


def _as_found(unlocked: Any) -> list[Any]:
    return [one for one in parse_records(unlocked.plaintext, strict=False) if one.quantity != UNREADABLE]


_plain("odd-form-of-any", STORES, _ODD, plays.ODD_FORMS, _ODD_RECORDS,
       "A type for which an odd form was agreed may send any other as well.",
       lambda original, form, unlocked: list(
           {one.dif_vif: one for one in _as_found(unlocked)[::-1]}.values()))  # fmt: skip
_plain("odd-form-last-answers", VALUES, _ODD, plays.ODD_FORMS, _ODD_RECORDS,
       "Of a chain that an odd form has twice the last answers.",
       lambda original, form, unlocked: list({one.dif_vif: one for one in _as_found(unlocked)}.values())
       if original(form, unlocked) else [])  # fmt: skip
_plain("odd-form-reads-the-tail", STORES, _ODD, plays.ODD_FORMS, _ODD_RECORDS,
       "Records in the clear tail that was agreed answer before those that were encrypted.",
       lambda original, form, unlocked: list({one.dif_vif: one for one in (
           *original(form, unlocked), *parse_records(unlocked.clear_tail, strict=False))}.values()))  # fmt: skip

# --- values of real gateways -----------------------------------------------------------------------------------------

_plain("given-values-believed", RIG, "Values that a real gateway gave are held against those sent.", plays.GIVEN_VALUES,
       "sim.readers.value_names:_equal", "Whatever value a gateway gave is the true one.",
       lambda original, told, wanted: True)  # fmt: skip
