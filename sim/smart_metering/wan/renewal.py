"""How a gateway's next keys pass on its line: the request up, three certificates down, and that those before are done.

    POST   /<gateway>.sm/certificates  {"number", "points", "proofs"} -> 200 {"TLS", "ENC", "SIG"}, or 409 with a clause
    DELETE /<gateway>.sm/certificates  {"number"} of the triple that is not used any more -> 204

Points, proofs and certificates are hex, by purpose. The layout is this model's: the guideline's requests are SOAP
messages between an administrator and a sub-CA, and how a gateway gives its part to the administrator was not found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from sim.core.quoting import named
from sim.pki.party_certificates import Certificate, as_der, certified_point, of_der
from sim.pki.sealed_content import ContentError
from sim.pki.sm_forms import Purpose, common_name, number_of
from sim.pki.sm_triples import PURPOSES, Request, Triple
from sim.smart_metering.wan.tls import WanError

NUMBER_MOST: Final = 1_000_000
BYTES_MOST: Final = 8_192
"""Ours: of a point, a proof or a certificate."""


def encode_request(asked: Request) -> bytes:
    """What a gateway sends."""
    said = {name: {p: value.hex() for p, value in of.items()} for name, of in
            (("points", asked.points), ("proofs", asked.proofs))}  # fmt: skip
    return json.dumps({"number": asked.number, **said}).encode()


def read_request(gateway: str, body: bytes) -> Request:
    """What an administrator reads, in the name of who sent it. Raises WanError (request)."""
    given = _object(body, {"number", "points", "proofs"})
    return Request(gateway, _number(given), _by_purpose(given["points"]), _by_purpose(given["proofs"]))


def encode_triple(triple: Triple) -> bytes:
    """What it answers."""
    return json.dumps({purpose: as_der(one).hex() for purpose, one in triple.certificates.items()}).encode()


def read_triple(asked: Request, body: bytes) -> Triple:
    """What a gateway takes: certificates of the keys that it made, in its own name, with the number that it asked for.
    Raises WanError (certificates)."""
    certificates: dict[Purpose, Certificate] = {}
    for purpose, data in _by_purpose(_object(body, set(PURPOSES))).items():
        try:
            one = certificates[purpose] = of_der(data)
            own = certified_point(one) == asked.points[purpose]
        except (ContentError, ValueError):
            own = False
        if not own or common_name(one) != asked.name or number_of(one) != asked.number:
            raise WanError("certificates", f"what came for {purpose} certifies another key, name or number")
    return Triple(asked.name, asked.number, certificates)


def encode_number(number: int) -> bytes:
    """Which triple is done."""
    return json.dumps({"number": number}).encode()


def read_number(body: bytes) -> int:
    """Raises WanError (request)."""
    return _number(_object(body, {"number"}))


def _object(body: bytes, names: set[str]) -> Mapping[str, object]:
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise WanError("request", "it is no JSON") from None
    if not isinstance(given, dict) or set(given) != names:
        raise WanError("request", f"it is no object with {', '.join(sorted(names))}")
    return given


def _number(given: Mapping[str, object]) -> int:
    number = given["number"]
    if type(number) is not int or not 0 <= number <= NUMBER_MOST:
        raise WanError("request", f"number is {named(str(number)[:20])}, not one from 0 to {NUMBER_MOST}")
    return number


def _by_purpose(given: object) -> dict[Purpose, bytes]:
    if not isinstance(given, dict) or set(given) != set(PURPOSES):
        raise WanError("request", f"there is one for each of {', '.join(PURPOSES)}, and for nothing else")
    out: dict[Purpose, bytes] = {}
    for purpose in PURPOSES:
        said = given[purpose]
        try:
            if not isinstance(said, str) or len(said) > 2 * BYTES_MOST:
                raise ValueError
            out[purpose] = bytes.fromhex(said)
        except ValueError:
            raise WanError("request", f"{purpose} is no hex of at most {BYTES_MOST} bytes") from None
    return out
