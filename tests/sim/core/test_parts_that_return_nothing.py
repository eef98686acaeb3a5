"""A part of any kind whose function returns nothing is told with its file, before anything else trips over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from sim.core.parts import PartError
from sim.endpoint.registry import ENDPOINTS
from sim.gateway.gateway_spec import GatewaySpec
from sim.gateway.port import Wiring
from sim.gateway.registry import GATEWAYS
from sim.portal.store_port import STORES, Store, StoreKind, open_store


def gateway(_: Path) -> object:
    kind = replace(GATEWAYS.find("virtual"), make=lambda id_, spec, wiring: None)
    return kind.open("gw-0001", GatewaySpec(), cast(Wiring, None))


def endpoint(folder: Path) -> object:
    kind = ENDPOINTS.find("memory")
    return replace(kind, make=lambda directory, spec: None).open(kind.spec(), folder)


@pytest.mark.parametrize(("opened", "what"), [(gateway, "a gateway"), (endpoint, "an endpoint")])
def test_nothing_is_no_part(opened: Callable[[Path], object], what: str, tmp_path: Path) -> None:
    with pytest.raises(PartError, match=rf"{__file__}, line \d+: <lambda> returned None and not {what}$"):
        opened(tmp_path)


class Nameless:
    """Of all that a store does, nothing."""


def test_a_store_is_a_store_and_has_a_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stands(opened: Callable[[str, Path], Any]) -> None:
        monkeypatch.setattr(STORES, "_parts", {"odd": StoreKind("odd", "Odd", opened)})
        monkeypatch.setitem(STORES._files, "odd", Path("odd.py"))

    stands(lambda where, folder: Nameless())
    with pytest.raises(PartError, match=r"line \d+: <lambda> returned <.*Nameless object .* and not a Store$"):
        open_store("odd", tmp_path)
    monkeypatch.setattr(Store, "__abstractmethods__", frozenset())
    stands(lambda where, folder: cast("type[Any]", Store)())
    with pytest.raises(PartError, match=r"^odd\.py: Store has no name; write self\.name = "):
        open_store("odd", tmp_path)
