"""A gateway, or its administrator, that gives a grid operator something else than what was agreed."""

from __future__ import annotations

import dataclasses
from typing import Any

from sim.systems.smgw import SUPPLIER
from tests.referee.defect import DROPS, GATEWAYS, SILENT, Patch, defect
from tests.referee.defects import plays

TERMS = "sim.smart_metering.grid_values:GridTerms"


@defect("grid-values-to-the-supplier", GATEWAYS, "Each receiver has what it agreed on.", plays.GRID_OPERATOR)
def _(patch: Patch) -> None:
    """What is for the grid operator is sealed for the supplier, and sent there."""

    def instead(original: Any, grid: Any, *given: Any) -> Any:
        certificate = grid._system.receiver_certificate
        return tuple(
            dataclasses.replace(one, receiver=SUPPLIER, certificate=certificate) for one in original(grid, *given)
        )

    patch.around("sim.systems._smgw_grid:GridOperator.contracts", instead)


@defect("grid-values-by-name", GATEWAYS, "A grid operator learns of no meter whose values it has.", plays.GRID_OPERATOR)
def _(patch: Patch) -> None:
    """Values leave for the grid operator under the number that stands on the meter."""
    patch.around(f"{TERMS}.named", lambda original, terms, name: name)


@defect("grid-values-too-fine", GATEWAYS, "Nothing is finer than every half hour.", plays.GRID_OPERATOR)
def _(patch: Patch) -> None:
    """A gateway sends each quarter hour where each second one was agreed."""

    def instead(original: Any, terms: Any, every_s: int, *given: Any) -> None:
        original(terms, every_s // 2, *given)

    patch.around(f"{TERMS}.__init__", instead)


@defect("grid-value-dropped", DROPS, "The grid operator has every value that was agreed.", plays.GRID_OPERATOR)
def _(patch: Patch) -> None:
    """The first value of each delivery is left out."""
    patch.around(
        "sim.smart_metering.grid_values:GridValues.values", lambda original, *given: list(original(*given))[1:]
    )


@defect("grid-gaps-filled", GATEWAYS, "What nobody measured is told as a gap.", plays.GRID_OPERATOR)
def _(patch: Patch) -> None:
    """A value that was not measured is given as nought."""

    def instead(original: Any, *given: Any) -> Any:
        for one in original(*given):
            yield one._replace(amount=one.amount or 0)

    patch.around("sim.smart_metering.grid_values:GridValues.values", instead)


@defect("gateways-signature-goes-along", GATEWAYS, "No signature tells whose grid values these are.", plays.GRID_LINK)
def _(patch: Patch) -> None:
    """The administrator hands on what the gateway signed as it is, before he signs it anew."""

    def instead(original: Any, resigning: Any, gateway: str, container: bytes, now_ns: int) -> Any:
        resigning._hand(resigning._names[gateway], container, now_ns)
        return original(resigning, gateway, container, now_ns)

    patch.around("sim.smart_metering.pseudonyms:Resigning.__call__", instead)


@defect("grid-operator-looks-at-nothing", SILENT, "Without pseudonyms a grid operator knows whose.", plays.GRID_LINK)
def _(patch: Patch) -> None:
    """The attack has no books to look into, so that no name is found: the control must say so."""
    patch.around("attacks.reach_lawful:Lawful.connections", lambda original, reach: {})
