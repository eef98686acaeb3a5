"""Device shadows: one JSON document a shadow, and what each request makes of it (developer guide: device-shadow-
document, device-shadow-mqtt, device-shadow-error-messages; sizes, nesting: as Amazon's local implementation).

    shadows = Shadows()
    shadows.handle("thing", None, "update", payload, now_s)     -> [Reply("update/accepted", {...}), ...]

Kept here: null deletes a key, objects merge, everything else is replaced whole; an emptied section goes; each accepted
update raises the version, and deleting does not reset it; a thing need not be registered.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

LARGEST_STATE_BYTES: Final = 8_192
LARGEST_TOKEN_BYTES: Final = 64
DEEPEST: Final = 6
SECTIONS: Final = ("desired", "reported")
_THING: Final = re.compile(r"[a-zA-Z0-9:_-]{1,128}")
_SHADOW: Final = re.compile(r"[a-zA-Z0-9:_-]{1,64}")
_TOPIC: Final = re.compile(r"\$aws/things/([^/]+)/shadow/(?:name/([^/]+)/)?(update|get|delete)")

Document = dict[str, Any]


class Reply(NamedTuple):
    """`suffix`: update/accepted, update/delta ..., behind the shadow's own topic."""

    suffix: str
    document: Document


class Rejected(Exception):
    """Why a request is refused: an HTTP status and the service's text for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(slots=True)
class _Shadow:
    """`state` and `metadata` hold "desired" and "reported" where they are not empty."""

    state: Document = field(default_factory=dict)
    metadata: Document = field(default_factory=dict)
    version: int = 0

    def document(self) -> Document:
        return {"state": _copy(self.state), "metadata": _copy(self.metadata), "version": self.version}


def request_of(topic: str) -> tuple[str, str | None, str] | None:
    """(thing, shadow's name or None, operation) where a topic is a request to the shadow service, else None."""
    match = _TOPIC.fullmatch(topic)
    return (match[1], match[2], match[3]) if match else None


def _by_name(key: tuple[str, str | None]) -> tuple[str, str]:
    return key[0], key[1] or ""


def prefix(thing: str, name: str | None) -> str:
    """The topic before update, get and delete."""
    return f"$aws/things/{thing}/shadow" + ("" if name is None else f"/name/{name}")


class Shadows:
    """All shadows of an account."""

    def __init__(self) -> None:
        self._shadows: dict[tuple[str, str | None], _Shadow] = {}
        self._deleted: dict[tuple[str, str | None], int] = {}
        self.changes = 0
        """Updates and deletions so far."""

    def everything(self) -> dict[tuple[str, str | None], Document]:
        """(thing, shadow's name or None) -> the shadow as `put` takes it."""
        return {key: self._shadows[key].document() for key in sorted(self._shadows, key=_by_name)}

    def handle(self, thing: str, name: str | None, operation: str, payload: bytes, now_s: int) -> list[Reply]:
        """What the service publishes for one request. `now_s`: seconds since 1970."""
        token: str | None = None
        try:
            if not _THING.fullmatch(thing):
                raise Rejected(400, "Invalid thing name")
            if name is not None and not _SHADOW.fullmatch(name):
                raise Rejected(400, "Invalid shadow name")
            asked = _object(payload, empty_allowed=operation != "update")
            token = _token(asked)
            if operation == "update":
                replies = self._update((thing, name), asked, now_s)
            elif operation == "get":
                replies = [Reply("get/accepted", {**self._whole((thing, name)), "timestamp": now_s})]
            else:
                replies = [self._delete((thing, name), now_s)]
        except Rejected as refused:
            said = {"code": refused.code, "message": refused.message, "timestamp": now_s}
            replies = [Reply(f"{operation}/rejected", said)]
        if token is not None:
            for reply in replies:
                reply.document["clientToken"] = token
        return replies

    def get(self, thing: str, name: str | None) -> Document | None:
        """The shadow as `get` gives it, without timestamp; None when there is none."""
        try:
            return self._whole((thing, name))
        except Rejected:
            return None

    def names(self, thing: str) -> list[str]:
        """The thing's named shadows, sorted."""
        return sorted(name for owner, name in self._shadows if owner == thing and name is not None)

    def put(self, thing: str, name: str | None, document: Mapping[str, Any], then_s: int = 0) -> None:
        """Set a shadow as it stands: `state`, `version` and perhaps `metadata` (else every key dates from `then_s`)."""
        state = {key: _copy(document["state"][key]) for key in SECTIONS if document.get("state", {}).get(key)}
        dates = document.get("metadata") or {key: _dated(value, then_s) for key, value in state.items()}
        self._shadows[thing, name] = _Shadow(state, _copy(dict(dates)), int(document.get("version", 1)))

    # --- the three operations ------------------------------------------------------------------------------------

    def _find(self, key: tuple[str, str | None]) -> _Shadow:
        if key not in self._shadows:
            raise Rejected(404, f"No shadow exists with name: '{key[1] or key[0]}'")
        return self._shadows[key]

    def _whole(self, key: tuple[str, str | None]) -> Document:
        shadow = self._find(key)
        found = shadow.document()
        delta = _delta(shadow.state)
        if delta:
            found["state"]["delta"] = delta
            found["metadata"]["delta"] = _dates_of(delta, shadow.metadata.get("desired", {}))
        return found

    def _delete(self, key: tuple[str, str | None], now_s: int) -> Reply:
        version = self._find(key).version
        del self._shadows[key]
        self.changes += 1
        self._deleted[key] = version
        return Reply("delete/accepted", {"version": version, "timestamp": now_s})

    def _update(self, key: tuple[str, str | None], asked: Document, now_s: int) -> list[Reply]:
        state = _checked_state(asked)
        old = self._shadows.get(key)
        version = old.version if old else self._deleted.get(key, 0)
        self._check_version(asked, old, version)
        new = _Shadow(version=version + 1)
        if state is None:
            dates: Document = {"timestamp": now_s}
        else:
            dates = {section: _dated(value, now_s) for section, value in state.items()}
            for section in SECTIONS:
                self._merge(section, state, old, new, now_s)
        size = sum(len(_compact(value)) for value in new.state.values())
        if size > LARGEST_STATE_BYTES:
            raise Rejected(413, "The payload exceeds the maximum size allowed")
        self._shadows[key] = new
        self.changes += 1
        stamp = {"version": new.version, "timestamp": now_s}
        replies = [Reply("update/accepted", {"state": _copy(state), "metadata": dates, **stamp})]
        delta = _delta(new.state)
        if delta:
            of_delta = _dates_of(delta, new.metadata["desired"])
            replies.append(Reply("update/delta", {"state": delta, "metadata": of_delta, **stamp}))
        documents: Document = {"current": new.document(), "timestamp": now_s}
        if old is not None:
            documents = {"previous": old.document(), **documents}
        replies.append(Reply("update/documents", documents))
        return replies

    @staticmethod
    def _check_version(asked: Document, old: _Shadow | None, version: int) -> None:
        wanted = asked.get("version")
        if wanted is None:
            return
        if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
            raise Rejected(400, "Invalid version")
        if old is None and not version:
            if wanted > 1:  # Amazon's local implementation takes 1 for a shadow that is to be made
                raise Rejected(400, "Invalid version")
        elif wanted != version:
            raise Rejected(409, "Version conflict")

    @staticmethod
    def _merge(section: str, sent: Document, old: _Shadow | None, new: _Shadow, now_s: int) -> None:
        state = old.state.get(section, {}) if old else {}
        dates = old.metadata.get(section, {}) if old else {}
        if section in sent:
            update = sent[section]
            state, dates = ({}, {}) if update is None else _merged(state, dates, update, now_s)
        if state:
            new.state[section], new.metadata[section] = _copy(state), _copy(dates)


# --- what a request may say --------------------------------------------------------------------------------------


def _object(payload: bytes, *, empty_allowed: bool) -> Document:
    if not payload.strip() and empty_allowed:
        return {}

    def constant(_name: str) -> Any:
        raise Rejected(400, "Invalid JSON")

    try:
        found = json.loads(payload.decode(), parse_constant=constant)
        json.dumps(found).encode()
    except RecursionError:
        raise Rejected(400, f"JSON contains too many levels of nesting; maximum is {DEEPEST}") from None
    except ValueError:
        raise Rejected(400, "Invalid JSON") from None
    if not isinstance(found, dict):
        raise Rejected(400, "Invalid JSON")
    return found


def _token(asked: Document) -> str | None:
    token = asked.get("clientToken")
    if token is None:
        return None
    if not isinstance(token, str) or len(token.encode("utf-8", "replace")) > LARGEST_TOKEN_BYTES:
        raise Rejected(400, "Invalid clientToken")
    return token


def _checked_state(asked: Document) -> Document | None:
    """None clears both sections."""
    if "state" not in asked:
        raise Rejected(400, "Missing required node: state")
    state = asked["state"]
    if state is None:
        return None
    if not isinstance(state, dict):
        raise Rejected(400, "State node must be an object")
    for section, value in state.items():
        if section not in SECTIONS:
            raise Rejected(400, "State contains an invalid node")
        if value is not None and not isinstance(value, dict):
            raise Rejected(400, f"{section.capitalize()} node must be an object")
        _check_values(value)
    return state


def _check_values(section: Any) -> None:
    level, depth = [section], 0
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        if depth > DEEPEST:
            raise Rejected(400, f"JSON contains too many levels of nesting; maximum is {DEEPEST}")
        below: list[Any] = []
        for one in level:
            if isinstance(one, list) and any(item is None for item in one):
                raise Rejected(400, "State contains an invalid node")
            below.extend(one.values() if isinstance(one, dict) else one)
        if any(isinstance(one, float) and not math.isfinite(one) for one in below):
            raise Rejected(400, "Invalid JSON")
        level = below


# --- documents ---------------------------------------------------------------------------------------------------


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _dated(value: Any, now_s: int) -> Any:
    """Metadata: a timestamp for each value, arrays item by item."""
    if isinstance(value, dict):
        return {key: _dated(one, now_s) for key, one in value.items()}
    return [_dated(one, now_s) for one in value] if isinstance(value, list) else {"timestamp": now_s}


def _merged(state: Document, dates: Document, update: Document, now_s: int) -> tuple[Document, Document]:
    """The section after an update, and its metadata."""
    state, dates = dict(state), dict(dates)
    for key, value in update.items():
        if value is None:
            state.pop(key, None)
            dates.pop(key, None)
        elif isinstance(value, dict):
            is_object = isinstance(state.get(key), dict)
            before, before_dates = (state[key], dates.get(key, {})) if is_object else ({}, {})
            state[key], dates[key] = _merged(before, before_dates, value, now_s)
        else:
            state[key], dates[key] = value, _dated(value, now_s)
    return state, dates


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(value, right[key]) for key, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _delta(state: Document) -> Document:
    """What is desired and not so reported, by the desired values."""
    return _difference(state.get("desired", {}), state.get("reported", {}))


def _difference(desired: Document, reported: Document) -> Document:
    found: Document = {}
    for key, value in desired.items():
        if key not in reported:
            found[key] = _copy(value)
        elif isinstance(value, dict) and isinstance(reported[key], dict):
            below = _difference(value, reported[key])
            if below:
                found[key] = below
        elif not _same(value, reported[key]):
            found[key] = _copy(value)
    return found


def _dates_of(delta: Document, dates: Document) -> Document:
    """The metadata of the desired section, of those keys that the delta has."""
    found: Document = {}
    for key, value in delta.items():
        date = dates.get(key, {})
        is_object = isinstance(value, dict) and isinstance(date, dict)
        found[key] = _dates_of(value, date) if is_object else _copy(date)
    return found
