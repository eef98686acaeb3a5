"""One gateway's home network: its certificate, who may log in with which password, and a server on the loopback.

Accounts are one a consumer (`consumer-1`, ...) and one technician; passwords are drawn, ten digits each, as long as the
module's are (BSI TR-03116-3, 10).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from sim.pki.display_certificates import self_signed
from sim.smart_metering.han import han_accounts, han_server
from sim.smart_metering.han.han import Han
from sim.smart_metering.han.holding import HanSource
from sim.smart_metering.han.role_matrix import Role
from sim.smart_metering.han.visits import Dialect

TECHNICIAN: Final = "technician"
PIN_DIGITS: Final = 10


class Home:
    """`owners`: the gateway's consumers. `pins`: account -> password in clear, which only who made them has; drawn
    where none are given. `lock`: of those who share the source."""

    def __init__(
        self, source: HanSource, dialect: Dialect, owners: list[str], folder: Path, draw: Callable[[int], bytes],
        since: datetime, *, lock: threading.RLock | None = None,
        pins: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.source, self.dialect = source, dialect
        self._pair = self_signed(f"{source.gateway}.{dialect.id}", dialect.curve, folder, draw, since)
        self.certificate = self._pair.certificate
        realm = source.gateway
        self.users = {owner: f"consumer-{number}" for number, owner in enumerate(owners, 1)}
        """Consumer -> account."""
        self.pins = dict(pins or {name: _pin(draw) for name in (*self.users.values(), TECHNICIAN)})
        known = [
            han_accounts.account(name, Role.CONSUMER, owner, realm, self.pins[name])
            for owner, name in self.users.items()
        ]
        known.append(han_accounts.account(TECHNICIAN, Role.TECHNICIAN, "", realm, self.pins[TECHNICIAN]))
        tries = folder / f"tries-{dialect.id}.json"
        self.han = Han(source, han_accounts.Accounts(known, tries), dialect, realm, draw, source.now_s, lock)

    def server(self, port: int = 0) -> han_server.HanServer:
        """Not started. Raises HanError."""
        return han_server.HanServer(han_server.context(self._pair, self.dialect.curve), self.han, port=port)

    @contextlib.contextmanager
    def serving(self) -> Iterator[int]:
        """The port, while it is served. Raises HanError."""
        made = self.server()
        made.start()
        try:
            yield made.port
        finally:
            made.stop()


def _pin(draw: Callable[[int], bytes]) -> str:
    return f"{int.from_bytes(draw(16), 'big') % 10**PIN_DIGITS:0{PIN_DIGITS}d}"
