"""A gateway's HAN without its socket: who asks, may they, what is answered.

The order of looking: is there anything under this path; who is it (a certificate that an account names, else Digest);
is the account locked; is the session going on; what does the dialect say. Logins and failures go to the consumer's own
log, failures and locks to the system log too. Whatever is not understood is one clear refusal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from sim.core.quoting import named
from sim.smart_metering.han.dialects import display
from sim.smart_metering.han.han_accounts import PIN_TRIES, Account, Accounts
from sim.smart_metering.han.holding import HanSource
from sim.smart_metering.han.http_digest import Digest
from sim.smart_metering.han.role_matrix import Denied, HanAccess
from sim.smart_metering.han.sessions import Sessions
from sim.smart_metering.han.visits import Dialect, Ended, Request, Response, Visit
from sim.smgw.logs.log_entries import Level, LogEvent
from sim.smgw.module.port import ModuleError
from sim.smgw.refusals import RuleError

COOKIE: Final = "session"


class Han:
    """`realm` of its Digest; `draw`: random bytes; `now_s`: by which logins last. One request at a time (`lock`): who
    changes what the source shows holds it too."""

    def __init__(
        self, source: HanSource, accounts: Accounts, dialect: Dialect, realm: str, draw: Callable[[int], bytes],
        now_s: Callable[[], int], lock: threading.RLock | None = None,
    ) -> None:  # fmt: skip
        self.source, self.accounts, self.dialect = source, accounts, dialect
        self.lock = lock or threading.RLock()
        self._now_s = now_s
        self._digest = Digest(realm, draw, dialect.algorithms)
        self._sessions = Sessions(dialect.sessions_most, draw)

    def answer(self, request: Request) -> Response:
        with self.lock:
            return self._answer(request)

    def _answer(self, request: Request) -> Response:
        now_s = self._now_s()
        dialect: Dialect = display.DIALECT if display.DIALECT.owns(request.path) else self.dialect
        if not dialect.owns(request.path):
            return Response(404, b"there is nothing here; a browser finds /display")
        found = self._who(request, now_s)
        if isinstance(found, Response):
            return found
        account, fresh, nonce = found
        headers: tuple[tuple[str, str], ...] = ()
        cookie = ""
        if dialect.cookie:
            fresh = False
            own = [one for one in request.cookies() if self._sessions.goes_on(one, account.name, now_s)]
            cookie = own[0] if own else ""
            if not cookie and request.method != "GET":
                return Response(403, b"no session: log in first, with GET")
            if not cookie:
                begun = self._sessions.begin(account.name, now_s)
                if begun is None:
                    return Response(503, b"another user's session goes on; it ends when it is left or idle")
                cookie = begun
                fresh = True
                headers = (("Set-Cookie", f"{COOKIE}={cookie}; Path=/; Secure; HttpOnly; SameSite=Strict"),)
        if fresh:
            self._note(account, Level.INFORMATION, LogEvent.LOGIN, 0, f"{account.name} logged in")
        visit = Visit(request, HanAccess(self.source, account), self.source, now_s, cookie)
        try:
            said = dialect.answer(visit)
        except Denied as error:
            return Response(403, str(error).encode())
        except Ended as ended:
            self._sessions.end(cookie)
            self._digest.forget(nonce)
            self._note(account, Level.INFORMATION, LogEvent.LOGOUT, 0, f"{account.name} logged out")
            return ended.answer
        except RuleError as error:
            return Response(400, str(error).encode())
        except ModuleError as error:
            return Response(503, f"the security module does not do it ({error.reason})".encode())
        return said._replace(headers=said.headers + headers)

    def _who(self, request: Request, now_s: int) -> tuple[Account, bool, str] | Response:
        """(account, a login begins, its nonce), or the refusal."""
        shown = self.accounts.of_certificate(request.certificate)
        if shown is not None:
            return shown, not request.headers.get("cookie") and request.method == "GET", ""
        judged = self._digest.judge(
            request.headers.get("authorization", ""), request.method, request.target, self._secret, now_s
        )
        until_s = self.accounts.locked_until_s(judged.user, now_s)
        if until_s:
            return Response(403, f"too many wrong passwords; locked for another {until_s - now_s} s".encode())
        if judged.what in ("new", "right"):
            account = self.accounts.find(judged.user)
            assert account is not None, "the digest of a name that is known"
            self.accounts.was_right(judged.user)
            return account, judged.what == "new", judged.nonce
        if judged.what in ("wrong", "unknown"):
            self._failed(judged.user, now_s)
        said = {"wrong": "wrong user or password", "unknown": "wrong user or password"}.get(judged.what, "log in first")
        headers = [("WWW-Authenticate", one) for one in self._digest.challenges(now_s, stale=judged.what == "stale")]
        return Response(401, said.encode(), headers=tuple(headers))

    def _secret(self, user: str, algorithm: str) -> str | None:
        account = self.accounts.find(user)
        return None if account is None else account.secrets.get(algorithm)

    def _failed(self, user: str, now_s: int) -> None:
        count = self.accounts.was_wrong(user, now_s)
        account = self.accounts.find(user)
        if account is None:
            self.source.note(None, Level.WARNING, LogEvent.LOGIN_FAILED, named(user), 1, "a user that there is not")
            return
        text = f"wrong password {count} for {account.name}"
        self._note(account, Level.WARNING, LogEvent.LOGIN_FAILED, 1, text)
        if count >= PIN_TRIES:
            self._note(account, Level.ERROR, LogEvent.LOCKED, 1, f"{account.name} is locked")
            self.source.note(None, Level.ERROR, LogEvent.LOCKED, "", 1, "an account of the HAN is locked")

    def _note(self, account: Account, level: Level, event: LogEvent, outcome: int, text: str) -> None:
        self.source.note(account.owner or None, level, event, account.name, outcome, text)
