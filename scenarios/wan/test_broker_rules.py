"""What a broker must not let anybody do: each rule of its configuration, and the attack that only this rule stops."""

from attacks.anonymous import SESSION, Anonymous
from attacks.anonymous import SPEAKS as ANONYMOUS_SPEAKS
from attacks.borrowed_name import DISPLACED, OWN_NAME, BorrowedName
from attacks.kept_message import KEPT, KeptMessage
from attacks.old_tls import OLD, OldTls
from attacks.revoked import LIVE, NEW, Revoked
from attacks.system_topics import SYSTEM, SystemTopics
from attacks.wildcards import HEARS, SHADOW, SPEAKS, Wildcards
from bench.rig.scenario import S, Stage, X, scenario

REAL = {"endpoint.kind": "mosquitto"}
SPARE = "spare-1"


@scenario(
    world="terrace-60", threats=["W04"], settings=REAL,
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_agrees_on_no_old_tls(world: Stage) -> None:
    """Handshakes that offer TLS 1.1 at most. Control: a broker whose least version is 1.1."""
    old = world.attack(OldTls())
    world.run(minutes=5)
    world.expect(old, OLD, because="protocol version", on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60",
    threats=["W05"],
    settings=REAL,
    defences={"restarted": {"endpoint.revocation": "list and restart"}},
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_revoked_certificate_opens_nothing_but_a_live_session_stays(world: Stage) -> None:
    """A thief has a session when his certificate is revoked. The list stops every new one; on this broker the live one
    goes on until it ends, unless the broker is started again ("restarted"). Control: no list."""
    thief = world.attack(Revoked(SPARE))
    endpoint = world.inner.system.endpoint
    assert endpoint is not None
    endpoint.identity(SPARE)
    world.run(minutes=5)
    endpoint.revoke(SPARE)
    world.run(minutes=5)
    world.expect(thief, NEW, because="certificate revoked", on=(X, X, X), restarted=(X, X, X), off=(S, S, S))
    world.expect(thief, LIVE, because="certificate revoked", on=(S, S, S), restarted=(X, X, X), off=(S, S, S))
    assert world.truth.missing() == []


@scenario(
    world="terrace-60", threats=["W06"], settings=REAL,
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_nobody_speaks_without_a_certificate(world: Stage) -> None:
    """A stranger says a gateway's name. Control: the broker asks nobody for a certificate, and believes the name."""
    stranger = world.attack(Anonymous())
    world.run(minutes=10)
    world.expect(stranger, SESSION, because="certificate required", on=(X, X, X), off=(S, S, S))
    world.expect(stranger, ANONYMOUS_SPEAKS, because="certificate required", on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["W07", "W10"], settings=REAL,
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_device_hears_and_speaks_for_itself_alone(world: Stage) -> None:
    """All bundles, another gateway's topic, another device's shadow. Control: no access list. Mosquitto acknowledges
    all of it in both worlds; AWS's rules end the session."""
    wild = world.attack(Wildcards(SPARE))
    world.run(minutes=10)
    world.expect(wild, HEARS, threats=["W07"], because="nothing was delivered", on=(X, X, X), off=(S, S, S))
    world.expect(wild, SPEAKS, threats=["W07"], because="nothing was delivered", on=(X, X, X), off=(S, S, S))
    world.expect(wild, SHADOW, threats=["W10"], because="nothing was delivered", on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["W10"], settings=REAL,
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_broker_tells_a_device_nothing_of_itself(world: Stage) -> None:
    """Control: no access list."""
    system = world.attack(SystemTopics(SPARE))
    world.run(minutes=5)
    world.expect(system, SYSTEM, because="nothing was delivered", on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["W08"], settings=REAL,
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_a_client_id_belongs_to_its_certificate(world: Stage) -> None:
    """Another device's certificate with a gateway's client id. Control: the client id is believed."""
    borrowed = world.attack(BorrowedName(SPARE))
    world.run(minutes=20)
    world.expect(borrowed, DISPLACED, because=OWN_NAME, on=(X, X, X), off=(S, S, S))


@scenario(
    world="terrace-60", threats=["W09"], settings=REAL | {"endpoint.retained": False},
    not_for={"smgw": "it has no broker: gateways give sealed containers to their administrator"},
)
def test_nothing_outlives_its_sender(world: Stage) -> None:
    """A retained message on the sender's own topic, the sender then revoked. Here the broker keeps nothing; control: it
    does, as brokers do by themselves, and neither access list nor revocation helps."""
    kept = world.attack(KeptMessage(SPARE))
    endpoint = world.inner.system.endpoint
    assert endpoint is not None
    endpoint.identity(SPARE)
    world.run(minutes=5)
    endpoint.revoke(SPARE)
    world.run(minutes=5)
    world.expect(kept, KEPT, because="the broker keeps nothing", on=(X, X, X), off=(S, S, S))
