"""Noise in the name of a known meter."""

from attacks.blind_forgery import BLIND, BlindForgery
from bench.rig.scenario import S, Stage, X, scenario


@scenario(
    world="courtyard-fast", threats=["L31"], settings={"endpoint.kind": "memory"},
    not_for={"smgw": "noise under a paired meter's address fails the MAC as it does in the keyless system"},
)
def test_noise_is_no_telegram(world: Stage) -> None:
    """Sixty frames a mode. What is encrypted does not open; what is not carries the attacker's units. Control: mode 0,
    since no switch of a portal makes noise readable."""
    blind = world.attack(BlindForgery())
    world.run(minutes=15)
    world.expect(blind, BLIND, because=("", "bad cipher", "bad mac"), on=(S, X, X), off=(S, X, X))
