"""Announcements: what is noted of them, and what a careless portal makes of its books."""

from __future__ import annotations

from pathlib import Path

import pytest
from bed import INTERVAL_S, KEY, METER, Bed, payload

from sim.portal.onboarding import Policy, announcements
from sim.portal.portal_spec import PortalSpec
from wmbus.link import SND_IR, Address
from wmbus.telegram import build


def announced(address: Address = METER, security: str = "none") -> bytes:
    return build(address, 7, 0, payload(1, 0.0), security=security, key=KEY, counter=1, c_field=SND_IR)  # type: ignore[arg-type]


def test_who_is_registered_so_announces_nothing_new(tmp_path: Path) -> None:
    bed = Bed(tmp_path, security="mode7")
    registry = bed.portal.registry
    other = Address("QDS", METER.id, 0x37, METER.device_type)
    stranger = Address("QDS", "99999999", 0x36, 8)
    heard = [announced(security="mode7"), announced(stranger), b"", b"\x05\x46", announced()[:12]]
    assert announcements(registry, [(raw, "gw") for raw in heard]) == []
    found = announcements(registry, [(announced(), "gw"), (announced(), "gw"), (announced(other), "gw")])
    assert [(one.claims.address, one.claims.security) for one in found] == [(METER, "none"), (other, "none")]
    assert "registered is" in found[0].detail


@pytest.mark.parametrize("policy", ["ask", "overwrite"])
def test_only_a_careless_portal_changes_its_books(tmp_path: Path, policy: Policy) -> None:
    bed = Bed(tmp_path, PortalSpec(onboarding=policy), security="mode7")
    bed.run(range(3), security="mode7")
    bed.hear(announced(), 3 * INTERVAL_S)
    entry = bed.portal.registry.find(METER)
    assert entry is not None and entry.security == ("none" if policy == "overwrite" else "mode7")
    assert "onboarding" in bed.kinds()
