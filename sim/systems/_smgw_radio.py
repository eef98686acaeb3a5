"""Radio meters of security profile C of a world's smart meter gateways: made with the gateways, on the air when all of
these have their receivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sim.core.events import RadioMeterTold
from sim.smart_metering.lmn.radio_air import Account, GatewayOnAir, Medium, MeterOnAir
from sim.smart_metering.lmn.radio_meter import RadioMeter
from sim.smart_metering.lmn.radio_plan import RadioSpec, plan
from sim.smart_metering.lmn.radio_side import RadioSide

if TYPE_CHECKING:
    from pathlib import Path

    from sim.smart_metering.smart_gateway import SmartGateway
    from sim.systems.port import Ground

METRES: Final = 8.0
_FIRST_S: Final = 15.0
_APART_S: Final = 11.3
_ROUND_S: Final = 240.0


class RadioMeters:
    """Of all gateways. `meters[g]`, `accounts[g]`: of gateway g."""

    def __init__(self, spec: RadioSpec, ground: Ground, *, flag_clock: bool) -> None:
        self._spec, self._ground, self._flag = spec, ground, flag_clock
        self.meters: list[list[RadioMeter]] = []
        self.accounts: list[Account] = []

    def side(self, gateway: int, id_: str, folder: Path) -> RadioSide | None:
        """A gateway's; None where none has any."""
        ground = self._ground
        if not self._spec.count:
            return None

        def tell(what: str, meter: str, detail: str) -> None:
            ground.record(RadioMeterTold(ground.clock.now_ns, id_, meter, what, detail))

        made, meters = plan(self._spec, ground.seeds, gateway, id_, folder, ground.calendar.start, tell)
        self.meters.append(meters)
        return RadioSide(made, ground.calendar, flag_clock=self._flag)

    def put_on_air(self, gateways: list[SmartGateway]) -> None:
        """Their radios and the gateways'; behind the receivers that the gateways have for other meters."""
        ground = self._ground
        epoch_s = int(ground.calendar.start.timestamp())
        medium = Medium(ground.air, ground.clock, epoch_s, ground.genuine, ground.own_receiver)
        number = 0
        for index, (gateway, meters) in enumerate(zip(gateways, self.meters, strict=False)):
            radio = GatewayOnAir(
                medium, f"{gateway.id} for profile C", ground.site.gateways[index], gateway.hear_by_radio
            )
            account = Account(ground.air, radio.receiver, index, meters)
            ground.air.taps.append(account)
            self.accounts.append(account)
            for meter in meters:
                place = ground.site.beside_gateway(index, METRES)
                MeterOnAir(medium, meter, place, _FIRST_S + _APART_S * number % _ROUND_S)
                number += 1
