"""A gateway's side of provisioning by claim: with its maker's certificate to one of its own. The key is made here.

Works against any endpoint of the port: aws_local's companion, or an account (certificate_claims.py says how far the one
is like the other).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sim.core import whole_file
from sim.core.quoting import shown
from sim.endpoint.aws.certificate_claims import FROM_CSR
from sim.endpoint.port import Endpoint, EndpointError, Identity, Session
from sim.pki import device_requests
from sim.pki.authority import PkiError

DEADLINE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of it: who the gateway is from now on, its thing, and what the template's DeviceConfiguration says."""

    identity: Identity
    thing: str
    configuration: Mapping[str, Any]


def claim(
    endpoint: Endpoint, by: Identity, template: str, parameters: Mapping[str, str], common_name: str, folder: Path
) -> Claimed:
    """`by`: the claim's certificate, under a client id that its policy allows. Writes NAME.key and NAME.crt in
    `folder`, the certificate last. Raises EndpointError with what was refused; then there is no NAME.crt."""
    provision = f"$aws/provisioning-templates/{template}/provision/json"
    topics = tuple(f"{topic}/{answer}" for topic in (FROM_CSR, provision) for answer in ("accepted", "rejected"))
    key_file = folder / f"{common_name}.key"
    try:
        request = device_requests.new_request(key_file, common_name)
    except PkiError as error:
        raise EndpointError(str(error)) from None
    session = endpoint.connect(by, subscribe=topics)
    try:
        made = _asked(endpoint, session, FROM_CSR, {"certificateSigningRequest": request.decode()})
        pem = str(made.get("certificatePem", "")).encode()
        try:
            fits = device_requests.key_of_certificate(pem) == device_requests.key_of_request(request)
        except PkiError:
            fits = False
        if not fits:
            raise EndpointError(f"claim of {common_name}: the certificate that came is not for the key made here")
        done = _asked(
            endpoint, session, provision,
            {"certificateOwnershipToken": made.get("certificateOwnershipToken"), "parameters": dict(parameters)},
        )  # fmt: skip
    finally:
        session.close()
    certificate = folder / f"{common_name}.crt"
    try:
        whole_file.write(certificate, pem)
    except OSError as error:
        raise EndpointError(f"cannot write {certificate}: {error.strerror}") from None
    thing = str(done.get("thingName", ""))
    return Claimed(Identity(thing, certificate, key_file, by.authorities), thing, done.get("deviceConfiguration") or {})


def _asked(endpoint: Endpoint, session: Session, topic: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The accepted answer. Raises EndpointError with a rejected one, or with what ended the session."""
    ended = len([state for state, _ in session.log if state in ("refused", "dropped")])

    def lost() -> bool:
        return len([state for state, _ in session.log if state in ("refused", "dropped")]) > ended

    endpoint.settle(lambda: session.connected or lost(), DEADLINE_S)
    if session.connected:
        session.publish(topic, json.dumps(document).encode())
        endpoint.settle(lambda: bool(session.inbox) or lost(), DEADLINE_S)
    if not session.inbox:
        why = session.log[-1][1] if session.log else "no answer"
        raise EndpointError(f"{topic}: {why or 'no answer'}; does the claim's policy allow it, and all answers of it?")
    answer = session.inbox.popleft()
    try:
        found = json.loads(answer.payload)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise EndpointError(f"{topic}: the answer is no JSON object")
    if answer.topic != f"{topic}/accepted":
        code, message = (shown(str(found.get(key, "")))[:200] for key in ("errorCode", "errorMessage"))
        raise EndpointError(f"{topic}: rejected: {code}: {message}")
    return found
