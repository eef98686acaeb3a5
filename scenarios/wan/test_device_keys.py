"""Whose hands a gateway's private key has been in."""

from attacks.factory_copy import SESSION as COPY_SESSION
from attacks.factory_copy import SPEAKS as COPY_SPEAKS
from attacks.factory_copy import FactoryCopy
from attacks.flash_key import SESSION as FLASH_SESSION
from attacks.flash_key import SPEAKS as FLASH_SPEAKS
from attacks.flash_key import FlashKey
from bench.rig.scenario import S, Stage, X, scenario

REAL = {"endpoint.kind": "mosquitto"}


@scenario(
    world="terrace-60", threats=["G08"], settings=REAL,
    not_for={"smgw": "its keys are made in the security module; a stolen disk is in scenarios/smgw"},
)
def test_a_factory_has_no_key_to_keep(world: Stage) -> None:
    """The talk's flow is the control: the key is made at manufacture and deleted there, or so the factory says. Made in
    the gateway, with a request that alone leaves it, there is nothing to keep."""
    copy = world.attack(FactoryCopy())
    world.run(minutes=10)
    world.expect(copy, COPY_SESSION, because="unknown ca", on=(X, X, X), off=(S, S, S))
    world.expect(copy, COPY_SPEAKS, because="unknown ca", on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["G07"], settings=REAL,
    not_for={"smgw": "its keys are made in the security module; a stolen disk is in scenarios/smgw"},
)
def test_a_gateway_taken_apart_gives_no_key(world: Stage) -> None:
    """Control: the key lies in a file of the flash memory, which whoever takes the gateway apart reads."""
    flash = world.attack(FlashKey())
    world.run(minutes=10)
    world.expect(flash, FLASH_SESSION, because="unknown ca", on=(X, X, X), off=(S, S, S))
    world.expect(flash, FLASH_SPEAKS, because="unknown ca", on=(X, X, X), off=(S, S, S))
