"""A smart meter gateway takes the firmware of its maker, newer and whole, and no other."""

from attacks.smgw_firmware import BORROWED, CHANGED, CUT, FOREIGN, OLDER, OTHER, UNSIGNED, SmgwFirmware
from bench.rig.scenario import N, S, Stage, X, scenario
from sim.core.events import FirmwareTold
from sim.smart_metering.gateway_firmware import DEVICE
from sim.smgw.firmware_image import Firmware
from sim.systems._smgw_running import smgw

REASONS = {
    UNSIGNED: "signature", FOREIGN: "signer", BORROWED: "signature", OLDER: "version", CUT: "length",
    CHANGED: "integrity", OTHER: "device",
}  # fmt: skip


@scenario(
    world="row-16",
    threats=["G09"],
    settings={"system.kind": "smgw"},
    not_for={"keyless": "its gateways' firmware is not modelled"},
)
def test_a_gateway_takes_its_makers_firmware_and_no_other(world: Stage) -> None:
    """Each image that is not for it is refused for its reason, which its administrator is told. Every gateway takes an
    update of its maker's before, and another one afterwards. Control: whatever has a head is taken."""
    sender = world.attack(SmgwFirmware())
    system = smgw(world.inner.system)
    for hours, version in ((0.25, (1, 1, 0)), (1.75, (3, 0, 0))):
        world.run(hours=hours)
        image = system.firmware.by_maker(Firmware(DEVICE, version, f"the program {version}\n".encode() * 100))
        for gateway in range(world.spec.gateways):
            system.send_firmware(gateway, image)
    world.run(minutes=30)
    assert [one.version for one in system.firmware.of] == [(3, 0, 0)] * world.spec.gateways
    told = {(one.gateway, one.what) for one in system.administrator.alarms}
    happened = {(one.gateway, one.what) for one in world.history.of(FirmwareTold)}
    assert told == happened, "the administrator knows what became of each image"
    for variant, reason in REASONS.items():
        world.expect(sender, variant, because=f"firmware refused: {reason}", on=(N, N, X), off=(N, N, S))
