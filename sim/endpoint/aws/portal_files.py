"""A portal beside AWS that hears by files: the rules that write them to a bucket, and the consumer that reads them.

A file's key is made of its topic and of the SHA-256 of its payload, by S3's key template. A key of the time, as in
many examples, loses one of two bundles that come in the same millisecond; a key of the content cannot: what comes again
is the same file.

A file goes when the portal has committed what is in it and not before. A portal that is killed between its commit and
the end of a file finds it again, and drops it by gateway and number as it drops any bundle that comes twice. A file
that no rule wrote is put aside under ASIDE, where it stays.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Final

from sim.endpoint.aws import portal_queue
from sim.endpoint.port import Message

BUCKET: Final = "portal"
ASIDE: Final = "portal-aside"
KEY: Final = "${topic(2)}/${topic(3)}/${sha256(encode(*, 'base64'))}.json"
RULES: Final[list[dict[str, Any]]] = portal_queue.rules("files", {"s3": {"bucketName": BUCKET, "key": KEY}})


class Files:
    """See portal_queue.Inbox. `directory`: of the actions. Raises OSError."""

    def __init__(self, directory: Path) -> None:
        self._bucket, self._aside = directory / "s3" / BUCKET, directory / "s3" / ASIDE
        self._given: list[Path] = []

    def waiting(self) -> list[Message]:
        found: list[Message] = []
        self._given = []
        for place in sorted(self._bucket.rglob("*")):
            if not place.is_file():
                continue
            try:
                found.append(portal_queue.message(place.read_bytes()))
            except ValueError:
                self._put_aside(place)
                continue
            self._given.append(place)
        return found

    def taken(self) -> None:
        for place in self._given:
            with contextlib.suppress(FileNotFoundError):
                place.unlink()
        self._given = []

    def _put_aside(self, place: Path) -> None:
        to = self._aside / place.relative_to(self._bucket)
        to.parent.mkdir(parents=True, exist_ok=True)
        place.replace(to)
