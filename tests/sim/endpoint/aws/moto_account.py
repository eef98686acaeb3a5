"""A control plane that nobody here wrote (moto), with the one thing changed that it cannot do.

moto gives a certificate for a key of its own, whatever the request holds. `signs_the_request` lets it issue for the
key of the request instead; without it our own check refuses the certificate, which is a test too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sim.pki.authority import Authority

moto = pytest.importorskip("moto", reason="the extra aws-tests is not here: ./wmbench setup aws aws-tests")
boto3 = pytest.importorskip("boto3", reason="the extra aws is not here: ./wmbench setup aws aws-tests")

REGION = "eu-central-1"
ACCOUNT = "123456789012"  # moto's own


def signs_the_request(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    from moto.iot.models import IoTBackend

    authority, serial = Authority(directory / "moto-ca"), iter(range(1_000_000))

    def issue(self: Any, csr: str, set_as_active: bool) -> Any:
        pem = authority.sign(f"certificate-{next(serial)}", csr.encode()).read_text()
        return self.register_certificate(pem, ca_certificate_pem=None, set_as_active=set_as_active, status="INACTIVE")

    monkeypatch.setattr(IoTBackend, "create_certificate_from_csr", issue)


def credentials(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Those that moto wants to see, and no others of this machine."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "AKIDNOTASECRET"), ("AWS_SECRET_ACCESS_KEY", "not-a-secret-0123"), ("AWS_REGION", REGION),
        ("AWS_CONFIG_FILE", str(folder / "none")), ("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none")),
        ("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_MAX_ATTEMPTS", "1"),
    ):  # fmt: skip
        monkeypatch.setenv(name, value)


def left_in(iot: Any) -> dict[str, list[str]]:
    """Everything that stands in the account, by kind."""
    return {
        "certificates": [one["certificateId"] for one in iot.list_certificates()["certificates"]],
        "things": [one["thingName"] for one in iot.list_things()["things"]],
        "policies": [one["policyName"] for one in iot.list_policies()["policies"]],
    }


@cache
def _api_models() -> Any:
    """AWS's descriptions of its interfaces, read once: megabytes of JSON, which moto has each client read anew."""
    from botocore.loaders import create_loader

    return create_loader()


def _client() -> Any:
    from botocore.session import get_session

    session = get_session()
    session.register_component("data_loader", _api_models())
    return boto3.Session(botocore_session=session).client("iot", region_name=REGION)


def one_account(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[Any]:
    """In this process: moto's answers to boto3's calls, without a socket."""
    credentials(monkeypatch, folder)
    signs_the_request(monkeypatch, folder)
    with moto.mock_aws():
        yield _client()
