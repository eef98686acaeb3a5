"""The local endpoint in the service's place: endpoint aws_iot dials it as it would dial an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sim.endpoint.kinds.aws_iot import AwsIotSpec
from sim.endpoint.kinds.aws_local import AwsLocal, AwsLocalSpec
from sim.pki.authority import Authority


class Account:
    """The local one, with the files of two devices; `spec`: by which it is reached as if it were the service."""

    def __init__(self, folder: Path, *gateways: str, **spec: Any) -> None:
        self.authority = Authority(folder / "endpoint" / "pki")
        for name in ("portal", *(gateways or ("gw1",))):
            self.authority.device(name)
        self.local = AwsLocal(folder / "endpoint", AwsLocalSpec(**spec))
        self.spec = AwsIotSpec()

    @property
    def pki(self) -> Path:
        return self.authority.directory

    def start(self) -> None:
        self.local.start()
        assert self.local.address is not None
        self.spec = AwsIotSpec(
            host="localhost", port=self.local.address.port, identities=str(self.pki),
            authorities=str(self.pki / "ca.crt"),
        )  # fmt: skip

    def lay(self, pair: Any) -> None:
        """Another certificate for the portal."""
        (self.pki / "portal.crt").write_bytes(pair.certificate.read_bytes())
        (self.pki / "portal.key").write_bytes(pair.key.read_bytes())
