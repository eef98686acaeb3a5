"""The door to AWS's control plane: boto3, which the extra "aws" brings (`./wmbench setup aws`).

Credentials come from where boto3 looks for them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_SESSION_TOKEN, or AWS_PROFILE); none is read, printed or written here. AWS_ENDPOINT_URL leads elsewhere, to a
control plane on this machine.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sim.endpoint.aws.aws_refusals import code_of, sentence
from sim.endpoint.port import EndpointError, OutOfReach
from sim.pki import device_requests

AMAZON_ROOTS: Final = tuple(f"Amazon Root CA {number}" for number in (1, 2, 3, 4))


class Calls(Protocol):
    """The calls of the service "iot" that provisioning needs: an account's permissions are to allow these."""

    def create_policy(self, **how: Any) -> dict[str, Any]: ...
    def get_policy(self, **how: Any) -> dict[str, Any]: ...
    def delete_policy(self, **how: Any) -> dict[str, Any]: ...
    def attach_policy(self, **how: Any) -> dict[str, Any]: ...
    def detach_policy(self, **how: Any) -> dict[str, Any]: ...
    def list_attached_policies(self, **how: Any) -> dict[str, Any]: ...
    def create_thing(self, **how: Any) -> dict[str, Any]: ...
    def describe_thing(self, **how: Any) -> dict[str, Any]: ...
    def delete_thing(self, **how: Any) -> dict[str, Any]: ...
    def create_certificate_from_csr(self, **how: Any) -> dict[str, Any]: ...
    def list_certificates(self, **how: Any) -> dict[str, Any]: ...
    def describe_certificate(self, **how: Any) -> dict[str, Any]: ...
    def update_certificate(self, **how: Any) -> dict[str, Any]: ...
    def delete_certificate(self, **how: Any) -> dict[str, Any]: ...
    def attach_thing_principal(self, **how: Any) -> dict[str, Any]: ...
    def detach_thing_principal(self, **how: Any) -> dict[str, Any]: ...
    def list_principal_things(self, **how: Any) -> dict[str, Any]: ...
    def describe_endpoint(self, **how: Any) -> dict[str, Any]: ...


class Refused(OutOfReach):
    """AWS, or the way to it, refused a call, which says nothing about what was to be tried there. `code`: the service's
    own, empty when it did not come that far."""

    def __init__(self, doing: str, error: Exception) -> None:
        super().__init__(sentence(doing, error))
        self.code = code_of(error)


def said(doing: str, call: Callable[..., dict[str, Any]], **how: Any) -> dict[str, Any]:
    """One call; whatever boto3 raises comes out as Refused. `doing`: in plain words, for the sentence."""
    try:
        return call(**how)
    except Exception as error:  # boto3 makes its exceptions from the service's model: there is no list of them
        raise Refused(doing, error) from None


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """The service's calls, and of whom: the account's number and the region."""

    calls: Calls
    account: str
    region: str

    @property
    def arn(self) -> str:
        """Of everything of the service in this account, up to its last colon."""
        partition = "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"
        return f"arn:{partition}:iot:{self.region}:{self.account}:"


def control_plane(region: str = "") -> ControlPlane:
    """For the credentials of the environment. Raises EndpointError."""
    boto3 = _boto3()
    try:
        session = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None)
        iot, sts = session.client("iot"), session.client("sts")
        found = str(session.region_name)
    except Exception as error:  # see `said`
        raise Refused("set up the client", error) from None
    account = said("ask whose credentials these are", sts.get_caller_identity)["Account"]
    return ControlPlane(iot, str(account), found)


class DataCalls(Protocol):
    """The call of the service "iot-data" that is needed."""

    def get_thing_shadow(self, **how: Any) -> dict[str, Any]: ...


def data_plane(region: str = "") -> DataCalls:
    """For the credentials of the environment. Raises EndpointError."""
    boto3 = _boto3()
    try:
        found: DataCalls = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None).client("iot-data")
        return found
    except Exception as error:  # see `said`
        raise Refused("set up the client", error) from None


def amazon_roots() -> bytes:
    """Amazon's roots, PEM, out of the authorities that the client library brings. Raises EndpointError."""
    _boto3()
    botocore = importlib.import_module("botocore")
    bundle = Path(str(botocore.__file__)).parent / "cacert.pem"
    try:
        found = device_requests.roots(bundle.read_bytes(), AMAZON_ROOTS)
    except OSError as error:
        raise EndpointError(f"cannot read {bundle}: {error.strerror}; fetch AmazonRootCA1.pem yourself") from None
    if not found:
        raise EndpointError(f"{bundle} holds none of Amazon's roots; fetch AmazonRootCA1.pem yourself")
    return found


def _boto3() -> Any:
    try:
        return importlib.import_module("boto3")
    except ImportError:
        raise EndpointError("boto3 is not there; `./wmbench setup aws` installs it") from None
