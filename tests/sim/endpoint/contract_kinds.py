"""Which endpoints a test of the contract is put through, and one that is started for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from sim.endpoint.port import Endpoint, EndpointFeature
from sim.endpoint.registry import ENDPOINTS

MAX_MESSAGE_BYTES = 4_096
KINDS = ENDPOINTS.parts()
Test = TypeVar("Test", bound=Callable[..., None])


def needs(*features: EndpointFeature, without: EndpointFeature | None = None) -> Callable[[Test], Test]:
    """Only kinds with these features, and without that one, are put through the test."""

    def marked(test: Test) -> Test:
        test.__dict__["needs"] = features
        test.__dict__["without"] = without
        return test

    return marked


def in_passing(test: Test) -> Test:
    """A test that leaves an endpoint as it was: those that are started as processes serve all such tests."""
    test.__dict__["in_passing"] = True
    return test


def opened(kind: str, directory: Path) -> Endpoint:
    part = KINDS[kind]
    ready = part.ready()
    if not ready.ok:
        pytest.skip(f"{kind}: {ready.detail}")
    made = part.open(part.spec(max_message_bytes=MAX_MESSAGE_BYTES), directory)
    made.start()
    return made
