"""Provisioning by claim: a gateway that has only its maker's common certificate gets one of its own. No socket.

    $aws/certificates/create-from-csr/json                 {certificateSigningRequest}: the key stays with the gateway
    $aws/certificates/create/json                          {}: a private key comes back, which AWS made
    $aws/provisioning-templates/NAME/provision/json        {certificateOwnershipToken, parameters}

Each is answered on TOPIC/accepted or TOPIC/rejected. A certificate is pending, and good for nothing, until a template
registered it with its token, which lasts an hour; what is not registered by then never will be (developer guide,
fleet-provision-api). Before a template is followed its hook may be asked (pre-provisioning-hook): a program that
answers {"allowProvisioning": true | false, "parameterOverrides"?}.

Ours alone, since no page says it: the codes of errors but InvalidCertificateOwnershipToken and AccessDenied, that an
answer goes to nobody but who asked, and that a pending certificate is refused at CONNECT. CBOR is not spoken.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CREATE: Final = "$aws/certificates/create/json"
FROM_CSR: Final = "$aws/certificates/create-from-csr/json"
_TEMPLATE: Final = ("$aws/provisioning-templates/", "/provision/json")
PREFIXES: Final = ("$aws/certificates/", "$aws/provisioning-templates/")
TOKEN_S: Final = 3_600
HOOK_S: Final = 5.0
PENDING_MOST, REGISTERED_MOST = 1_000, 100_000  # certificates: a stolen claim must not fill the memory
AWS_NAME: Final = "AWS IoT Certificate"  # common name where AWS made the key
_KINDS: Final = {"AWS::IoT::Thing": "thing", "AWS::IoT::Certificate": "certificate", "AWS::IoT::Policy": "policy"}
ACTIVE, INACTIVE, PENDING, REVOKED = "ACTIVE", "INACTIVE", "PENDING", "REVOKED"


class TemplateError(ValueError):
    """A template that cannot be followed; the message says where."""


class _Rejected(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.document = {"statusCode": status, "errorCode": code, "errorMessage": message}


@dataclass(slots=True)
class Registered:
    """What the account knows of a certificate that came by claim. `policies`: names."""

    status: str = PENDING
    thing: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    policies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Template:
    """AWS's own JSON of a template (provision-template), as far as it is followed: Parameters with a Default, Resources
    of the three kinds, Ref and Fn::Join, DeviceConfiguration. `hook`: a function's name, or empty."""

    parameters: Mapping[str, str | None]
    thing: Mapping[str, Any]
    certificate: Mapping[str, Any]
    policies: tuple[Any, ...]
    configuration: Mapping[str, Any]
    hook: str = ""


def template(name: str, document: Any, known_policies: Mapping[str, object]) -> Template:
    """From {"templateBody": {...} or its text, "preProvisioningHook"?: {"targetArn"}}. Raises TemplateError."""
    try:
        body = document["templateBody"]
        body = json.loads(body) if isinstance(body, str) else body
        found: dict[str, list[Mapping[str, Any]]] = {"thing": [], "certificate": [], "policy": []}
        for one in body["Resources"].values():
            kind = _KINDS.get(one["Type"])
            if kind is None:
                raise TemplateError(
                    f"template {name!r}: no resource {one['Type']!r} here; there are: {', '.join(_KINDS)}"
                )
            found[kind].append(one["Properties"])
        (thing,), (certificate,) = found["thing"], found["certificate"]
        if certificate.get("CertificateId") != {"Ref": "AWS::IoT::Certificate::Id"}:
            raise TemplateError(f"template {name!r}: CertificateId is to be a Ref of AWS::IoT::Certificate::Id")
        if "ThingName" not in thing:
            raise TemplateError(f"template {name!r}: its thing has no ThingName")
        policies = tuple(one["PolicyName"] for one in found["policy"])
        unknown = [one for one in policies if isinstance(one, str) and one not in known_policies]
        if unknown:
            raise TemplateError(f"template {name!r}: no policy {unknown[0]!r}; there are: {', '.join(known_policies)}")
        hook = str(document.get("preProvisioningHook", {}).get("targetArn", ""))
        parameters = {key: one.get("Default") for key, one in body.get("Parameters", {}).items()}
        return Template(parameters, thing, certificate, policies, body.get("DeviceConfiguration", {}), hook)
    except TemplateError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TemplateError(
            f"template {name!r}: it is to have templateBody with Parameters and Resources, one thing and one "
            f"certificate among them ({type(error).__name__}: {error})"
        ) from None


