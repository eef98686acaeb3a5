"""HTTP Digest (RFC 7616) with SHA-256 and with MD5, qop auth. Sans I/O: headers in, a judgement out.

MD5 is there because devices in the field speak it and clients force it; inside TLS it carries a password proof and
nothing else. A nonce is of this server by its own mark, lives IDLE_S from its last use and at most SESSION_MOST_S, and
takes each count (nc) once, so a recorded request is worth nothing. Without qop nothing is taken.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

ALGORITHMS: Final = ("SHA-256", "MD5")
IDLE_S: Final = 600
"""Ten minutes (one product's figure, Theben IF_GW_CON 1.4)."""
SESSION_MOST_S: Final = 48 * 3_600
"""BSI TR-03116-3, 5."""
NONCES_MOST: Final = 256
COUNTS_MOST: Final = 10_000
_HEADER_MOST: Final = 4_096
_PART: Final = re.compile(r'([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)')
_NC: Final = re.compile(r"[0-9a-fA-F]{8}")


def _hash(algorithm: str, text: str) -> str:
    make = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5
    return make(text.encode("utf-8", "surrogateescape")).hexdigest()


def secret(user: str, realm: str, password: str, algorithm: str) -> str:
    """H(A1): what a server keeps of a password."""
    return _hash(algorithm, f"{user}:{realm}:{password}")


def response(secret_: str, algorithm: str, method: str, uri: str, nonce: str, nc: str, cnonce: str) -> str:
    """What who knows the password says."""
    return _hash(algorithm, f"{secret_}:{nonce}:{nc}:{cnonce}:auth:{_hash(algorithm, f'{method}:{uri}')}")


class Judged(NamedTuple):
    """`what`: "right"; "new", right and the first of its nonce; "none" or "malformed", nothing to judge; "stale", its
    nonce is too old or unknown; "used", its count came before; "unknown", nobody has that name; "wrong". `user`: as it
    was said, "" where nothing was."""

    what: str
    user: str = ""
    nonce: str = ""


@dataclass(slots=True)
class _Nonce:
    made_s: int
    used_s: int
    counts: set[str] = field(default_factory=set)
    user: str = ""


class Digest:
    """`draw`: random bytes. `algorithms`: those that are offered, the first one first."""

    def __init__(self, realm: str, draw: Callable[[int], bytes], algorithms: Sequence[str] = ALGORITHMS) -> None:
        self.realm = realm
        self._draw, self._algorithms = draw, tuple(algorithms)
        self._nonces: dict[str, _Nonce] = {}

    def challenges(self, now_s: int, *, stale: bool = False) -> list[str]:
        """Values of WWW-Authenticate, one an algorithm, all with one new nonce."""
        nonce = self._draw(24).hex()
        if len(self._nonces) >= NONCES_MOST:  # the one that was unused longest
            del self._nonces[min(self._nonces, key=lambda one: self._nonces[one].used_s)]
        self._nonces[nonce] = _Nonce(now_s, now_s)
        end = ", stale=true" if stale else ""
        return [
            f'Digest realm="{self.realm}", qop="auth", algorithm={one}, nonce="{nonce}"{end}'
            for one in self._algorithms
        ]

    def judge(
        self, header: str, method: str, uri: str, secret_of: Callable[[str, str], str | None], now_s: int
    ) -> Judged:
        """`secret_of`: (user, algorithm) -> H(A1); None: nobody has that name."""
        if not header:
            return Judged("none")
        given = _parts(header)
        needed = ("username", "realm", "nonce", "uri", "response", "nc", "cnonce")
        if given is None or any(name not in given for name in needed) or given.get("qop") != "auth":
            return Judged("malformed")
        algorithm = given.get("algorithm", "MD5")
        user, nonce, nc = given["username"], given["nonce"], given["nc"]
        if algorithm not in self._algorithms or given["realm"] != self.realm or given["uri"] != uri:
            return Judged("malformed", user)
        known = self._nonces.get(nonce)
        if known is None or now_s - known.used_s > IDLE_S or now_s - known.made_s > SESSION_MOST_S:
            self._nonces.pop(nonce, None)
            return Judged("stale", user)
        if not _NC.fullmatch(nc) or nc.lower() in known.counts or len(known.counts) >= COUNTS_MOST:
            return Judged("used", user)
        kept = secret_of(user, algorithm)
        must = response(kept or "", algorithm, method, uri, nonce, nc, given["cnonce"])
        if not hmac.compare_digest(must.encode(), given["response"].lower().encode("utf-8", "surrogateescape")):
            return Judged("unknown" if kept is None else "wrong", user)
        if kept is None:
            return Judged("unknown", user)
        if known.counts and known.user != user:
            return Judged("stale", user)  # a nonce is one user's
        first = not known.counts
        known.counts.add(nc.lower())
        known.used_s, known.user = now_s, user
        return Judged("new" if first else "right", user, nonce)

    def forget(self, nonce: str) -> None:
        """Its login is over."""
        self._nonces.pop(nonce, None)


def _parts(header: str) -> dict[str, str] | None:
    """Members of an Authorization header; None where it is none of Digest, or says one of them twice."""
    kind, _, rest = header.partition(" ")
    if kind.lower() != "digest" or len(header) > _HEADER_MOST:
        return None
    out: dict[str, str] = {}
    rest, place = rest.strip(), 0
    while place < len(rest):
        found = _PART.match(rest, place)
        if found is None or found[1].lower() in out:
            return None
        out[found[1].lower()] = found[3] if found[3] is not None else re.sub(r"\\(.)", r"\1", found[2])
        place = found.end()
        while place < len(rest) and rest[place] == " ":
            place += 1
    return out
