"""./wmbench aws: AWS IoT Core's rules, shadows and policies as wmbench reads them, one case a line.

    aws rule --jsonl      {"sql", "payload", "topic", "sql_version"?, "clientid"?, "accountid"?, "clock_ms"?,
                          "rule_name"?, "republish_topic"?} in; the same with "fires", "expected", "republished_to" out
    aws shadow --jsonl    {"op": update|get|delete|sequence, "shadow": "classic"|"named:NAME", "before", "update",
                          "thing"?, "clock_s"?} in; the same with "expect" out
    aws fleet --region R --account N --out DIR      the fleet's policy documents, to be attached in an account
    aws policy --jsonl    {"policy", "context", "action", "resource"} in; the same with "expected": allow|deny out
    aws provision | rotate | revoke | cleanup       devices in an account: see aws_account
    aws shadows RUN | --dir DIR     gateways by their shadows, of a run or of an account: see aws_shadows

A row that cannot be used, a statement or a policy that AWS would not take among them, comes out with "error", and the
stream goes on; such a row proves nothing, and the exit code is 6 (INCONCLUSIVE). None of it was confirmed against the
service.
In a shadow case {"$pad": n} stands for a text of n letters, and a thing or shadow named <...> for any name.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bench.cli import aws_account, aws_shadows
from bench.exit_codes import INCONCLUSIVE_EXIT
from bench.run_errors import CannotRun, complain
from sim.core import seeds
from sim.core.clock import unix_ns
from sim.core.quoting import hidden
from sim.endpoint.aws.account import DEFAULT
from sim.endpoint.aws.fleet_policies import fleet_policies
from sim.endpoint.aws.policies import Client, Policy, PolicyError, Thing, allowed
from sim.endpoint.aws.rule_values import UNDEFINED, V1, V2, NotJson, dumps, parse
from sim.endpoint.aws.rules import Facts, NoAction, Rule, RuleError, encoded
from sim.endpoint.aws.shadows import Shadows

ANSWERED = 0
Row = dict[str, Any]


class BadCase(ValueError):
    """A row lacks a key or has a value of another kind."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb to the command line."""
    aws = commands.add_parser("aws")
    verbs = aws.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, help_, answer in (
        ("rule", "what a topic rule makes of a message", rule_case),
        ("shadow", "what a request does to a device shadow", shadow_case),
        ("policy", "whether a policy lets a client do something", policy_case),
    ):
        verb = verbs.add_parser(name, help=help_)
        verb.add_argument("--jsonl", action="store_true", required=True, help="cases in, one a line; answers out")
        verb.set_defaults(command=lambda _arguments, answer=answer: stream(answer))
    fleet = verbs.add_parser("fleet", help="write the policies of gateways, portal and reader, for an account")
    fleet.add_argument(
        "--region", required=True, type=_like(r"[a-z]{2}(-[a-z]+)+-\d", "eu-central-1"), metavar="REGION"
    )
    fleet.add_argument("--account", required=True, type=_like(r"\d{12}", "twelve digits"), metavar="ID")
    fleet.add_argument("--out", required=True, type=Path, metavar="DIR")
    fleet.set_defaults(command=command_fleet)
    aws_account.add(verbs)
    aws_shadows.add(verbs)


def _like(pattern: str, example: str) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"{text!r} is not like {example}")
        return text

    return checked


def command_fleet(arguments: argparse.Namespace) -> int:
    """One file a kind of client. Raises CannotRun."""
    documents = fleet_policies(arn=f"arn:aws:iot:{arguments.region}:{arguments.account}:")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, (document,) in documents.items():
            file = arguments.out / f"{'gateway' if name == DEFAULT else name}.json"
            file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
            print(file)
    except OSError as error:
        raise CannotRun(f"cannot write into {arguments.out}: {error.strerror}; name another folder by --out") from None
    return ANSWERED


def stream(answer: Callable[[Row], Row]) -> int:
    """Every line of standard input answered by one line; 6 when one of them could not be."""
    rows = errors = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        row: Row = {}
        try:
            row = _case(line, number)
            row |= answer(row)
        except (BadCase, RuleError, PolicyError) as error:
            row |= {"error": hidden(str(error))}
        rows, errors = rows + 1, errors + ("error" in row)
        print(dumps(row, ascii_only=True), flush=True)
    if not errors:
        return ANSWERED
    complain(f"INCONCLUSIVE: {errors} of {rows} rows could not be judged; each says under 'error' what to mend")
    return INCONCLUSIVE_EXIT


