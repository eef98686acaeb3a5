"""The port of a propagation model, and the folder of all of them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sim.core.parts import Folder

F64 = NDArray[np.floating[Any]]
FREQUENCY_MHZ: Final = 868.95


class Path(NamedTuple):
    """Arrays of one shape. `distance_m`: at least 1; `floors`: crossed; `outer_walls`, `inner_walls`: crossed."""

    distance_m: F64
    floors: F64
    outer_walls: F64
    inner_walls: F64

    @classmethod
    def of(cls, distance_m: Any, floors: Any = 0, outer_walls: Any = 0, inner_walls: Any = 0) -> Path:
        """Broadcast, and distances below 1 m counted as 1 m."""
        near = np.maximum(np.asarray(distance_m, dtype=np.float64), 1.0)
        others = (np.asarray(one, dtype=np.float64) for one in (floors, outer_walls, inner_walls))
        return cls(*np.broadcast_arrays(near, *others))


@runtime_checkable
class Model(Protocol):
    """`source`: where its numbers are from; `sigma_db`: how much places differ from it, as the source says, or 0."""

    @property
    def id(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def sigma_db(self) -> float: ...

    def loss_db(self, path: Path, frequency_mhz: float = FREQUENCY_MHZ) -> F64:
        """Median loss of each path in dB."""
        ...


MODELS: Final[Folder[Model]] = Folder("sim.radio.models", "MODEL", "propagation model", Model)  # type: ignore[type-abstract]
