"""Publishing by HTTPS, for a gateway that speaks nothing else (developer guide, http: POST /topics/TOPIC?qos=1, port
8443, or 443 by ALPN). One request, one message, with the gateway's certificate.

What such a gateway lacks: it hears nothing. So no acknowledgement of the portal's reaches it, and its custody ends with
the status 200, which says that the broker has it and not that the portal does.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from typing import Final
from urllib.parse import quote

from sim.core.quoting import shown
from sim.endpoint.port import Address, EndpointError, Identity
from sim.endpoint.tls_connect import reason_of, tls_context

ALPN: Final = "x-amzn-http-ca"
ALPN_PORT: Final = 443
DEADLINE_S: Final = 10.0
_MEANS: Final = {
    403: "does the certificate's policy allow iot:Publish there?",
    404: "is the host an AWS IoT endpoint?",
    413: "the payload is too large",
    429: "too many requests; wait a while and say it again",
    500: "say it again later",
    503: "say it again later",
}


def publish(
    where: Address, identity: Identity, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False
) -> None:
    """Returns when the broker has it. Raises EndpointError with the status and what it most often means."""
    try:
        context = tls_context(identity, verify=True, alpn=ALPN if where.port == ALPN_PORT else "")
    except (OSError, ValueError) as error:
        raise EndpointError(f"{identity.client_id}: cannot load its certificate files ({reason_of(error)})") from None
    if context is None:
        raise EndpointError(f"{identity.client_id}: publishing by HTTPS needs a certificate")
    target = f"/topics/{quote(topic, safe='')}?qos={qos}" + ("&retain=true" if retain else "")
    line = http.client.HTTPSConnection(where.host, where.port, timeout=DEADLINE_S, context=context)
    try:
        line.request("POST", target, payload)
        answer = line.getresponse()
        said = answer.read(65_536)
    except (OSError, ssl.SSLError, socket.gaierror) as error:
        raise EndpointError(f"{where.host}:{where.port}: {reason_of(error)}") from None
    except http.client.HTTPException as error:
        raise EndpointError(f"{where.host}:{where.port} does not answer by HTTP ({type(error).__name__})") from None
    finally:
        line.close()
    if answer.status != 200:
        means = _MEANS.get(answer.status, "see docs/how-to/run-on-aws.md")
        raise EndpointError(f"{topic}: HTTP {answer.status} ({_message(said)}); {means}")


def _message(said: bytes) -> str:
    try:
        return shown(str(json.loads(said)["message"]))[:200]
    except (ValueError, KeyError, TypeError):
        return "no reason given"
