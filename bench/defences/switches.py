"""The portal's defences as a set of names, and the settings of a portal that has just these."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from sim.portal.check import check_ids
from sim.portal.portal_spec import PortalSpec

_OFF: Final[dict[str, tuple[str, Any]]] = {
    "pin_profile": ("pin_profile", False),
    "whole_address": ("whole_address", False),
    "strict": ("strict", False),
    "gateway_list": ("gateway_list", False),
    "ask at onboarding": ("onboarding", "overwrite"),
}
"""Name -> the setting that takes it away. Checks are the others."""


def switches() -> tuple[str, ...]:
    """All of them, in the order in which a telegram meets them."""
    return (*_OFF, *check_ids())


def portal_of(spec: PortalSpec, on: frozenset[str]) -> PortalSpec:
    """The same portal with these defences and no other. Raises ValueError for a name that is none."""
    strange = on - {*switches()}
    if strange:
        raise ValueError(f"no defence of the portal is called {', '.join(sorted(strange))}")
    off = dict(setting for name, setting in _OFF.items() if name not in on)
    return dataclasses.replace(spec, checks=tuple(one for one in check_ids() if one in on), **off)
