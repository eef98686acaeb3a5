"""Which endpoints there are: one file in sim/endpoint/kinds each.

    ENDPOINTS.find("mosquitto").open(spec, directory)     not started yet; see port.Endpoint
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar, get_args

from sim.core.part_errors import answer
from sim.core.parts import Kinds, of_kind
from sim.endpoint.endpoint_spec import EndpointSpec
from sim.endpoint.port import Endpoint, EndpointFeature

S = TypeVar("S", bound=EndpointSpec)


class Readiness(NamedTuple):
    """Whether this machine can run it, in words, and what to do where it cannot."""

    ok: bool
    detail: str
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class EndpointKind(Generic[S]):
    """One kind. `spec`: the class of its keys under [endpoint], whose `kind` is this id. `make(directory, spec)`: an
    endpoint that keeps its files there, not started. `ready()` is asked before a run and by the doctor.
    `caveat`: a sentence that stands on every page with a verdict from it. `missing(spec)`: of an endpoint that is not
    this machine's, what these settings lack, in a sentence with the way out; a run on it is INCONCLUSIVE then."""

    id: str
    title: str
    features: frozenset[EndpointFeature]
    spec: type[S]
    make: Callable[[Path, S], Endpoint]
    ready: Callable[[], Readiness]
    caveat: str = ""
    missing: Callable[[S], str] | None = None

    def open(self, spec: EndpointSpec, directory: Path) -> Endpoint:
        """The endpoint of a world, not started. Raises TypeError for settings of another kind."""
        settings = of_kind(spec, self.spec, f"endpoint '{self.id}'")
        return answer(self.make, directory, settings, of="an endpoint", port=Endpoint)

    def readiness(self) -> Readiness:
        """What `ready` says. Raises PartError for one that says nothing of the kind."""
        return answer(self.ready, of="a Readiness(ok, detail, way_out)", wanted=Readiness)


ENDPOINTS: Kinds[EndpointKind[Any]] = Kinds("sim.endpoint.kinds", "KIND", "endpoint", EndpointKind)


def lacks(kind: str, needed: frozenset[str]) -> str:
    """What endpoints of this kind lack of the needed features, as a clause, and which kind to take; empty when nothing.
    Raises UnknownPart, ValueError for a feature that does not exist."""
    unknown = needed - set(get_args(EndpointFeature))
    if unknown:
        known = ", ".join(get_args(EndpointFeature))
        raise ValueError(f"no endpoint can have the feature {', '.join(sorted(unknown))}; features are: {known}")
    missing = needed - ENDPOINTS.find(kind).features
    if not missing:
        return ""
    able = [id_ for id_, one in ENDPOINTS.parts().items() if needed <= one.features]
    way_out = f"run it with --endpoint {' or '.join(able)}" if able else "no endpoint has them all"
    return f"needs an endpoint with {', '.join(sorted(missing))}; '{kind}' has none: {way_out}"
