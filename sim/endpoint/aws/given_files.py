"""Files of JSON that the settings of endpoint aws_local name, read and checked before anything starts.

Each raises WrongFile with one sentence: the key, the file, what is wrong in it, and the way out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sim.endpoint.aws.certificate_claims import TemplateError, template
from sim.endpoint.aws.policies import Policy, PolicyError
from sim.endpoint.aws.rule_actions import installed
from sim.endpoint.aws.rule_tree import RuleError
from sim.endpoint.port import WrongFile

Documents = dict[str, list[Any]]


def rules(place: str, functions: Collection[str]) -> list[dict[str, Any]]:
    """Topic rules as AWS takes them; none without a file. `functions`: those that an action may call."""
    found: list[dict[str, Any]] = _json(place, list, "endpoint.rules")
    try:
        for one in found:
            rule = installed(one)
            called = [str(how["functionArn"]) for kind, how in (*rule.actions, *rule.on_error) if kind == "lambda"]
            unknown = [one for one in called if "${" not in one and one.rpartition(":")[2] not in functions]
            if unknown:
                raise RuleError(f"rule {rule.rule.name!r}: endpoint.functions names no program for {unknown[0]!r}")
    except RuleError as error:
        raise WrongFile(
            f"endpoint.rules: {place}: {error}; mend it there, `./wmbench aws rule` tries a statement"
        ) from None
    return found


def policies(place: str) -> Documents:
    """Common name of a certificate ("*": all others) -> its policy documents."""
    found: dict[str, Any] = _json(place, dict, "endpoint.policies")
    documents: Documents = {name: one if isinstance(one, list) else [one] for name, one in found.items()}
    for name, many in documents.items():
        try:
            for one in many:
                Policy(one)
        except PolicyError as error:
            raise WrongFile(
                f"endpoint.policies: {place}: policy of {name!r}: {error}; mend it there, `./wmbench aws policy` tries "
                "a document"
            ) from None
    return documents


def functions(place: str) -> dict[str, list[str]]:
    """Name of a function -> the program and its words."""
    found: dict[str, Any] = _json(place, dict, "endpoint.functions")
    for name, one in found.items():
        if not isinstance(one, list) or not one or not all(isinstance(word, str) for word in one):
            raise WrongFile(
                f"endpoint.functions: {place}: {name!r} is to be a list of texts, a program and its words; mend that"
            )
    return found


def templates(place: str, named: Mapping[str, Any]) -> dict[str, Any]:
    """Provisioning templates by name. `named`: the policies that they may attach."""
    found: dict[str, Any] = _json(place, dict, "endpoint.templates")
    try:
        for name, one in found.items():
            template(name, one, named)
    except TemplateError as error:
        raise WrongFile(f"endpoint.templates: {place}: {error}; mend it there") from None
    return found


def web_users(place: str) -> dict[str, dict[str, str]]:
    """Access key -> its secret, and the device that it is."""
    found: dict[str, Any] = _json(place, dict, "endpoint.web_users")
    for key, one in found.items():
        if not isinstance(one, dict) or not all(isinstance(one.get(name), str) for name in ("secret_key", "client")):
            raise WrongFile(
                f'endpoint.web_users: {place}: {key!r} is to be {{"secret_key": text, "client": text}}; mend it there'
            )
    return found


def _json(place: str, kind: type[Any], key: str) -> Any:
    """What a file holds; empty without one."""
    if not place:
        return kind()
    try:
        found = json.loads(Path(place).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else f"no JSON ({error})"
        raise WrongFile(f"{key}: cannot read {place}: {why}; name a file of JSON, or leave {key} out") from None
    if not isinstance(found, kind):
        raise WrongFile(f"{key}: {place} holds no JSON {'list' if kind is list else 'object'}; make it one")
    return found
