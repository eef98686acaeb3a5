"""Card 4, man in the middle between gateway and broker. The talk's claim: prevented by certificates."""

from attacks.mitm import Mitm
from bench.rig.scenario import S, Stage, X, scenario

NO_SESSION = ("unknown ca | certificate required",) * 2 + ("unknown ca | certificate required | bad mac",)
ONE_SESSION = "a session that was opened stays open, so there is no second try"


@scenario(
    world="estate-1000", threats=["W01", "W02", "W03"], defences={"unverified": {"gateway.verify_server": False}},
    not_for={"smgw": "its gateways have no broker: smgw/test_between_gateway_and_supplier.py"},
)
def test_a_man_in_the_middle_gets_no_session(world: Stage) -> None:
    """A TLS server on the path shows a certificate of a rogue CA, one for another host, an expired one. A gateway that
    verifies the server sends it nothing. With verification off ("unverified") everything a bundle holds is read;
    altering it on the way then still fails, because the broker asks for a client certificate. Control: it does not ask,
    and only mode 7 keeps its telegrams from being altered."""
    mitm = world.attack(Mitm())
    world.run(hours=5)
    world.expect(mitm, "rogue CA", threats=["W01"], because="unknown ca", least=1, few_because=ONE_SESSION,
                 on=(X, X, X), unverified=(S, S, S), off=(S, S, S))  # fmt: skip
    world.expect(mitm, "wrong host name", threats=["W02"], because="bad certificate", least=1, few_because=ONE_SESSION,
                 on=(X, X, X), unverified=(S, S, S), off=(S, S, S))  # fmt: skip
    world.expect(mitm, "expired certificate", threats=["W03"],
                 because="certificate expired", least=1, few_because=ONE_SESSION,
                 on=(X, X, X), unverified=(S, S, S), off=(S, S, S))  # fmt: skip
    world.expect(mitm, "altered in transit", because=NO_SESSION, least=1, few_because=ONE_SESSION,
                 on=(X, X, X), unverified=(X, X, X), off=(S, S, X))  # fmt: skip
