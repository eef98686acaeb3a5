"""[portal] of a world: its defences, each switchable, and the settings that checks and alarms have of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sim.core.part_errors import PartError
from sim.core.part_fields import key_twice
from sim.core.settings import names_from
from sim.portal.alarm import alarm_ids, alarms_in_order
from sim.portal.check import check_ids, in_order
from sim.portal.onboarding import Policy

if TYPE_CHECKING:
    from sim.portal.alarms import completeness, gap, leak
    from sim.portal.checks import age, ts

    class _OfParts(age.Settings, ts.Settings, completeness.Settings, gap.Settings, leak.Settings):
        """The settings of the parts that come with the bench; a part of somebody's own has its own beside them."""
else:

    def _classes() -> list[type]:
        """Of the settings of checks and alarms, and those that they are derived from."""
        named = [part.settings for part in (*in_order(), *alarms_in_order())]
        found = dict.fromkeys(one for cls in named for one in reversed(cls.__mro__[:-1]))
        if said := key_twice(found):
            raise PartError(said)
        return list(found)

    def _of_parts() -> type:
        classes = _classes()
        most = [one for one in classes if not any(one in other.__mro__[1:] for other in classes)]
        return type("_OfParts", tuple(most), {})

    _OfParts = _of_parts()


VIEW_RULES: Final = ("own flat", "own time", "three flats", "no overlap")
Billing = Literal["set date record", "newest record", "last reading"]


@dataclass(frozen=True)
class PortalSpec(_OfParts):
    """The portal's defences, each switchable. The defaults are all of them. `gateway_list`: bundles of
    gateways that were never installed are evidence. `gateway_clocks`: a gateway whose clock is wrong by what its meters
    say under their MACs is judged by their time. `store`: "sqlite", a file in the world's
    directory, or the URL of a server. `key_store`: how meter keys lie on the portal's disk; "wrapped" is in partitions,
    one a house or a flat, each under a key that lies elsewhere. `drop_duplicates`: a bundle that comes again with the
    same bytes is no second one. `evidence_quota`: of what cannot be judged so much is kept of each sender.
    `view_rules`: what the roles' views refuse (see roles). `onboarding`: what becomes of a known identification that
    announces itself otherwise than it is registered. `backup`: what a backup of the portal holds; one of "readings"
    alone forgets the counters that freshness stands on."""

    pin_profile: bool = True
    whole_address: bool = True
    strict: bool = True
    gateway_list: bool = True
    gateway_clocks: bool = True
    drop_duplicates: bool = True
    evidence_quota: bool = True
    view_rules: tuple[str, ...] = names_from(lambda: VIEW_RULES)
    checks: tuple[str, ...] = names_from(check_ids)
    alarms: tuple[str, ...] = names_from(alarm_ids)
    billing: Billing = "set date record"
    store: str = "sqlite"
    onboarding: Policy = "ask"
    backup: Literal["whole", "readings"] = "whole"
    key_store: Literal["wrapped", "clear"] = "wrapped"
    key_partitions: Literal["house", "flat"] = "house"


if said := key_twice((PortalSpec, *dict.fromkeys(_OfParts.__mro__[1:-1]))):
    raise PartError(said)
