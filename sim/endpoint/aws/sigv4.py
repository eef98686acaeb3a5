"""Signature Version 4, as clients of AWS IoT Core sign a WebSocket's address with it, and as the service checks it.
Pure.

A presigned request carries everything in its query (AWS general reference, "Signature Version 4 signing process"; AWS
IoT developer guide, protocols: service iotdevicegateway, path /mqtt, signed header host; awscrt signs Connection
too). Older clients sign for iotdata (seen in AWSIoTPythonSDK). A session token is added after signing, and is no part
of what was signed: so IoT wants it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl, quote

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SERVICES: Final = ("iotdevicegateway", "iotdata")
PATH: Final = "/mqtt"
EXPIRES_MOST_S: Final = 86_400
CLOCKS_APART_S: Final = 300  # that AWS lets be
_NOTHING: Final = hashlib.sha256(b"").hexdigest()
_DATE: Final = "%Y%m%dT%H%M%SZ"


class BadSignature(ValueError):
    """The message says what is wrong, in one sentence."""


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """From the environment; never written, and not shown by repr."""

    access_key: str
    secret_key: str
    token: str = ""


def presigned(
    credentials: Credentials, host: str, region: str, unix_s: float, *, service: str = SERVICES[0],
    expires_s: int = EXPIRES_MOST_S,
) -> str:  # fmt: skip
    """The path with its query, for GET. `host`: as the header Host says it."""
    at = datetime.fromtimestamp(unix_s, UTC).strftime(_DATE)
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    query = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": at,
        "X-Amz-Expires": str(expires_s),
        "X-Amz-SignedHeaders": "host",
    }
    signature = _signature(credentials.secret_key, query, {"host": host}, scope)
    after = {"X-Amz-Signature": signature} | ({"X-Amz-Security-Token": credentials.token} if credentials.token else {})
    return "&".join((f"{PATH}?{_canonical(query)}", *(_canonical({key: value}) for key, value in after.items())))


def verified(target: str, headers: Mapping[str, str], secrets: Mapping[str, str], region: str, unix_s: float) -> str:
    """The access key that signed it. `target`: path and query; `headers`: as sent, names in small letters; `secrets`:
    access key -> secret key. Raises BadSignature."""
    path, _, text = target.partition("?")
    query = dict(parse_qsl(text, keep_blank_values=True))
    if path != PATH:
        raise BadSignature(f"the path is not {PATH}")
    given = query.pop("X-Amz-Signature", "")
    query.pop("X-Amz-Security-Token", None)
    names = query.get("X-Amz-SignedHeaders", "").split(";")
    if query.get("X-Amz-Algorithm") != ALGORITHM or "host" not in names or names != sorted(set(names)):
        raise BadSignature(f"the request is not signed by {ALGORITHM} over host")
    if missing := [name for name in names if name not in headers]:
        raise BadSignature(f"the header {missing[0][:40]} is signed and was not sent")
    access_key, _, scope = query.get("X-Amz-Credential", "").partition("/")
    at = query.get("X-Amz-Date", "")
    try:
        signed_s = datetime.strptime(at, _DATE).replace(tzinfo=UTC).timestamp()
        expires_s = int(query.get("X-Amz-Expires", EXPIRES_MOST_S))
    except ValueError:
        raise BadSignature("X-Amz-Date or X-Amz-Expires cannot be read") from None
    if scope not in [f"{at[:8]}/{region}/{service}/aws4_request" for service in SERVICES]:
        raise BadSignature(f"the scope is not of {region} and {' or '.join(SERVICES)}, at the day of X-Amz-Date")
    if not 0 < expires_s <= EXPIRES_MOST_S or not signed_s - CLOCKS_APART_S <= unix_s < signed_s + expires_s:
        raise BadSignature("the signature has expired, or its clock is off")
    secret = secrets.get(access_key)
    if secret is None:
        raise BadSignature("the access key is not known")
    if not hmac.compare_digest(_signature(secret, query, {name: headers[name] for name in names}, scope), given):
        raise BadSignature("the signature does not match")
    return access_key


def _canonical(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in sorted(query.items()))


def _signature(secret: str, query: Mapping[str, str], headers: Mapping[str, str], scope: str) -> str:
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in sorted(headers)]
    request = "\n".join(("GET", PATH, _canonical(query), *lines, "", ";".join(sorted(headers)), _NOTHING))
    said = "\n".join((ALGORITHM, query["X-Amz-Date"], scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, said.encode(), hashlib.sha256).hexdigest()