def _case(line: bytes, number: int) -> Row:
    """Raises BadCase."""
    try:
        found = parse(line.decode().strip(), V1)  # which keeps 5.0 as it is
    except UnicodeDecodeError as error:
        raise BadCase(f"line {number}, byte {error.start + 1}: no UTF-8; write the case as UTF-8") from None
    except NotJson as error:
        raise BadCase(f"line {number} is no JSON: {error}; a case is one JSON object on one line") from None
    if not isinstance(found, dict):
        raise BadCase(f"line {number} is no JSON object; a case is one, with the keys that docs/reference/aws.md lists")
    found.pop("error", None)  # of an answer that is asked again
    return found


def _text(row: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str):
        raise BadCase(f"'{key}' is to be a text" if key in row else f"'{key}' is missing; it is a text")
    return value


def _optional(row: Mapping[str, Any], key: str) -> str | None:
    return None if row.get(key) is None else _text(row, key)


def _number(row: Mapping[str, Any], key: str, default: int) -> int:
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadCase(f"'{key}' is to be a whole number")
    return value


# --- rules -------------------------------------------------------------------------------------------------------


def rule_case(row: Row) -> Row:
    """`fires`, `expected` (a text with `expected_kind` "bytes" where the payload passes as it is) and `expected_text`,
    the bytes that an action gets. A statement that does not parse: `fires` false, and why. Raises BadCase."""
    payload = _text(row, "payload").encode("utf-8", "replace")
    draws = iter(range(1 << 31))
    facts = Facts(
        topic=_text(row, "topic"),
        clock_ms=_number(row, "clock_ms", unix_ns() // 1_000_000),
        client_id=_optional(row, "clientid"),
        account_id=_optional(row, "accountid") or "123456789012",
        principal=_optional(row, "principal"),
        trace_id=_optional(row, "traceid"),
        source_ip=_optional(row, "sourceip"),
        draw=lambda: seeds.Seeds(1).one_u32("aws rule", next(draws)) / (1 << 32),
    )
    try:
        rule = Rule(_text(row, "sql"), _text(row, "sql_version", V2), name=_optional(row, "rule_name") or "")
        output = rule.output(payload, facts)
        if isinstance(output, NoAction):
            return {"fires": False, "expected": None}
        found: Row = {"fires": True, "expected": None if output is UNDEFINED else output}
        if isinstance(output, bytes):
            found["expected_kind"] = "bytes"
        found["expected_text"] = encoded(output).decode("utf-8", "replace")
        if row.get("republish_topic") is not None:
            found |= _republished(rule, _text(row, "republish_topic"), payload, facts)
        return found
    except RuleError as error:
        return {"fires": False, "expected": None, "error": hidden(f"{error}; AWS takes no such rule: mend it")}


def _republished(rule: Rule, template: str, payload: bytes, facts: Facts) -> Row:
    try:
        return {"republished_to": rule.republished(template, payload, facts)}
    except RuleError as error:
        return {"error": hidden(f"republish_topic: {error}; mend what stands in ${{...}}")}


# --- shadows -----------------------------------------------------------------------------------------------------

_PLACEHOLDER = re.compile(r"<[^<>]*>")


def _name(text: str) -> str:
    return "any-name" if _PLACEHOLDER.fullmatch(text) else text


def _padded(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"$pad"} and isinstance(value["$pad"], int):
            return "x" * min(value["$pad"], 1 << 20)
        return {key: _padded(one) for key, one in value.items()}
    return [_padded(one) for one in value] if isinstance(value, list) else value


def _payload(update: Any) -> bytes:
    """A text is the payload as it stands, anything else its JSON."""
    if update is None:
        return b""
    return (update if isinstance(update, str) else dumps(_padded(update))).encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """With Python's own numbers."""
    return json.loads(dumps(value))


def shadow_case(row: Row) -> Row:
    """`expect`: accepted, rejected, delta, documents (None where nothing is published), the shadow after it (`get`, or
    `get_rejected`), the thing's named shadows, and whether its others stayed as they were. Raises BadCase."""
    thing, which = _name(_text(row, "thing", "thing")), _text(row, "shadow", "classic")
    name = _name(which.removeprefix("named:")) if which.startswith("named:") else None
    if name is None and which != "classic":
        raise BadCase("'shadow' is to be classic or named:NAME")
    shadows, now_s = Shadows(), _number(row, "clock_s", unix_ns() // 1_000_000_000)
    _lay(shadows, thing, name, row.get("before"))
    others = {one: shadows.get(thing, one) for one in (None, *shadows.names(thing)) if one != name}
    op, update = _text(row, "op"), row.get("update")
    steps = update if op == "sequence" else [{"op": op, "payload": update}]
    if not isinstance(steps, list):
        raise BadCase('\'update\' of a sequence is to be a list of {"op", "payload"}')
    found: Row = {"accepted": None, "rejected": None, "delta": None, "documents": None}
    for step in steps:
        if not isinstance(step, dict) or step.get("op") not in ("update", "get", "delete"):
            raise BadCase("'op' is to be update, get, delete or sequence")
        found = dict.fromkeys(("accepted", "rejected", "delta", "documents"))
        for reply in shadows.handle(thing, name, step["op"], _payload(step.get("payload")), now_s):
            found[reply.suffix.split("/")[1]] = reply.document
    after = shadows.handle(thing, name, "get", b"", now_s)[0]
    found["get" if after.suffix == "get/accepted" else "get_rejected"] = after.document
    if op == "delete" and "get_rejected" in found:
        found["then_get_rejected"] = found["get_rejected"]
    found["accepted_ok"] = found["accepted"] is not None
    if op == "sequence" and found["accepted"]:
        found["accepted_version_at_least"] = found["accepted"]["version"]
    found["list_named"] = shadows.names(thing)
    found["others_unchanged"] = all(shadows.get(thing, one) == before for one, before in others.items())
    return {"expect": found}


def _lay(shadows: Shadows, thing: str, name: str | None, before: Any) -> None:
    """What there is before the request: one document, or those of the classic and the named shadows."""
    if before is None:
        return
    if not isinstance(before, dict):
        raise BadCase("'before' is to be an object or null")
    before = _plain(_padded(before))
    if "named" in before or "classic" in before:
        documents = {None: before.get("classic"), **(before.get("named") or {})}
    else:
        documents = {name: before}
    for one, document in documents.items():
        if document is not None:
            if not isinstance(document, dict) or not isinstance(document.get("state", {}), dict):
                raise BadCase("a shadow in 'before' has 'state' and 'version'")
            shadows.put(thing, one, document)


# --- policies ----------------------------------------------------------------------------------------------------


def policy_case(row: Row) -> Row:
    """`expected`: allow or deny. A policy that does not parse denies, and says why. Raises BadCase."""
    documents = row.get("policy")
    found: list[Any] = documents if isinstance(documents, list) else [documents]
    action, resource = _text(row, "action"), _text(row, "resource")
    client = client_of(row.get("context"))
    try:
        policies = [Policy(one) for one in found]
    except PolicyError as error:
        return {"expected": "deny", "error": hidden(f"{error}; AWS takes no such policy: mend the document")}
    return {"expected": "allow" if allowed(policies, action, resource, client) else "deny"}


def client_of(context: Any) -> Client:
    """A case's `context`. Raises BadCase."""
    if not isinstance(context, dict):
        raise BadCase("'context' is to be an object")
    certificate = context.get("certificate") or {}
    thing = context.get("thing")
    if not isinstance(certificate, dict) or not isinstance(thing, dict | None):
        raise BadCase("'thing' and 'certificate' of a context are to be objects")
    return Client(
        client_id=_text(context, "client_id", ""),
        thing=None
        if thing is None
        else Thing(_text(thing, "name"), _optional(thing, "type"), _texts(thing.get("attributes"), "attributes")),
        attached=context.get("thing_attached_to_certificate") is True,
        certificate_id=_optional(certificate, "id"),
        subject=_lists(certificate.get("subject"), "subject"),
        issuer=_lists(certificate.get("issuer"), "issuer"),
        connect_attributes=_list(context.get("connect_attributes", []), "connect_attributes"),
        last_will_topic=_optional(context, "last_will_topic"),
        source_ip=_optional(context, "source_ip"),
        facts={key: _list(value, key) for key, value in context.items() if ":" in key},
    )


def _texts(value: Any, key: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise BadCase(f"'{key}' is to be an object of texts")
    return value


def _lists(value: Any, key: str) -> dict[str, tuple[str, ...]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadCase(f"'{key}' is to be an object of lists of texts")
    return {name: _list(one, f"{key}.{name}") for name, one in value.items()}


def _list(value: Any, key: str) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadCase(f"'{key}' is to be a text or a list of texts")
    return tuple(found)
