"""Radio meters of security profile C: sessions that are none, a mode that is not pinned, rows that are lost; attacks on
them that are not made."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from tests.referee.defect import DROPS, GATEWAYS, OTHER, SILENT, Patch, defect
from tests.referee.defects import plays


@defect("radio-sessions-in-clear", GATEWAYS, "Replayed fragments bring no value.", plays.RADIO_REPLAY)
def _(patch: Patch) -> None:
    """Radio meters of profile C and their gateways speak without TLS, whatever the world says."""

    def instead(original: Any, spec: Any, *given: Any) -> Any:
        return original(dataclasses.replace(spec, tls=False), *given)

    patch.around("sim.systems._smgw_radio:plan", instead)


@defect("radio-mode-not-pinned", GATEWAYS, "A meter is believed in nothing less than TLS.", plays.RADIO_DOWNGRADE)
def _(patch: Patch) -> None:
    """A gateway believes what a telegram says of its own protection."""

    def instead(original: Any, spec: Any, *given: Any) -> Any:
        return original(dataclasses.replace(spec, pinned=False), *given)

    patch.around("sim.systems._smgw_radio:plan", instead)


@defect("radio-rows-lost-with-power", DROPS, "A power cut costs no value that was taken.", plays.RADIO_POWER_CUT)
def _(patch: Patch) -> None:
    """What was taken of radio meters is deleted when the gateway has power again."""

    def instead(original: Any, side: Any) -> None:
        side.plan.path.unlink(missing_ok=True)
        original(side)

    patch.around("sim.smart_metering.lmn.radio_side:RadioSide.open", instead)


@defect("radio-replay-not-sent", SILENT, "Old fragments are played to the gateway.", plays.RADIO_REPLAY)
def _(patch: Patch) -> None:
    """The attack demands access, and answers nothing that it is asked for."""

    def instead(original: Any, attack: Any, reach: Any, frame: bytes) -> Iterator[Any]:
        yield reach.wait(0.003)

    patch.around("attacks.smgw_fragments:SmgwFragments._answer", instead)


@defect("radio-downgrade-under-tls", OTHER, "Telegrams in clear are sent in a meter's name.", plays.RADIO_DOWNGRADE)
def _(patch: Patch) -> None:
    """What the attack sends says that a channel is asked for, and carries no value."""

    def instead(original: Any, variant: str, meter: Any, acc: int, counted: Any) -> bytes:
        from sim.smart_metering.lmn.radio_frames import demand

        return demand(meter, acc, channel=True)

    patch.around("attacks.smgw_mode_downgrade:_forged", instead)
