"""HTTP Digest without a socket: the example of RFC 7616, and whatever is not taken."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sim.core.seeds import Seeds
from sim.smart_metering.han.han_accounts import LOCK_S, PIN_TRIES, Accounts, account
from sim.smart_metering.han.http_digest import (
    ALGORITHMS,
    IDLE_S,
    NONCES_MOST,
    SESSION_MOST_S,
    Digest,
    response,
    secret,
)
from sim.smart_metering.han.sessions import Sessions
from sim.smgw.module.in_world import draws

URI = "/dir/index.html"


@pytest.mark.parametrize(
    ("algorithm", "must"),
    [
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
    ],
)
def test_the_example_of_the_rfc(algorithm: str, must: str) -> None:
    """RFC 7616, 3.9.1."""
    kept = secret("Mufasa", "http-auth@example.org", "Circle of Life", algorithm)
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    assert response(kept, algorithm, "GET", URI, nonce, "00000001", cnonce) == must


class Client:
    """Says what a client says, with parts changed."""

    def __init__(self, algorithms: tuple[str, ...] = ALGORITHMS) -> None:
        self.digest = Digest("gw", draws(Seeds(2), "digest", "draws"), algorithms)
        self.now_s = 1_000
        self.nonce = ""
        self.challenge()

    def challenge(self) -> None:
        told = self.digest.challenges(self.now_s)
        self.nonce = told[0].partition('nonce="')[2].partition('"')[0]

    def header(
        self, nc: int = 1, *, user: str = "ada", pin: str = "1", algorithm: str = "SHA-256", **parts: str
    ) -> str:
        said = {"username": user, "realm": "gw", "nonce": self.nonce, "uri": URI, "nc": f"{nc:08x}", "cnonce": "c",
                "qop": "auth", "algorithm": algorithm} | parts  # fmt: skip
        kept = secret(said["username"], said["realm"], pin, algorithm)
        proof = response(kept, algorithm, "GET", said["uri"], said["nonce"], said["nc"], said["cnonce"])
        said = {"response": proof} | said
        return "Digest " + ", ".join(f'{name}="{value}"' for name, value in said.items() if value != "-")

    def judged(self, header: str, method: str = "GET") -> str:
        kept = {"ada", "eve"}

        def known(user: str, algorithm: str) -> str | None:
            return secret(user, "gw", "1", algorithm) if user in kept else None

        return self.digest.judge(header, method, URI, known, self.now_s).what


def test_a_login_and_each_count_once() -> None:
    client = Client()
    assert [client.judged(client.header(nc)) for nc in (1, 2, 3, 7, 4)] == ["new", "right", "right", "right", "right"]
    assert client.judged(client.header(2)) == "used", "a recorded request is worth nothing"
    assert client.judged(client.header(5), "POST") == "wrong", "nor another method with it"
    assert client.judged(client.header(6, algorithm="MD5")) == "right"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda c: c.header(pin="2"), "wrong"),
        (lambda c: c.header(user="tom"), "unknown"),
        (lambda c: c.header(nonce="00" * 24), "stale"),
        (lambda c: c.header(uri="/other"), "malformed"),
        (lambda c: c.header(realm="other"), "malformed"),
        (lambda c: c.header(qop="-"), "malformed"),
        (lambda c: c.header(qop="auth-int"), "malformed"),
        (lambda c: c.header(cnonce="-"), "malformed"),
        (lambda c: c.header(response="0"), "wrong"),
        (lambda c: c.header(nc=1)[:-1], "malformed"),
        (lambda c: c.header() + ', nc="00000002"', "malformed"),
        (lambda c: c.header().replace("Digest", "Basic"), "malformed"),
        (lambda c: c.header() + "," * 5_000, "malformed"),
        (lambda c: "", "none"),
        (lambda c: "Digest", "malformed"),
        (lambda c: 'Digest username="\udcff", nonce', "malformed"),
    ],
)
def test_what_is_not_right_is_named(change: Callable[[Client], str], what: str) -> None:
    client = Client()
    assert client.judged(change(client)) == what
    assert client.judged(client.header(9)) == "new", "and costs nobody else a thing"


def test_a_nonce_is_one_users_and_ends() -> None:
    client = Client()
    assert client.judged(client.header(1)) == "new"
    assert client.judged(client.header(2, user="eve")) == "stale"
    client.now_s += IDLE_S + 1
    assert client.judged(client.header(3)) == "stale"
    client.challenge()
    for count in range(1, SESSION_MOST_S // IDLE_S + 2):
        assert client.judged(client.header(count)) in ("new", "right")
        client.now_s += IDLE_S
    assert client.judged(client.header(999)) == "stale"


def test_only_what_is_offered_is_taken_and_challenges_do_not_pile_up() -> None:
    client = Client(("MD5",))
    assert client.judged(client.header()) == "malformed"
    assert client.judged(client.header(algorithm="MD5")) == "new"
    first = client.nonce
    for _ in range(NONCES_MOST + 1):
        client.now_s += 1
        client.challenge()
    client.nonce = first
    assert client.judged(client.header(2, algorithm="MD5")) == "stale"


def test_sessions_by_cookie_end_and_are_counted() -> None:
    sessions = Sessions(1, draws(Seeds(3), "sessions", "draws"))
    first = sessions.begin("ada", 0)
    assert first and sessions.begin("eve", 1) is None
    again = sessions.begin("ada", 2)
    assert again and not sessions.goes_on(first, "ada", 3) and sessions.goes_on(again, "ada", 3)
    assert not sessions.goes_on(again, "eve", 4)
    assert not sessions.goes_on(again, "ada", 4 + IDLE_S)
    assert sessions.begin("eve", 5 + IDLE_S)


def test_tries_are_kept_and_a_damaged_file_gains_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    def opened() -> Accounts:
        return Accounts([account("ada", "consumer", "flat 1", "gw", "1")], tmp_path / "tries.json")

    accounts = opened()
    for _ in range(PIN_TRIES - 1):
        accounts.was_wrong("ada", 0)
    assert accounts.was_wrong("nobody", 0) == 0
    assert opened().locked_until_s("ada", 1) == 0
    assert opened().was_wrong("ada", 1) == PIN_TRIES
    assert opened().locked_until_s("ada", 2) == 1 + LOCK_S
    (tmp_path / "tries.json").write_text("{", "utf-8")
    damaged = opened()
    assert damaged.was_wrong("ada", 5) == PIN_TRIES and damaged.locked_until_s("ada", 6)
    damaged.was_right("ada")
    assert opened().was_wrong("ada", 7) == 1