@dataclass
class Claims:
    """`issue(common name, request)`: a certificate, PEM, and its id. `call(function, event)`: a hook's answer; raises
    ValueError. `registry`: certificate id -> what is known of it, shared with the account; `changed()` after each
    change of it."""

    templates: Mapping[str, Template]
    issue: Callable[[str, bytes], tuple[bytes, str]]
    call: Callable[[str, Any], Any]
    unix_s: Callable[[], float]
    registry: dict[str, Registered] = field(default_factory=dict)
    changed: Callable[[], None] = lambda: None
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)  # token -> certificate id, good until

    def handle(self, topic: str, payload: bytes, claimant: str) -> list[tuple[str, dict[str, Any]]]:
        """(topic, document) of the answer; none for a topic that is no request. `claimant`: the claim's certificate."""
        name = topic.removeprefix(_TEMPLATE[0]).removesuffix(_TEMPLATE[1])
        try:
            asked = _object(payload)
            if topic == CREATE:
                return [(f"{topic}/accepted", self._create(None))]
            if topic == FROM_CSR:
                return [(f"{topic}/accepted", self._create(_text(asked, "certificateSigningRequest").encode()))]
            if topic == name.join(_TEMPLATE) and "/" not in name:
                return [(f"{topic}/accepted", self._register(name, asked, claimant))]
        except _Rejected as rejected:
            return [(f"{topic}/rejected", rejected.document)]
        return []

    def _create(self, request: bytes | None) -> dict[str, Any]:
        from sim.pki import device_requests  # a quarter of a companion's start, and most have no claims
        from sim.pki.authority import PkiError

        self._forget()
        if len(self._tokens) >= PENDING_MOST or len(self.registry) >= REGISTERED_MOST:
            raise _Rejected(429, "TooManyRequests", "too many certificates are pending, or registered")
        answer: dict[str, Any] = {}
        try:
            if request is None:
                key, request = device_requests.new_pair_request(None, AWS_NAME)
                answer["privateKey"] = key.decode()
            pem, identifier = self.issue(device_requests.common_name_of_request(request) or AWS_NAME, request)
        except PkiError as error:
            raise _Rejected(400, "InvalidCertificateSigningRequest", str(error)) from None
        secret, _ = device_requests.new_pair_request(None, "token")  # 32 bytes that nobody can guess
        token = hashlib.sha256(secret).hexdigest()
        self._tokens[token] = (identifier, self.unix_s() + TOKEN_S)
        self.registry[identifier] = Registered()
        self.changed()
        return {
            "certificateId": identifier, "certificatePem": pem.decode(), "certificateOwnershipToken": token, **answer,
        }  # fmt: skip

    def _forget(self) -> None:
        """What nobody registered in its hour is good for nothing any more; its line stays, or who holds it would be
        taken for a device of the common name in it."""
        late = [token for token, (_, until_s) in self._tokens.items() if until_s <= self.unix_s()]
        for token in late:
            self.registry[self._tokens.pop(token)[0]].status = INACTIVE

    def _register(self, name: str, asked: Mapping[str, Any], claimant: str) -> dict[str, Any]:
        found = self.templates.get(name)
        if found is None:
            raise _Rejected(404, "ResourceNotFound", f"no template {name}")
        self._forget()
        token = _text(asked, "certificateOwnershipToken")
        if token not in self._tokens:
            raise _Rejected(400, "InvalidCertificateOwnershipToken", "The certificate ownership token is not valid")
        given = asked.get("parameters", {})
        if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
            raise _Rejected(400, "InvalidParameters", "parameters are to be an object of texts")
        identifier = self._tokens[token][0]
        if found.hook:
            given = self._asked_hook(found.hook, name, identifier, claimant, given)
        values = {key: given.get(key, default) for key, default in found.parameters.items()}
        missing = [key for key, value in values.items() if value is None]
        if missing:
            raise _Rejected(400, "InvalidParameters", f"parameter {missing[0]} is missing")
        values["AWS::IoT::Certificate::Id"] = identifier
        thing = _filled(found.thing["ThingName"], values)
        attributes = found.thing.get("AttributePayload", {})
        entry = self.registry[identifier]
        entry.thing = str(thing)
        entry.attributes = {key: str(_filled(one, values)) for key, one in attributes.items()}
        entry.policies = tuple(str(_filled(one, values)) for one in found.policies)
        entry.status = str(_filled(found.certificate.get("Status", "Active"), values)).upper()
        del self._tokens[token]
        self.changed()
        return {"deviceConfiguration": _filled(found.configuration, values), "thingName": entry.thing}

    def _asked_hook(
        self, hook: str, name: str, identifier: str, claimant: str, given: dict[str, str]
    ) -> dict[str, str]:
        """The parameters, changed as the hook says (pre-provisioning-hook)."""
        event = {
            "claimCertificateId": claimant, "certificateId": identifier, "templateName": name, "parameters": given,
        }  # fmt: skip
        try:
            said = self.call(hook, event)
        except ValueError as error:
            raise _Rejected(403, "AccessDenied", f"the hook failed: {error}") from None
        if not isinstance(said, dict) or said.get("allowProvisioning") is not True:
            raise _Rejected(403, "AccessDenied", "the hook does not allow it")
        changes = said.get("parameterOverrides") or {}
        return {**given, **{str(key): str(value) for key, value in changes.items()}}


def _filled(value: Any, values: Mapping[str, str | None]) -> Any:
    """Ref and Fn::Join resolved."""
    if isinstance(value, dict):
        if set(value) == {"Ref"}:
            if value["Ref"] not in values:
                raise _Rejected(400, "InvalidParameters", f"the template refers to {value['Ref']}, which there is not")
            return values[value["Ref"]]
        if set(value) == {"Fn::Join"}:
            between, many = value["Fn::Join"]
            return str(between).join(str(_filled(one, values)) for one in many)
        return {key: _filled(one, values) for key, one in value.items()}
    return [_filled(one, values) for one in value] if isinstance(value, list) else value


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload or b"{}")
    except ValueError:
        raise _Rejected(400, "InvalidPayload", "the payload is no JSON") from None
    if not isinstance(found, dict):
        raise _Rejected(400, "InvalidPayload", "the payload is no JSON object")
    return found


def _text(asked: Mapping[str, Any], key: str) -> str:
    value = asked.get(key)
    if not isinstance(value, str):
        raise _Rejected(400, "InvalidPayload", f"{key} is to be a text")
    return value
