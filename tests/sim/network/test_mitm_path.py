"""A relaying man in the middle is under way until the broker behind him has taken both or refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sim.network.mitm_path import MitmPath
from sim.network.tls_proxy import Connection


def met(**client: Any) -> MitmPath:
    middle = MitmPath.__new__(MitmPath)
    middle._proxy = SimpleNamespace(connections=[Connection(**client)])  # type: ignore[assignment]
    return middle


@pytest.mark.parametrize("upstream", ["", "accepted"])
def test_a_session_that_may_still_come_is_waited_for(upstream: str) -> None:
    assert met(handshake="accepted", upstream=upstream).under_way


@pytest.mark.parametrize(
    "client",
    [
        {"handshake": "under way"},
        {"handshake": "TLS: alert unknown ca"},
        {"handshake": "accepted", "upstream": "TLS: alert certificate required"},
        {"handshake": "accepted", "upstream": "played"},
        {"handshake": "accepted", "upstream": "accepted", "open": False},
    ],
    ids=["handshake", "refused by the client", "refused by the broker", "played", "over"],
)
def test_one_that_will_not_come_is_not(client: dict[str, Any]) -> None:
    assert not met(**client).under_way


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (["TLS: alert certificate required", "Connection reset by peer"], "TLS: alert certificate required"),
        (["Connection reset by peer"], "Connection reset by peer"),
        (["TLS: alert unknown ca", "TLS: alert certificate required"], "TLS: alert certificate required"),
    ],
)
def test_the_broker_is_quoted_with_what_says_why(answers: list[str], said: str) -> None:
    middle = met(handshake="accepted", upstream="")
    middle._proxy.connections += [Connection(handshake="accepted", upstream=one) for one in answers]
    assert middle.last_upstream == f"the broker refused the proxy: {said}"
