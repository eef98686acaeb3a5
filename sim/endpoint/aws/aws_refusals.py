"""What AWS's control plane, or the way to it, says no with: one sentence each, with the way out. Pure.

Codes are those of the service models that the client library carries (iot, sts); a code that is not here is told as it
came.
"""

from __future__ import annotations

from typing import Any, Final

from sim.core.quoting import shown

_LACKS: Final = "the credentials lack this permission; docs/how-to/run-on-aws.md lists those that are needed"
_BY_CODE: Final = {
    "UnrecognizedClientException": "the access key is not known there; is it of this partition, and still there?",
    "InvalidClientTokenId": "the access key is not known there; is it of this partition, and still there?",
    "ExpiredToken": "the session's credentials expired; fetch new ones",
    "ExpiredTokenException": "the session's credentials expired; fetch new ones",
    "SignatureDoesNotMatch": "the signature is wrong; is AWS_SECRET_ACCESS_KEY the access key's, and the clock right?",
    "InvalidSignatureException": "the signature is wrong or too old; is AWS_SECRET_ACCESS_KEY the access key's, and "
    "this machine's clock right?",
    "RequestTimeTooSkewed": "this machine's clock is off; set it",
    "RequestExpired": "this machine's clock is off; set it",
    "AccessDenied": _LACKS,
    "AccessDeniedException": _LACKS,
    "UnauthorizedException": _LACKS,
    "Throttling": "the account's rate of calls is used up; wait a minute and say it again",
    "ThrottlingException": "the account's rate of calls is used up; wait a minute and say it again",
    "LimitExceededException": "a quota of the account is full; clean up, or have it raised in Service Quotas",
    "ResourceAlreadyExistsException": "one of this name is there and is not ours; take another --prefix or name",
    "MalformedPolicyException": "AWS does not take the policy document",
    "DeleteConflictException": "something is still attached to it; detach that, and clean up again",
    "CertificateStateException": "the certificate's state does not allow it; is it active still?",
    "ServiceUnavailableException": "the service is not available; say it again later",
    "InternalFailureException": "the service failed; say it again later",
}  # fmt: skip
_BY_KIND: Final = {
    "NoCredentialsError": "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or "
    "AWS_PROFILE",
    "PartialCredentialsError": "the credentials are not whole; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY both",
    "ProfileNotFound": "AWS_PROFILE names no profile of this machine",
    "NoRegionError": "no region; set --region or AWS_REGION",
    "InvalidRegionError": "that is no region; say it as eu-central-1",
    "EndpointConnectionError": "the endpoint cannot be reached; is the region right, and the network up?",
    "ConnectTimeoutError": "the endpoint does not answer; is the region right, and the network up?",
    "ReadTimeoutError": "the endpoint does not answer in time; say it again",
    "ConnectionClosedError": "the connection ended amid the call; say it again",
    "ProxyConnectionError": "the proxy cannot be reached; is HTTPS_PROXY right?",
    "SSLError": "the endpoint's certificate is refused; is a proxy in between, and this machine's clock right?",
}  # fmt: skip


def code_of(error: Exception) -> str:
    """The service's own code for a refusal; empty for what did not come that far."""
    response: Any = getattr(error, "response", None)
    found = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
    return str(found)


def sentence(doing: str, error: Exception) -> str:
    """`doing`: the call in plain words."""
    code, kind = code_of(error), type(error).__name__
    told = _BY_CODE.get(code) or _BY_KIND.get(kind)
    if told is None:
        response: Any = getattr(error, "response", None) or {}
        said = str(response.get("Error", {}).get("Message", "") or error)
        return f"AWS refused to {doing}: {shown(code or kind)}: {shown(said)[:300]}"
    return f"cannot {doing}: {told}" + (f" ({shown(code)})" if code else "")
