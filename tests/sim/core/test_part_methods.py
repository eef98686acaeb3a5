"""A method that is to return something and returns nothing is named with its file before anybody asks it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sim.core.part_methods import returns_nothing
from sim.core.parts import PartError
from sim.endpoint.kinds.memory import Memory
from sim.endpoint.registry import ENDPOINTS
from sim.faults.gateway_power_cut import PowerCut
from sim.faults.port import FAULTS


class Port(ABC):
    @abstractmethod
    def known(self) -> dict[str, int]: ...

    @abstractmethod
    def last(self) -> int | None: ...

    @abstractmethod
    def close(self) -> None: ...

    @property
    @abstractmethod
    def size(self) -> int: ...

    @abstractmethod
    def taking(self) -> Any: ...

    def counts(self) -> int:
        return 0


class Good(Port):
    def known(self) -> dict[str, int]:
        if self.size:
            return {}
        raise KeyError

    def last(self) -> int | None:
        return None

    def close(self) -> None: ...

    @property
    def size(self) -> int:
        return 3

    @contextmanager
    def taking(self) -> Iterator[None]:
        yield


class Mute(Good):
    def known(self) -> dict[str, int]:  # type: ignore[return]
        def inner() -> int:
            return 1

        inner()


class Told(Mute):
    """What it is derived from says nothing either; that of its own is found first."""

    def extra(self) -> int:
        return 1


class Further(Told):
    def extra(self) -> int:  # type: ignore[return]
        """Its own method of a class that is no port."""

    def known(self) -> dict[str, int]:
        return {}


class Bare(Good):
    @property
    def size(self) -> int:  # type: ignore[return]
        self.close()


def test_a_method_that_returns_nothing_is_named_with_its_line() -> None:
    assert returns_nothing(Good, Port) == ""
    line = Mute.known.__code__.co_firstlineno
    said = f"{__file__}, line {line}: Mute.known returns nothing; by Port.known it returns dict[str, int]"
    assert returns_nothing(Mute, Port) == said
    assert returns_nothing(Further, Port).endswith("Further.extra returns nothing; by Told.extra it returns int")
    assert returns_nothing(Bare, Port).endswith("Bare.size returns nothing; by Port.size it returns int")


class Silent(Memory):
    def fence(self, session: Any) -> Any:
        self.turned = session


class Blind(PowerCut):
    def look(self, world: Any) -> Any:
        print(world)


def test_an_endpoint_and_a_fault_are_looked_at(tmp_path: Path) -> None:
    kind = replace(ENDPOINTS.find("memory"), make=Silent)
    with pytest.raises(PartError, match=r"line \d+: Silent\.fence returns nothing; by Endpoint\.fence it returns Call"):
        kind.open(kind.spec(), tmp_path)
    said = f"line {Blind.look.__code__.co_firstlineno}: Blind.look returns nothing; by "
    assert FAULTS.lacks(Blind(), "gateway_power_cut").startswith(said)
    assert [FAULTS.lacks(one, id_) for id_, one in FAULTS.parts().items()] == [""] * len(FAULTS.parts())
