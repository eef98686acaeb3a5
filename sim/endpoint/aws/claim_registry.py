"""Provisioning by claim in the companion: its authority, its file of what was registered, its hooks.

The file is registry.json in the companion's working directory: certificate id -> status, thing, attributes, policies.
Tokens are not in it: after a restart a gateway asks for a certificate again, as after an hour. Beside it
revoked.json: ids of certificates that whoever runs the account took back; the companion reads it on SIGHUP.
"""

from __future__ import annotations

import hashlib
import json
import ssl
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sim.core import whole_file
from sim.endpoint.aws.account import Account
from sim.endpoint.aws.certificate_claims import HOOK_S, REVOKED, Claims, Registered, TemplateError, template
from sim.endpoint.aws.rule_actions import ActionFailed
from sim.pki.authority import Authority, PkiError

REGISTRY: Final = "registry.json"
TAKEN_BACK: Final = "revoked.json"


def open_in(account: Account, templates: Mapping[str, Any], directory: Path) -> None:
    """Give an account what it needs. `directory`: of the authority. Raises TemplateError, OSError."""
    try:
        authority = Authority(directory)
    except PkiError as error:
        raise TemplateError(str(error)) from None
    account.registry.update(_read())

    def issue(common_name: str, request: bytes) -> tuple[bytes, str]:
        pem = authority.issue(common_name, request)
        return pem, hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode())).hexdigest()

    def call(function: str, event: Any) -> Any:
        try:
            return account.actions.call(function, json.dumps(event).encode(), HOOK_S)
        except (ActionFailed, OSError) as error:
            raise ValueError(str(error)) from None

    account.claims = Claims(
        {name: template(name, one, account.named) for name, one in templates.items()},
        issue,
        call,
        account.unix_s,
        account.registry,
        lambda: _write(account.registry),
    )
    obey(account)


def take_back(directory: Path, thing: str) -> bool:
    """Put the certificates that a thing came to by claim on the list in a companion's directory; False where it has
    none. The companion is to be told. Raises OSError."""
    found = [name for name, one in _read(directory).items() if one.thing == thing and one.status != REVOKED]
    if found:
        listed = {*_listed(directory), *found}
        whole_file.write(directory / TAKEN_BACK, json.dumps(sorted(listed)))
    return bool(found)


def obey(account: Account) -> None:
    """Certificates on the list are good for no session. Raises OSError, ValueError."""
    for name in _listed(Path()):
        if name in account.registry and account.registry[name].status != REVOKED:
            account.registry[name].status = REVOKED
            _write(account.registry)


def _listed(directory: Path) -> list[str]:
    place = directory / TAKEN_BACK
    return [str(one) for one in json.loads(place.read_text(encoding="utf-8"))] if place.exists() else []


def _read(directory: Path = Path()) -> dict[str, Registered]:
    place = directory / REGISTRY
    if not place.exists():
        return {}
    found = json.loads(place.read_text(encoding="utf-8"))
    return {name: Registered(**{**one, "policies": tuple(one["policies"])}) for name, one in found.items()}


def _write(registry: Mapping[str, Registered]) -> None:
    """What is pending too: after a restart such a certificate must not be taken for one that the bench made itself."""
    whole_file.write(Path(REGISTRY), json.dumps({name: asdict(one) for name, one in registry.items()}))
