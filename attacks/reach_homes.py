"""What attackers between a consumer and what he is billed can do: see attack.Can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

from attacks.reach_smgw import OnSmgw
from sim.core.events import AlarmRaised
from sim.network.http_in_the_middle import HttpInTheMiddle
from sim.pki.display_certificates import self_signed
from sim.portal.roles import TenantRow, Views
from sim.portal.tenant_check import contradicted, counted
from sim.smart_metering.han.export import logical_name
from sim.smart_metering.han.han_client import HanClientError
from sim.smart_metering.han.household import Shown, amount
from sim.smgw.delivered_content import Value
from sim.smgw.module.in_world import draws
from sim.systems._smgw_homes import Bill
from sim.systems.keyless import keyless


class Look(NamedTuple):
    """A register on a display: what stood there (None: nothing, because `refused`), and what the gateway has."""

    owner: str
    meter: str
    obis: str
    shown: Decimal | None
    genuine: Decimal
    refused: str


class HomeNetwork(OnSmgw):
    """Sits between the displays of a gateway's consumers and the gateway."""

    def let_displays_read(self, gateway: int, change: Callable[[str, bytes], bytes] | None = None) -> list[Look]:
        """Every consumer's display reads its meters now: through a TLS server with a certificate of the attacker's,
        which changes answers (path, body -> body); straight, where nothing is to be changed."""
        home = self._smgw.homes.at(gateway)
        with home.serving() as port:
            if change is None:
                return self._looks(gateway, port)
            folder = self._world.directory / "attacker" / self._record.id
            draw = draws(self._world.seeds, f"attacker at HAN {gateway}", "draws")
            own = self_signed("gateway", "prime256v1", folder, draw, self._world.calendar.start)
            middle = HttpInTheMiddle(own, port, change)
            middle.start()
            try:
                return self._looks(gateway, middle.port)
            finally:
                middle.stop()

    def _looks(self, gateway: int, port: int) -> list[Look]:
        homes = self._smgw.homes
        home = homes.at(gateway)
        homes.looks += 1
        out = []
        for owner in home.users:
            shown: dict[str, Shown] = {}
            refused = ""
            try:
                shown = {one.register: one for one in homes.household(home, owner).display(port)}
            except HanClientError as error:
                refused = str(error)
            for meter in home.source.holding().meters:
                if meter.owner == owner and meter.captured:
                    seen = shown.get(logical_name(meter.name, meter.obis))
                    genuine = Decimal(meter.captured[-1].value).scaleb(meter.scaler)
                    told = None if seen is None else amount(seen)
                    out.append(Look(owner, meter.name, meter.obis, told, genuine, refused))
        return out


class Biller(OnSmgw):
    """Writes the bills: the supplier, who has what was delivered to him; or whoever runs the portal of the keyless
    system, who has every reading and shows tenants what he wants."""

    def delivered_by_consumer(self) -> dict[str, list[Value]]:
        """Registers that he has, by whose they are."""
        out: dict[str, list[Value]] = {}
        boxes = {box.id: box for box in self._smgw.gateways}
        for one in self._smgw.portal.stored():
            if one.value.from_s is not None:
                out.setdefault(boxes[one.gateway].owner_of(one.value.meter), []).append(one.value)
        return out

    def send_bill(self, owner: str, values: list[Value]) -> None:
        """To a consumer."""
        self._smgw.homes.bills.append(Bill(owner, tuple(values)))

    def _rows(self, tenant: str, flat: str) -> list[TenantRow]:
        views = Views(keyless(self._world.system).portal.store, self._world.spec.portal.view_rules)
        return views.tenant(tenant, self.now_ns, flat)

    def units_of(self, tenant: str, flat: str) -> dict[str, int]:
        """Meter -> units in a tenant's own time, as the portal of the keyless system has them. Raises Denied."""
        return counted(self._rows(tenant, flat))

    def bill_tenant(self, tenant: str, flat: str, bill: Mapping[str, int], *, shown_more: int) -> None:
        """Bill a tenant, who looks into the own view at once; there the portal shows so many units more than it has.
        What does not agree is an alarm of the tenant's."""
        shown = [row._replace(units=row.units + shown_more) for row in self._rows(tenant, flat)]
        for meter in contradicted(bill, shown):
            detail = f"{tenant}: billed {bill[meter]}, the portal shows {counted(shown).get(meter)}"
            self._world.record(AlarmRaised(self.now_ns, "bill", meter, detail))
